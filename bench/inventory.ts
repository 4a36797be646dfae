/** What the console and other programs ask of the inventory, over HTTP: how long each question takes. */

/** Times that each question is asked. */
const TIMES = 30;

/** ms of a client on the same machine. */
export interface Asked {
  readonly question: string;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
  /** Devices that the question matched; absent where it is about none. */
  readonly matching?: number;
}

export interface Answer {
  readonly ms: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** @throws Error where the answer is none of success */
export async function ask(base: string, path: string): Promise<Answer> {
  const start = performance.now();
  const response = await fetch(`${base}${path}`);
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return { ms: performance.now() - start, body };
}

const page = '/api/devices?limit=100';
const facets = '/api/devices/facets?by=state,carrier,manufacturer,model,firmware,node';

/** Pages and searches of a fleet that fleet.ts has made; `cursor` leads into the middle of it by model. */
function questions(total: number, cursor: unknown): readonly (readonly [string, readonly string[]])[] {
  const places = [0.9, 0.5, 0.1, 0.75].map((share) => Math.floor(total * share));
  return [
    ['first page of 100', [page]],
    ...['lastSeen', 'firstSeen', 'model', 'carrier', 'signal', 'firmware'].map(
      (sort) => [`by ${sort}, either way`, [`${page}&sort=${sort}`, `${page}&sort=-${sort}`]] as const,
    ),
    ['jumps, by endpoint', places.map((offset) => `${page}&offset=${offset}`)],
    [
      'jumps, by last contact, of one carrier',
      places.map((offset) => `${page}&sort=-lastSeen&carrier=AT%26T&offset=${Math.floor(offset / 3)}`),
    ],
    ['goes on by cursor, by model', [`${page}&cursor=${cursor}`]],
    ['search, a part of few endpoints', [`${page}&q=99877`, `${page}&q=METER-1`]],
    ['search, a part of most endpoints', [`${page}&q=imei:35`]],
    ['search, nothing found', [`${page}&q=zzzzz`]],
    ['search, the start of an IMSI or ICCID', [`${page}&q=31041000012`, `${page}&q=890141032100000`]],
    ['search, the start of all ICCIDs', [`${page}&q=8901`]],
    ['states', [`${page}&state=asleep`, `${page}&state=lost,left`, `${page}&state=awake`]],
    [
      'carrier, model and signal, by signal',
      [`${page}&carrier=T-Mobile&model=BG77,SARA-R422&signalMax=-90&sort=signal`],
    ],
    ['all facets', [facets]],
    ['all facets of a search', [`${facets}&q=imei&state=registered`]],
    ['a page of 1000', ['/api/devices?limit=1000']],
  ];
}

/** Asks each question several times; a question of several forms is asked in each of them by turns. */
export async function askInventory(base: string): Promise<Asked[]> {
  const { body: first } = await ask(base, page);
  const total = Number(first['total']);
  const { body: middle } = await ask(base, `${page}&sort=-model&offset=${Math.floor(total / 2)}`);
  const all: Asked[] = [];
  for (const [question, forms] of questions(total, middle['next'])) {
    const times: number[] = [];
    let matching: unknown;
    for (let turn = 0; turn < TIMES; turn++) {
      const { ms, body } = await ask(base, forms[turn % forms.length] as string);
      times.push(ms);
      matching = body['total'];
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] as number;
    all.push({
      ...{ question, median: at(0.5), p95: at(0.95), worst: at(1) },
      ...(typeof matching === 'number' ? { matching } : {}),
    });
  }
  return all;
}

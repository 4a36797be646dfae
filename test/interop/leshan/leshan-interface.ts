import { EventEmitter, once } from 'node:events';

/** One request to a route of the interface. */
export interface Step {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Behind `/api/`. */
  readonly path: string;
  /** Goes as JSON; a text as plain text. */
  readonly body?: unknown;
  /**
   * Where the two tell the same in other words: `kind` compares status and what stands before the first colon,
   * `status` the status alone.
   */
  readonly words?: 'kind' | 'status';
  /** Members that the one may tell, and the other not. */
  readonly besides?: readonly string[];
}

/** What differs from server to server, and from moment to moment, by the name of the member. */
const variable: Readonly<Record<string, string>> = {
  registrationId: 'an id',
  requestId: 'an id',
  registrationDate: 'a time',
  lastUpdate: 'a time',
  timestamp: 'a time',
  address: 'an address',
  mId: 'an id',
  token: 'an id',
};

/** The library keeps these by hash: their order means nothing. */
const unordered: readonly string[] = ['objects', 'instances', 'resources'];

/** Values without what is variable: whether each is there, and of which type, is kept. */
export function normalised(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(normalised);
  if (typeof json !== 'object' || json === null) return json;
  if ('url' in json && json.url === '/' && 'attributes' in json) {
    // The library forgets the formats of a client whose Update lists its objects without them.
    const { ct: _ct, ...rest } = json.attributes as Readonly<Record<string, unknown>>;
    return { ...json, attributes: rest };
  }
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const what = variable[name];
      if (unordered.includes(name) && Array.isArray(value)) {
        return [name, normalised([...(value as { id: number }[])].sort((a, b) => a.id - b.id))];
      }
      return [name, what === undefined ? normalised(value) : `${what}, a ${typeof value}`];
    }),
  );
}

export interface InterfaceAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly content: unknown;
}

/** The interface of one server. */
export class Interface {
  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  async ask({ method, path, body, words, besides = [] }: Step): Promise<InterfaceAnswer> {
    const contentType = typeof body === 'string' ? 'text/plain' : 'application/json';
    const answer = await fetch(`${this.base}/api/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : {
            body: typeof body === 'string' ? body : JSON.stringify(body),
            headers: { 'content-type': contentType },
          }),
    });
    const text = await answer.text();
    const { status } = answer;
    if (words === 'status') return { status, type: undefined, content: undefined };
    const type = answer.headers.get('content-type')?.split(';')[0];
    if (type === 'application/json') {
      const json: unknown = JSON.parse(text, (key, value) => (besides.includes(key) ? undefined : value));
      return { status, type, content: normalised(json) };
    }
    return {
      status,
      type: text === '' ? undefined : type,
      content: words === 'kind' ? text.split(':')[0] : text,
    };
  }
}

export interface InterfaceEvent {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly data: any;
}

/** The events of one server; those that came are kept. */
export class InterfaceEvents {
  readonly events: InterfaceEvent[] = [];
  readonly #controller = new AbortController();
  readonly #arrival = new EventEmitter();

  static async open(base: string, query = ''): Promise<InterfaceEvents> {
    const stream = new InterfaceEvents();
    const answer = await fetch(`${base}/api/event${query}`, { signal: stream.#controller.signal });
    if (!answer.ok || answer.body === null) throw new Error(`the events answered ${answer.status}`);
    stream.#read(answer.body).catch((error: unknown) => {
      if (!stream.#controller.signal.aborted) throw error;
    });
    return stream;
  }

  /** The first event that is wanted, among those that came and those to come. */
  async until(isWanted: (event: InterfaceEvent) => boolean, patience = 60_000): Promise<InterfaceEvent> {
    const deadline = AbortSignal.timeout(patience);
    for (let next = 0; ; next++) {
      while (next >= this.events.length) {
        await once(this.#arrival, 'event', { signal: deadline }).catch(() => {
          throw new Error(`No such event in ${patience} ms; there were:\n${JSON.stringify(this.events)}`);
        });
      }
      const event = this.events[next];
      if (event !== undefined && isWanted(event)) return event;
    }
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    let name = '';
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      // The demo ends its lines with CR LF.
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.map((one) => one.replace(/\r$/, ''))) {
        if (line.startsWith('event: ')) name = line.slice('event: '.length);
        if (!line.startsWith('data: ')) continue;
        this.events.push({ name, data: JSON.parse(line.slice('data: '.length)) });
        this.#arrival.emit('event');
      }
    }
  }
}

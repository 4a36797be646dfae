/**
 * `npm run bench:switch`: carrier switches one after the other, from the REST request to the event that tells the card's
 * ACK, with modems of ours, while other devices notify.
 */
import { Agent, get, request } from 'node:http';
import { cpus, loadavg, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProjectProcess } from '../test/support/server-process.ts';
import { decimal, flagsOrExit, given, parseFlags, whole } from './flags.ts';
import { Histogram, type LatencySummary } from './load/histogram.ts';
import type { LoadCommand, LoadReport } from './load/main.ts';
import { BenchProcess } from './process.ts';
import { publish } from './publish.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

const usage = `Carrier switches through REST while devices notify.

  --switches N    (500)
  --modems N      that switch by turns                        (20)
  --devices N     that notify                                 (500)
  --rate N        confirmable notifications a second, in all  (5000)
  --write         put the table into docs/performance.md`;

const { switches, modems, devices, rate, write } = flagsOrExit(usage, (args) =>
  parseFlags(args, {
    switches: whole(500, { to: 1_000_000 }),
    modems: whole(20, { to: 1_000 }),
    devices: whole(500, { to: 15_000 }),
    rate: decimal(5_000, { from: 1, to: 1_000_000 }),
    write: given,
  }),
);
/** ms: of the house plan. */
const budget = { p50: 5, p99: 25 };
const carriers = ['T-Mobile', 'Verizon', 'AT&T'];
/** Piece of the load's work, ms. */
const PIECE = 5_000;
const PATIENCE = 60_000;

interface CommandEvent {
  readonly data?: {
    readonly command?: {
      readonly id: string;
      readonly state: string;
      readonly reason?: string;
      readonly createdAt: number;
      readonly updatedAt: number;
    };
  };
}

interface End {
  /** `done`, or another state with its reason. */
  readonly state: string;
  /** ms between the command and the card's ACK, both by the server's clock. */
  readonly took: number;
}

/** Waits for the ends of commands, as a program does that follows the event stream. */
class Ends {
  readonly #waiting = new Map<string, (end: End) => void>();
  readonly #ended = new Map<string, End>();
  #rest = '';

  static open(base: string): Promise<Ends> {
    const ends = new Ends();
    return new Promise((resolve, reject) => {
      const request = get(`${base}/api/events?types=command`, { agent: false }, (response) => {
        response.setEncoding('utf8');
        response.on('data', (text: string) => ends.#take(text));
        response.on('error', reject);
        resolve(ends);
      });
      request.on('error', reject);
    });
  }

  of(id: string): Promise<End> {
    const ended = this.#ended.get(id);
    if (ended !== undefined) return Promise.resolve(ended);
    const { promise, resolve } = Promise.withResolvers<End>();
    this.#waiting.set(id, resolve);
    return promise;
  }

  #take(text: string): void {
    const frames = (this.#rest + text).split('\n\n');
    this.#rest = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined || !frame.includes('event: command')) continue;
      const { data: { command } = {} } = JSON.parse(data) as CommandEvent;
      if (command === undefined || ['queued', 'sent', 'accepted'].includes(command.state)) continue;
      const state = command.state === 'done' ? 'done' : `${command.state}: ${command.reason}`;
      const end = { state, took: command.updatedAt - command.createdAt };
      this.#ended.set(command.id, end);
      this.#waiting.get(command.id)?.(end);
      this.#waiting.delete(command.id);
    }
  }
}

/** The caller keeps its connection. */
const agent = new Agent({ keepAlive: true });

/** Resolves with the command's id. Node's own client, for `fetch` takes about a millisecond more of the machine. */
function post(base: string, modem: string, carrier: string): Promise<string> {
  const body = JSON.stringify({ carrier });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const posted = request(
      `${base}/api/devices/${modem}/carrier`,
      { agent, method: 'POST', headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 202) resolve((JSON.parse(text) as { id: string }).id);
          else reject(new Error(`POST carrier answered ${response.statusCode}: ${text}`));
        });
      },
    );
    posted.on('error', reject);
    posted.end(body);
  });
}

async function until(what: string, met: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; ) {
    if (await met()) return;
    await sleep(200);
  }
  throw new Error(`waited in vain: ${what}`);
}

interface Switched {
  /** From the POST to the event, by the caller's clock. */
  readonly told: LatencySummary;
  /** From the command to the ACK, by the server's clock, to the millisecond. */
  readonly acknowledged: LatencySummary;
}

/** One modem after the other is switched on; each switch waits for the end of the one before. */
async function switchAll(base: string, ends: Ends, failures: string[]): Promise<Switched> {
  const [told, acknowledged] = [new Histogram(), new Histogram()];
  for (let number = 0; number < switches; number++) {
    const modem = `switch-${(number % modems) + 1}`;
    const carrier = carriers[Math.floor(number / modems) % carriers.length] as string;
    const began = performance.now();
    const late = sleep(PATIENCE, { state: 'no end', took: PATIENCE });
    const { state, took } = await Promise.race([ends.of(await post(base, modem, carrier)), late]);
    told.add((performance.now() - began) * 1_000);
    acknowledged.add(took * 1_000);
    if (state !== 'done') failures.push(`${modem} → ${carrier}: ${state}`);
  }
  return { told: told.summary(), acknowledged: acknowledged.summary() };
}

function rows(what: string, { told, acknowledged }: Switched): string[] {
  return [
    row(`${what}: from the POST to the event that tells the ACK`, told),
    row(`${what}: from the command to the ACK, by the server's clock`, acknowledged),
  ];
}

function row(what: string, latency: LatencySummary): string {
  const { count, p50, p95, p99, max } = latency;
  const [half, most] = [`${p50.toFixed(1)} (≤ ${budget.p50})`, `${p99.toFixed(1)} (≤ ${budget.p99})`];
  return `| ${what} | ${count} | ${half} | ${p95.toFixed(1)} | ${most} | ${max.toFixed(1)} |`;
}

const folder = temporaryFolder();
const target = new BenchProcess('./targets/simyard.ts', [folder]);
const load = new BenchProcess('./load/main.ts');
let fleet: ProjectProcess | undefined;
try {
  const { port, http } = await target.next<{ port: number; http: string }>();
  fleet = new ProjectProcess('client/main.ts', [
    ...['--fleet', '--count', String(modems), '--prefix', 'switch-', '--server', `coap://127.0.0.1:${port}`],
    // The card and the network are the simulation's own: what is measured is everything else.
    ...[
      '--switch-latency',
      '0',
      '--attach-time',
      '0',
      '--state',
      ':memory:',
      '--rate',
      'imu=0,gyro=0,temperature=0',
    ],
  ]);
  const modemProcess = fleet;
  await until('the modems are registered', async () => {
    if (modemProcess.ended) throw new Error(`the modems ended: ${modemProcess.output}`);
    const response = await fetch(`${http}/api/devices?state=registered&limit=${modems}`);
    return ((await response.json()) as { items: unknown[] }).items.length === modems;
  });
  const ends = await Ends.open(http);
  const failures: string[] = [];
  // Once round, so that each modem's carriers are known to the server, and what Node compiles is compiled.
  for (let modem = 1; modem <= modems; modem++) await ends.of(await post(http, `switch-${modem}`, 'Verizon'));
  const quiet = await switchAll(http, ends, failures);
  await load.ask({
    ...{ kind: 'open', work: 'notify', devices, readings: 1, port },
  } satisfies LoadCommand);
  let isSwitching = true;
  const notifying = (async () => {
    const reports: LoadReport[] = [];
    while (isSwitching || reports.length === 0) {
      reports.push(
        await load.ask<LoadReport>({
          kind: 'pace',
          milliseconds: PIECE,
          rate,
        } satisfies LoadCommand),
      );
    }
    return reports;
  })();
  await sleep(2_000);
  const loaded = await switchAll(http, ends, failures);
  isSwitching = false;
  const reports = await notifying;
  const [first] = reports;
  const notified = first === undefined ? Number.NaN : (first.done / first.elapsed) * 1_000;
  const lines = [
    '| | switches | p50 ms (budget) | p95 | p99 (budget) | longest |',
    '|---|--:|--:|--:|--:|--:|',
    ...rows('nothing else to do', quiet),
    ...rows(`${devices} devices notify, ${Math.round(notified).toLocaleString('en')}/s in all`, loaded),
    '',
    `On disk; the card switches and the network attaches at once. ${switches} switches of ${modems} modems by turns, ${failures.length} failed; acknowledgement of a notification meanwhile: p50 ${first?.latency.p50.toFixed(1)} ms, p99 ${first?.latency.p99.toFixed(1)} ms. Server, devices, modems and the caller share ${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.version}; load average ${loadavg()[0]?.toFixed(1)} at the end.`,
  ];
  publish('switch', lines.join('\n'), { write, failures: failures.slice(0, 10) });
} finally {
  await Promise.all([target.stop(), load.stop(), fleet?.kill('SIGKILL')]);
  removeFolder(folder);
}
process.exit();

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiDevicePage } from '../../server/api/schemas.ts';
import { type ModemOnPort, PortSharers } from '../support/port-sharers.ts';
import { until } from '../support/until.ts';

/** Times that a worker joins and another one leaves: more for a long run by hand. */
const ROUNDS = Number(process.env['SHARED_PORT_ROUNDS'] ?? 4);
const PERIOD = 5_000;
const MODEMS = 24;
/** REST requests under way at once. */
const READERS = 4;
const LIMIT = 60_000;

let sharers: PortSharers;
afterEach(() => sharers.close());

interface Answers {
  right: number;
  /** Another device's answer, or another resource's: there must be none. */
  readonly wrong: string[];
  /** Status and code of problems; what the network said of connections that a worker which left has cut. */
  readonly problems: Map<string, number>;
  /** Of one worker, at most: datagrams that were for another one. */
  forwarded: number;
}

/** What whichever worker answers says of itself. */
async function forwardedNow(): Promise<number> {
  const metrics = await (
    await fetch(`http://127.0.0.1:${sharers.httpPort}/metrics`, { headers: { connection: 'close' } })
  ).text();
  return Number(/^simyard_coap_forwarded_datagrams_total (\d+)/m.exec(metrics)?.[1]);
}

/** Reads what tells devices and resources apart, from whichever worker answers, until it is told to stop. */
async function readOnAndOn(answers: Answers, stopped: () => boolean, seed: number): Promise<void> {
  for (let i = seed; !stopped(); i++) {
    const { name, serial } = sharers.modems[(i * 7) % MODEMS] as ModemOnPort;
    const [path, expected] = i % 2 === 0 ? ['3/0/2', serial] : ['42770/0/1', 'imu'];
    const url = `http://127.0.0.1:${sharers.httpPort}/api/devices/${name}/objects/${path}`;
    const count = (what: string): void => {
      answers.problems.set(what, (answers.problems.get(what) ?? 0) + 1);
    };
    try {
      if (i % 20 === 0) answers.forwarded = Math.max(answers.forwarded, await forwardedNow());
      const response = await fetch(url, { headers: { connection: 'close' } });
      const body = (await response.json()) as { value?: unknown; code?: string };
      if (!response.ok) count(`${response.status} ${body.code}`);
      else if (body.value === expected) answers.right++;
      else answers.wrong.push(`${name} ${path}: ${JSON.stringify(body)}`);
    } catch (error) {
      // A connection that waited at a worker which has left (see decision 24).
      if (!(error instanceof TypeError)) throw error;
      count('no connection');
    }
  }
}

describe('two workers on one port', () => {
  it(
    'one of which leaves and another joins every five seconds: each exchange gets its own answer, nothing acknowledged is lost',
    async () => {
      sharers = await PortSharers.open();
      const { modems } = sharers;
      let nodes = 0;
      const join = () => sharers.startServer('--reuse-port', 'true', '--node', `node-${++nodes}`);
      const here = [await join(), await join()];
      for (let index = 0; index < MODEMS; index++) await sharers.startModem();
      await until('all are observed', () => modems.every(({ port }) => port.acknowledged.length > 0), LIMIT);

      let stopped = false;
      const answers: Answers = { right: 0, wrong: [], problems: new Map(), forwarded: 0 };
      const readers = Array.from({ length: READERS }, (_, i) =>
        readOnAndOn(answers, () => stopped, i * 1_000),
      );
      for (let round = 0; round < ROUNDS; round++) {
        const next = sleep(PERIOD);
        here.push(await join());
        expect(await here.shift()?.kill('SIGTERM')).toBe(0);
        await next;
      }
      stopped = true;
      await Promise.all(readers);
      expect(sharers.faults()).toEqual([]);
      const before = modems.map(({ port }) => port.acknowledged.length);
      await until(
        'readings go on',
        () => modems.every(({ port }, i) => port.acknowledged.length > (before[i] ?? 0)),
        LIMIT,
      );

      const { total } = await sharers.api.get<ApiDevicePage>('/api/devices?state=registered');
      expect(total).toBe(MODEMS);
      expect(modems.map(({ registrations }) => registrations)).toEqual(modems.map(() => 1));
      expect(answers.wrong).toEqual([]);
      // Answers of devices did come to the wrong worker.
      expect(answers.forwarded).toBeGreaterThan(0);
      expect(answers.right).toBeGreaterThan(ROUNDS * 10);
      const told = `${answers.right} answers, ${JSON.stringify([...answers.problems])}`;
      expect(
        [...answers.problems.keys()].filter((what) => !/^50[34] |^no connection$/.test(what)),
        told,
      ).toEqual([]);
      expect(await sharers.discrepancies()).toEqual([]);
      if (ROUNDS > 4)
        console.log(`${ROUNDS} changes: ${told}; at most ${answers.forwarded} forwarded by one worker`);
    },
    4 * LIMIT + ROUNDS * 3 * PERIOD,
  );
});

import { expect, test } from 'vitest';
import { Leadership } from '../../../server/cluster/leadership.ts';
import { createLog } from '../../../server/log.ts';
import type { Leases } from '../../../server/ports/cluster-ports.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const log = createLog('silent');

/** A lease in memory that follows the clock, and can be away. */
class MemoryLeases implements Leases {
  readonly #clock: FakeClock;
  #holder: { readonly name: string; until: number } | undefined;
  #fence = 0;
  away = false;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async take(_name: string, holder: string, ttl: number): Promise<number | undefined> {
    if (this.away) throw new StoreUnavailableError('away');
    const now = this.#clock.now();
    if (this.#holder !== undefined && this.#holder.until <= now) this.#holder = undefined;
    if (this.#holder === undefined) this.#fence++;
    else if (this.#holder.name !== holder) return undefined;
    this.#holder = { name: holder, until: now + ttl };
    return this.#fence;
  }

  async holder(): Promise<string | undefined> {
    return this.#holder?.name;
  }

  async release(_name: string, holder: string): Promise<void> {
    if (this.#holder?.name === holder) this.#holder = undefined;
  }
}

interface Candidate {
  readonly leadership: Leadership;
  /** What its tasks have done. */
  readonly did: string[];
}

function candidate(
  name: string,
  clock: FakeClock,
  leases: Leases | undefined,
  options: { readonly isThere?: (holder: string) => boolean; readonly fails?: () => boolean } = {},
): Candidate {
  const { isThere = () => true, fails = () => false } = options;
  const did: string[] = [];
  const leadership = new Leadership({
    leases,
    holder: `${name} 1`,
    isThere: async (holder) => isThere(holder),
    clock,
    log,
  });
  for (const task of ['first', 'second']) {
    leadership.add({
      name: task,
      begin: async () => {
        did.push(`begin ${task}`);
        if (task === 'second' && fails()) throw new StoreUnavailableError('it cannot begin');
      },
      end: async () => {
        did.push(`end ${task}`);
      },
    });
  }
  return { leadership, did };
}

const begun = ['begin first', 'begin second'];
const ended = ['end second', 'end first'];

test('a node that is alone leads at once, and its work ends in the reverse order', async () => {
  const { leadership, did } = candidate('one', new FakeClock(), undefined);
  await leadership.start();
  expect(leadership.leads).toBe(true);
  await leadership.close();
  await leadership.close();
  expect(did).toEqual([...begun, ...ended]);
});

test('one of several nodes leads; the next one does when it gives the lead back', async () => {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock);
  const [one, two] = [candidate('one', clock, leases), candidate('two', clock, leases)];
  await one.leadership.start();
  await two.leadership.start();
  await clock.run(20_000);
  expect([one.leadership.leads, two.leadership.leads]).toEqual([true, false]);
  await one.leadership.close();
  expect(one.did).toEqual([...begun, ...ended]);
  await clock.run(2_500);
  expect(two.leadership.leads).toBe(true);
  await two.leadership.close();
});

test('a leader that was held up for longer than its lease ends its work, for another one is at it', async () => {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock);
  const [one, two] = [candidate('one', clock, leases), candidate('two', clock, leases)];
  await one.leadership.start();
  // It is held up: nothing of it runs, and the lease goes to the other one.
  await leases.release('leader', 'one 1');
  await two.leadership.start();
  expect(two.leadership.leads).toBe(true);
  await clock.run(2_500);
  expect(one.leadership.leads).toBe(false);
  expect(one.did).toEqual([...begun, ...ended]);
  expect(two.leadership.leads).toBe(true);
});

test('while the store is away the work ends with the lease, and begins again when it is back', async () => {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock);
  const { leadership, did } = candidate('one', clock, leases);
  await leadership.start();
  leases.away = true;
  await clock.run(4_000);
  expect(leadership.leads).toBe(true);
  await clock.run(8_000);
  expect(leadership.leads).toBe(false);
  leases.away = false;
  await clock.run(2_500);
  expect(leadership.leads).toBe(true);
  expect(did).toEqual([...begun, ...ended, ...begun]);
});

test('the place of a leader that listens no more is taken before its lease runs out', async () => {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock);
  await leases.take('leader', 'killed 1', 3_600_000);
  let there = true;
  const { leadership } = candidate('two', clock, leases, { isThere: () => there });
  await leadership.start();
  await clock.run(10_000);
  expect(leadership.leads).toBe(false);
  there = false;
  await clock.run(2_500);
  expect(leadership.leads).toBe(true);
});

test('work that cannot be begun gives the lead back, with what was begun of it', async () => {
  const clock = new FakeClock();
  const leases = new MemoryLeases(clock);
  let fails = true;
  const { leadership, did } = candidate('one', clock, leases, { fails: () => fails });
  await leadership.start();
  expect(leadership.leads).toBe(false);
  expect(await leases.holder()).toBeUndefined();
  expect(did).toEqual([...begun, ...ended]);
  fails = false;
  await clock.run(2_500);
  expect(leadership.leads).toBe(true);
});

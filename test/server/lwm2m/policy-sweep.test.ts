import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { defaultPolicies } from '../../../server/lwm2m/default-policies.ts';
import { PolicySet } from '../../../server/lwm2m/desired-observations.ts';
import { newSession } from '../../../server/lwm2m/device-session.ts';
import { PolicySweep } from '../../../server/lwm2m/policy-sweep.ts';
import type { Device, DeviceQuery } from '../../../server/ports/device-store.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { StoredObservation } from '../../../server/ports/observation-store.ts';
import type { Registration } from '../../../server/ports/registration-store.ts';
import { anObservation, aRegistration } from '../../contract/engine.ts';

const log = pino({ level: 'silent' });
const set = new PolicySet(defaultPolicies(42769, 42770), new Set());

/** A fleet whose devices are brought in line when the test says so. */
class Fleet {
  readonly registrations: readonly Registration[];
  readonly asked: string[] = [];
  readonly waiting: (() => void)[] = [];
  readonly asleep = new Set<string>();
  readonly unknown = new Set<string>();
  readonly stored = new Map<string, StoredObservation[]>();
  most = 0;
  refusals = 0;
  listed = 0;
  /** Ends a pause; resolves with its length. */
  readonly pauses: { readonly length: number; readonly end: () => void }[] = [];
  readonly sweep: PolicySweep;

  constructor(size: number) {
    this.registrations = Array.from({ length: size }, (_, index) =>
      aRegistration(`dev-${String(index).padStart(4, '0')}`, {
        links: [{ target: '/42770/0', attributes: {} }],
      }),
    );
    this.sweep = new PolicySweep({
      devices: { list: (query) => this.#list(query) },
      observations: { stored: async (id) => this.stored.get(id) ?? [] },
      book: {
        desired: async (subject) => ({
          desired: set.desired(subject),
          record: { choices: [], written: new Map() },
        }),
      },
      reconciler: {
        isReachable: ({ endpoint }) => !this.asleep.has(endpoint),
        session: (id) =>
          this.unknown.has(id) ? undefined : newSession(this.registrations[0] as Registration, 0),
        reconcile: ({ endpoint }) => this.#reconcile(endpoint),
      },
      log,
      pause: (length) => new Promise((end) => this.pauses.push({ length, end: () => end() })),
    });
  }

  async #list({ limit, cursor, filter }: DeviceQuery) {
    expect(filter?.states).toEqual(['registered']);
    this.listed++;
    if (this.refusals-- > 0) throw new StoreUnavailableError('the disk is full');
    const from = Number(cursor ?? 0);
    const items: Device[] = this.registrations.slice(from, from + limit).map((registration) => ({
      endpoint: registration.endpoint,
      firstSeen: 0,
      lastSeen: 0,
      registration,
    }));
    const next = from + limit < this.registrations.length ? { next: String(from + limit) } : {};
    return { items, total: this.registrations.length, ...next };
  }

  #reconcile(endpoint: string): Promise<void> {
    this.asked.push(endpoint);
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.most = Math.max(this.most, this.waiting.length);
    });
  }

  /** Lets everything that can go on go on. */
  async turn(): Promise<void> {
    for (let index = 0; index < 1000; index++) await Promise.resolve();
  }

  /** Answers all that are asked until nothing is under way. */
  async run(): Promise<void> {
    while (this.sweep.running) {
      await this.turn();
      for (const answer of this.waiting.splice(0)) answer();
    }
  }
}

describe('a change of policy', () => {
  it('reaches every device once, a bounded number at a time', async () => {
    const fleet = new Fleet(1000);
    fleet.sweep.start();
    await fleet.run();
    expect(fleet.asked).toEqual(fleet.registrations.map(({ endpoint }) => endpoint));
    expect(fleet.most).toBe(64);
  });

  it('is not held up by devices that do not answer', async () => {
    const fleet = new Fleet(100);
    fleet.sweep.start();
    await fleet.turn();
    expect(fleet.asked).toHaveLength(64);
    for (const { end } of fleet.pauses.splice(0)) end();
    await fleet.turn();
    expect(fleet.asked).toHaveLength(100);
    for (const { end } of fleet.pauses) end();
    await fleet.sweep.done();
  });

  it('leaves devices that sleep until they speak', async () => {
    const fleet = new Fleet(3);
    fleet.asleep.add('dev-0001');
    fleet.sweep.start();
    await fleet.run();
    expect(fleet.asked).toEqual(['dev-0000', 'dev-0002']);
  });

  it('asks nothing of devices that this process has not heard yet, and that have what is wanted', async () => {
    const fleet = new Fleet(3);
    const [first, second] = fleet.registrations as [Registration, Registration];
    fleet.unknown.add(first.id).add(second.id);
    fleet.stored.set(first.id, [anObservation('aa', first)]);
    fleet.stored.set(second.id, [
      anObservation('bb', second),
      { ...anObservation('cc', second), paths: ['/6'] },
    ]);
    fleet.sweep.start();
    await fleet.run();
    expect(fleet.asked).toEqual(['dev-0001', 'dev-0002']);
  });

  it('begins anew when another change comes meanwhile', async () => {
    const fleet = new Fleet(300);
    fleet.sweep.start();
    await fleet.turn();
    fleet.sweep.start();
    await fleet.run();
    expect(fleet.asked.slice(-300)).toEqual(fleet.registrations.map(({ endpoint }) => endpoint));
  });

  it('waits for a store that does not answer', async () => {
    const fleet = new Fleet(2);
    fleet.refusals = 2;
    fleet.sweep.start();
    for (let pause = 0; pause < 2; pause++) {
      await fleet.turn();
      expect(fleet.asked).toEqual([]);
      fleet.pauses.shift()?.end();
    }
    await fleet.run();
    expect(fleet.asked).toHaveLength(2);
  });

  it('is given up when the server closes', async () => {
    const fleet = new Fleet(300);
    fleet.sweep.start();
    await fleet.turn();
    fleet.sweep.close();
    for (const answer of fleet.waiting.splice(0)) answer();
    await fleet.sweep.done();
    expect(fleet.asked).toHaveLength(64);
  });
});

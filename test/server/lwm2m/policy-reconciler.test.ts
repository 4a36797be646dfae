import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { ResetError } from '../../../protocol/coap/errors.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { ConflictError, NotRegisteredError } from '../../../server/errors.ts';
import { EventPublisher } from '../../../server/live/publisher.ts';
import { createLog } from '../../../server/log.ts';
import { PolicyBook } from '../../../server/lwm2m/policy-book.ts';
import { PolicyReconciler, type PolicyReconcilerOptions } from '../../../server/lwm2m/policy-reconciler.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type {
  ObservationPolicy,
  ObservationPolicyStore,
} from '../../../server/ports/observation-policy-store.ts';
import type { StoredObservation } from '../../../server/ports/observation-store.ts';
import { anObservation, aRegistration } from '../../contract/engine.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const battery: ObservationPolicy = {
  id: 'battery',
  name: 'Battery',
  enabled: true,
  devices: {},
  observations: [{ paths: ['/3/0/9'] }],
  createdAt: 0,
  updatedAt: 0,
};
const memory: ObservationPolicy = { ...battery, id: 'memory', observations: [{ paths: ['/3/0/10'] }] };
const links = [{ target: '/3/0', attributes: {} }];
const log = createLog('silent');

/** Keeps nothing. */
const store: ObservationPolicyStore = {
  policies: async () => [],
  putPolicy: async () => undefined,
  removePolicy: async () => false,
  recorded: async () => [],
  record: async () => ({ choices: [], written: new Map() }),
  choose: async () => undefined,
  unchoose: async () => false,
  setWritten: async () => undefined,
};

/** Devices that answer an Observe as the test says. */
async function setUp(
  answer: (path: string) => Promise<Code>,
  change: Partial<PolicyReconcilerOptions> = {},
  records = store,
  kept: StoredObservation[] = [],
) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const live: { readonly stored: StoredObservation; readonly heardAt: number }[] = [];
  const book = await PolicyBook.open(records, { get: async () => undefined }, [battery]);
  const reconciler = new PolicyReconciler({
    requests: { writeAttributes: async () => undefined, discover: async () => [] },
    observations: {
      observe: async ({ endpoint }, target) => {
        const paths = typeof target === 'string' ? [target] : target.paths;
        asked.push(`${endpoint} ${paths.join()}`);
        const code = await answer(paths.join());
        const stored = { ...anObservation(`${live.length}`, aRegistration(endpoint)), paths };
        live.push({ stored, heardAt: clock.now() });
        return { code, options: [], payload: new Uint8Array(0), peer: '', identity: undefined };
      },
      cancel: async () => true,
      stored: async () => kept,
      liveSince: (id) => live.filter(({ stored }) => stored.registrationId === id),
      adopt: (_, stored) => live.push(...stored.map((each) => ({ stored: each, heardAt: clock.now() }))),
      abandon: ({ token }) => {
        live.splice(0, live.length, ...live.filter(({ stored }) => stored.token !== token));
      },
    },
    book,
    lookupFor: () => ({
      resourceType: () => ({ type: 'integer', multiple: false }),
    }),
    events: new EventPublisher(
      { append: async () => [] } as never,
      { publish: () => undefined } as never,
      log,
    ),
    clock,
    log,
    findRegistration: async () => undefined,
    tellsIdentity: () => false,
    identify: async () => undefined,
    ...change,
  });
  /** Time that passes while all promises go on. */
  const pass = async (milliseconds: number): Promise<void> => {
    for (let step = 0; step < 20; step++) await clock.run(milliseconds / 20);
  };
  return { clock, asked, reconciler, book, pass };
}

describe('keeping devices in line', () => {
  it.each([
    ['policy', 60_000, 10_000],
    ['api', 300_000, 10_000],
  ] as const)(
    'asks for what a node was asking for when it was killed (%s) once nobody waits for its answer any more',
    async (origin, patience, margin) => {
      const registration = aRegistration('d', { links });
      const kept: StoredObservation[] = [];
      const { clock, asked, reconciler, pass } = await setUp(async () => Code.CONTENT, {}, store, kept);
      const begun = { ...anObservation('0a', registration), paths: ['/3/0/9'], origin };
      kept.push({ ...begun, createdAt: clock.wallTime(), pending: true });
      await pass(5_000);
      reconciler.takenOver(registration);
      // Where devices cannot tell two nodes apart, the other one may go on asking.
      await pass(patience);
      expect(asked).toEqual([]);
      await pass(margin);
      expect(asked).toEqual(['d /3/0/9']);
    },
  );

  it('takes up what another node has made, and asks for nothing of it', async () => {
    const registration = aRegistration('d', { links });
    const kept: StoredObservation[] = [];
    const { clock, asked, reconciler, pass } = await setUp(async () => Code.CONTENT, {}, store, kept);
    const made = { ...anObservation('0a', registration), paths: ['/3/0/9'], origin: 'policy' } as const;
    kept.push({ ...made, createdAt: clock.wallTime() });
    reconciler.takenOver(registration);
    await pass(1_000_000);
    expect(asked).toEqual([]);
  });

  it('ends with a registration that had ended before it was looked at', async () => {
    const { asked, reconciler, pass } = await setUp(() => Promise.reject(new NotRegisteredError('d')));
    const registration = aRegistration('d', { links });
    await reconciler.reconcile(registration);
    await pass(10_000_000);
    expect(asked).toHaveLength(1);
    expect(reconciler.session(registration.id)).toBeUndefined();
  });

  it('goes on by itself with a device that may sleep where it was the store that failed', async () => {
    let fails = true;
    const { asked, reconciler, pass } = await setUp(async () => {
      if (fails) throw new StoreUnavailableError('the disk is full');
      return Code.CONTENT;
    });
    reconciler.registered(aRegistration('d', { links, queueMode: true }));
    await pass(100);
    fails = false;
    await pass(30_000);
    expect(asked).toHaveLength(2);
  });

  it('asks a device that spoke while it was asked in vain again', async () => {
    const first = Promise.withResolvers<Code>();
    const { asked, reconciler, pass } = await setUp(() =>
      asked.length === 1 ? first.promise : Promise.resolve(Code.CONTENT),
    );
    const registration = aRegistration('d', { links, queueMode: true });
    reconciler.registered(registration);
    await pass(59_000);
    reconciler.updated(
      { ...registration, links: [...links, { target: '/4/0', attributes: {} }] },
      registration,
    );
    first.reject(new TimeoutError('no answer'));
    await pass(1_000);
    expect(asked).toHaveLength(2);
  });

  it('brings a device that slept when a policy changed in line as soon as it is heard', async () => {
    const { asked, reconciler, book, pass } = await setUp(async () => Code.CONTENT);
    const registration = aRegistration('d', { links, queueMode: true });
    reconciler.registered(registration);
    await pass(100);
    await book.put(memory);
    reconciler.heard(registration.id, false);
    await pass(100);
    expect(asked).toEqual(['d /3/0/9', 'd /3/0/10']);
  });

  it('does not ask a fleet that fell silent together all at once', async () => {
    const { asked, reconciler, pass } = await setUp(() => Promise.reject(new TimeoutError('no answer')));
    const size = 4_000;
    for (let index = 0; index < size; index++) {
      reconciler.registered(aRegistration(`d${index}`, { links, address: `192.0.2.1:${index + 1}` }));
    }
    // They have come together as well, and are seen to when the storm is over.
    await pass(2_100);
    expect(asked).toHaveLength(size);
    let most = 0;
    for (let second = 0; second < 12; second++) {
      const before = asked.length;
      await pass(1_000);
      most = Math.max(most, asked.length - before);
    }
    expect(asked.length).toBeGreaterThanOrEqual(2 * size);
    expect(most).toBeLessThanOrEqual(size / 2);
  });

  it('sets few registrations of one address up at once, however many there are, and the others when it is their turn', async () => {
    const waiting: ((error: Error) => void)[] = [];
    const { asked, reconciler, pass } = await setUp(() => new Promise((_, reject) => waiting.push(reject)));
    const address = '192.0.2.9:5683';
    const forged = Array.from({ length: 200 }, (_, index) => aRegistration(`f${index}`, { links, address }));
    for (const registration of forged) reconciler.registered(registration);
    await pass(100);
    expect(asked).toHaveLength(8);
    // Others are not held up by it, nor is one that has moved from there.
    reconciler.registered(aRegistration('other', { links, address: '192.0.2.8:5683' }));
    reconciler.moved(forged[150]?.id ?? '', '192.0.2.7:5683');
    await pass(100);
    expect(asked.slice(8)).toEqual(['other /3/0/9', 'f150 /3/0/9']);
    // What has ended meanwhile is never asked; its place is another's.
    for (const registration of forged.slice(8, 100)) reconciler.ended(registration);
    for (const reject of waiting.splice(0)) reject(new TimeoutError('no answer'));
    await pass(100);
    expect(asked.slice(10)).toEqual(Array.from({ length: 8 }, (_, index) => `f${100 + index} /3/0/9`));
    for (const registration of forged) reconciler.ended(registration);
    await pass(100);
    expect(forged.some(({ id }) => reconciler.session(id) !== undefined)).toBe(false);
  });

  it('counts an observation that has drifted no more among those that are there', async () => {
    const { reconciler, book, pass } = await setUp(async () => Code.CONTENT);
    await book.put(memory);
    const registration = aRegistration('d', { links });
    reconciler.registered(registration);
    await pass(100);
    expect(reconciler.counts).toMatchObject({ wanted: 2, observed: 2, drifted: 0 });
    const observation = { ...anObservation('x', registration), paths: ['/3/0/9'] };
    reconciler.lost(observation, 'the device ended it');
    reconciler.lost(observation, 'the device ended it');
    expect(reconciler.counts).toMatchObject({ wanted: 2, observed: 1, drifted: 1 });
    expect(reconciler.pending).toBe(0);
    await pass(60_000);
    expect(reconciler.counts).toMatchObject({ wanted: 2, observed: 2, drifted: 0 });
    reconciler.lost(observation, 'the device ended it');
    reconciler.ended(registration);
    expect(reconciler.counts).toMatchObject({ wanted: 0, observed: 0, drifted: 0 });
  });

  it('tells of devices that fail together in few lines', async () => {
    const lines: string[] = [];
    const { reconciler, pass } = await setUp(() => Promise.reject(new TimeoutError('no answer')), {
      log: pino(
        { level: 'info' },
        { write: (line: string) => line.includes('not in line') && lines.push(line) },
      ),
    });
    for (let index = 0; index < 500; index++) {
      reconciler.registered(aRegistration(`d${index}`, { links, address: `192.0.2.1:${index + 1}` }));
    }
    await pass(20);
    expect(lines).toHaveLength(20);
    expect(lines[0]).toContain('no answer');
    await pass(40_000);
    expect(lines.some((line) => /"untold":\d{3}/.test(line))).toBe(true);
  });

  it('goes on with the others where one observation is cancelled while it is made', async () => {
    const { asked, reconciler, book, pass } = await setUp(async (path) => {
      if (path === '/3/0/9') throw new ConflictError('the observation was cancelled');
      return Code.CONTENT;
    });
    await book.put({ ...memory, updatedAt: -1 });
    const registration = aRegistration('d', { links });
    reconciler.registered(registration);
    await pass(100);
    expect(asked.toSorted()).toEqual(['d /3/0/10', 'd /3/0/9']);
    expect(reconciler.session(registration.id)?.troubles?.get('/3/0/9')).toMatchObject({ state: 'failed' });
  });

  it('does the rest of a round where one thing meets a bug, tells it, and tries again', async () => {
    let broken = true;
    const written = new Map([['/3/0/9', { gt: 1 }]]);
    const { asked, reconciler, pass } = await setUp(
      async () => Code.CONTENT,
      {
        requests: {
          discover: async () => [],
          writeAttributes: async () => {
            if (broken) throw new TypeError('a slip');
          },
        },
      },
      {
        ...store,
        recorded: async () => ['d'],
        record: async () => ({ choices: [], written }),
        setWritten: async (_endpoint, path) => {
          written.delete(path);
        },
      },
    );
    const registration = aRegistration('d', { links });
    reconciler.registered(registration);
    await pass(100);
    expect(asked).toEqual(['d /3/0/9']);
    const session = reconciler.session(registration.id);
    expect(session).toMatchObject({ failures: 1, observed: 1 });
    expect(session?.fault).toMatch(/the server met a fault.*a slip/);
    broken = false;
    await pass(20_000);
    expect(written.size).toBe(0);
    expect(session).toMatchObject({ failures: 0, fault: undefined });
  });

  it('asks at once for what is wanted otherwise, however often it has failed before', async () => {
    const { asked, reconciler, book, pass } = await setUp(async () => Code.SERVICE_UNAVAILABLE);
    const registration = aRegistration('d', { links });
    reconciler.registered(registration);
    await pass(400_000);
    const before = asked.length;
    const troubles = () => reconciler.session(registration.id)?.troubles?.get('/3/0/9');
    expect(troubles()?.attempts).toBeGreaterThan(4);
    await reconciler.reconcile(registration);
    expect(asked).toHaveLength(before);
    await book.put({
      ...battery,
      observations: [{ paths: ['/3/0/9'], attributes: { pmin: 1 } }],
      updatedAt: 7,
    });
    await reconciler.reconcile(registration);
    expect(asked).toHaveLength(before + 1);
    expect(troubles()).toMatchObject({ state: 'failed', attempts: 1 });
  });

  it('asks at once for what is wanted otherwise after the device has ended it again and again', async () => {
    const { asked, reconciler, book, clock, pass } = await setUp(async () => Code.CONTENT);
    const registration = aRegistration('d', { links });
    reconciler.registered(registration);
    await pass(100);
    const observation = { ...anObservation('x', registration), paths: ['/3/0/9'] };
    for (let time = 0; time < 6; time++) reconciler.lost(observation, 'the device ended it');
    const updatedAt = Math.floor(clock.wallTime()) + 10;
    await pass(20);
    await book.put({ ...battery, observations: [{ paths: ['/3/0/9'], attributes: { pmin: 1 } }], updatedAt });
    await reconciler.reconcile(registration);
    expect(asked).toHaveLength(2);
  });

  it('finds out once what a device of before the start still has, when it is first heard', async () => {
    const registration = aRegistration('d', { links });
    const answers: (() => Promise<typeof registration>)[] = [
      () => Promise.reject(new StoreUnavailableError('busy')),
    ];
    let looked = 0;
    const { asked, reconciler, pass } = await setUp(async () => Code.CONTENT, {
      findRegistration: () => {
        looked++;
        return answers.shift()?.() ?? Promise.resolve(registration);
      },
    });
    for (let time = 0; time < 5; time++) reconciler.heard(registration.id, false);
    await pass(100);
    expect(asked).toEqual([]);
    await pass(60_000);
    expect(asked).toEqual(['d /3/0/9']);
    reconciler.heard(registration.id, false);
    await pass(60_000);
    expect(asked).toHaveLength(1);
    expect(looked).toBe(2);
  });

  it('leaves a device of before the start alone that has left meanwhile', async () => {
    const registration = aRegistration('d', { links });
    const { asked, reconciler, pass } = await setUp(async () => Code.CONTENT, {
      findRegistration: async () => registration,
    });
    reconciler.heard(registration.id, false);
    reconciler.ended(registration);
    await pass(60_000);
    expect(asked).toEqual([]);
  });

  it('tells a bug of one observation as its failure, and goes on with the others', async () => {
    const { asked, reconciler, book, pass } = await setUp(async (path) => {
      if (path === '/3/0/9') throw new TypeError('a slip');
      return Code.CONTENT;
    });
    await book.put({ ...memory, updatedAt: -1 });
    const registration = aRegistration('d', { links });
    reconciler.registered(registration);
    await pass(100);
    expect(asked.toSorted()).toEqual(['d /3/0/10', 'd /3/0/9']);
    const trouble = reconciler.session(registration.id)?.troubles?.get('/3/0/9');
    expect(trouble).toMatchObject({ state: 'failed', reason: expect.stringContaining('a slip') });
  });

  it('ends what it asks with the registration, and does not have it pile up for a device that comes again and again', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const { reconciler, pass } = await setUp(async () => Code.CONTENT, {
      tellsIdentity: () => true,
      identify: (_registration, signal) => {
        signals.push(signal);
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    for (let time = 0; time < 20; time++) {
      const registration = aRegistration('d', { id: `id-${time}`, links });
      reconciler.registered(registration);
      await pass(100);
      if (time < 19) reconciler.ended(registration);
    }
    expect(signals).toHaveLength(20);
    expect(signals.filter((signal) => signal?.aborted === false)).toHaveLength(1);
  });

  it.each([
    { title: 'that its version does not have any more', error: undefined, asked: ['/3/0/9 pmin'] },
    { title: 'that it does not let go', error: new ResetError('RST'), asked: ['/3/0/9 pmin'] },
  ])('is not kept from a device by attributes $title', async ({ error, asked }) => {
    const written = new Map([['/3/0/9', { pmin: 1, epmin: 5 }]]);
    const removed: string[] = [];
    const { reconciler, pass } = await setUp(
      async () => Code.CONTENT,
      {
        requests: {
          discover: async () => [],
          writeAttributes: async (_endpoint, path, changes) => {
            removed.push(`${path} ${Object.keys(changes).join()}`);
            if (error !== undefined) throw error;
          },
        },
      },
      {
        ...store,
        recorded: async () => ['d'],
        record: async () => ({ choices: [], written }),
        setWritten: async (_endpoint, path) => {
          written.delete(path);
        },
      },
    );
    const registration = aRegistration('d', { links, version: '1.0' });
    reconciler.registered(registration);
    await pass(100);
    expect(removed).toEqual(asked);
    expect(written.size).toBe(0);
    expect(reconciler.session(registration.id)).toMatchObject({ failures: 0, wanted: 1, observed: 1 });
  });
});

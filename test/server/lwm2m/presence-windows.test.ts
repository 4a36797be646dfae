import { beforeEach, describe, expect, it } from 'vitest';
import { RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { NotRegisteredError } from '../../../server/errors.ts';
import { createLog } from '../../../server/log.ts';
import type { AwakeTimes, PresenceTurn } from '../../../server/lwm2m/presence.ts';
import { PresenceWindows } from '../../../server/lwm2m/presence-windows.ts';
import type { Registration } from '../../../server/ports/registration-store.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const WINDOW = 93_000;
let clock: FakeClock;
let known: AwakeTimes;
let learnt: number[];
let presence: PresenceWindows;

beforeEach(() => {
  clock = new FakeClock();
  known = {};
  learnt = [];
  presence = new PresenceWindows({
    clock,
    window: WINDOW,
    log: createLog('silent'),
    load: async () => known,
    onLearnt: (_endpoint, window) => learnt.push(window),
  });
});

function registration(over: Partial<Registration> = {}): Registration {
  return {
    id: 'id',
    endpoint: 'sleepy',
    address: 'nat:1',
    lifetime: 86_400,
    version: '1.1',
    binding: 'U',
    queueMode: true,
    rootPath: '/',
    links: [],
    contentFormats: [],
    additional: {},
    registeredAt: clock.wallTime(),
    updatedAt: clock.wallTime(),
    expiresAt: clock.wallTime() + 90_000_000,
    node: 'n',
    ...over,
  };
}

/** What becomes of a wait for a turn. */
class Waiting {
  turn: PresenceTurn | undefined;
  error: unknown;
  constructor(promise: Promise<PresenceTurn>) {
    promise.then(
      (turn) => {
        this.turn = turn;
      },
      (error: unknown) => {
        this.error = error;
      },
    );
  }
}

const ask = (at: Registration, timeout = 10_000, signal?: AbortSignal): Waiting =>
  new Waiting(presence.awake(at, timeout, signal));

describe('the presence of a device in queue mode (ETS 108, 109)', () => {
  it('lets requests out within the window after it was heard, and holds them after it', async () => {
    const device = registration();
    presence.registered(device);
    const soon = ask(device);
    await clock.run(92_999);
    expect(soon.turn).toBeDefined();
    soon.turn?.end();
    const late = ask(device);
    await clock.run(0);
    late.turn?.end();
    expect(late.turn).toBeDefined();
    await clock.run(1);
    expect(presence.state(device)).toMatchObject({ awake: false, window: WINDOW, source: 'default' });
    const held = ask(device, 60_000);
    await clock.run(30_000);
    expect(held.turn).toBeUndefined();
    presence.heard(device.id);
    await clock.run(0);
    expect(held.turn).toBeDefined();
    expect(clock.pending).toBe(0);
  });

  it('gives one turn at a time, in the order of the calls', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW);
    const order = [ask(device, 900_000), ask(device, 900_000), ask(device, 900_000)];
    await clock.run(1_000);
    presence.registered({ ...device, updatedAt: clock.wallTime() });
    for (const [index, one] of order.entries()) {
      await clock.run(100);
      expect(order.map(({ turn }) => turn !== undefined)).toEqual(order.map((_, i) => i <= index));
      one.turn?.answered();
    }
  });

  it('holds the others back when one meets silence, until it is heard', async () => {
    const device = registration();
    presence.registered(device);
    const [first, second] = [ask(device), ask(device, 900_000)];
    await clock.run(1_000);
    first.turn?.silent();
    await clock.run(1_000);
    expect(second.turn).toBeUndefined();
    expect(presence.state(device).awake).toBe(false);
    presence.heard(device.id);
    await clock.run(0);
    expect(second.turn).toBeDefined();
  });

  it('passes the turn on when its holder gives up', async () => {
    const device = registration();
    presence.registered(device);
    const [first, second] = [ask(device), ask(device)];
    await clock.run(1_000);
    first.turn?.end();
    first.turn?.answered();
    await clock.run(0);
    expect(second.turn).toBeDefined();
  });

  it('tells who waited in vain that the device sleeps, since when, and what holds a request', async () => {
    const device = registration({ endpoint: 'a b' });
    presence.registered(device);
    await clock.run(WINDOW);
    const held = ask(device, 5_000);
    await clock.run(5_000);
    expect(held.error).toBeInstanceOf(TimeoutError);
    expect(String(held.error)).toContain(
      'sleeps (queue mode); it was last heard at 2026-09-21T14:13:20.000Z',
    );
    expect(String(held.error)).toContain('POST /api/devices/a%20b/requests');
  });

  it('ends a wait with its signal, with its registration, and where too many wait', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW);
    const abort = new AbortController();
    const [aborted, ended] = [ask(device, 5_000, abort.signal), ask(device, 5_000)];
    abort.abort(new Error('gone'));
    await clock.run(0);
    expect(String(aborted.error)).toContain('gone');
    const after = ask(device, 5_000, abort.signal);
    const many = Array.from({ length: 64 }, () => ask(device, 5_000));
    await clock.run(0);
    expect(String(after.error)).toContain('gone');
    expect(many.at(-1)?.error).toBeInstanceOf(RequestError);
    presence.forget(device.id);
    await clock.run(0);
    expect(ended.error).toBeInstanceOf(NotRegisteredError);
    expect(clock.pending).toBe(0);
    expect(presence.size).toBe(0);
  });

  it('goes on with the registration that replaces one', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW);
    const held = ask(device, 60_000);
    await clock.run(1_000);
    presence.replaced(device.id, registration({ id: 'anew' }));
    await clock.run(0);
    expect(held.turn).toBeDefined();
    expect(presence.size).toBe(1);
  });

  it('is that of the present registration for who read a former one just before', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW);
    presence.replaced(device.id, registration({ id: 'second' }));
    presence.replaced('second', registration({ id: 'third' }));
    const late = ask(device);
    await clock.run(0);
    expect(late.turn).toBeDefined();
    expect(presence.size).toBe(1);
    late.turn?.end();
    presence.replaced('third', registration({ id: 'fourth', queueMode: false }));
    const always = ask(device);
    await clock.run(0);
    expect(always.turn).toBeDefined();
    expect(presence.size).toBe(0);
  });

  it('lets those go who knew of the new registration before it was told', async () => {
    const device = registration({ updatedAt: clock.wallTime() - WINDOW });
    const anew = registration({ id: 'anew', updatedAt: clock.wallTime() - WINDOW });
    const [former, own] = [ask(device), ask(anew)];
    await clock.run(10);
    presence.replaced(device.id, anew);
    await clock.run(0);
    expect([former.turn, own.turn]).not.toContain(undefined);
    expect(presence.size).toBe(1);
  });

  it('is nothing that is waited for where the registration has ended', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW);
    presence.forget(device.id);
    const late = ask(device);
    await clock.run(0);
    expect(late.error).toBeInstanceOf(NotRegisteredError);
    expect([presence.size, clock.pending]).toEqual([0, 0]);
  });

  it('lets all go when the device leaves queue mode', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW);
    const held = [ask(device, 60_000), ask(device, 60_000)];
    presence.registered({ ...device, queueMode: false });
    await clock.run(0);
    expect(held.every(({ turn }) => turn !== undefined)).toBe(true);
    expect(presence.size).toBe(0);
  });

  it('knows after a restart of the server when the device was heard, by its registration and since', async () => {
    const device = registration();
    await clock.run(50_000);
    expect(presence.state(device)).toMatchObject({ awake: true, awakeUntil: clock.wallTime() + 43_000 });
    await clock.run(50_000);
    const held = ask(device);
    await clock.run(1_000);
    expect(held.turn).toBeUndefined();
    const other = registration({ id: 'other', updatedAt: clock.wallTime() - 200_000 });
    presence.heard('other');
    const now = ask(other);
    await clock.run(0);
    expect(now.turn).toBeDefined();
  });

  it('keeps nothing of a device that listens always', async () => {
    const device = registration({ queueMode: false });
    presence.registered(device);
    const all = Array.from({ length: 100 }, () => ask(device));
    await clock.run(0);
    expect(all.every(({ turn }) => turn !== undefined)).toBe(true);
    expect(presence.state(device)).toMatchObject({ queueMode: false, awake: true });
    expect([presence.size, clock.pending]).toEqual([0, 0]);
  });
});

describe('the window', () => {
  const missedAfter = async (device: Registration, after: number): Promise<void> => {
    presence.heard(device.id);
    await clock.run(after);
    const one = ask(device, 900_000);
    await clock.run(1);
    one.turn?.silent();
  };

  it('closes in on the true one when requests within it meet silence, and that is kept', async () => {
    const device = registration();
    presence.registered(device);
    // It listens for 20 s in truth.
    for (let i = 0; i < 12; i++) {
      const { window } = presence.state(device);
      if (window > 20_000 * 1.1) await missedAfter(device, Math.max(20_500, window * 0.5));
    }
    const { window, source } = presence.state(device);
    expect(window).toBeGreaterThan(20_000);
    expect(window).toBeLessThan(35_000);
    expect(source).toBe('learnt');
    expect(learnt.at(-1)).toBe(window);
  });

  it('grows when an answer comes near its end', async () => {
    known = { learnt: 10_000 };
    const device = registration();
    presence.registered(device);
    await clock.run(9_000);
    const one = ask(device);
    await clock.run(0);
    one.turn?.answered();
    expect(presence.state(device)).toMatchObject({ window: 12_500, source: 'learnt' });
    const early = ask(device);
    await clock.run(2_000);
    early.turn?.answered();
    expect(presence.state(device).window).toBe(12_500);
  });

  it('learns nothing from a device that is gone rather than asleep, nor where it spoke meanwhile', async () => {
    const device = registration();
    presence.registered(device);
    await missedAfter(device, 500);
    presence.heard(device.id);
    await clock.run(50_000);
    const one = ask(device);
    await clock.run(0);
    presence.heard(device.id);
    one.turn?.silent();
    expect(learnt).toEqual([]);
    expect(presence.state(device)).toMatchObject({ awake: true, window: WINDOW });
  });

  it('is what a person sets, before what was learnt, before what the device says', async () => {
    known = { device: 15_000 };
    const device = registration();
    presence.registered(device);
    await clock.run(0);
    expect(presence.state(device)).toMatchObject({ window: 15_000, source: 'device' });
    presence.changed(device.id, { device: 15_000, learnt: 12_000 });
    expect(presence.state(device)).toMatchObject({ window: 12_000, source: 'learnt' });
    presence.changed(device.id, { device: 15_000, learnt: 12_000, configured: 40_000 });
    await missedAfter(device, 30_000);
    expect(presence.state(device)).toMatchObject({ window: 40_000, source: 'configured' });
    expect(learnt).toEqual([]);
  });

  it('that turns out longer lets those go who wait', async () => {
    const device = registration();
    presence.registered(device);
    await clock.run(WINDOW + 10_000);
    const held = ask(device, 60_000);
    await clock.run(0);
    expect(held.turn).toBeUndefined();
    presence.changed(device.id, { configured: 300_000 });
    await clock.run(0);
    expect(held.turn).toBeDefined();
  });
});

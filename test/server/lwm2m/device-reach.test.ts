import { describe, expect, it } from 'vitest';
import type { RequestTarget } from '../../../protocol/coap/request-target.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { NotRegisteredError } from '../../../server/errors.ts';
import { createLog } from '../../../server/log.ts';
import { DeviceReach, NotSentError } from '../../../server/lwm2m/device-reach.ts';
import { PresenceWindows } from '../../../server/lwm2m/presence-windows.ts';
import { registrationOf } from '../../support/api/api-harness.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

function setUp(queueMode = false) {
  const clock = new FakeClock();
  const presence = new PresenceWindows({
    clock,
    window: 93_000,
    log: createLog('silent'),
    load: async () => ({}),
    onLearnt: () => undefined,
  });
  const now = clock.wallTime();
  const registration = registrationOf('d', { queueMode, address: 'a:1', registeredAt: now, updatedAt: now });
  return { clock, presence, reach: new DeviceReach({ clock, presence }), registration };
}

const LIMITS = { timeout: 60_000 };
/** Stays under way until it is ended. */
function pending() {
  const seen: RequestTarget[] = [];
  let end: (value: string) => void = () => undefined;
  const answer = new Promise<string>((resolve) => {
    end = resolve;
  });
  const send = (target: RequestTarget): Promise<string> => {
    seen.push(target);
    return answer;
  };
  return { seen, end, send };
}

describe('the way to a device', () => {
  it('leads all that is under way to where the device moves', async () => {
    const { clock, reach, registration } = setUp();
    const [one, two] = [pending(), pending()];
    const both = [reach.send(registration, LIMITS, one.send), reach.send(registration, LIMITS, two.send)];
    await clock.run(0);
    reach.moved(registration.id, 'b:1');
    reach.moved('another', 'c:1');
    expect([one, two].map(({ seen }) => seen[0]?.address)).toEqual(['b:1', 'b:1']);
    one.end('1');
    two.end('2');
    expect(await Promise.all(both)).toEqual(['1', '2']);
  });

  it('is known for a while to who read the registration right before the device moved, and then no longer', async () => {
    const { clock, reach, registration } = setUp();
    const address = (): Promise<string> => reach.send(registration, LIMITS, async (target) => target.address);
    reach.moved(registration.id, 'b:1');
    expect(await address()).toBe('b:1');
    await clock.run(5_000);
    expect(await address()).toBe('a:1');
  });

  it('ends what must not reach a device twice when the device registers anew, and leads the rest there', async () => {
    const { clock, reach, registration } = setUp();
    const [twice, once] = [pending(), pending()];
    const repeated = reach.send(registration, LIMITS, twice.send);
    const single = reach.send(registration, { ...LIMITS, once: true }, (_target, _left, signal) => {
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    single.catch(() => undefined);
    await clock.run(0);
    reach.replaced(registration, { ...registration, id: 'anew', address: 'b:1' });
    await expect(single).rejects.toThrow('registered anew');
    expect(twice.seen[0]?.address).toBe('b:1');
    twice.end('done');
    once.end('');
    expect(await repeated).toBe('done');
  });

  it('asks a device that may sleep whether it is there, before what may be carried out once only', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    const probes: string[] = [];
    const sent: string[] = [];
    const send = () =>
      reach.send(
        registration,
        {
          ...LIMITS,
          once: true,
          probe: async (at) => {
            probes.push(at);
          },
          beforeSend: async () => {
            sent.push('on disk');
          },
        },
        async () => {
          sent.push('sent');
        },
      );
    await send();
    expect([probes, sent]).toEqual([[], ['on disk', 'sent']]);
    await clock.run(10_000);
    await send();
    expect(probes).toEqual(['a:1']);
  });

  it('sends nothing to one that is not there, and takes it to sleep', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    await clock.run(10_000);
    let sent = 0;
    const send = reach.send(
      registration,
      { ...LIMITS, once: true, probe: () => Promise.reject(new TimeoutError('no answer')) },
      async () => {
        sent++;
      },
    );
    await expect(send).rejects.toThrow('no answer');
    expect(sent).toBe(0);
    expect(presence.state(registration).awake).toBe(false);
  });

  it('takes a device that is heard while it is asked for one that is there', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    await clock.run(10_000);
    const send = reach.send(
      registration,
      { ...LIMITS, once: true, probe: () => new Promise(() => undefined) },
      async (target) => target.address,
    );
    await clock.run(10);
    reach.heard(registration.id);
    expect(await send).toBe('a:1');
  });

  it('leads what was asked of a former registration along when the device moves after it registered anew', async () => {
    const { clock, reach, registration } = setUp();
    const asked = pending();
    const answer = reach.send(registration, LIMITS, asked.send);
    await clock.run(0);
    reach.replaced(registration, { ...registration, id: 'anew', address: 'b:1' });
    reach.moved('anew', 'c:1');
    expect(asked.seen[0]?.address).toBe('c:1');
    asked.end('done');
    expect(await answer).toBe('done');
  });

  it('leads it along also where somebody knew of the new registration before', async () => {
    const { clock, reach, registration } = setUp();
    const [former, own] = [pending(), pending()];
    const anew = { ...registration, id: 'anew', address: 'b:1' };
    const both = [reach.send(registration, LIMITS, former.send), reach.send(anew, LIMITS, own.send)];
    await clock.run(0);
    reach.replaced(registration, anew);
    reach.moved('anew', 'c:1');
    expect([former, own].map(({ seen }) => seen[0]?.address)).toEqual(['c:1', 'c:1']);
    former.end('1');
    own.end('2');
    expect(await Promise.all(both)).toEqual(['1', '2']);
  });

  it('ends what must not reach a device twice also when the device registers anew a second time', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    const first = pending();
    const turn = reach.send(registration, LIMITS, first.send);
    let sent = false;
    const single = reach.send(registration, { ...LIMITS, once: true }, (_target, _left, signal) => {
      sent = true;
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    single.catch(() => undefined);
    await clock.run(10);
    reach.replaced(registration, { ...registration, id: 'second' });
    first.end('done');
    await turn;
    await clock.run(10);
    expect(sent).toBe(true);
    reach.replaced({ ...registration, id: 'second' }, { ...registration, id: 'third' });
    await expect(single).rejects.toThrow('registered anew');
  });

  it('ends what must not reach a device twice with the registration: who left may come back restarted', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    const single = reach.send(registration, { ...LIMITS, once: true }, (_target, _left, signal) => {
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    });
    const waiting = reach.send(registration, LIMITS, async () => 'sent');
    single.catch(() => undefined);
    waiting.catch(() => undefined);
    await clock.run(0);
    reach.ended(registration.id);
    let over = false;
    single.catch(() => {
      over = true;
    });
    // For what it left, as Disable: its answer may be right behind.
    await clock.run(1_900);
    expect(over).toBe(false);
    await clock.run(200);
    await expect(single).rejects.toThrow('the registration ended');
    await expect(waiting).rejects.toThrow(NotRegisteredError);
    expect(presence.size).toBe(0);
  });

  it('begins nothing for who gives up in the moment in which his turn comes', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    await clock.run(100_000);
    const caller = new AbortController();
    let begun = 0;
    const beforeSend = async (): Promise<void> => {
      begun++;
    };
    const limits = { ...LIMITS, once: true, signal: caller.signal, beforeSend };
    const waiting = reach.send(registration, limits, async () => 'sent');
    waiting.catch(() => undefined);
    await clock.run(10);
    // As when the device registers anew: its turn comes, and whoever must not ask it a second time gives up.
    reach.replaced(registration, { ...registration, id: 'anew' });
    caller.abort(new Error('registered anew'));
    await expect(waiting).rejects.toThrow('registered anew');
    expect(begun).toBe(0);
  });

  it('tells that nothing was sent where it was ended after that was noted', async () => {
    const { reach, registration } = setUp();
    const caller = new AbortController();
    const limits = {
      ...LIMITS,
      signal: caller.signal,
      beforeSend: async () => caller.abort(new Error('closing')),
    };
    const send = reach.send(registration, limits, async () => 'sent');
    await expect(send).rejects.toThrow(NotSentError);
  });

  it('sends what only waited for the device to say that it is there to where it registers anew', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    await clock.run(10_000);
    let begun = 0;
    const sent = reach.send(
      registration,
      {
        ...LIMITS,
        once: true,
        probe: () => new Promise(() => undefined),
        beforeSend: async () => {
          begun++;
        },
      },
      async (target, _left, signal) => (signal?.aborted === true ? 'ended' : target.address),
    );
    await clock.run(10);
    reach.replaced(registration, { ...registration, id: 'anew', address: 'b:1' });
    expect(await sent).toBe('b:1');
    expect(begun).toBe(1);
  });

  it('does not wait for the device to say that it is there when the caller gives up', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    await clock.run(10_000);
    const caller = new AbortController();
    const limits = { ...LIMITS, signal: caller.signal, probe: () => new Promise(() => undefined) };
    const send = reach.send(registration, limits, async () => 'sent');
    send.catch(() => undefined);
    await clock.run(10);
    caller.abort(new Error('the server is closing'));
    await expect(send).rejects.toThrow('the server is closing');
  });

  it('takes a device to sleep for its silence alone, and not for the haste of a caller or its own slowness', async () => {
    const { clock, presence, reach, registration } = setUp(true);
    presence.registered(registration);
    await clock.run(3_000);
    const meets = (timeout: number, error: Error) =>
      reach.send(registration, { timeout }, () => Promise.reject(error)).catch(() => undefined);
    await meets(1_000, new TimeoutError('no answer within 1000 ms'));
    expect(presence.state(registration)).toMatchObject({ awake: true, source: 'default' });
    await meets(60_000, new TimeoutError('no answer within 60000 ms', true));
    expect(presence.state(registration)).toMatchObject({ awake: true, source: 'default' });
    await meets(60_000, new TimeoutError('no answer within 60000 ms'));
    expect(presence.state(registration)).toMatchObject({ awake: false, source: 'learnt' });
  });
});

import { describe, expect, it } from 'vitest';
import type { RequestTarget } from '../../../protocol/coap/request-target.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { createLog } from '../../../server/log.ts';
import { DeviceReach } from '../../../server/lwm2m/device-reach.ts';
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
});

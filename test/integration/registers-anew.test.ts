import { afterEach, describe, expect, it } from 'vitest';
import type { Observer } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { ScriptedDevice } from '../support/server-world.ts';
import { ServerWorld, senml } from '../support/server-world.ts';

const SENSOR = '/42770/0/2';

let world: ServerWorld;
afterEach(() => world.close());

const observes = ({ asked }: ScriptedDevice): readonly string[] =>
  asked.filter((what) => what.startsWith('OBSERVE'));

function sensor(address: string): ScriptedDevice {
  const device = world.device(address, 'sensor');
  device.has(SENSOR, () => [{ path: SENSOR, value: 1 }]);
  return device;
}

/** Whether a confirmable notification was acknowledged. */
const notify = (observer: Observer, value: number): Promise<boolean> =>
  world.wait(
    new Promise((resolve) =>
      observer.notify(senml(SENSOR, [{ path: SENSOR, value }]), { keep: true }, resolve),
    ),
  );

async function readings(): Promise<readonly number[]> {
  const { items } = await world.api.get<{ items: { value: number }[] }>(
    `/api/devices/sensor/readings?path=${encodeURIComponent(SENSOR)}`,
  );
  return items.map(({ value }) => value);
}

describe('a device that registers anew', () => {
  it('is observed once, where the Observe for its former registration was not answered', async () => {
    world = await ServerWorld.open();
    const before = sensor('device:1');
    before.answers.set(`GET ${SENSOR}`, () => undefined);
    await before.register('</42770/0>');
    await world.until('it is asked', () => observes(before).length > 0);
    const after = sensor('device:2');
    await after.register('</42770/0>');
    await world.until('it is observed', () => after.observers.size > 0);
    await world.pass(10_000);
    expect(observes(after)).toEqual([`OBSERVE ${SENSOR}`]);
  });

  it('may still tell for the observation of before: it is acknowledged and kept for a while, then rejected', async () => {
    world = await ServerWorld.open();
    const device = sensor('device:1');
    await device.register('</42770/0>');
    const former = await world.until('it is observed', () => device.observers.get(SENSOR));
    await world.pass(1_000);
    await device.register('</42770/0>');
    expect(await notify(former, 2)).toBe(true);
    const newer = await world.until('it is observed anew', () => {
      const observer = device.observers.get(SENSOR);
      return observer !== former && observer;
    });
    expect(await notify(former, 3)).toBe(true);
    expect(await notify(newer, 4)).toBe(true);
    expect([...(await readings())].sort()).toEqual([1, 1, 2, 3, 4]);
    expect(observes(device)).toHaveLength(2);
    await world.pass(31_000);
    expect(await notify(former, 5)).toBe(false);
    expect(await notify(newer, 6)).toBe(true);
    expect(await readings()).not.toContain(5);
  });

  it('is rejected where it has deregistered, and tells all the same', async () => {
    world = await ServerWorld.open();
    const device = sensor('device:1');
    await device.register('</42770/0>');
    const former = await world.until('it is observed', () => device.observers.get(SENSOR));
    expect((await device.request(Code.DELETE, device.location)).code).toBe(Code.DELETED);
    expect(await notify(former, 2)).toBe(false);
  });
});

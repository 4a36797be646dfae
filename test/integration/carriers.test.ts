import { afterEach, describe, expect, it } from 'vitest';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { ApiCarrierAnswer, ApiCommand } from '../../server/api/schemas.ts';
import { ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
afterEach(() => world.close());

const card = (slot: number, carriers: readonly string[]): LwM2mRecord[] => [
  { path: `/42769/${slot}/0`, value: carriers[0] ?? '' },
  ...carriers.map((value, id) => ({ path: `/42769/${slot}/1/${id}`, value })),
];
const status = () => world.api.get<ApiCarrierAnswer>('/api/devices/modem/carrier');
const offered = async (): Promise<string[]> =>
  ((await status()).slots[0]?.available ?? []).map(({ name }) => name);
const switchTo = (carrier: string, slot?: number): Promise<ApiCommand> =>
  world.wait(
    world.api.post('/api/devices/modem/carrier', { carrier, ...(slot === undefined ? {} : { slot }) }),
  );

describe('the carriers that are offered', () => {
  it('are those of the card now, and a switch to a former one is refused', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    device.has('/42769/0', () => card(0, ['AT&T', 'T-Mobile', 'Verizon']));
    await device.register('</42769/0>');
    await world.until('all three', async () => (await offered()).length === 3);
    await world.wait(device.notify('/42769/0', card(0, ['AT&T', 'T-Mobile'])));
    await world.until('two', async () => (await offered()).length === 2);
    expect(await offered()).toEqual(['AT&T', 'T-Mobile']);
    await expect(switchTo('Verizon')).rejects.toThrow(
      /no carrier 'Verizon'; it has AT&T \(0\), T-Mobile \(1\)/,
    );
  });
});

describe('a switch to a SIM slot', () => {
  it('that the device does not have is refused with those that it has, Disconnect too', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    for (const slot of [0, 2]) device.has(`/42769/${slot}`, () => card(slot, ['AT&T']));
    await device.register('</42769/0>,</42769/2>');
    await world.until('both slots', async () => (await status()).slots.length === 2);
    await expect(switchTo('Disconnect', 7)).rejects.toThrow(/has no slot 7; it has 0, 2/);
    await expect(switchTo('AT&T', 1)).rejects.toThrow(/has no slot 1; it has 0, 2/);
    expect(await switchTo('Disconnect', 2)).toMatchObject({ parameters: { slot: 2 } });
  });

  it('is taken where the device does not say which slots it has', async () => {
    world = await ServerWorld.open();
    const device = world.device('device:1', 'modem');
    await device.register('</42769>');
    expect(await switchTo('Disconnect', 7)).toMatchObject({ parameters: { slot: 7 } });
  });
});

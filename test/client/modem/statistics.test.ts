import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ModemWorld } from '../../support/client/modem-world.ts';

let world: ModemWorld;

beforeEach(async () => {
  world = new ModemWorld();
  await world.start();
});

afterEach(() => expect(world.faults).toEqual([]));

describe('the Connectivity Statistics object', () => {
  it('can be read: all that went over the radio since the modem was switched on (ETS 901)', async () => {
    for (let i = 0; i < 30; i++) await world.values('/3');
    const values = await world.values('/7/0');
    expect(Object.keys(values)).toEqual([
      '/7/0/0',
      '/7/0/1',
      '/7/0/2',
      '/7/0/3',
      '/7/0/4',
      '/7/0/5',
      '/7/0/8',
    ]);
    expect(values).toMatchObject({ '/7/0/0': 0, '/7/0/1': 0, '/7/0/8': 0 });
    expect(Number(values['/7/0/2'])).toBeGreaterThan(5);
    const [largest, average] = [Number(values['/7/0/4']), Number(values['/7/0/5'])];
    expect(largest).toBeGreaterThan(average);
    expect(average).toBeGreaterThan(28);
    expect(largest).toBeLessThan(1_300);
  });

  it('begins anew with Start, and stands still after Stop (ETS 905)', async () => {
    for (let i = 0; i < 30; i++) await world.values('/3');
    expect(await world.execute('/7/0/6')).toBe('2.04');
    expect(Number((await world.values('/7/0'))['/7/0/2'])).toBeLessThan(2);
    for (let i = 0; i < 30; i++) await world.values('/3');
    expect(await world.execute('/7/0/7')).toBe('2.04');
    const stopped = await world.values('/7/0');
    for (let i = 0; i < 30; i++) await world.values('/3');
    expect(await world.values('/7/0')).toEqual(stopped);
    expect(Number(stopped['/7/0/2'])).toBeGreaterThan(5);
  });

  it('stops by itself when the collection period is over; the period is kept without power', async () => {
    expect(await world.write('/7/0/8', '30')).toBe('2.04');
    await world.execute('/7/0/6');
    for (let i = 0; i < 10; i++) await world.values('/3');
    await world.clock.run(31_000);
    const stopped = await world.values('/7/0');
    for (let i = 0; i < 30; i++) await world.values('/3');
    expect(await world.values('/7/0')).toEqual(stopped);
    await world.restart();
    expect(await world.value('/7/0/8')).toBe(30);
  });

  it('tells observers of its counters (ETS 910)', async () => {
    const { told } = await world.settle(world.server.observe('/7/0/3', { accept: ContentFormat.TEXT }));
    for (let i = 0; i < 60; i++) await world.values('/3');
    await world.clock.run(10_000);
    const counts = told.map(({ payload }) => Number(new TextDecoder().decode(payload)));
    expect(counts.length).toBeGreaterThan(0);
    expect(counts.at(-1)).toBeGreaterThan(0);
  });
});

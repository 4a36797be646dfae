import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Modem } from '../../../client/modem/modem.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';

let world: ClientWorld;
let modem: Modem;

beforeEach(async () => {
  world = new ClientWorld();
  modem = world.modem();
  await modem.start();
  await world.registered();
});

afterEach(() => expect(world.faults).toEqual([]));

describe('a modem', () => {
  it('registers the objects of a SIM modem, and not the Security object', () => {
    expect(world.server.requests[0]?.payload.replace(/ct="[\d ]+"/, 'ct')).toBe(
      '</>;rt="oma.lwm2m";ct,</1>;ver=1.2,</1/0>,</3>;ver=1.2,</3/0>,</4>;ver=1.3,</4/0>,</5>;ver=1.2,</5/0>,' +
        '</6/0>,</7/0>,</10>;ver=1.1,</10/0>,</11>;ver=1.1,</11/0>,</13>;ver=1.1,</13/0>,</16/0>,</19>,' +
        '</20>;ver=2.1,</20/0>,</504/0>,</42769/0>,</42770/0>,</42770/1>,</42770/2>',
    );
  });

  it('can be read in each object and each format that carries objects', async () => {
    for (const path of [
      '/1',
      '/3',
      '/4',
      '/5',
      '/6',
      '/7',
      '/10',
      '/11',
      '/13',
      '/16',
      '/20',
      '/42769',
      '/42770',
    ]) {
      for (const format of [ContentFormat.SENML_CBOR, ContentFormat.SENML_JSON, ContentFormat.TLV]) {
        const response = await world.settle(world.server.read(path, format));
        expect(Object.keys(world.server.decode(path, response.payload, format)).length).toBeGreaterThan(0);
      }
    }
  });

  it('says what it is', async () => {
    expect(await world.settle(world.server.values('/3/0'))).toMatchObject({
      '/3/0/0': 'Simyard',
      '/3/0/2': '000000042',
      '/3/0/3': '1.2.3',
      '/3/0/11/0': 0,
      '/3/0/13': Math.floor(world.clock.wallTime() / 1_000),
      '/3/0/16': 'U',
    });
  });

  it('reboots: it is off the network for a while and registers anew', async () => {
    await world.settle(world.server.execute('/3/0/4'));
    await world.clock.run(2_500);
    expect(world.server.of('register')).toHaveLength(1);
    await world.until('registered anew', () => world.server.of('register').length === 2);
  });

  it('counts its traffic between Start and Stop', async () => {
    await world.settle(world.server.execute('/7/0/6'));
    for (let i = 0; i < 20; i++) await world.settle(world.server.read('/3'));
    await world.settle(world.server.execute('/7/0/7'));
    const counted = await world.settle(world.server.values('/7/0'));
    expect(Number(counted['/7/0/2'])).toBeGreaterThan(Number(counted['/7/0/3']));
    expect(Number(counted['/7/0/5'])).toBeGreaterThan(20);
    for (let i = 0; i < 20; i++) await world.settle(world.server.read('/3'));
    expect(await world.settle(world.server.values('/7/0'))).toEqual(counted);
  });

  it('tells a signal that drifts to those who observe it', async () => {
    const { told } = await world.settle(world.server.observe('/4/0/2', { accept: ContentFormat.TEXT }));
    await world.clock.run(120_000);
    const strengths = told.map(({ payload }) => Number(new TextDecoder().decode(payload)));
    expect(strengths.length).toBeGreaterThan(5);
    for (const strength of strengths) expect(Math.abs(strength + 92)).toBeLessThan(20);
  });
});

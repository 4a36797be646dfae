import { freemem, totalmem } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PowerReading } from '../../../../client/modem/device/power-source.ts';
import { volatileSettings } from '../../../../client/modem/kept-settings.ts';
import type { Modem, ModemOptions } from '../../../../client/modem/modem.ts';
import { Code } from '../../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../../support/client/client-world.ts';
import { describe as told } from '../../../support/client/scripted-server.ts';

let world: ClientWorld;
let modem: Modem;
let settings: ReturnType<typeof volatileSettings>;

async function start(options: Partial<ModemOptions> = {}): Promise<void> {
  const before = world.states.filter((state) => state === 'registered').length;
  modem = world.modem({ settings, ...options });
  await world.settle(modem.start());
  await world.registered(before + 1);
}

const device = () => world.settle(world.server.values('/3/0'));
const write = async (path: string, text: string) =>
  told(await world.settle(world.server.writeText(path, text)));

beforeEach(() => {
  world = new ClientWorld();
  settings = volatileSettings();
});

afterEach(() => expect(world.faults).toEqual([]));

describe('the Device object', () => {
  it('has the memory of the machine, its time and its zone (ETS 651)', async () => {
    await start();
    const values = await device();
    expect(values['/3/0/21']).toBe(Math.round(totalmem() / 1024));
    expect(Math.abs(Number(values['/3/0/10']) - freemem() / 1024)).toBeLessThan(totalmem() / 1024 / 4);
    expect(values['/3/0/13']).toBe(Math.floor(world.clock.wallTime() / 1_000));
    expect(values['/3/0/15']).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
    expect(values['/3/0/14']).toMatch(/^[+-]\d\d:\d\d$/);
  });

  it('takes time, UTC offset and zone, and keeps the latter two without power (ETS 651)', async () => {
    await start();
    expect(await write('/3/0/13', '1700000000')).toBe('2.04');
    expect(await write('/3/0/14', '+05:45')).toBe('2.04');
    expect(await write('/3/0/15', 'Asia/Kathmandu')).toBe('2.04');
    await world.clock.run(60_000);
    const values = await device();
    expect(values).toMatchObject({ '/3/0/14': '+05:45', '/3/0/15': 'Asia/Kathmandu' });
    expect(Number(values['/3/0/13'])).toBeGreaterThanOrEqual(1_700_000_060);
    expect(Number(values['/3/0/13'])).toBeLessThan(1_700_000_070);
    await world.settle(modem.close({ deregister: false }));
    await start();
    expect(await device()).toMatchObject({ '/3/0/14': '+05:45', '/3/0/15': 'Asia/Kathmandu' });
  });

  it('tells the offset that holds in the zone at that time of the year', async () => {
    await start();
    await write('/3/0/15', 'Europe/Berlin');
    await write('/3/0/13', String(Date.UTC(2026, 0, 15) / 1_000));
    expect((await device())['/3/0/14']).toBe('+01:00');
    await write('/3/0/13', String(Date.UTC(2026, 6, 15) / 1_000));
    expect((await device())['/3/0/14']).toBe('+02:00');
    await write('/3/0/15', 'UTC');
    expect((await device())['/3/0/14']).toBe('+00:00');
  });

  it.each([
    ['/3/0/13', '-1'],
    ['/3/0/13', '9999999999999999'],
    ['/3/0/14', '+25:00'],
    ['/3/0/14', '+02:60'],
    ['/3/0/14', '-13:00'],
    ['/3/0/14', 'noon'],
    ['/3/0/14', ''],
    ['/3/0/15', 'Mars/Olympus_Mons'],
    ['/3/0/15', '+02:00'],
    ['/3/0/15', ''],
  ])('declines %s = %s with 4.00, and keeps what it had', async (path, text) => {
    await start();
    const before = (await device())[path];
    expect(await write(path, text)).toMatch(/^4\.00/);
    const after = (await device())[path];
    if (path === '/3/0/13') expect(Math.abs(Number(after) - Number(before))).toBeLessThan(10);
    else expect(after).toBe(before);
  });

  it.each(['Z', 'UTC', 'UTC+2', '+02', '+0200', '-03:30', '+14:00', 'UTC-12'])(
    'takes %s as a UTC offset',
    async (text) => {
      await start();
      expect(await write('/3/0/14', text)).toBe('2.04');
      expect((await device())['/3/0/14']).toBe(text);
    },
  );

  it('cannot be written where it is read only, nor created, nor deleted (ETS 256, 680, 685)', async () => {
    await start();
    expect(await write('/3/0/0', 'Somebody')).toMatch(/^4\.05/);
    const create = await world.settle(
      world.server.send(Code.POST, '/3', { format: ContentFormat.TLV, payload: new Uint8Array(0) }),
    );
    expect(told(create)).toMatch(/^4\.05/);
    expect(told(await world.settle(world.server.send(Code.DELETE, '/3/0')))).toMatch(/^4\.05/);
  });

  it('shows the battery of its power source, and an error when it is low until that is reset', async () => {
    let reading: PowerReading = {
      supplies: [{ kind: 1, voltage: 3_700, current: undefined }],
      level: 60,
      status: 0,
    };
    await start({ power: { read: () => reading } });
    expect(await device()).toMatchObject({ '/3/0/6/0': 1, '/3/0/7/0': 3_700, '/3/0/9': 60, '/3/0/20': 0 });
    expect(await device()).not.toHaveProperty('/3/0/8/0');
    const { told: notified } = await world.settle(
      world.server.observe('/3/0/9', { accept: ContentFormat.TEXT }),
    );
    reading = { ...reading, level: 9, status: 4 };
    await world.clock.run(6_000);
    expect(notified.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(['9']);
    expect((await device())['/3/0/11/0']).toBe(1);
    reading = { ...reading, level: 80, status: 1 };
    await world.clock.run(6_000);
    expect((await device())['/3/0/11/0']).toBe(1);
    expect(told(await world.settle(world.server.execute('/3/0/12')))).toBe('2.04');
    expect((await device())['/3/0/11/0']).toBe(0);
  });

  it('reboots, and is back with a new registration (ETS 241)', async () => {
    await start();
    expect(told(await world.settle(world.server.execute('/3/0/4')))).toBe('2.04');
    await world.until('registered anew', () => world.server.of('register').length === 2);
  });

  it('forgets on Factory Reset what servers wrote, and starts anew', async () => {
    await start();
    const before = await world.settle(world.server.values('/11/0'));
    await write('/3/0/15', 'Asia/Tokyo');
    await write('/3/0/14', '+09:00');
    await write('/11/0/0', 'other');
    await write('/13/0/3', '-119');
    await write('/10/0/4', '7200');
    await write('/7/0/8', '60');
    await world.settle(
      world.server.send(Code.PUT, '/16/0/0/0', { format: ContentFormat.TEXT, payload: 'x' }),
    );
    expect(told(await world.settle(world.server.execute('/3/0/5')))).toBe('2.04');
    await world.until('registered anew', () => world.server.of('register').length === 2);
    const after = await device();
    expect(after['/3/0/15']).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone);
    expect(after['/3/0/14']).not.toBe('+09:00');
    expect((await world.settle(world.server.values('/11/0')))['/11/0/0']).toBe(before['/11/0/0']);
    expect(await world.settle(world.server.values('/13/0'))).not.toHaveProperty('/13/0/3');
    expect((await world.settle(world.server.values('/10/0')))['/10/0/4']).toBe(3_600);
    expect((await world.settle(world.server.values('/7/0')))['/7/0/8']).toBe(0);
    expect((await world.settle(world.server.values('/16/0')))['/16/0/0/0']).toBe('000000042');
    expect(settings.read()).toEqual({});
  });
});

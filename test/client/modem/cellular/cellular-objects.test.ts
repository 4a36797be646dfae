import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../../protocol/lwm2m/content-format.ts';
import { ModemWorld } from '../../../support/client/modem-world.ts';

let world: ModemWorld;

beforeEach(async () => {
  world = new ModemWorld();
  await world.start();
});

afterEach(() => expect(world.faults).toEqual([]));

const address = () => world.value('/4/0/4/0').catch(() => undefined);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

describe('the Connectivity Monitoring object', () => {
  it('shows bearer, RSRP, RSRQ, address, APN, cell, network and area (ETS 701)', async () => {
    const values = await world.values('/4/0');
    expect(values).toMatchObject({
      '/4/0/0': 6,
      '/4/0/1/0': 6,
      '/4/0/1/1': 7,
      '/4/0/7/0': 'm2m.com.attz',
      '/4/0/9': 410,
      '/4/0/10': 310,
      '/4/0/13': 0,
    });
    expect(values['/4/0/4/0']).toMatch(/^100\.\d+\.\d+\.\d+$/);
    expect(Number(values['/4/0/2'])).toBeLessThan(-44);
    expect(Number(values['/4/0/3'])).toBeLessThanOrEqual(-3);
  });

  it('tells observers of the signal, and of another cell (ETS 710)', async () => {
    const signal = await world.settle(world.server.observe('/4/0/2', { accept: ContentFormat.TEXT }));
    const cell = await world.settle(world.server.observe('/4/0/8', { accept: ContentFormat.TEXT }));
    await world.clock.run(1_800_000);
    expect(signal.told.length).toBeGreaterThan(50);
    expect(cell.told.length).toBeGreaterThan(2);
    const cells = cell.told.map(({ payload }) => text(payload));
    cells.forEach((each, i) => {
      expect(each).not.toBe(i === 0 ? text(cell.first.payload) : cells[i - 1]);
    });
  });
});

describe('the Cellular Connectivity object', () => {
  it('can be read, with the profile that carries the connection (ETS 1200)', async () => {
    expect(await world.values('/10/0')).toEqual({
      '/10/0/0': '',
      '/10/0/1': 0,
      '/10/0/2': '',
      '/10/0/4': 3_600,
      '/10/0/5': 30,
      '/10/0/11/0': { objectId: 11, instanceId: 0 },
      '/10/0/12': 3,
      '/10/0/13': 0,
      '/10/0/14': 1,
    });
  });

  it('takes what it can say, declines the rest with 4.00, and keeps it without power (ETS 1201)', async () => {
    const good: readonly [string, string][] = [
      ['/10/0/0', '+491710760000'],
      ['/10/0/2', '*98'],
      ['/10/0/4', '7200'],
      ['/10/0/5', '60'],
      ['/10/0/14', '2'],
    ];
    for (const [path, value] of good) expect(await world.write(path, value)).toBe('2.04');
    expect(await world.send(Code.PUT, '/10/0/8', [{ path: '/10/0/8', value: Uint8Array.of(0x15) }])).toBe(
      '2.04',
    );
    const bad: readonly [string, string][] = [
      ['/10/0/0', 'a number'],
      ['/10/0/4', '-1'],
      ['/10/0/5', '999999999'],
      ['/10/0/13', '4'],
      ['/10/0/14', '8'],
      ['/10/0/1', '70000'],
    ];
    for (const [path, value] of bad) expect(await world.write(path, value)).toMatch(/^4\.00/);
    expect(await world.send(Code.PUT, '/10/0/8', [{ path: '/10/0/8', value: new Uint8Array(2) }])).toMatch(
      /^4\.00/,
    );
    await world.restart();
    expect(await world.values('/10/0')).toMatchObject({
      '/10/0/0': '+491710760000',
      '/10/0/2': '*98',
      '/10/0/4': 7_200,
      '/10/0/5': 60,
      '/10/0/8': Uint8Array.of(0x15),
      '/10/0/14': 2,
    });
  });

  it('in PSM hears nothing once its active timer is over, until it speaks itself (ETS 1203)', async () => {
    await world.write('/10/0/5', '20');
    await world.write('/10/0/13', '1');
    await world.clock.run(25_000);
    expect(await world.value('/3/0/0')).toBe('Simyard');
    await world.clock.run(35_000);
    const asked = world.server.read('/3/0/0').then(
      () => 'answered',
      (error: Error) => error.name,
    );
    expect(await world.settle(asked)).toBe('TimeoutError');
    // The Update wakes it.
    await world.until('an update', () => world.server.of('update').length > 0, 400_000);
    expect(await world.value('/3/0/0')).toBe('Simyard');
    await world.write('/10/0/13', '0');
    await world.clock.run(60_000);
    expect(await world.value('/3/0/0')).toBe('Simyard');
  });

  it('with eDRX hears what is sent to it at its next paging occasion (ETS 1204)', async () => {
    // Cycle 2: 20.48 s; window 0: 1.28 s.
    await world.send(Code.PUT, '/10/0/8', [{ path: '/10/0/8', value: Uint8Array.of(0x02) }]);
    await world.write('/10/0/13', '2');
    await world.clock.run(15_000);
    const before = world.clock.now();
    expect(await world.value('/3/0/0')).toBe('Simyard');
    const waited = world.clock.now() - before;
    expect(waited).toBeGreaterThan(5_000);
    expect(waited).toBeLessThan(20_500);
  });

  it('switches the radio off for the minutes that are asked, over a restart too (ETS 1202)', async () => {
    expect(await world.write('/10/0/1', '10')).toBe('2.04');
    await world.clock.run(2_000);
    const asked = world.server.read('/3/0/0').then(
      () => 'answered',
      (error: Error) => error.name,
    );
    expect(await world.settle(asked)).toBe('TimeoutError');
    await world.settle(world.modemNow.close({ deregister: false }));
    const before = world.server.requests.length;
    const { cellular } = world.settings.read() as { cellular: { disabledUntil: number } };
    const next = world.modem({ settings: world.settings });
    await world.settle(next.start());
    await world.clock.run(cellular.disabledUntil - world.clock.wallTime() - 1_000);
    expect(world.server.requests.length).toBe(before);
    await world.until('back', () => world.server.requests.length > before, 10_000);
    await world.registered(2);
    expect(await world.value('/10/0/1')).toBe(0);
  });
});

describe('the APN Connection Profile object', () => {
  it('shows the profile of the connection, and when it was made (ETS 1250)', async () => {
    const values = await world.values('/11/0');
    expect(values).toMatchObject({
      '/11/0/0': 'default',
      '/11/0/2': true,
      '/11/0/3': true,
      '/11/0/4': 3,
      '/11/0/10/0': 0,
      '/11/0/24': 1,
    });
    expect(values).not.toHaveProperty('/11/0/1');
    expect(values['/11/0/15/0']).toBe(await address());
    expect(Number(values['/11/0/13'])).toBeGreaterThan(0);
  });

  it('takes another APN: the modem attaches anew, with another address (ETS 1250)', async () => {
    const before = await address();
    expect(await world.write('/11/0/1', 'broadband')).toBe('2.04');
    await world.clock.run(3_000);
    expect(await world.value('/4/0/7/0')).toBe('broadband');
    expect(await address()).not.toBe(before);
    expect(await world.value('/11/0/2')).toBe(false);
    const values = await world.values('/11/0');
    // The newest attempt is first; the one before has ended.
    expect(Number(values['/11/0/12/1'])).toBeGreaterThan(0);
    await world.restart();
    expect(await world.value('/4/0/7/0')).toBe('broadband');
  });

  it('with an APN that the operator does not serve is rejected, and the modem stays reachable', async () => {
    await world.write('/11/0/1', 'no.such.apn');
    await world.clock.run(3_000);
    expect(await world.values('/11/0')).toMatchObject({ '/11/0/10/0': 1, '/11/0/11/0': 27 });
    expect(await world.value('/4/0/7/0')).toBe('m2m.com.attz');
    expect(await world.value('/10/0/11/0')).toEqual({ objectId: 65_535, instanceId: 65_535 });
  });

  it('of another profile that is made and enabled carries the connection when the first is disabled', async () => {
    expect(
      await world.send(Code.POST, '/11', [
        { path: '/11/5/0', value: 'second' },
        { path: '/11/5/1', value: 'nxtgenphone' },
        { path: '/11/5/3', value: true },
        { path: '/11/5/4', value: 1 },
        { path: '/11/5/5', value: 'user' },
        { path: '/11/5/6', value: 'secret' },
      ]),
    ).toMatch(/^2\.01/);
    await world.clock.run(3_000);
    expect(await world.value('/4/0/7/0')).toBe('m2m.com.attz');
    expect(await world.write('/11/0/3', '0')).toBe('2.04');
    await world.clock.run(3_000);
    expect(await world.value('/4/0/7/0')).toBe('nxtgenphone');
    expect(await world.value('/10/0/11/0')).toEqual({ objectId: 11, instanceId: 5 });
    expect(await world.write('/11/5/3', '0')).toMatch(/^4\.00/);
    expect(await world.delete('/11/5')).toMatch(/^4\.00/);
    await world.restart();
    expect(await world.values('/11/5')).toMatchObject({ '/11/5/0': 'second', '/11/5/6': 'secret' });
    expect(await world.value('/4/0/7/0')).toBe('nxtgenphone');
    await world.write('/11/0/3', '1');
    await world.clock.run(3_000);
    expect(await world.delete('/11/5')).toMatch(/^2\.02/);
    expect(await world.value('/4/0/7/0')).toBe('m2m.com.attz');
  });

  it('is used with the networks that it is valid for only', async () => {
    await world.send(Code.PUT, '/11/0/8', [{ path: '/11/0/8/0', value: '310,260' }]);
    await world.clock.run(3_000);
    expect(await world.value('/10/0/11/0')).toEqual({ objectId: 65_535, instanceId: 65_535 });
    await world.send(Code.PUT, '/11/0/8', [{ path: '/11/0/8/0', value: '310,410' }]);
    await world.clock.run(3_000);
    expect(await world.value('/10/0/11/0')).toEqual({ objectId: 11, instanceId: 0 });
  });

  it.each([
    ['/11/0/1', 'not an APN'],
    ['/11/0/1', '-x.y'],
    ['/11/0/4', '9'],
    ['/11/0/7', 'soon'],
    ['/11/0/24', '0'],
  ])('declines %s = %s', async (path, value) => {
    expect(await world.write(path, value)).toMatch(/^4\.00/);
  });

  it('has eight profiles at most', async () => {
    for (let id = 1; id < 8; id++) {
      expect(await world.send(Code.POST, '/11', [{ path: `/11/${id}/0`, value: `p${id}` }])).toMatch(
        /^2\.01/,
      );
    }
    expect(await world.send(Code.POST, '/11', [{ path: '/11/8/0', value: 'p8' }])).toMatch(/^4\.00/);
    await world.clock.run(3_000);
    expect(await world.value('/11/7/0')).toBe('p7');
  });
});

describe('the Bearer Selection object', () => {
  it('shows what a scan finds (ETS 1350)', async () => {
    expect(await world.values('/13/0')).toEqual({
      '/13/0/5': '',
      '/13/0/6': '',
      '/13/0/7': false,
      '/13/0/8':
        '(2,"AT&T","AT&T","310410",7),(1,"T-Mobile","T-Mobile","310260",7),(1,"Verizon","Verizon","311480",7)',
    });
  });

  it('with an operator list takes the modem to that operator, and keeps it there (ETS 1350)', async () => {
    const before = await address();
    expect(await world.write('/13/0/6', '310260, 310410')).toBe('2.04');
    await world.clock.run(3_000);
    expect(await world.values('/4/0')).toMatchObject({ '/4/0/9': 260, '/4/0/7/0': 'iot.tmowholesale' });
    expect(await address()).not.toBe(before);
    expect(await world.value('/13/0/6')).toBe('310260,310410');
    await world.restart();
    expect(await world.value('/4/0/9')).toBe(260);
  });

  it('with NB-IoT preferred takes the modem to that bearer', async () => {
    await world.send(Code.PUT, '/13/0/0', [
      { path: '/13/0/0/0', value: 14 },
      { path: '/13/0/0/1', value: 4 },
    ]);
    await world.clock.run(3_000);
    expect(await world.value('/4/0/0')).toBe(7);
    expect(await world.values('/13/0/0')).toEqual({ '/13/0/0/0': 14, '/13/0/0/1': 4 });
  });

  it('that allows operators only which are not there loses the network for two minutes, no longer', async () => {
    await world.send(Code.POST, '/13/0', [
      { path: '/13/0/6', value: '26201' },
      { path: '/13/0/7', value: true },
    ]);
    await world.clock.run(60_000);
    const asked = world.server.read('/3/0/0').then(
      () => 'answered',
      (error: Error) => error.name,
    );
    expect(await world.settle(asked, 40_000).catch(() => 'nothing yet')).toBe('nothing yet');
    await world.clock.run(60_000);
    expect(await world.value('/13/0/6')).toBe('');
    expect(await world.value('/4/0/9')).toBe(410);
    expect(world.lines).toContain(
      'no service for too long: networks and cells are chosen automatically again',
    );
  });

  it.each([
    ['/13/0/3', '-30'],
    ['/13/0/5', 'x'],
    ['/13/0/6', '31041,x'],
    ['/13/0/6', Array.from({ length: 40 }, () => '310410').join(',')],
  ])('declines %s = %s', async (path, value) => {
    expect(await world.write(path, value)).toMatch(/^4\.00/);
  });
});

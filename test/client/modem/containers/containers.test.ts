import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../../protocol/coap/message.ts';
import { ModemWorld } from '../../../support/client/modem-world.ts';

let world: ModemWorld;

beforeEach(async () => {
  world = new ModemWorld();
  await world.start();
});

afterEach(() => expect(world.faults).toEqual([]));

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('the Portfolio object', () => {
  it('has the modem’s own identity in its first instance', async () => {
    expect(await world.values('/16/0')).toEqual({
      '/16/0/0/0': '000000042',
      '/16/0/0/1': 'Simyard',
      '/16/0/0/2': 'SIM modem, simulated',
      '/16/0/0/3': '1.2.3',
    });
  });

  it('takes further instances, which are registered and kept without power (ETS 1630)', async () => {
    expect(
      await world.send(Code.POST, '/16', [
        { path: '/16/3/0/0', value: 'host' },
        { path: '/16/3/0/7', value: 'rack 4' },
      ]),
    ).toBe('2.01');
    await world.until('an update', () => world.server.of('update').length > 0);
    expect(world.server.of('update')[0]?.payload).toContain('</16/3>');
    await world.send(Code.POST, '/16/3/0', [{ path: '/16/3/0/1', value: 'maker' }]);
    await world.restart();
    expect(await world.values('/16/3')).toEqual({
      '/16/3/0/0': 'host',
      '/16/3/0/1': 'maker',
      '/16/3/0/7': 'rack 4',
    });
  });

  it('lets go of instances (ETS 1635)', async () => {
    await world.send(Code.POST, '/16', [{ path: '/16/3/0/0', value: 'host' }]);
    expect(await world.delete('/16/3')).toBe('2.02');
    await expect(world.values('/16/3')).rejects.toThrow(/^4\.04/);
    expect(await world.delete('/16/0')).toBe('2.02');
    await world.restart();
    await expect(world.values('/16/0')).rejects.toThrow(/^4\.04/);
    await expect(world.values('/16/3')).rejects.toThrow(/^4\.04/);
  });

  it('is bounded: in instances, texts and their lengths', async () => {
    for (let id = 1; id < 8; id++) {
      expect(await world.send(Code.POST, '/16', [{ path: `/16/${id}/0/0`, value: 'x' }])).toBe('2.01');
    }
    expect(await world.send(Code.POST, '/16', [{ path: '/16/8/0/0', value: 'x' }])).toMatch(/^4\.00/);
    await expect(world.values('/16/8')).rejects.toThrow(/^4\.04/);
    expect(await world.send(Code.PUT, '/16/1/0', [{ path: '/16/1/0/0', value: 'x'.repeat(256) }])).toMatch(
      /^4\.00/,
    );
    const many = Array.from({ length: 17 }, (_, i) => ({ path: `/16/1/0/${i}`, value: 'x' }));
    expect(await world.send(Code.PUT, '/16/1/0', many)).toMatch(/^4\.00/);
    expect(await world.values('/16/1')).toEqual({ '/16/1/0/0': 'x' });
  });
});

describe('the BinaryAppDataContainer object', () => {
  const container = [
    { path: '/19/0/0/0', value: bytes(1, 2, 3) },
    { path: '/19/0/0/5', value: bytes(0, 255) },
    { path: '/19/0/1', value: 1 },
    { path: '/19/0/2', value: 1_700_000_000 },
    { path: '/19/0/3', value: 'meter reading' },
    { path: '/19/0/4', value: 'raw' },
    { path: '/19/0/5', value: 7 },
  ];
  const shown = Object.fromEntries(container.map(({ path, value }) => [path, value]));

  it('takes data in an instance that is created, and keeps it without power (ETS 1900)', async () => {
    expect(await world.send(Code.POST, '/19', container)).toBe('2.01');
    expect(await world.values('/19/0')).toEqual(shown);
    await world.restart();
    expect(await world.values('/19/0')).toEqual(shown);
  });

  it('has its data replaced, added to and deleted (ETS 1901)', async () => {
    await world.send(Code.POST, '/19', container);
    expect(await world.send(Code.POST, '/19/0/0', [{ path: '/19/0/0/6', value: bytes(9) }])).toBe('2.04');
    expect(Object.keys(await world.values('/19/0/0'))).toEqual(['/19/0/0/0', '/19/0/0/5', '/19/0/0/6']);
    expect(await world.send(Code.PUT, '/19/0/0', [{ path: '/19/0/0/1', value: bytes(8) }])).toBe('2.04');
    expect(await world.values('/19/0/0')).toEqual({ '/19/0/0/1': bytes(8) });
    expect(await world.delete('/19/0')).toBe('2.02');
    await expect(world.values('/19/0')).rejects.toThrow(/^4\.04/);
  });

  it('is bounded: 64 KiB in all, eight instances, short texts', async () => {
    const large = (id: number) => [{ path: `/19/${id}/0/0`, value: new Uint8Array(30_000) }];
    expect(await world.send(Code.POST, '/19', large(0))).toBe('2.01');
    expect(await world.send(Code.POST, '/19', large(1))).toBe('2.01');
    expect(await world.send(Code.POST, '/19', large(2))).toMatch(/^4\.00/);
    await expect(world.values('/19/2')).rejects.toThrow(/^4\.04/);
    for (const [path, text] of [
      ['/19/0/3', 'x'.repeat(33)],
      ['/19/0/4', 'ö'.repeat(17)],
      ['/19/0/1', '255'],
      ['/19/0/5', '65536'],
    ] as const) {
      expect(await world.write(path, text)).toMatch(/^4\.0[04]/);
    }
    await world.restart();
    expect((await world.value('/19/1/0/0')) as Uint8Array).toHaveLength(30_000);
  });
});

import { describe, expect, it } from 'vitest';
import { Sensor } from '../../../client/modem/sensor.ts';
import { seededRandom, sensorModels } from '../../../client/modem/signals.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';

const start = 1_790_000_000_000_123;

function sensor(
  kind: string,
  rate: number,
): { readonly sensor: Sensor; advance(microseconds: number): number } {
  const model = sensorModels.find((each) => each.kind === kind);
  if (model === undefined) throw new Error(kind);
  let now = start;
  const made = new Sensor({ model, path: '/42770/0/2', rate, random: seededRandom(5), now: () => now });
  return {
    sensor: made,
    advance(microseconds) {
      now += microseconds;
      return made.produce(now);
    },
  };
}

const times = ({ queue }: Sensor): number[] => Array.from({ length: queue.length }, (_, i) => queue.time(i));
const values = ({ queue }: Sensor): number[] =>
  Array.from({ length: queue.length }, (_, i) => queue.value(i));

describe('a simulated sensor', () => {
  it('takes each sample at its exact time, however late and uneven the batches are', () => {
    const { sensor: imu, advance } = sensor('imu', 1_000);
    let count = 0;
    for (const late of [20_000, 21_337, 3, 250_000, 1_500_000]) count += advance(late);
    const taken = times(imu);
    expect(taken).toHaveLength(count);
    expect(taken[0]).toBe(1_790_000_000_001_000);
    for (let i = 1; i < taken.length; i++) expect((taken[i] ?? 0) - (taken[i - 1] ?? 0)).toBe(1_000);
    expect(imu.sequence).toBe(count);
  });

  it('makes up no samples for a time at which the process was stopped', () => {
    const { sensor: imu, advance } = sensor('imu', 100);
    advance(1_000_000);
    const before = imu.sequence;
    expect(advance(3_600_000_000)).toBeLessThanOrEqual(1);
    advance(1_000_000);
    expect(imu.sequence - before).toBeLessThanOrEqual(101);
  });

  it('goes on when the clock is set back', () => {
    const { sensor: imu, advance } = sensor('imu', 100);
    advance(1_000_000);
    advance(-600_000_000);
    expect(advance(1_000_000)).toBeGreaterThanOrEqual(99);
    const taken = times(imu);
    for (let i = 1; i < taken.length; i++) expect(taken[i]).toBeGreaterThan(taken[i - 1] ?? 0);
  });

  it('changes its period at once', () => {
    const { sensor: gyro, advance } = sensor('gyro', 10);
    advance(1_000_000);
    expect(gyro.sequence).toBe(10);
    gyro.period = 1_000;
    expect(advance(1_000_000)).toBe(1_000);
    gyro.period = 0;
    expect(advance(10_000_000)).toBe(0);
    expect(gyro.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['imu', 1_000, 8, 12],
    ['gyro', 1_000, -2, 2],
    ['temperature', 1, 15, 28],
  ] as const)('%s gives believable values that move', (kind, rate, lowest, highest) => {
    const { sensor: each, advance } = sensor(kind, rate);
    for (let i = 0; i < 600; i++) advance(1_000_000);
    const taken = values(each);
    expect(Math.min(...taken)).toBeGreaterThan(lowest);
    expect(Math.max(...taken)).toBeLessThan(highest);
    expect(new Set(taken.slice(-500)).size).toBeGreaterThan(300);
    expect([each.minimum <= Math.min(...taken), each.maximum >= Math.max(...taken)]).toEqual([true, true]);
  });

  it('takes a sample now that is in no queue and repeats none', () => {
    const { sensor: imu, advance } = sensor('imu', 100);
    advance(95_000);
    const before = imu.queue.length;
    const { time } = imu.takeNow();
    expect(imu.queue.length).toBe(before);
    expect(times(imu)).not.toContain(time);
    advance(100_000);
    const taken = times(imu);
    expect(new Set(taken).size).toBe(taken.length);
  });
});

describe('the IoT Sensor object of a modem', () => {
  it('shows kind, unit, newest sample, its time and the count, and takes a new period while it runs', async () => {
    const world = new ClientWorld();
    const modem = world.modem({ rates: { imu: 10, gyro: 0, temperature: 1 } });
    await modem.start();
    await world.registered();
    await world.clock.run(2_000);
    const imu = await world.settle(world.server.values('/42770/0'));
    expect(imu).toMatchObject({
      '/42770/0/0': 1,
      '/42770/0/1': 'imu',
      '/42770/0/6': 'm/s2',
      '/42770/0/7': 100_000,
      '/42770/0/8': 0,
    });
    expect(Number(imu['/42770/0/2'])).toBeCloseTo(9.8, -1);
    expect(Number(imu['/42770/0/4'])).toBeGreaterThan(1_790_000_000_000_000);
    expect(Number(imu['/42770/0/9'])).toBeLessThanOrEqual(Number(imu['/42770/0/10']));
    expect(await world.settle(world.server.values('/42770/1/8'))).toEqual({ '/42770/1/8': 1 });

    const write = async (value: string): Promise<string> =>
      formatCode((await world.settle(world.server.writeText('/42770/0/7', value))).code);
    expect(await write('999')).toBe('4.00');
    expect(await write('1000')).toBe(formatCode(Code.CHANGED));
    const before = Number((await world.settle(world.server.values('/42770/0/5')))['/42770/0/5']);
    await world.clock.run(1_000);
    const after = Number((await world.settle(world.server.values('/42770/0/5')))['/42770/0/5']);
    expect(after - before).toBeGreaterThan(950);

    const maximum = await world.settle(world.server.observe('/42770/0/10', { accept: ContentFormat.TEXT }));
    const status = await world.settle(world.server.observe('/42770/0/8', { accept: ContentFormat.TEXT }));
    expect(await write('0')).toBe('2.04');
    await world.until('status told', () => status.told.length === 1);
    expect(new TextDecoder().decode(status.told[0]?.payload)).toBe('1');
    const toldBefore = maximum.told.length;
    await world.settle(world.server.execute('/42770/0/11'));
    await world.until('maximum told', () => maximum.told.length > toldBefore);
    const bounds = await world.settle(world.server.values('/42770/0'));
    expect(bounds['/42770/0/10']).toBe(bounds['/42770/0/9']);
    await world.settle(modem.close());
    expect(world.faults).toEqual([]);
  });
});

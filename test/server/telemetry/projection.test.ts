import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { createLog } from '../../../server/log.ts';
import type { DeviceAttributes } from '../../../server/ports/device-store.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { encodePack, type Pack, type ReadingValue } from '../../../server/telemetry/pack.ts';
import { Projection } from '../../../server/telemetry/projection.ts';
import { aRegistration } from '../../contract/engine.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';
import { until } from '../../support/until.ts';

const CARRIER = '/42769/0/0';
const SIGNAL = '/4/0/2';
const SENSOR = '/42770/0/2';
const receivedAt = 1_790_000_000_000_000;
const names: Readonly<Record<string, keyof DeviceAttributes>> = { [CARRIER]: 'carrier', [SIGNAL]: 'signal' };

let stores: Stores;
let clock: FakeClock;
let told: DeviceAttributes[];

beforeEach(async () => {
  stores = await openEmbeddedStores({ path: ':memory:' });
  clock = new FakeClock();
  told = [];
  await stores.registrations.register(aRegistration('modem'));
});
afterEach(() => stores.close());

async function projectionOf(parts: Stores = stores): Promise<Projection> {
  const projection = new Projection({
    log: parts.log,
    history: parts.history,
    lastValues: parts.lastValues,
    devices: parts.devices,
    clock,
    logger: createLog('silent'),
    attributesOf: (path) => names[path],
    onAttributes: (_, attributes) => told.push(attributes),
  });
  await projection.start();
  return projection;
}

let keys = 0;

/** A value of the modem, taken so many seconds after the first; in the log, and announced where one listens. */
async function heard(
  projection: Projection | undefined,
  path: string,
  value: ReadingValue,
  seconds: number,
): Promise<void> {
  const takenAt = [receivedAt + seconds * 1e6];
  const pack: Pack = {
    endpoint: 'modem',
    receivedAt,
    overtaken: false,
    series: [{ path, takenAt, values: [value] }],
  };
  await new Promise<void>((resolve, reject) => {
    const entry = { endpoint: 'modem', key: `k${keys++}`, receivedAt, body: encodePack(pack) };
    stores.log.append(entry, (error, position) => {
      if (error !== undefined) return reject(error);
      projection?.appended(pack, position);
      resolve();
    });
  });
}

const inventory = async (): Promise<DeviceAttributes | undefined> => stores.devices.get('modem');
const readings = async (path: string): Promise<unknown[]> =>
  (await stores.history.query({ endpoint: 'modem', path, limit: 20_000 })).map(({ value }) => value);

describe('the inventory', () => {
  it('shows what was taken last, not what came last', async () => {
    const projection = await projectionOf();
    await heard(projection, CARRIER, 'T-Mobile', 100);
    await projection.flush();
    await heard(projection, CARRIER, 'Verizon', 50);
    await projection.flush();
    expect(await inventory()).toMatchObject({ carrier: 'T-Mobile' });
    expect(told).toEqual([{ carrier: 'T-Mobile' }]);
  });

  it('shows what was taken last after a restart too, and tells nothing that did not change', async () => {
    const first = await projectionOf();
    await heard(first, CARRIER, 'T-Mobile', 100);
    await first.close();
    const second = await projectionOf();
    await heard(second, CARRIER, 'Verizon', 50);
    await second.flush();
    expect(await inventory()).toMatchObject({ carrier: 'T-Mobile' });
    expect(told).toEqual([{ carrier: 'T-Mobile' }]);
    await heard(second, CARRIER, 'AT&T', 150);
    await second.flush();
    expect(await inventory()).toMatchObject({ carrier: 'AT&T' });
    expect(told.at(-1)).toEqual({ carrier: 'AT&T' });
  });

  it('shows the attributes of a device again that was deleted and registered anew', async () => {
    const projection = await projectionOf();
    await heard(projection, CARRIER, 'AT&T', 0);
    await projection.flush();
    await stores.registrations.deregister(aRegistration('modem').id);
    expect(await stores.devices.remove('modem')).toBe(true);
    await stores.registrations.register(aRegistration('modem'));
    projection.forget('modem');
    expect(await inventory()).not.toHaveProperty('carrier');
    await heard(projection, CARRIER, 'AT&T', 1);
    await projection.flush();
    expect(await inventory()).toMatchObject({ carrier: 'AT&T' });
  });

  it('shows 255 characters of a text at most, and no half of one', async () => {
    const projection = await projectionOf();
    await heard(projection, CARRIER, `${'x'.repeat(254)}😀${'y'.repeat(200_000)}`, 0);
    await projection.flush();
    expect((await inventory())?.carrier).toBe('x'.repeat(254));
  });

  it('passes over a value that cannot be that of the attribute', async () => {
    const projection = await projectionOf();
    await heard(projection, CARRIER, 42, 0);
    await heard(projection, SIGNAL, 'strong', 0);
    await projection.flush();
    expect(await inventory()).not.toHaveProperty('carrier');
    expect(await inventory()).not.toHaveProperty('signal');
    expect(told).toEqual([]);
    await heard(projection, SIGNAL, -71, 1);
    await projection.flush();
    expect(await inventory()).toMatchObject({ signal: -71 });
  });

  it('tells of a change only when it is stored', async () => {
    let down = true;
    const projection = await projectionOf({
      ...stores,
      devices: {
        ...stores.devices,
        get: (endpoint) => stores.devices.get(endpoint),
        setAttributes: (endpoint, attributes) =>
          down
            ? Promise.reject(new StoreUnavailableError('the disk is full'))
            : stores.devices.setAttributes(endpoint, attributes),
      },
    });
    await heard(projection, CARRIER, 'AT&T', 0);
    await expect(projection.flush()).rejects.toThrow(StoreUnavailableError);
    expect(told).toEqual([]);
    down = false;
    await projection.flush();
    expect(told).toEqual([{ carrier: 'AT&T' }]);
    expect(await readings(CARRIER)).toEqual(['AT&T']);
  });
});

describe('the projection', () => {
  it('writes every pack once, whoever asks for it meanwhile', async () => {
    const projection = await projectionOf();
    const flushes: Promise<void>[] = [];
    for (let value = 0; value < 1_200; value++) {
      await heard(projection, SENSOR, value, value);
      // Timers and readers in the middle of each other's rounds.
      if (value % 100 === 0) flushes.push(projection.flush());
      if (value % 70 === 0) clock.advance(250);
    }
    await Promise.all(flushes);
    await projection.close();
    expect(await readings(SENSOR)).toEqual(Array.from({ length: 1_200 }, (_, value) => value));
    expect(clock.pending).toBe(0);
  });

  it('reads from the log what was appended before its start', async () => {
    for (let value = 0; value < 700; value++) await heard(undefined, SENSOR, value, value);
    const projection = await projectionOf();
    await projection.flush();
    expect(await readings(SENSOR)).toHaveLength(700);
    expect(projection.lag).toBe(0);
  });
});

describe('a store that comes back with less than it had, as after a fail-over', () => {
  it('is given again what it lost: the cursor is where the store says', async () => {
    let state: 'lost later' | 'away' | 'here' = 'lost later';
    const parts: Stores = {
      ...stores,
      history: {
        ...stores.history,
        append: async (chunks) => {
          if (state === 'away') throw new StoreUnavailableError('failing over');
          if (state === 'here') await stores.history.append(chunks);
        },
      },
      log: {
        ...stores.log,
        commit: async (consumer, position) => {
          if (state === 'here') await stores.log.commit(consumer, position);
        },
      },
    };
    const projection = await projectionOf(parts);
    await heard(projection, SENSOR, 1, 1);
    await projection.flush();
    expect(await readings(SENSOR)).toEqual([]);
    state = 'away';
    await heard(projection, SENSOR, 2, 2);
    await expect(projection.flush()).rejects.toThrow(StoreUnavailableError);
    state = 'here';
    await projection.flush();
    expect(await readings(SENSOR)).toEqual([1, 2]);
    expect(projection.lag).toBe(0);
    await projection.close();
  });
});

describe('last values', () => {
  const newest = async (projection: Projection, prefix?: string): Promise<unknown[]> =>
    (await projection.lastValues('modem', prefix)).map(({ path, value }) => [path, value]);

  it('have what waits to be written, without anything being written for it', async () => {
    const projection = await projectionOf();
    await heard(projection, SENSOR, 1, 0);
    await projection.flush();
    await heard(projection, SENSOR, 2, 1);
    await heard(projection, CARRIER, 'Verizon', 1);
    await heard(projection, SENSOR, 3, -1);
    expect(await newest(projection)).toEqual([
      [CARRIER, 'Verizon'],
      [SENSOR, 2],
    ]);
    expect(await newest(projection, '/42769')).toEqual([[CARRIER, 'Verizon']]);
    expect(await newest(projection, '/4')).toEqual([]);
    expect(await projection.lastValues('another')).toEqual([]);
    expect(await readings(SENSOR)).toEqual([1]);
    await projection.flush();
    expect(await newest(projection)).toEqual([
      [CARRIER, 'Verizon'],
      [SENSOR, 2],
    ]);
  });

  it('have the newest by the time taken, wherever it is', async () => {
    const projection = await projectionOf();
    await heard(projection, CARRIER, 'T-Mobile', 100);
    await projection.flush();
    await heard(projection, CARRIER, 'Verizon', 50);
    expect(await newest(projection)).toEqual([[CARRIER, 'T-Mobile']]);
    await heard(projection, CARRIER, 'AT&T', 100);
    expect(await newest(projection)).toEqual([[CARRIER, 'AT&T']]);
  });

  it('have what is in the log and was not told here', async () => {
    const projection = await projectionOf();
    await heard(undefined, CARRIER, 'Verizon', 0);
    await projection.close();
    await projection.start();
    expect(await newest(projection)).toEqual([[CARRIER, 'Verizon']]);
  });

  it('are not taken for level before the log was taken in, and are behind what was not announced', async () => {
    await heard(undefined, SENSOR, 1, 0);
    const { newest } = await stores.log.extent();
    const projection = await projectionOf();
    expect(projection.covers(newest)).toBe(false);
    await projection.lastValues('modem', '/');
    expect(projection.covers(newest)).toBe(true);
    await heard(projection, SENSOR, 2, 1);
    expect(projection.covers(newest + 1)).toBe(true);
    await heard(undefined, SENSOR, 3, 2);
    expect(projection.covers(newest + 2)).toBe(false);
    await projection.close();
    expect(projection.covers(newest)).toBe(false);
  });
});

describe('what many devices have reported', () => {
  it('is written in several steps, between which others get their turn, and the cursor follows the last', async () => {
    const steps: string[][] = [];
    let cursor = 0;
    const projection = await projectionOf({
      ...stores,
      log: {
        ...stores.log,
        cursor: async () => 0,
        commit: async (_, position) => {
          cursor = position;
        },
      },
      history: {
        ...stores.history,
        append: async (chunks) => {
          expect(cursor).toBe(0);
          steps.push(chunks.map(({ endpoint, position }) => `${endpoint} ${position}`));
        },
      },
      lastValues: { ...stores.lastValues, setAll: async () => undefined },
    });
    const series = [{ path: SENSOR, takenAt: [receivedAt], values: [1] }];
    let position = 0;
    for (let time = 0; time < 2; time++) {
      for (let device = 0; device < 150; device++)
        projection.appended({ endpoint: `d${device}`, receivedAt, overtaken: false, series }, ++position);
    }
    await clock.run(1_000);
    await until('all is written', () => cursor === 300);
    expect(steps.map((step) => step.length)).toEqual([128, 128, 44]);
    // All of one device in one step, in the order of the log.
    expect(steps[0]?.slice(0, 4)).toEqual(['d0 1', 'd0 151', 'd1 2', 'd1 152']);
    await projection.close();
  });

  it('is written in one step where somebody waits for it', async () => {
    const steps: number[] = [];
    const projection = await projectionOf({
      ...stores,
      history: {
        ...stores.history,
        append: async (chunks) => {
          steps.push(chunks.length);
        },
      },
    });
    const series = [{ path: SENSOR, takenAt: [receivedAt], values: [1] }];
    for (let device = 0; device < 150; device++)
      projection.appended({ endpoint: `d${device}`, receivedAt, overtaken: false, series }, device + 1);
    await projection.flush();
    expect(steps).toEqual([150]);
    await projection.close();
  });
});

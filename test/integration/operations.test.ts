import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Lwm2mClient } from '../../client/lwm2m/client.ts';
import type { LwM2mVersion } from '../../client/lwm2m/formats.ts';
import { instance } from '../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../objects/device.ts';
import { toOmaXml } from '../../objects/to-oma-xml.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { fitValue } from '../../protocol/lwm2m/typed-value.ts';
import type {
  ApiCompositeResult,
  ApiObservation,
  ApiReading,
  ApiReadResult,
  ApiResourceItem,
  ApiValue,
} from '../../server/api/schemas.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import { allTypesObject, byPath, firstValues, otherValues, recordsOf } from '../interop/leshan/all-types.ts';
import { TypesObject, typesRegistry } from '../support/client/types-object.ts';
import { ApiClient } from '../support/server-process.ts';
import { until } from '../support/until.ts';

// Every operation in every format that its version of LwM2M has, both roles ours, over UDP: a value is the same
// to the last bit at the REST interface and in the device.

type FormatName = 'TEXT' | 'OPAQUE' | 'CBOR' | 'TLV' | 'JSON' | 'SENML_JSON' | 'SENML_CBOR' | 'LWM2M_CBOR';

interface Spoken {
  readonly version: LwM2mVersion;
  readonly rootPath: string;
  /** Of one value. */
  readonly plain: readonly FormatName[];
  readonly trees: readonly FormatName[];
  /** Of composite operations; none in 1.0. */
  readonly composite: readonly FormatName[];
}

const newest: Spoken = {
  version: '1.2',
  rootPath: '/',
  plain: ['TEXT', 'CBOR'],
  trees: ['TLV', 'JSON', 'SENML_JSON', 'SENML_CBOR', 'LWM2M_CBOR'],
  composite: ['SENML_JSON', 'SENML_CBOR', 'LWM2M_CBOR'],
};

const versions: readonly Spoken[] = [
  { version: '1.0', rootPath: '/', plain: ['TEXT'], trees: ['TLV', 'JSON'], composite: [] },
  {
    version: '1.1',
    rootPath: '/',
    plain: ['TEXT', 'CBOR'],
    trees: ['TLV', 'JSON', 'SENML_JSON', 'SENML_CBOR'],
    composite: ['SENML_JSON', 'SENML_CBOR'],
  },
  newest,
  { ...newest, rootPath: '/devices/lwm2m' },
];

const first = byPath(0, firstValues);
const other = byPath(0, otherValues);
/** The value in the device that a value at the REST interface stands for. */
const device = (values: Readonly<Record<number, unknown>>) =>
  Object.fromEntries(recordsOf(0, values).map(({ path, value }) => [path, value]));
const definitions = Object.values(allTypesObject.resources);
const isOpaque = (path: string): boolean => [5, 15].includes(Number(path.split('/')[3]));
const below = (path: string, values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([each]) => each === path || each.startsWith(`${path}/`)));
const relative = (path: string, values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([each, value]) => [each.slice(path.length + 1), value]));
const byItem = (items: readonly ApiResourceItem[]): Record<string, ApiValue> =>
  Object.fromEntries(items.map(({ path, value }) => [path, value]));
const singles = definitions.filter((each) => !('multiple' in each)).map(({ id }) => `/42771/0/${id}`);
const multiples = definitions.filter((each) => 'multiple' in each).map(({ id }) => `/42771/0/${id}`);

let server: RunningServer;
let api: ApiClient;

beforeAll(async () => {
  server = await startServer(loadConfig({}, ['--http-port', '0', '--data', ':memory:']), {
    log: createLog('silent'),
    port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
  });
  api = new ApiClient(server.httpAddress);
  const { ok } = await fetch(`${server.httpAddress}/api/object-models`, {
    method: 'POST',
    headers: { 'content-type': 'application/xml' },
    body: toOmaXml(allTypesObject),
  });
  expect(ok).toBe(true);
});

afterAll(() => server.close());

describe.each(versions)('with a device of LwM2M $version at $rootPath', (spoken) => {
  const { version, rootPath, plain, trees, composite } = spoken;
  const name = `types ${version} at ${rootPath}`;
  const at = `/api/devices/${encodeURIComponent(name)}`;
  const faults: unknown[] = [];
  let client: Lwm2mClient;
  let types: TypesObject;
  let timezone: string;

  beforeAll(async () => {
    const address = (server.coapUri ?? '').replace('coap://', '');
    client = new Lwm2mClient({
      port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
      clock: systemClock,
      name,
      servers: [
        { uri: server.coapUri ?? '', resolve: async () => address, version, account: { lifetime: 600 } },
      ],
      lookup: typesRegistry,
      rootPath,
      events: { onFault: (error) => void faults.push(error) },
    });
    types = new TypesObject(client.tree);
    client.tree.add(
      instance(deviceObject, 0, {
        manufacturer: { read: () => 'Simyard' },
        reboot: { execute: () => {} },
        timezone: {
          read: () => timezone,
          write(value) {
            timezone = String(value);
          },
        },
      }),
    );
    client.start();
    await until('registered', async () => {
      const { items } = await api.get<{ items: { endpoint: string }[] }>('/api/devices');
      return items.some(({ endpoint }) => endpoint === name);
    });
  });

  beforeEach(() => {
    types.restore();
    timezone = 'UTC';
  });

  afterAll(async () => {
    await client.close();
    expect(faults).toEqual([]);
  });

  const problem = async (work: Promise<unknown>): Promise<string> => {
    try {
      await work;
    } catch (error) {
      return String((error as Error).message);
    }
    throw new Error('it was not declined');
  };
  const read = async (path: string, format: FormatName): Promise<Record<string, ApiValue>> => {
    const result = await api.get<ApiReadResult>(`${at}/objects${path}?format=${format}`);
    expect(result.contentFormat).toBe(ContentFormat[format]);
    return byItem(result.items);
  };
  const write = (path: string, body: unknown, format: FormatName, mode = 'replace'): Promise<unknown> =>
    api.put(`${at}/objects${path}?format=${format}&mode=${mode}`, body);
  /** Formats in which one value of a path can go. */
  const formatsOf = (path: string): readonly FormatName[] => [
    ...plain,
    ...(isOpaque(path) ? (['OPAQUE'] as const) : []),
    ...trees,
  ];
  /** The newest values that the server was told, by path. */
  const newestValues = async (path: string): Promise<Record<string, ApiValue>> => {
    const { items } = await api.get<{ items: (ApiReading & { path: string })[] }>(
      `${at}/readings?path=${path}`,
    );
    return Object.fromEntries(items.map((each) => [each.path, each.value as ApiValue]));
  };

  describe('Read', () => {
    it.each(trees)('of an object, an instance and a multiple resource in %s', async (format) => {
      expect(await read('/42771', format)).toEqual(first);
      expect(await read('/42771/0', format)).toEqual(first);
      for (const path of multiples) expect(await read(path, format)).toEqual(below(path, first));
    });

    it('of every single value in every format', async () => {
      for (const path of [...singles, ...Object.keys(first).filter((each) => each.split('/').length === 5)]) {
        if (first[path] === undefined) continue;
        for (const format of formatsOf(path)) {
          expect(await read(path, format), `${path} ${format}`).toEqual({ [path]: first[path] });
        }
      }
    });

    it('in the format that the two find without being told', async () => {
      const { items } = await api.get<ApiReadResult>(`${at}/objects/42771/0`);
      expect(byItem(items)).toEqual(first);
    });

    it('is declined as the device says', async () => {
      expect(await problem(read('/42771/0/20', 'TEXT'))).toContain('4.05');
      expect(await problem(read('/42771/9', 'TLV'))).toContain('4.04');
      expect(await problem(read('/0/0', 'TLV'))).toContain('4.01');
      expect(await problem(read('/42771/0', 'TEXT'))).toContain('4.06');
    });
  });

  describe('Write', () => {
    it('of every single value in every format', async () => {
      const wanted = device(otherValues);
      for (const path of singles) {
        if (other[path] === undefined) continue;
        for (const format of formatsOf(path)) {
          types.restore();
          await write(path, { value: other[path] }, format);
          expect(types.get(path), `${path} ${format}`).toEqual(wanted[path]);
        }
      }
    });

    it('of every resource instance in every format', async () => {
      for (const path of multiples) {
        const [target] = Object.keys(below(path, first));
        const [[, value] = ['', undefined]] = Object.entries(below(path, other));
        if (target === undefined || value === undefined) continue;
        const [wanted] = Object.values(below(path, device(otherValues)));
        for (const format of formatsOf(path)) {
          types.restore();
          await write(target, { value }, format);
          expect(types.values()[target], `${target} ${format}`).toEqual(wanted);
          expect(Object.keys(below(path, types.values()))).toEqual(Object.keys(below(path, first)));
        }
      }
    });

    it.each(trees)('replaces and updates multiple resources in %s', async (format) => {
      for (const path of multiples) {
        const values = relative(path, below(path, other));
        await write(path, { values }, format, 'update');
        expect(below(path, types.values())).toEqual({
          ...below(path, device(firstValues)),
          ...below(path, device(otherValues)),
        });
        await write(path, { values }, format, 'replace');
        expect(below(path, types.values())).toEqual(below(path, device(otherValues)));
      }
    });

    it.each(trees)('replaces and updates an instance in %s', async (format) => {
      const some = { 0: otherValues[0], 2: otherValues[2], 12: otherValues[12] };
      await write('/42771/0', { values: relative('/42771/0', byPath(0, some)) }, format, 'update');
      expect(types.values()).toEqual({ ...device(firstValues), ...device(some) });
      const all = relative('/42771/0', other);
      await write('/42771/0', { values: all }, format, 'replace');
      expect(types.values()).toEqual({ ...device(otherValues), '/42771/0/21': 'fixed' });
    });

    it('is declined as the device says, and then nothing is written', async () => {
      expect(await problem(write('/42771/0/21', { value: 'x' }, 'TLV'))).toContain('4.05');
      expect(await problem(write('/42771/0/10/8', { value: 'x' }, 'TLV'))).toContain('4.04');
      expect(await problem(write('/42771/0/7', { value: '99:1' }, 'TLV'))).toContain('4.00');
      const values = { 0: 'x', 21: 'y' };
      expect(await problem(write('/42771/0', { values }, 'TLV', 'update'))).toContain('4.05');
      expect(types.values()).toEqual(device(firstValues));
    });
  });

  describe('Create and Delete', () => {
    it.each(trees)('of an instance with every type in %s', async (format) => {
      const values = relative('/42771/0', other);
      const created = await api.post<{ path: string }>(`${at}/objects/42771/6?format=${format}`, { values });
      expect(created).toEqual({ path: '/42771/6' });
      const wanted = recordsOf(6, otherValues).map(({ path, value }) => [path, value]);
      expect(types.values(6)).toEqual(Object.fromEntries(wanted));
      expect(await read('/42771/6', format)).toEqual(byPath(6, otherValues));
      expect(await problem(api.post(`${at}/objects/42771/6?format=${format}`, { values }))).toContain('4.00');
      await api.delete(`${at}/objects/42771/6`);
      expect(types.values(6)).toEqual({});
      expect(await problem(read('/42771/6', format))).toContain('4.04');
    });

    it('of a resource instance', async () => {
      if (version !== '1.2') {
        const refused = await problem(api.delete(`${at}/objects/42771/0/10/7`));
        expect(refused).toContain('removing an instance of a resource came with 1.2');
        return;
      }
      await api.delete(`${at}/objects/42771/0/10/7`);
      expect(types.get('/42771/0/10')).toEqual(
        new Map([
          [0, 'one'],
          [65_534, 'three'],
        ]),
      );
    });

    it('are declined for the Device object', async () => {
      expect(await problem(api.post(`${at}/objects/3/1?format=TLV`, { values: { 15: 'UTC' } }))).toContain(
        '4.05',
      );
      expect(await problem(api.delete(`${at}/objects/3/0`))).toContain('4.05');
    });
  });

  it('Execute, with arguments and without', async () => {
    await api.post(`${at}/objects/42771/0/20`, { args: "0='a',3" });
    await api.post(`${at}/objects/42771/0/20`, {});
    expect(types.executed).toEqual(['/42771/0/20 [[0,"a"],[3,null]]', '/42771/0/20 []']);
    expect(await problem(api.post(`${at}/objects/42771/0/0`, {}))).toContain('4.05');
  });

  it('Discover and Write-Attributes', async () => {
    const discover = async (path: string): Promise<Record<string, Record<string, string>>> => {
      const { items } = await api.get<{ items: { path: string; attributes: Record<string, string> }[] }>(
        `${at}/discover${path}`,
      );
      return Object.fromEntries(items.map((each) => [each.path, each.attributes]));
    };
    await api.put(`${at}/attributes/42771/0`, { pmin: 1, pmax: 600 });
    await api.put(`${at}/attributes/42771/0/1`, { gt: 50.5, lt: -3, st: 0.25 });
    const object = await discover('/42771');
    expect(Object.keys(object)).toEqual([
      '/42771',
      '/42771/0',
      ...definitions.map(({ id }) => `/42771/0/${id}`),
    ]);
    expect(object['/42771/0/1']).toEqual({ gt: '50.5', lt: '-3', st: '0.25' });
    expect((await discover('/42771/0/1'))['/42771/0/1']).toMatchObject({ pmin: '1', pmax: '600' });
    await api.put(`${at}/attributes/42771/0/1`, { gt: null, lt: null, st: null });
    await api.put(`${at}/attributes/42771/0`, { pmin: null, pmax: null });
    expect((await discover('/42771/0/1'))['/42771/0/1']).toEqual({});
  });

  describe('Observe and Notify', () => {
    it.each(trees)('of an instance in %s: every type as it was told', async (format) => {
      const { items } = await api.post<ApiReadResult>(`${at}/observations/42771/0?format=${format}`, {});
      expect(byItem(items)).toEqual(first);
      for (const [path, value] of Object.entries(device({ ...firstValues, ...otherValues }))) {
        if (path.split('/').length === 4) types.setSilently(path, value);
      }
      types.set('/42771/0/10', new Map([[0, `told in ${format}`]]));
      const told = await until('a notification', async () => {
        const values = await newestValues('/42771/0');
        return values['/42771/0/10/0'] === `told in ${format}` ? values : undefined;
      });
      for (const path of singles) {
        if (other[path] !== undefined) expect(told[path], path).toEqual(other[path]);
      }
      await api.delete(`${at}/observations/42771/0?active=true`);
    });

    it('of every single value in every format', async () => {
      for (const path of singles) {
        if (other[path] === undefined) continue;
        const wanted = device(otherValues)[path];
        for (const format of formatsOf(path)) {
          types.restore();
          await api.post(`${at}/observations${path}?format=${format}`, {});
          types.set(path, wanted as never);
          await until(
            `${path} in ${format}`,
            async () => (await newestValues('/42771/0'))[path] === other[path],
          );
          await api.delete(`${at}/observations${path}?active=true`);
        }
      }
      expect(client.observations).toBe(
        (await api.get<{ items: ApiObservation[] }>(`${at}/observations`)).items.length,
      );
    });

    it('ends by RST where it is cancelled passively', async () => {
      const before = client.observations;
      await api.post(`${at}/observations/42771/0/0`, {});
      expect(client.observations).toBe(before + 1);
      await api.delete(`${at}/observations/42771/0/0`);
      types.set('/42771/0/0', 'nobody wants to know');
      await until('RST', () => client.observations === before);
    });
  });

  if (composite.length === 0) {
    it('composite operations are refused', async () => {
      await problem(api.get(`${at}/composite?paths=/42771/0,/3/0`));
      await problem(api.put(`${at}/composite`, { values: { '/42771/0/0': 'x' } }));
      await problem(api.post(`${at}/composite-observations?paths=/42771/0,/3/0`, {}));
      expect(types.values()).toEqual(device(firstValues));
    });
    return;
  }

  describe('composite operations', () => {
    it.each(composite)('Read-Composite of what is there in %s', async (format) => {
      const paths = '/42771,/3/0/15,/99/0,/3/0/4,/42771/0/1';
      const result = await api.get<ApiCompositeResult>(`${at}/composite?paths=${paths}&format=${format}`);
      expect(result.contentFormat).toBe(ContentFormat[format]);
      expect(byItem(result.items)).toEqual({ ...first, '/3/0/15': 'UTC' });
    });

    it.each(composite)('Write-Composite of every type, or of nothing, in %s', async (format) => {
      const values = { ...other, '/3/0/15': format };
      await api.put(`${at}/composite?format=${format}`, { values });
      expect(types.values()).toEqual({ ...device(firstValues), ...device(otherValues) });
      expect(timezone).toBe(format);
      types.restore();
      const spoiled = { ...other, '/3/0/0': 'mine' };
      expect(await problem(api.put(`${at}/composite?format=${format}`, { values: spoiled }))).toContain(
        '4.05',
      );
      expect(types.values()).toEqual(device(firstValues));
    });

    it.each(composite)('Observe-Composite tells all its paths, and ends, in %s', async (format) => {
      const before = client.observations;
      const url = `${at}/composite-observations?paths=/42771/0/0,/42771/0/1,/3/0/15`;
      const result = await api.post<ApiCompositeResult>(`${url}&format=${format}`, {});
      expect(byItem(result.items)).toEqual({
        '/42771/0/0': first['/42771/0/0'],
        '/42771/0/1': first['/42771/0/1'],
        '/3/0/15': 'UTC',
      });
      timezone = `told in ${format}`;
      types.set('/42771/0/1', fitValue('integer', 2n ** 62n + 1n) as bigint);
      await until('a notification', async () => {
        const told = { ...(await newestValues('/42771/0')), ...(await newestValues('/3/0')) };
        return told['/42771/0/1'] === '4611686018427387905' && told['/3/0/15'] === timezone;
      });
      await api.delete(`${url}&active=true`);
      expect(client.observations).toBe(before);
    });

    it.each(composite)('Send of every type in %s', async (format) => {
      types.restore({ ...firstValues, 0: `sent in ${format}` });
      const outcomes = await client.send(['/42771/0', '/3/0/15'], ContentFormat[format]);
      expect(outcomes.map(({ result }) => result)).toEqual(['accepted']);
      const told = await until('what was sent', async () => {
        const values = await newestValues('/42771/0');
        return values['/42771/0/0'] === `sent in ${format}` ? values : undefined;
      });
      expect(told).toMatchObject({ ...first, '/42771/0/0': `sent in ${format}` });
    });
  });

  if (version !== '1.2') return;

  it('attributes in the request of an Observe (ETS 312)', async () => {
    const path = '/42771/0/3';
    await api.post(`${at}/observations${path}`, { attributes: { gt: 100 } });
    types.set(path, 50);
    types.set(path, 101.5);
    await until('a crossing', async () => (await newestValues('/42771/0'))[path] === 101.5);
    const { items } = await api.get<{ items: { value: number }[] }>(`${at}/readings?path=${path}`);
    expect(items.map(({ value }) => value)).not.toContain(50);
    await api.delete(`${at}/observations${path}?active=true`);
  });
});

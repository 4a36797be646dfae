import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import type { LwM2mVersion } from '../../../client/lwm2m/formats.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { deviceObject } from '../../../objects/device.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { contentFormat, contentFormatOption, observe as observeOf } from '../../../protocol/coap/options.ts';
import { encodeChanges } from '../../../protocol/lwm2m/changes.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mChange } from '../../../protocol/lwm2m/value.ts';
import { allTypesObject, firstValues, otherValues, recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { type Notification, describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

const { SENML_JSON, SENML_CBOR, SENML_ETCH_JSON, SENML_ETCH_CBOR, LWM2M_CBOR } = ContentFormat;

let world: ClientWorld;
let client: Lwm2mClient;
let types: TypesObject;
let timezone: string;
let currentTime: number;

async function start(version: LwM2mVersion): Promise<void> {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry, version });
  types = new TypesObject(client.tree);
  timezone = 'UTC';
  currentTime = 1;
  client.tree.add(
    instance(deviceObject, 0, {
      manufacturer: { read: () => 'Simyard' },
      reboot: { execute: () => {} },
      errorCode: { read: () => new Map([[0, 0]]) },
      currentTime: {
        read: () => currentTime,
        write(value) {
          currentTime = Number(value);
        },
      },
      timezone: {
        read: () => timezone,
        write(value) {
          timezone = String(value);
        },
      },
      supportedBindingAndModes: { read: () => 'U' },
    }),
  );
  client.start();
  await world.registered();
}

beforeEach(() => start('1.2'));
afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);

interface Payload {
  readonly payload: Uint8Array;
}

function valuesOf({ payload }: Payload, format: number = SENML_CBOR): Record<string, unknown> {
  const records = decodeContent(format, '/', payload, typesRegistry);
  // Each path once: overlapping paths do not make values come twice.
  expect(new Set(records.map(({ path }) => path)).size).toBe(records.length);
  return Object.fromEntries(records.map(({ path, value }) => [path, value]));
}

async function readComposite(paths: readonly string[], options = {}): Promise<Record<string, unknown>> {
  const response = await ask(world.server.fetch(paths, options));
  if (response.code !== Code.CONTENT) throw new Error(told(response));
  return valuesOf(response, contentFormat(response.options));
}

describe('Read-Composite', () => {
  it('gives any combination of objects, instances, resources and their instances (ETS 229, 280)', async () => {
    const found = await readComposite(['/3/0/16', '/3/0/11/0', '/1/0', '/42771/0/10/7']);
    expect(found).toMatchObject({ '/3/0/16': 'U', '/3/0/11/0': 0, '/1/0/0': 101, '/42771/0/10/7': 'two' });
    expect(Object.keys(found).filter((path) => path.startsWith('/3/'))).toEqual(['/3/0/16', '/3/0/11/0']);
  });

  it('gives what overlapping paths name once (ETS 229)', async () => {
    const found = await readComposite(['/3', '/1/0', '/1/0/1', '/3/0/11/0', '/3', '/3/0']);
    expect(found).toMatchObject({ '/3/0/0': 'Simyard', '/1/0/1': 300 });
  });

  it('leaves out what is missing, or cannot be read (ETS 236, 281)', async () => {
    expect(
      await readComposite(['/1/0/1', '/1/0/8', '/3/0/4', '/3/0/11/0', '/3339/0/5522', '/3/7', '/42771/0/22']),
    ).toEqual({ '/1/0/1': 300, '/3/0/11/0': 0 });
  });

  it('of nothing that is there has an empty answer', async () => {
    for (const accept of [SENML_CBOR, SENML_JSON, LWM2M_CBOR]) {
      expect(await readComposite(['/3339/0', '/3/0/4'], { accept })).toEqual({});
    }
  });

  it('of the root gives everything but Security (ETS 235)', async () => {
    const found = await readComposite(['/']);
    expect(new Set(Object.keys(found).map((path) => path.split('/')[1]))).toEqual(
      new Set(['1', '3', String(allTypesObject.id)]),
    );
    expect(found).toMatchObject(
      Object.fromEntries(recordsOf(0, firstValues).map(({ path, value }) => [path, value])),
    );
  });

  it.each([
    [SENML_JSON, undefined, SENML_JSON],
    [SENML_CBOR, undefined, SENML_CBOR],
    [SENML_JSON, SENML_CBOR, SENML_CBOR],
    [SENML_CBOR, LWM2M_CBOR, LWM2M_CBOR],
    [SENML_ETCH_JSON, undefined, SENML_JSON],
    [SENML_ETCH_CBOR, undefined, SENML_CBOR],
    [SENML_ETCH_CBOR, SENML_JSON, SENML_JSON],
  ])(
    'asked in format %s with Accept %s is answered in %s, every type exact',
    async (format, accept, expected) => {
      const options = { format, ...(accept === undefined ? {} : { accept }) };
      const response = await ask(world.server.fetch(['/42771'], options));
      expect(contentFormat(response.options)).toBe(expected);
      const wanted = Object.fromEntries(recordsOf(0, firstValues).map(({ path, value }) => [path, value]));
      expect(valuesOf(response, expected)).toEqual(wanted);
    },
  );

  it.each([
    [['/0'], '4.01 only a bootstrap server may access this object'],
    [['/3/0', '/0/0/5'], '4.01 only a bootstrap server may access this object'],
    [['/21/0'], '4.01 only a bootstrap server may access this object'],
  ])('of %s is declined with %s (ETS 221)', async (paths, expected) => {
    expect(told(await ask(world.server.fetch(paths)))).toBe(expected);
  });

  it('in formats that are none of it is declined', async () => {
    const accepted = await ask(world.server.fetch(['/3'], { accept: ContentFormat.TLV }));
    expect(told(accepted)).toBe('4.06 content format 11542 carries no answer of a composite operation');
    const text = await ask(world.server.send(Code.FETCH, '/', { format: ContentFormat.TEXT, payload: '/3' }));
    expect(told(text)).toBe('4.15 content format 0 of a composite operation is not supported');
    const none = await ask(world.server.send(Code.FETCH, '/', { payload: '[]' }));
    expect(told(none)).toBe('4.15 content format none of a composite operation is not supported');
  });

  it.each([
    ['[]', '4.00 no paths'],
    ['[{"n":"/3/0/x"}]', "4.00 SenML name '/3/0/x' is no path"],
    ['{', undefined],
  ])('of %s is declined with 4.00', async (payload, expected) => {
    const response = await ask(world.server.send(Code.FETCH, '/', { format: SENML_JSON, payload }));
    expect(formatCode(response.code)).toBe('4.00');
    if (expected !== undefined) expect(told(response)).toBe(expected);
  });

  it('of more paths than anybody needs is declined', async () => {
    const paths = Array.from({ length: 300 }, (_, id) => `/3/${id}`);
    expect(told(await ask(world.server.fetch(paths)))).toBe('4.00 more than 256 paths');
  });

  it('of a path in the Uri-Path is declined with 4.05', async () => {
    const payload = encodeContent(SENML_CBOR, '/3', [], typesRegistry);
    const response = await ask(world.server.send(Code.FETCH, '/3/0', { format: SENML_CBOR, payload }));
    expect(told(response)).toBe('4.05 composite operations are of the root');
  });
});

describe('Write-Composite', () => {
  const patch = async (changes: readonly LwM2mChange[], format: number = SENML_CBOR): Promise<string> => {
    const payload = encodeChanges(format, changes, { resourceType: () => undefined });
    return told(await ask(world.server.send(Code.IPATCH, '/', { format, payload })));
  };

  it('writes across objects (ETS 230, 257)', async () => {
    for (const format of [SENML_JSON, SENML_CBOR]) {
      const changes = [
        { path: '/1/0/2', value: 102 },
        { path: '/1/0/6', value: true },
        { path: '/3/0/13', value: 77 },
        { path: '/42771/0/10/7', value: `by ${format}` },
      ];
      expect(await patch(changes, format)).toBe('2.04');
      expect(await readComposite(['/1/0/2', '/3/0/13', '/42771/0/10/7'])).toEqual({
        '/1/0/2': 102,
        '/3/0/13': 77,
        '/42771/0/10/7': `by ${format}`,
      });
    }
  });

  it.each([SENML_JSON, SENML_CBOR, SENML_ETCH_JSON, SENML_ETCH_CBOR, LWM2M_CBOR])(
    'writes every type exactly in format %s, and leaves other instances of a resource',
    async (format) => {
      const before = types.values();
      const { 17: _, ...values } = otherValues;
      const changes = recordsOf(0, values);
      const payload = encodeChanges(format, changes, typesRegistry);
      expect(told(await ask(world.server.send(Code.IPATCH, '/', { format, payload })))).toBe('2.04');
      const written = Object.fromEntries(changes.map(({ path, value }) => [path, value]));
      expect(types.values()).toEqual({ ...before, ...written });
    },
  );

  it('removes a resource instance in SenML-ETCH', async () => {
    expect(await patch([{ path: '/42771/0/10/7', value: null }], SENML_ETCH_JSON)).toBe('2.04');
    expect(types.get('/42771/0/10')).toEqual(
      new Map([
        [0, 'one'],
        [65_534, 'three'],
      ]),
    );
    expect(await patch([{ path: '/42771/0/10/7', value: null }], SENML_ETCH_CBOR)).toBe(
      '4.04 /42771/0/10/7 is not here',
    );
    const payload = '[{"n":"/42771/0/0","v":null}]';
    const response = await ask(world.server.send(Code.IPATCH, '/', { format: SENML_ETCH_JSON, payload }));
    expect(formatCode(response.code)).toBe('4.00');
    expect(types.get('/42771/0/0')).toBe(firstValues[0]);
  });

  it.each([
    [{ path: '/3/0/0', value: 'x' }, '4.05 Manufacturer cannot be written'],
    [{ path: '/3/0/4', value: 'x' }, '4.05 Reboot cannot be written'],
    [{ path: '/3/0/99', value: 'x' }, '4.04 /3/0/99 is not here'],
    [{ path: '/3/1/15', value: 'x' }, '4.04 /3/1/15 is not here'],
    [{ path: '/9/0/0', value: 'x' }, '4.04 /9/0/0 is not here'],
    [{ path: '/0/0/0', value: 'x' }, '4.01 only a bootstrap server may access this object'],
    [{ path: '/3/0/15', value: 5 }, "4.00 /3/0/15: number '5' where a value of type string belongs"],
    [{ path: '/1/0/2/0', value: 5 }, '4.00 /1/0/2 is no multiple resource'],
    [{ path: '/42771/0/10', value: 'x' }, '4.00 /42771/0/10 is a multiple resource'],
    [{ path: '/42771/0/7', value: { objectId: 9, instanceId: 0 } }, '4.00 Object Link: 9:0 is not here'],
  ])('with %s writes nothing: %s', async (bad, expected) => {
    const good = [{ path: '/42771/0/0', value: 'new' }];
    expect(await patch([...good, bad])).toBe(expected);
    expect(await patch([bad, ...good])).toBe(expected);
    expect([types.get('/42771/0/0'), timezone]).toEqual([firstValues[0], 'UTC']);
  });

  it('that fails in the middle gives back what was written', async () => {
    types.failing.add('/42771/0/3');
    const changes = [
      { path: '/3/0/15', value: 'Asia/Tokyo' },
      { path: '/42771/0/0', value: 'new' },
      { path: '/42771/0/3', value: 1 },
    ];
    expect(await patch(changes)).toBe('5.00 out of order');
    expect([timezone, types.get('/42771/0/0'), types.get('/42771/0/3')]).toEqual([
      'UTC',
      firstValues[0],
      firstValues[3],
    ]);
  });

  it('of nothing, or in a format that is none of it, is declined', async () => {
    expect(await patch([])).toBe('4.00 nothing to write');
    const tlv = { format: ContentFormat.TLV, payload: Uint8Array.of(0xc1, 0, 1) };
    expect(told(await ask(world.server.send(Code.IPATCH, '/', tlv)))).toBe(
      '4.15 content format 11542 of a composite operation is not supported',
    );
    const patched = world.server.send(Code.PATCH, '/3/0', { format: SENML_JSON, payload: '[]' });
    expect(told(await ask(patched))).toBe('4.05 no operation of LwM2M');
  });

  it('is told to who observes', async () => {
    const { told: list } = await ask(world.server.observe('/42771/0/0', { accept: ContentFormat.TEXT }));
    await patch([{ path: '/42771/0/0', value: 'new' }]);
    await world.until('told', () => list.length === 1);
    expect(new TextDecoder().decode(list[0]?.payload)).toBe('new');
  });
});

describe('Observe-Composite', () => {
  const attributes = (path: string, ...query: string[]) => ask(world.server.send(Code.PUT, path, { query }));
  const times = (list: readonly Notification[]): number[] => list.map(({ at }) => at);

  it('tells all paths when one has changed, confirmable, in the format of the answer (ETS 304)', async () => {
    const { first, told: list } = await ask(
      world.server.observeComposite(['/1/0/1', '/3/0/11/0', '/3/0/16', '/42771/0/1'], { accept: SENML_JSON }),
    );
    expect([contentFormat(first.options), observeOf(first.options) !== undefined]).toEqual([
      SENML_JSON,
      true,
    ]);
    const all = { '/1/0/1': 300, '/3/0/11/0': 0, '/3/0/16': 'U' };
    expect(valuesOf(first, SENML_JSON)).toEqual({ ...all, '/42771/0/1': -(2n ** 63n) });
    types.set('/42771/0/1', 5);
    await world.until('told', () => list.length === 1);
    const [notification] = list as [Notification];
    expect([notification.format, notification.confirmable]).toEqual([SENML_JSON, true]);
    expect(valuesOf(notification, SENML_JSON)).toEqual({ ...all, '/42771/0/1': 5 });
    types.set('/42771/0/0', 'not observed');
    await world.clock.run(60_000);
    expect(list).toHaveLength(1);
  });

  it('keeps to the periods of any of its paths (ETS 304)', async () => {
    await attributes('/1/0/1', 'pmin=30', 'pmax=45');
    const { told: list } = await ask(world.server.observeComposite(['/1/0/1', '/3/0/11/0', '/3/0/16']));
    const began = world.clock.now();
    await world.clock.run(100_000);
    expect(times(list).map((at) => Math.round((at - began) / 1_000))).toEqual([45, 90]);
  });

  it('ends with Observe 1, which is answered with the values (ETS 305)', async () => {
    const { told: list, cancel } = await ask(world.server.observeComposite(['/1/0/1', '/42771/0/1']));
    expect(valuesOf(await ask(cancel()))).toEqual({ '/1/0/1': 300, '/42771/0/1': -(2n ** 63n) });
    types.set('/42771/0/1', 5);
    await world.clock.run(60_000);
    expect([list, client.observations]).toEqual([[], 0]);
  });

  it('ends with RST', async () => {
    const { told: list } = await ask(
      world.server.observeComposite(['/1/0/1', '/42771/0/1'], { decide: (each) => each.reject() }),
    );
    types.set('/42771/0/1', 5);
    await world.until('reset', () => client.observations === 0);
    expect(list).toHaveLength(1);
  });

  it('tells of an instance that is created, within the periods (ETS 308)', async () => {
    await attributes('/42771/0', 'pmin=30', 'pmax=45');
    const { first, told: list } = await ask(world.server.observeComposite(['/42771/0/0', '/42771/1']));
    expect(Object.keys(valuesOf(first))).toEqual(['/42771/0/0']);
    const began = world.clock.now();
    const payload = encodeContent(ContentFormat.TLV, '/42771', recordsOf(1, { 0: 'new' }), typesRegistry);
    await ask(world.server.send(Code.POST, '/42771', { format: ContentFormat.TLV, payload }));
    await world.until('told', () => list.length === 1);
    expect(((list[0] as Notification).at - began) / 1_000).toBeGreaterThanOrEqual(29.9);
    expect(((list[0] as Notification).at - began) / 1_000).toBeLessThan(45);
    expect(valuesOf(list[0] as Notification)).toEqual({
      '/42771/0/0': firstValues[0],
      '/42771/1/0': 'new',
    });
  });

  it('tells of an instance that is deleted (ETS 309)', async () => {
    const payload = encodeContent(ContentFormat.TLV, '/42771', recordsOf(1, { 0: 'new' }), typesRegistry);
    await ask(world.server.send(Code.POST, '/42771', { format: ContentFormat.TLV, payload }));
    const { first, told: list } = await ask(world.server.observeComposite(['/42771/0/0', '/42771/1']));
    expect(Object.keys(valuesOf(first))).toEqual(['/42771/0/0', '/42771/1/0']);
    await ask(world.server.send(Code.DELETE, '/42771/1'));
    await world.until('told', () => list.length === 1);
    expect(valuesOf(list[0] as Notification)).toEqual({ '/42771/0/0': firstValues[0] });
  });

  it('follows attributes that are written while it is observed (ETS 310)', async () => {
    const { told: list } = await ask(world.server.observeComposite(['/1/0/1', '/3/0']));
    await attributes('/3', 'pmax=5');
    const began = world.clock.now();
    await world.clock.run(10_500);
    expect(list).toHaveLength(2);
    expect((times(list)[0] as number) - began).toBeLessThanOrEqual(5_000);
    for (const each of list) expect(valuesOf(each)).toMatchObject({ '/1/0/1': 300, '/3/0/0': 'Simyard' });
  });

  it('takes periods in its request, for itself alone', async () => {
    await attributes('/3', 'pmax=5');
    const paths = ['/1/0/1', '/3/0/0'];
    const own = await ask(world.server.observeComposite(paths, { query: ['pmax=30', 'con=0'] }));
    const other = await ask(world.server.observe('/3/0/0'));
    await world.clock.run(61_000);
    expect(own.told.map(({ confirmable }) => confirmable)).toEqual([false, false]);
    expect(other.told).toHaveLength(12);
  });

  it('declines attributes that no object can have (ETS 312)', async () => {
    const { first } = await ask(world.server.observeComposite(['/42771/0/1'], { query: ['gt=5'] }));
    expect(told(first)).toBe('4.00 gt is of one resource: write it there');
    expect(client.observations).toBe(0);
  });

  it('of the same paths again takes the place of the one before', async () => {
    const before = await ask(world.server.observeComposite(['/42771/0/0', '/42771/0/1']));
    const after = await ask(world.server.observeComposite(['/42771/0/0', '/42771/0/1']));
    types.set('/42771/0/1', 5);
    await world.clock.run(10_000);
    expect([before.told.length, after.told.length]).toEqual([0, 1]);
  });

  it('that does not fit one block arrives whole', async () => {
    const { told: list } = await ask(world.server.observeComposite(['/']));
    types.set('/42771/0/0', 'x'.repeat(3_000));
    await world.until('told', () => list.length > 0);
    await world.clock.run(10_000);
    expect(valuesOf(list.at(-1) as Notification)).toMatchObject({ '/42771/0/0': 'x'.repeat(3_000) });
  });

  it('of Security is declined with 4.01', async () => {
    const { first } = await ask(world.server.observeComposite(['/0/0', '/3/0']));
    expect(told(first)).toBe('4.01 only a bootstrap server may access this object');
  });
});

describe('with a server of 1.0', () => {
  beforeEach(async () => {
    await ask(client.close());
    await start('1.0');
  });

  it('composite operations are declined with 4.05', async () => {
    const refusal = '4.05 LwM2M 1.0 has no composite operations';
    expect(told(await ask(world.server.fetch(['/3'])))).toBe(refusal);
    expect(told((await ask(world.server.observeComposite(['/3']))).first)).toBe(refusal);
    const write = world.server.send(Code.IPATCH, '/', { format: SENML_JSON, payload: '[]' });
    expect(told(await ask(write))).toBe(refusal);
    expect(client.observations).toBe(0);
  });
});

it('a FETCH with other options than ours is the business of the endpoint', async () => {
  const response = await ask(
    world.server.endpoint.request(world.server.client, {
      code: Code.FETCH,
      options: [contentFormatOption(SENML_JSON), { number: 9, value: Uint8Array.of(1) }],
      payload: new TextEncoder().encode('[{"n":"/3"}]'),
    }),
  );
  expect(formatCode(response.code)).toBe('4.02');
});

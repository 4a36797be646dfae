import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { itemValues, ManagedModem, type Wire } from './managed-modem.ts';

// The cases of OMA-ETS-LightweightM2M_INT about content formats and the levels of a path: each by REST, over the
// server, to the modem, and judged by what went over the wire too.

let managed: ManagedModem;
beforeEach(async () => {
  managed = await ManagedModem.open();
});
afterEach(() => managed.close());

const request = (wire: readonly Wire[]): Wire => {
  const found = wire.find(
    ({ from, what }) => from === 'server' && /^i?[A-Z]{3,}$/.test(what) && what !== 'ACK' && what !== 'RST',
  );
  if (found === undefined) throw new Error('the server asked nothing');
  return found;
};
const answer = (wire: readonly Wire[]): Wire => {
  const found = wire.find(({ from, what }) => from === 'device' && /^\d/.test(what));
  if (found === undefined) throw new Error('the device answered nothing');
  return found;
};

/** Reads, and checks that it was asked for and answered in that format. */
async function read(path: string, format: keyof typeof ContentFormat): Promise<Record<string, unknown>> {
  const { status, body, wire } = await managed.watch('GET', `/objects${path}?format=${format}`);
  expect(status, JSON.stringify(body)).toBe(200);
  expect(request(wire)).toMatchObject({ what: 'GET', path, accept: ContentFormat[format] });
  expect(answer(wire)).toMatchObject({ what: '2.05', contentFormat: ContentFormat[format] });
  return itemValues(body);
}

/** Writes, and checks that it went out in that format, by that method, and that the answer was 2.04. */
async function write(
  path: string,
  content: object,
  format: keyof typeof ContentFormat,
  mode: 'replace' | 'update' = 'replace',
): Promise<void> {
  const query = `?format=${format}&mode=${mode}`;
  const { status, body, wire } = await managed.watch('PUT', `/objects${path}${query}`, content);
  expect(status, JSON.stringify(body)).toBe(204);
  const what = mode === 'update' ? 'POST' : 'PUT';
  expect(request(wire)).toMatchObject({ what, path, contentFormat: ContentFormat[format] });
  expect(answer(wire).what).toBe('2.04');
}

const deviceBasics = {
  '/3/0/0': 'Simyard',
  '/3/0/1': 'SIM modem, simulated',
  '/3/0/2': '000000042',
  '/3/0/3': '1.2.3',
  '/3/0/16': 'U',
};

describe('querying the Device object', () => {
  it('in plain text (ETS 201)', async () => {
    for (const id of [0, 1, 2] as const) {
      const path = `/3/0/${id}` as const;
      expect(await read(path, 'TEXT')).toEqual({ [path]: deviceBasics[path] });
    }
  });

  it.each([
    ['TLV', 203],
    ['JSON', 204],
    ['SENML_JSON', 231],
    ['SENML_CBOR', 232],
  ] as const)('in %s (ETS %i)', async (format, _id) => {
    expect(await read('/3/0', format)).toMatchObject(deviceBasics);
    expect(await read('/3/0', format)).toHaveProperty('/3/0/11/0');
    expect(await read('/1', format)).toMatchObject({ '/1/0/0': 101, '/1/0/1': 300, '/1/0/7': 'U' });
    expect(await read('/3/0/16', format)).toEqual({ '/3/0/16': 'U' });
    expect(await read('/3/0/11', format)).toEqual({ '/3/0/11/0': 0 });
  });

  it('in the formats as their cases are numbered: TLV (ETS 203), JSON (ETS 204), SenML JSON (ETS 231), SenML CBOR (ETS 232)', async () => {
    const [tlv, json, senmlJson, senmlCbor] = [
      await read('/3/0', 'TLV'),
      await read('/3/0', 'JSON'),
      await read('/3/0', 'SENML_JSON'),
      await read('/3/0', 'SENML_CBOR'),
    ];
    for (const each of [tlv, json, senmlJson, senmlCbor]) expect(each).toMatchObject(deviceBasics);
    const paths = (values: Record<string, unknown>): string[] => Object.keys(values).sort();
    expect(paths(json)).toEqual(paths(tlv));
    expect(paths(senmlJson)).toEqual(paths(tlv));
    expect(paths(senmlCbor)).toEqual(paths(tlv));
  });

  it('in CBOR, one value at a time (ETS 211)', async () => {
    expect(await read('/1/0/0', 'CBOR')).toEqual({ '/1/0/0': 101 });
    expect(await read('/1/0/6', 'CBOR')).toEqual({ '/1/0/6': true });
    expect(await read('/1/0/7', 'CBOR')).toEqual({ '/1/0/7': 'U' });
  });

  it('as opaque bytes (ETS 202)', async () => {
    const created = await managed.call('POST', '/objects/19', { values: { '0/0': '00ff10' } });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    await managed.quiet();
    expect(await read('/19/0/0/0', 'OPAQUE')).toEqual({ '/19/0/0/0': '00ff10' });
  });
});

describe('setting the Server object', () => {
  it('in plain text, and back (ETS 205)', async () => {
    for (const [id, value] of [
      [2, 101],
      [3, 1010],
      [5, 2000],
      [2, 1],
      [3, 10],
      [5, 86_400],
    ] as const) {
      await write(`/1/0/${id}`, { value }, 'TEXT');
      expect(await read(`/1/0/${id}`, 'TEXT')).toEqual({ [`/1/0/${id}`]: value });
    }
  });

  it('in CBOR (ETS 212)', async () => {
    for (const [id, value] of [
      [2, 101],
      [3, 1010],
      [6, false],
    ] as const) {
      await write(`/1/0/${id}`, { value }, 'CBOR');
      expect(await read(`/1/0/${id}`, 'CBOR')).toEqual({ [`/1/0/${id}`]: value });
    }
  });

  const all = { values: { 2: 101, 3: 1010, 5: 2000, 6: false, 7: 'U' } };

  it.each([
    ['TLV', 215],
    ['JSON', 220],
    ['SENML_CBOR', 233],
    ['SENML_JSON', 234],
  ] as const)(
    'several resources at once in %s, some by a partial update, some by a replacement (ETS %i)',
    async (format, _id) => {
      await write('/1/0', all, format, 'update');
      expect(await managed.values('/1/0')).toMatchObject({
        '/1/0/1': 300,
        '/1/0/2': 101,
        '/1/0/3': 1010,
        '/1/0/5': 2000,
        '/1/0/6': false,
      });
      await write('/1/0', { values: { 1: 300, 2: 1, 3: 10, 5: 86_400, 6: true, 7: 'U' } }, format);
      expect(await managed.values('/1/0')).toMatchObject({ '/1/0/2': 1, '/1/0/3': 10, '/1/0/6': true });
      await write('/1/0/1', { value: 63 }, format);
      expect(await managed.values('/1/0/1')).toEqual({ '/1/0/1': 63 });
    },
  );

  it('an opaque value as it is (ETS 210)', async () => {
    await managed.call('POST', '/objects/19', { values: { '0/0': 'aa' } });
    await managed.quiet();
    await write('/19/0/0/0', { value: 'c0ffee' }, 'OPAQUE');
    expect(await managed.values('/19/0/0/0')).toEqual({ '/19/0/0/0': 'c0ffee' });
  });
});

describe('reading', () => {
  it('an object: all of its instances (ETS 222)', async () => {
    const values = await read('/3', 'SENML_CBOR');
    expect(values).toMatchObject(deviceBasics);
    expect(Object.keys(await read('/42770', 'SENML_CBOR')).some((path) => path.startsWith('/42770/2/'))).toBe(
      true,
    );
  });

  it('an object instance (ETS 223)', async () => {
    expect(await read('/1/0', 'SENML_CBOR')).toMatchObject({ '/1/0/0': 101, '/1/0/1': 300, '/1/0/7': 'U' });
  });

  it('a resource (ETS 224)', async () => {
    expect(await read('/1/0/1', 'SENML_CBOR')).toEqual({ '/1/0/1': 300 });
    expect(await read('/3/0/2', 'SENML_JSON')).toEqual({ '/3/0/2': '000000042' });
  });

  it('a resource instance (ETS 225)', async () => {
    expect(await read('/3/0/11/0', 'SENML_CBOR')).toEqual({ '/3/0/11/0': 0 });
    const absent = await managed.call('GET', '/objects/3/0/11/7');
    expect(absent.body).toMatchObject({ coapCode: '4.04' });
  });

  it('an object without an Accept option: the device chooses a format that carries it (ETS 237)', async () => {
    for (const path of ['/1', '/3']) {
      const wire = await managed.asServer({ code: Code.GET, messageId: 4711, token: 'ab', path });
      expect(answer(wire)).toMatchObject({ what: '2.05', contentFormat: ContentFormat.SENML_CBOR });
    }
    const { body } = await managed.call('GET', '/objects/3');
    expect(itemValues(body)).toMatchObject(deviceBasics);
  });
});

describe('writing', () => {
  it('a partial update of an instance keeps what is not named (ETS 226)', async () => {
    await write('/1/0', { values: { 1: 60, 6: false } }, 'SENML_CBOR', 'update');
    expect(await managed.values('/1/0')).toMatchObject({
      '/1/0/1': 60,
      '/1/0/6': false,
      '/1/0/5': 86_400,
      '/1/0/7': 'U',
    });
    await managed.quiet();
    expect((await managed.device()).registration).toMatchObject({ lifetime: 60 });
  });

  it('a replacement of a resource: the new lifetime is told by an Update (ETS 227)', async () => {
    const begin = managed.mark();
    await write('/1/0/1', { value: 63 }, 'SENML_CBOR');
    await managed.world.until(
      'the Update',
      async () => (await managed.device()).registration?.lifetime === 63,
    );
    const update = managed.since(begin).find(({ from, what }) => from === 'device' && what === 'POST');
    expect(update?.query).toContain('lt=63');
    expect(await managed.values('/1/0/1')).toEqual({ '/1/0/1': 63 });
  });

  it('a resource instance (ETS 228)', async () => {
    await managed.call('POST', '/objects/16', { values: { '0/0': 'a', '0/1': 'b' } });
    const listed = await managed.values('/16');
    const [path = ''] = Object.keys(listed).filter((each) => each.endsWith('/0/1') && listed[each] === 'b');
    expect(path).toMatch(/^\/16\/\d+\/0\/1$/);
    await write(path, { value: 'test' }, 'SENML_CBOR');
    expect(await managed.values(path)).toEqual({ [path]: 'test' });
    const instance = path.split('/').slice(0, 4).join('/');
    expect(await managed.values(instance)).toEqual({ [`${instance}/0`]: 'a', [`${instance}/1`]: 'test' });
  });
});

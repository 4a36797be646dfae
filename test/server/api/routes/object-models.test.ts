import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deviceObject } from '../../../../objects/device.ts';
import { parseOmaXml } from '../../../../objects/parse-oma-xml.ts';
import { toOmaXml } from '../../../../objects/to-oma-xml.ts';
import { type Answer, ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
});
afterEach(() => api.close());

const item = (id: number, name: string, more = '') => `
      <Item ID="${id}"><Name>${name}</Name><Operations>RW</Operations>
        <MultipleInstances>Single</MultipleInstances><Mandatory>Mandatory</Mandatory>
        <Type>Integer</Type><RangeEnumeration>0..100</RangeEnumeration><Units>%</Units>
        <Description>Of the tank.</Description>${more}</Item>`;
const object = (id: number, version: string, name: string, items = item(0, 'Level')) => `
  <Object ObjectType="MODefinition">
    <Name>${name}</Name><ObjectID>${id}</ObjectID><ObjectVersion>${version}</ObjectVersion>
    <MultipleInstances>Multiple</MultipleInstances><Mandatory>Optional</Mandatory>
    <Resources>${items}</Resources>
  </Object>`;
const file = (...objects: readonly string[]) =>
  `<?xml version="1.0"?>\n<LWM2M>${objects.join('')}\n</LWM2M>\n`;
const upload = (payload: string | Buffer, type = 'application/xml'): Promise<Answer> =>
  api.call('POST', '/api/object-models', { headers: { 'content-type': type }, payload });

describe('POST /api/object-models', () => {
  test.each(['application/xml', 'text/xml', 'application/xml; charset=utf-8'])(
    'takes an object of a file of %s, and it counts at once',
    async (type) => {
      await api.register('dev', { links: [{ target: '/26241/0', attributes: {} }] });
      const { status, body } = await upload(file(object(26241, '1.0', 'Tank')), type);
      expect(status).toBe(201);
      expect(body.items).toMatchObject([
        {
          objectId: 26241,
          version: '1.0',
          name: 'Tank',
          urn: 'urn:oma:lwm2m:x:26241',
          source: 'uploaded',
          resources: 1,
        },
      ]);
      api.requests.answersRead(110, [{ path: '/26241/0/0', value: 55 }]);
      expect((await api.call('GET', '/api/devices/dev/objects/26241/0')).body.items).toEqual([
        { path: '/26241/0/0', value: 55, name: 'Level', type: 'integer', units: '%' },
      ]);
      const refused = await api.call('PUT', '/api/devices/dev/objects/26241/0/0', {
        payload: { value: 101 },
      });
      expect(refused.body).toMatchObject({ code: 'invalid_request', detail: 'Level: 101 is not 0 to 100' });
    },
  );

  test('takes no file that is not UTF-8, or says so', async () => {
    const text = file(object(26241, '1.0', 'Kühlung'));
    const latin = await upload(Buffer.from(text, 'latin1'));
    expect([latin.status, latin.body.code]).toEqual([400, 'invalid_request']);
    expect(latin.body.detail).toContain('UTF-8');
    const declared = await upload(text.replace('version="1.0"', 'version="1.0" encoding="ISO-8859-1"'));
    expect([declared.status, declared.body.code]).toEqual([400, 'invalid_request']);
    expect((await upload(Buffer.from(text))).body.items).toMatchObject([{ name: 'Kühlung' }]);
  });

  test('takes all objects of a file', async () => {
    const { body } = await upload(file(object(26241, '1.0', 'Tank'), object(26242, '1.3', 'Pump')));
    expect(body.items).toMatchObject([{ objectId: 26241 }, { objectId: 26242, version: '1.3' }]);
    expect((await api.call('GET', '/api/object-models/26242')).body.name).toBe('Pump');
  });

  test('takes none of a file with one that is wrong', async () => {
    const wrong = object(26242, '1.0', 'Pump', item(0, 'A') + item(0, 'B'));
    const { status, body } = await upload(file(object(26241, '1.0', 'Tank'), wrong));
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'invalid_request',
      detail: 'object 26242: resource 0 is there twice',
    });
    expect((await api.call('GET', '/api/object-models/26241')).status).toBe(404);
  });

  test.each([
    ['<LWM2M>\n<Object>\n</Wrong>', /line 3/],
    ['<!DOCTYPE x [<!ENTITY a "b">]><LWM2M/>', /document type/],
    ['<Other/>', /no object definition file/],
    ['', /one element/],
  ])('tells where %j is wrong', async (xml, detail) => {
    const { status, body } = await upload(xml);
    expect(status).toBe(400);
    expect(body.detail).toMatch(detail);
  });

  test('refuses what is not XML, and more than the body may hold', async () => {
    expect((await upload('x', 'text/plain')).body.code).toBe('unsupported_media_type');
    expect((await upload(`<LWM2M>${' '.repeat(1_100_000)}</LWM2M>`)).body.code).toBe('body_too_large');
    const json = await api.call('POST', '/api/object-models', { payload: { a: 1 } });
    expect(json.body.code).toBe('unsupported_media_type');
  });

  test('refuses the objects that the server itself works with', async () => {
    const { status, body } = await upload(file(object(42769, '1.0', 'Mine')));
    expect(status).toBe(409);
    expect(body.detail).toContain('42769');
  });

  test('leaves XML refused everywhere else', async () => {
    const answer = await api.call('POST', '/api/observation-policies', {
      headers: { 'content-type': 'application/xml' },
      payload: '<a/>',
    });
    expect(answer.body.code).toBe('unsupported_media_type');
  });

  test('keeps versions of one object side by side', async () => {
    await upload(file(object(26241, '1.0', 'Tank')));
    await upload(file(object(26241, '1.1', 'Tank', item(0, 'Level') + item(1, 'Leak'))));
    const newest = (await api.call('GET', '/api/object-models/26241')).body;
    expect(newest).toMatchObject({ version: '1.1', versions: ['1.0', '1.1'] });
    expect(newest.resources).toHaveLength(2);
    expect((await api.call('GET', '/api/object-models/26241?version=1.0')).body.resources).toHaveLength(1);
    expect((await api.call('GET', '/api/object-models/26241?version=2.0')).body.code).toBe(
      'unknown_object_model',
    );
  });

  test('tells what it takes the place of', async () => {
    const { version } = deviceObject;
    const first = await upload(file(object(3, version, 'My Device')));
    expect(first.body.items).toMatchObject([{ replaces: 'built-in' }]);
    const second = await upload(file(object(3, version, 'My own Device')));
    expect(second.body.items).toMatchObject([{ replaces: 'uploaded' }]);
  });
});

describe('GET /api/object-models', () => {
  test('lists each object and version, with where it comes from', async () => {
    await upload(file(object(26241, '1.0', 'Tank')));
    const { items, problems } = (await api.call('GET', '/api/object-models')).body;
    expect(problems).toEqual([]);
    const ids = items.map(({ objectId }: { objectId: number }) => objectId);
    expect(ids).toEqual(ids.toSorted((a: number, b: number) => a - b));
    expect(items).toContainEqual(
      expect.objectContaining({ objectId: 42770, source: 'built-in', resources: 12 }),
    );
    expect(items).toContainEqual(
      expect.objectContaining({ objectId: 26241, source: 'uploaded', uploadedAt: expect.any(Number) }),
    );
    const versions = items.filter(({ objectId }: { objectId: number }) => objectId === 3);
    expect(versions.length).toBeGreaterThan(1);
  });

  test('of one object tells names, types, units and ranges', async () => {
    const { body } = await api.call('GET', '/api/object-models/3');
    expect(body).toMatchObject({ objectId: 3, name: 'Device', source: 'built-in', mandatory: true });
    expect(body.resources.find(({ id }: { id: number }) => id === 9)).toMatchObject({
      name: 'Battery Level',
      operations: 'R',
      type: 'integer',
      range: { minimum: 0, maximum: 100 },
    });
    expect((await api.call('GET', '/api/object-models/26999')).body.code).toBe('unknown_object_model');
    expect((await api.call('GET', '/api/object-models/x')).body.code).toBe('validation_failed');
  });
});

describe('GET /api/object-models/{object}/xml', () => {
  test('gives back what was uploaded, to the byte', async () => {
    const xml = file(object(26241, '1.0', 'Tank'));
    await upload(xml);
    const { text, headers } = await api.call('GET', '/api/object-models/26241/xml');
    expect(text).toBe(xml);
    expect(headers['content-type']).toBe('application/xml; charset=utf-8');
    expect(headers['content-disposition']).toBe('attachment; filename="26241-1.0.xml"');
  });

  test('gives each object of a file with several in a file of its own', async () => {
    await upload(file(object(26241, '1.0', 'Tank'), object(26242, '1.0', 'Pump')));
    const { text } = await api.call('GET', '/api/object-models/26242/xml');
    expect(parseOmaXml(text).map(({ name }) => name)).toEqual(['Pump']);
  });

  test('writes that of a built-in one', async () => {
    const { text } = await api.call('GET', `/api/object-models/3/xml?version=${deviceObject.version}`);
    expect(text).toBe(toOmaXml(deviceObject));
  });
});

describe('DELETE /api/object-models/{object}', () => {
  test('takes an uploaded one out; what it replaced counts again', async () => {
    const { version } = deviceObject;
    await upload(file(object(3, version, 'My Device')));
    expect((await api.call('GET', `/api/object-models/3?version=${version}`)).body.name).toBe('My Device');
    expect((await api.call('DELETE', `/api/object-models/3?version=${version}`)).status).toBe(204);
    expect((await api.call('GET', `/api/object-models/3?version=${version}`)).body).toMatchObject({
      name: 'Device',
      source: 'built-in',
    });
    expect(await api.stores.objectModels.list()).toEqual([]);
  });

  test('refuses a built-in one, and one that is not there', async () => {
    const { version } = deviceObject;
    expect((await api.call('DELETE', `/api/object-models/3?version=${version}`)).body.code).toBe('conflict');
    expect((await api.call('DELETE', '/api/object-models/26241?version=1.0')).body.code).toBe(
      'unknown_object_model',
    );
    expect((await api.call('DELETE', '/api/object-models/3')).body.code).toBe('conflict');
  });
});

describe('what a caller gets wrong', () => {
  test.each([
    ['application/x-www-form-urlencoded', file(object(26241, '1.0', 'Tank'))],
    ['application/json', '{"a":1}'],
  ])('a body that says it is %s is told to say that it is XML', async (type, payload) => {
    const { status, body } = await upload(payload, type);
    expect(status).toBe(415);
    expect(body).toMatchObject({
      code: 'unsupported_media_type',
      detail: expect.stringContaining('content-type: application/xml'),
    });
    expect(body.title).not.toContain('application/json');
  });

  test('the version may be left out where only one was uploaded, and is asked for otherwise', async () => {
    const remove = () => api.call('DELETE', '/api/object-models/26241');
    expect((await remove()).status).toBe(404);
    await upload(file(object(26241, '1.0', 'Tank')));
    expect((await remove()).status).toBe(204);
    await upload(file(object(26241, '1.0', 'Tank'), object(26241, '1.1', 'Tank')));
    const { status, body } = await remove();
    expect(status).toBe(409);
    expect(body.detail).toMatch(/1\.0, 1\.1|1\.1, 1\.0/);
    expect((await api.call('DELETE', '/api/object-models/3')).body.detail).toMatch(/no version of object 3/);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, ApiHarness } from '../../../support/api/api-harness.ts';

let api: ApiHarness;
beforeEach(async () => {
  api = await ApiHarness.open();
});
afterEach(() => api.close());

const key = '000102030405060708090a0b0c0d0e0f';
const enrol = (more: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  api.call('POST', '/api/credentials', {
    payload: { endpoint: 'meter-1', type: 'psk', identity: 'id-1', key, ...more },
  });
const importFile = (payload: string | Buffer, query = ''): Promise<Answer> =>
  api.call('POST', `/api/credentials/import${query}`, { headers: { 'content-type': 'text/csv' }, payload });
const list = async (query = ''): Promise<string[]> =>
  (await api.call('GET', `/api/credentials${query}`)).body.items.map(
    ({ endpoint, identity }: { endpoint: string; identity: string }) => `${endpoint} ${identity}`,
  );
/** What the store has of a device's keys, hex. */
const keysOf = async (endpoint: string): Promise<string[]> =>
  (await api.stores.credentials.get(endpoint)).map((credential) =>
    'key' in credential ? Buffer.from(credential.key.reveal()).toString('hex') : '',
  );

describe('POST /api/credentials', () => {
  test('enrols a device: 201, and no answer ever shows the key', async () => {
    const made = await enrol({ serialNumber: 'SN-1', mac: 'aa:bb:cc:00:11:22', imei: '490154203237518' });
    expect([made.status, made.headers['location']]).toEqual([201, '/api/credentials/meter-1']);
    expect(made.body).toMatchObject({
      endpoint: 'meter-1',
      account: 'server',
      type: 'psk',
      identity: 'id-1',
      state: 'active',
      serialNumber: 'SN-1',
      mac: 'AA:BB:CC:00:11:22',
    });
    expect(made.body).not.toHaveProperty('key');
    expect(await keysOf('meter-1')).toEqual([key]);
    for (const url of ['/api/credentials', '/api/credentials/meter-1', '/api/credentials-export']) {
      expect((await api.call('GET', url)).text).not.toContain(key);
    }
    expect(JSON.stringify(api.log)).not.toContain(key);
  });

  test('the device is in the inventory from then on, and was never seen', async () => {
    await enrol({ serialNumber: 'SN-1', imei: '490154203237518', iccid: '8901410321111851072' });
    const device = (await api.call('GET', '/api/devices/meter-1')).body;
    expect(device).toMatchObject({
      endpoint: 'meter-1',
      state: 'known',
      serialNumber: 'SN-1',
      imei: '490154203237518',
    });
    expect(device).not.toHaveProperty('lastSeen');
    expect((await api.call('GET', '/api/devices?state=known')).body.total).toBe(1);
  });

  test('is 409 where the identity is taken, by whichever device, or the device has one already', async () => {
    await enrol();
    for (const more of [{}, { endpoint: 'other' }, { identity: 'id-2' }]) {
      const taken = await enrol(more);
      expect([taken.status, taken.body.code]).toEqual([409, 'credential_taken']);
    }
    expect(await list()).toEqual(['meter-1 id-1']);
    expect(await keysOf('meter-1')).toEqual([key]);
    // The other account is another matter.
    expect((await enrol({ account: 'bootstrap' })).status).toBe(201);
  });

  test('makes a key where none is given, and tells it once', async () => {
    const made = await enrol({ key: undefined, identity: undefined });
    expect(made.body).toMatchObject({ identity: 'meter-1' });
    expect(made.body.key).toMatch(/^[\da-f]{32}$/);
    expect(await keysOf('meter-1')).toEqual([made.body.key]);
    expect((await api.call('GET', '/api/credentials/meter-1')).text).not.toContain(made.body.key);
    const again = await enrol({ endpoint: 'meter-2', key: undefined, identity: undefined });
    expect(again.body.key).not.toBe(made.body.key);
  });

  test('gives a device that is known to the tenant that it says', async () => {
    await api.register('meter-1');
    await enrol({ tenant: 'acme' });
    expect((await api.call('GET', '/api/devices/meter-1')).body.tenant).toBe('acme');
    await api.register('meter-2');
    await importFile(`endpoint,identity,key,tenant\nmeter-2,b,00,acme\nmeter-3,c,00,acme`);
    for (const endpoint of ['meter-2', 'meter-3']) {
      expect((await api.call('GET', `/api/devices/${endpoint}`)).body.tenant).toBe('acme');
    }
  });

  test('takes a raw public key, and a certificate by name', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ format: 'pem', type: 'spki' });
    const der = publicKey.export({ format: 'der', type: 'spki' });
    const raw = { endpoint: 'raw', type: 'rpk', identity: undefined, key: undefined };
    const made = await enrol({ ...raw, publicKey: pem });
    expect(made.body).toMatchObject({ type: 'rpk', identity: expect.stringMatching(/^[\da-f]{64}$/) });
    const taken = await enrol({ ...raw, endpoint: 'other', publicKey: der.toString('base64') });
    expect(taken.body.code).toBe('credential_taken');
    const named = await enrol({ endpoint: 'urn:dev:1', type: 'x509', identity: undefined, key: undefined });
    expect(named.body).toMatchObject({ type: 'x509', identity: 'urn:dev:1' });
    const { publicKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const refused = await enrol({
      ...raw,
      endpoint: 'b',
      publicKey: other.export({ format: 'pem', type: 'spki' }),
    });
    expect([refused.status, refused.body.detail]).toEqual([
      400,
      'the public key is not one on the curve P-256',
    ]);
  });

  test.each([
    [{ key: '0' }, 'validation_failed'],
    [{ key: 'xx' }, 'validation_failed'],
    [{ key: '' }, 'validation_failed'],
    [{ key: '00'.repeat(65) }, 'validation_failed'],
    [{ identity: 'ü'.repeat(65) }, 'invalid_request'],
    [{ identity: 'a\u0000b' }, 'invalid_request'],
    [{ endpoint: '..' }, 'invalid_request'],
    [{ endpoint: 'a\u202eb' }, 'invalid_request'],
    [{ type: 'rpk', key: undefined, identity: undefined }, 'invalid_request'],
    [{ type: 'rpk', publicKey: 'AAAA', key: undefined, identity: undefined }, 'invalid_request'],
    [{ type: 'x509', certificate: 'AAAA', key: undefined }, 'invalid_request'],
    [{ type: 'x509' }, 'invalid_request'],
    [{ publicKey: 'AAAA' }, 'invalid_request'],
    [{ type: 'oscore' }, 'validation_failed'],
    [{ imei: '12' }, 'validation_failed'],
    [{ tenant: 'A B' }, 'validation_failed'],
  ])('refuses %j as %s, and does not repeat the key', async (more, code) => {
    const { status, body, text } = await enrol(more);
    expect([status, body.code]).toEqual([400, code]);
    expect(text).not.toContain(key);
    expect(await list()).toEqual([]);
  });
});

describe('the life of a credential', () => {
  test('a rotation gives another identity and key; the former one is good for the grace', async () => {
    await enrol();
    const rotated = await api.call('POST', '/api/credentials/meter-1/rotate', {
      payload: { graceSeconds: 60 },
    });
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({ identity: expect.stringMatching(/^id-1~[\da-f]{8}$/) });
    expect(rotated.body.key).toMatch(/^[\da-f]{32}$/);
    const { items } = (await api.call('GET', '/api/credentials/meter-1')).body;
    expect(items).toHaveLength(2);
    const former = items.find(({ identity }: { identity: string }) => identity === 'id-1');
    expect(former.validUntil - former.changedAt).toBe(60_000);
    expect(await keysOf('meter-1')).toContain(key);
  });

  test('without a grace the former one is gone, and its identity may stay', async () => {
    await enrol();
    const next = 'ff'.repeat(16);
    const rotate = (payload: object) => api.call('POST', '/api/credentials/meter-1/rotate', { payload });
    const refused = await rotate({ identity: 'id-1', key: next });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
    const rotated = await rotate({ identity: 'id-1', key: next, graceSeconds: 0 });
    expect(rotated.body).not.toHaveProperty('key');
    expect(await keysOf('meter-1')).toEqual([next]);
    await rotate({ identity: 'id-2', graceSeconds: 0 });
    expect(await list()).toEqual(['meter-1 id-2']);
  });

  test('a revoked one stays in the list, and keeps its name from others', async () => {
    await enrol();
    await enrol({ endpoint: 'meter-2', identity: 'id-2' });
    const revoked = await api.call('POST', '/api/credentials/meter-1/revoke', { payload: {} });
    expect(revoked.body.items).toMatchObject([{ identity: 'id-1', state: 'revoked' }]);
    expect(await list('?state=revoked')).toEqual(['meter-1 id-1']);
    expect(await list('?state=active')).toEqual(['meter-2 id-2']);
    expect((await enrol({ endpoint: 'other' })).status).toBe(409);
    const none = await api.call('POST', '/api/credentials/meter-1/revoke', { payload: { identity: 'none' } });
    expect([none.status, none.body.code]).toEqual([404, 'unknown_credential']);
  });

  test('one that is deleted is gone, and its identity free', async () => {
    await enrol();
    await enrol({ account: 'bootstrap', identity: 'at-bootstrap' });
    expect((await api.call('DELETE', '/api/credentials/meter-1?account=server')).status).toBe(204);
    expect(await list()).toEqual(['meter-1 at-bootstrap']);
    expect((await api.call('DELETE', '/api/credentials/meter-1')).status).toBe(204);
    const again = await api.call('DELETE', '/api/credentials/meter-1');
    expect([again.status, again.body.code]).toEqual([404, 'unknown_credential']);
    expect((await api.call('GET', '/api/credentials/meter-1')).body.code).toBe('unknown_credential');
    expect((await enrol({ endpoint: 'other' })).status).toBe(201);
    expect((await api.call('GET', '/api/devices/meter-1')).status).toBe(200);
  });

  test('each step is an event of the device, without the key', async () => {
    await enrol();
    await api.call('POST', '/api/credentials/meter-1/rotate', { payload: { key: 'ee'.repeat(16) } });
    await api.call('POST', '/api/credentials/meter-1/revoke', { payload: { identity: 'id-1' } });
    await api.call('DELETE', '/api/credentials/meter-1');
    const told = () => api.stores.events.latest({ endpoint: 'meter-1', limit: 50 });
    await expect
      .poll(async () => (await told()).map(({ data }) => data['change']).toReversed())
      .toEqual(['created', 'rotated', 'revoked', 'removed', 'removed']);
    const text = JSON.stringify(await told());
    expect(text).not.toContain(key);
    expect(text).not.toContain('eeee');
  });

  test('the list is searched, filtered and paged', async () => {
    for (let index = 0; index < 5; index++) {
      await enrol({ endpoint: `meter-${index}`, identity: `id-${index}`, imei: `49015420323751${index}` });
    }
    await enrol({ endpoint: 'pump', identity: 'b', account: 'bootstrap', tenant: 'acme' });
    expect(await list('?search=METER')).toHaveLength(5);
    expect(await list('?search=490154203237513')).toEqual(['meter-3 id-3']);
    expect(await list('?account=bootstrap')).toEqual(['pump b']);
    expect(await list('?tenant=acme&type=psk')).toEqual(['pump b']);
    expect(await list('?type=x509')).toEqual([]);
    const first = (await api.call('GET', '/api/credentials?limit=4')).body;
    expect(first.items).toHaveLength(4);
    const second = (await api.call('GET', `/api/credentials?limit=4&cursor=${first.next}`)).body;
    expect([second.items.length, second.next]).toEqual([2, null]);
    expect((await api.call('GET', '/api/credentials?cursor=broken')).body.code).toBe('invalid_request');
  });

  test('the export is CSV with states, and never keys', async () => {
    await enrol({ serialNumber: '=1+1' });
    await enrol({ endpoint: 'pump', identity: 'b' });
    await api.call('POST', '/api/credentials/pump/revoke', { payload: {} });
    const { headers, text } = await api.call('GET', '/api/credentials-export');
    expect(headers['content-type']).toContain('text/csv');
    const lines = text.trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^endpoint,account,type,identity,state,createdAt/);
    expect(lines[1]).toMatch(/^meter-1,server,psk,id-1,active,\d{4}-.*,'=1\+1,,,$/);
    expect(lines[2]).toMatch(/^pump,server,psk,b,revoked,/);
    expect(text).not.toContain(key);
    expect((await api.call('GET', '/api/credentials-export?state=revoked')).text).not.toContain('meter-1');
  });
});

describe('POST /api/credentials/import', () => {
  const header = 'endpoint,serial number,MAC,IMEI,ICCID,identity,key\r\n';
  const rows = (...lines: readonly string[]) => header + lines.map((line) => `${line}\r\n`).join('');

  test('enrols the devices of a file', async () => {
    const file = rows(
      `meter-1,SN-1,00:11:22:33:44:55,490154203237518,8901410321111851072,id-1,${key}`,
      `"meter, two",,,,,"id ""2""",${key.toUpperCase()}`,
    );
    const dry = await importFile(file, '?dryRun=true');
    expect(dry.body).toEqual({
      dryRun: true,
      rows: 2,
      imported: 2,
      unchanged: 0,
      errors: [],
      ignoredColumns: [],
    });
    expect(await list()).toEqual([]);
    const real = await importFile(file);
    expect([real.status, real.body.imported]).toEqual([200, 2]);
    expect(await list()).toEqual(['meter, two id "2"', 'meter-1 id-1']);
    expect(await keysOf('meter, two')).toEqual([key]);
    expect((await api.call('GET', '/api/devices/meter-1')).body).toMatchObject({
      serialNumber: 'SN-1',
      imei: '490154203237518',
      iccid: '8901410321111851072',
      state: 'known',
    });
    const again = await importFile(file);
    expect([again.status, again.body]).toEqual([200, { ...real.body, imported: 0, unchanged: 2 }]);
  });

  test('lists every bad row with its line and what is wrong, and stores nothing', async () => {
    await enrol({ endpoint: 'known', identity: 'taken' });
    const file = rows(
      `good,,,,,good,${key}`,
      `no-key,,,,,a,`,
      `odd-key,,,,,b,abc`,
      `bad-imei,,,12,,c,${key}`,
      `bad-mac,,zz,,,d,${key}`,
      `bad-iccid,,,,x,e,${key}`,
      `,,,,,f,${key}`,
      `no-identity,,,,,,${key}`,
      `short,row`,
      `good,,,,,other,${key}`,
      `twice,,,,,good,${key}`,
      `thief,,,,,taken,${key}`,
      `known,,,,,new,${key}`,
      `quoted,,"a"b,,,g,${key}`,
    );
    for (const query of ['?dryRun=true', '']) {
      const { status, body, text } = await importFile(file, query);
      expect(status).toBe(query === '' ? 422 : 200);
      expect(body).toMatchObject({ rows: 14, imported: query === '' ? 0 : 1, unchanged: 0 });
      expect(body.errors.map(({ line }: { line: number }) => line)).toEqual([
        3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
      ]);
      const reason = (line: number) =>
        body.errors.find((error: { line: number }) => error.line === line).reason;
      expect(reason(3)).toBe('the key is missing');
      expect(reason(4)).toBe('the key is not hex digits in pairs');
      expect(reason(5)).toContain('IMEI');
      expect(reason(6)).toContain('MAC');
      expect(reason(7)).toContain('ICCID');
      expect(reason(8)).toContain('ep) is missing');
      expect(reason(9)).toBe('the identity is missing');
      expect(reason(10)).toContain('2 fields');
      expect(reason(11)).toContain('line 2');
      expect(reason(12)).toContain('line 2');
      expect(reason(13)).toBe('the identity is taken');
      expect(reason(14)).toContain('another credential already');
      expect(reason(15)).toContain('behind a field in quotes');
      expect(text).not.toContain(key);
      expect(await list()).toEqual(['known taken']);
    }
    expect(JSON.stringify(api.log)).not.toContain(key);
  });

  test('reads other line ends, separators and a byte order mark, and names what it passes over', async () => {
    const file = `\ufeffKey;Identity;Endpoint;Colour\r${key};id-1;a;red\n\n${key};id-2;b;"blue\r\nish"\r\n\r\n${key};id-3;c;`;
    const { body } = await importFile(file);
    expect(body).toMatchObject({ rows: 3, imported: 3, ignoredColumns: ['Colour'] });
    expect(await list()).toEqual(['a id-1', 'b id-2', 'c id-3']);
    const lines = await importFile(`endpoint\tidentity\tkey\n"a\nb"\tx\t00\nd\tx\t0`, '?dryRun=true');
    expect(lines.body.errors.map(({ line }: { line: number }) => line)).toEqual([2, 4]);
  });

  test('enters for the account that is asked for, or that the row says', async () => {
    await importFile(
      `endpoint,identity,key,account,tenant\na,a,00,,acme\nb,b,00,server,`,
      '?account=bootstrap',
    );
    expect(await list('?account=bootstrap')).toEqual(['a a']);
    expect(await list('?account=server')).toEqual(['b b']);
    expect((await api.call('GET', '/api/credentials/a')).body.items[0].tenant).toBe('acme');
  });

  test.each([
    ['', 'the file is empty'],
    ['identity,key\n', 'has no endpoint'],
    ['endpoint,identity\na,b', 'has no key'],
    ['endpoint,identity,key,KEY\n', 'twice'],
    [Buffer.from('endpoint,identity,key\nz\u00e4hler,a,00', 'latin1'), 'UTF-8'],
    [`endpoint,identity,key\n"${'x'.repeat(20_000)}`, 'longer than'],
  ])('refuses a file that is none: %#', async (file, why) => {
    const { status, body } = await importFile(file);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.detail).toContain(why);
  });

  test('takes CSV alone', async () => {
    for (const type of ['application/json', 'text/plain']) {
      const { status, body } = await api.call('POST', '/api/credentials/import', {
        headers: { 'content-type': type },
        payload: '{}',
      });
      expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    }
  });

  test('a file of some ten thousand devices goes through', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `meter-${index},,,,,id-${index},${key}`);
    const { body } = await importFile(rows(...lines));
    expect(body).toMatchObject({ rows: 20_000, imported: 20_000, errors: [] });
    expect((await api.call('GET', '/api/devices')).body.total).toBe(20_000);
  });
});

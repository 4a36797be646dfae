import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import type { JsonLinesProcess } from '../support/json-lines-process.ts';
import { ServerProcess } from '../support/server-process.ts';
import { buildLeshanPeers, hasLeshan, startLeshanClient } from './leshan-peers.ts';

const endpoint = 'leshan-1';
const device = `/api/devices/${endpoint}`;
const sensorObject = 42770;
const patience = { timeout: 30_000 };
const sensor = `/${sensorObject}/0`;

// One life of one client, told in order: each test goes on where the one before it ended.
describe.skipIf(!hasLeshan)('a client on the Leshan library', () => {
  let server: ServerProcess;
  let events: EventStream;
  let client: JsonLinesProcess;

  beforeAll(async () => {
    await buildLeshanPeers();
    server = await ServerProcess.start();
    events = await EventStream.open(server.url(`/api/events?endpoint=${endpoint}`));
    client = startLeshanClient({ server: server.coap, endpoint, lifetime: 60, sensorObject, sensors: 1 });
  });

  afterAll(async () => {
    events?.close();
    await client?.stop('SIGKILL');
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });

  const tells = (event: string): Promise<unknown> => client.until((line) => line.event === event);

  test('registers, and is in the inventory with the objects that it lists', async () => {
    expect(await tells('registered')).toMatchObject({ location: expect.stringMatching(/^\/?rd\/.{10,}/) });
    await events.until(({ type }) => type === 'registered');
    const { status, body } = await server.call('GET', device);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      endpoint,
      state: 'awake',
      registration: { lifetime: 60, version: '1.1', binding: 'U', queueMode: false, rootPath: '/' },
    });
    const { body: listed } = await server.call('GET', `${device}/objects`);
    const paths = (listed as { items: { path: string }[] }).items.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['/1/0', '/3/0', sensor]));
    expect(paths).not.toContain('/0/0');
  });

  test('is observed as the policy wants, and a change of its sensor arrives as a reading', async () => {
    await events.until(
      ({ type, data }) => type === 'observed' && JSON.stringify(data).includes(`"${sensor}/2"`),
    );
    client.order('value 21.25');
    const reading = await events.until(
      ({ type, data }) => type === 'readings' && JSON.stringify(data).includes('21.25'),
    );
    expect(reading.data).toMatchObject({ endpoint, series: [{ path: `${sensor}/2` }] });
    // The history is filled from the log, a moment after the live event.
    await expect
      .poll(async () => {
        const { body } = await server.call('GET', `${device}/readings?path=${sensor}/2`);
        return (body as { items: unknown[] }).items.at(-1);
      }, patience)
      .toMatchObject({ path: `${sensor}/2`, value: 21.25 });
  });

  test.each(['TLV', 'SENML_JSON', 'SENML_CBOR'] as const)('is read as %s', async (name) => {
    const format = { TLV: 11542, SENML_JSON: 110, SENML_CBOR: 112 }[name];
    const { status, body } = await server.call('GET', `${device}/objects/3/0?format=${format}`);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ path: '/3/0', contentFormat: format });
    const values = new Map(
      (body as { items: { path: string; value: unknown }[] }).items.map((i) => [i.path, i.value]),
    );
    expect(values.get('/3/0/0')).toBe('Eclipse Leshan');
    expect(values.get('/3/0/1')).toBe('leshan-test-client');
    expect(values.get('/3/0/6/0')).toBe(1);
    expect(values.get('/3/0/6/1')).toBe(5);
    expect(values.get('/3/0/14')).toBe('+01:00');
  });

  test('is read with the format that it likes best where none is asked for', async () => {
    const { status, body } = await server.call('GET', `${device}/objects/3/0/0`);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body).toMatchObject({ path: '/3/0/0', value: 'Eclipse Leshan' });
  });

  test('is written, and reads back what was written', async () => {
    const { status, body } = await server.call('PUT', `${device}/objects/3/0/14`, { value: '+05:30' });
    expect(status, JSON.stringify(body)).toBeLessThan(300);
    expect(await tells('written')).toMatchObject({ path: '/3/0/14', value: '+05:30' });
    const { body: read } = await server.call('GET', `${device}/objects/3/0/14`);
    expect(read).toMatchObject({ value: '+05:30' });
  });

  test('is written an integer of an object that only we define', async () => {
    const { status, body } = await server.call('PUT', `${device}/objects${sensor}/7`, { value: 5000 });
    expect(status, JSON.stringify(body)).toBeLessThan(300);
    expect(await tells('written')).toMatchObject({ path: `${sensor}/7`, value: 5000 });
  });

  test('executes, with the arguments that were given', async () => {
    const plain = await server.call('POST', `${device}/objects/3/0/4`);
    expect(plain.status, JSON.stringify(plain.body)).toBeLessThan(300);
    expect(await tells('executed')).toMatchObject({ path: '/3/0/4', arguments: '' });
    const argued = await server.call('POST', `${device}/objects${sensor}/11`, { arguments: ['1', '7'] });
    expect(argued.status, JSON.stringify(argued.body)).toBeLessThan(300);
    expect(await tells('executed')).toMatchObject({ path: `${sensor}/11`, arguments: "0='1',1='7'" });
  });

  test('says no in its own words: 4.05 for a resource that cannot be read, 4.04 for one that is not there', async () => {
    const forbidden = await server.call('GET', `${device}/objects/3/0/4`);
    expect(forbidden.body).toMatchObject({ coapCode: '4.05' });
    const absent = await server.call('GET', `${device}/objects/3/1/0`);
    expect(absent.status).toBe(404);
    expect(absent.body).toMatchObject({ coapCode: '4.04' });
  });

  test('is discovered', async () => {
    const { status, body } = await server.call('GET', `${device}/discover/3/0`);
    expect(status, JSON.stringify(body)).toBe(200);
    const paths = (body as { items: { path: string }[] }).items.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['/3/0', '/3/0/0', '/3/0/14']));
  });

  test('is observed when a caller asks, until the caller ends it', async () => {
    const observed = await server.call('POST', `${device}/observations/3/0/15`);
    expect(observed.status, JSON.stringify(observed.body)).toBe(200);
    expect(observed.body).toMatchObject({ path: '/3/0/15', value: 'Europe/Berlin' });
    await server.call('PUT', `${device}/objects/3/0/15`, { value: 'Asia/Kolkata' });
    await events.until(
      ({ type, data }) => type === 'readings' && JSON.stringify(data).includes('Asia/Kolkata'),
    );
    const ended = await server.call('DELETE', `${device}/observations/3/0/15?active=true`);
    expect(ended.status).toBe(204);
    const { body } = await server.call('GET', `${device}/observations`);
    const observations = (body as { items: { paths: string[] }[] }).items.flatMap(({ paths }) => paths);
    expect(observations).toEqual([`${sensor}/2`]);
  });

  test('updates its registration', async () => {
    client.order('update');
    await tells('updated');
    await events.until(({ type }) => type === 'updated');
  });

  test('goes on as if nothing had been when the server is killed and started again', async () => {
    events.close();
    await server.killAndStartAgain();
    events = await EventStream.open(server.url(`/api/events?endpoint=${endpoint}`));
    expect((await server.call('GET', device)).body).toMatchObject({ state: 'awake' });
    client.order('value 33.75');
    const reading = await events.until(
      ({ type, data }) => type === 'readings' && JSON.stringify(data).includes('33.75'),
    );
    expect(reading.data).toMatchObject({ series: [{ path: `${sensor}/2` }] });
    const read = await server.call('GET', `${device}/objects${sensor}/2`);
    expect(read.body).toMatchObject({ value: 33.75 });
    expect(client.said().match(/"event":"registered"/g)).toHaveLength(1);
  });

  test('deregisters, and is still known', async () => {
    client.order('stop');
    await tells('deregistered');
    await events.until(({ type }) => type === 'deregistered');
    const { status, body } = await server.call('GET', device);
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'left' });
    expect((body as { registration?: unknown }).registration).toBeUndefined();
  });
});

// More than fits a datagram, both ways: Californium cuts it into blocks (RFC 7959).
describe.skipIf(!hasLeshan)('a client with 200 instances', () => {
  const count = 200;
  const name = 'leshan-200';
  let server: ServerProcess;
  let client: JsonLinesProcess;

  beforeAll(async () => {
    await buildLeshanPeers();
    server = await ServerProcess.start();
    client = startLeshanClient({
      server: server.coap,
      endpoint: name,
      lifetime: 60,
      sensorObject,
      sensors: count,
    });
  });

  afterAll(async () => {
    await client?.stop('SIGKILL');
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });

  test('registers with a list of objects in blocks', async () => {
    await client.until((line) => line.event === 'registered');
    const { body } = await server.call('GET', `/api/devices/${name}/objects`);
    const paths = (body as { items: { path: string }[] }).items.map(({ path }) => path);
    const ofSensors = paths.filter((path) => path.startsWith(`/${sensorObject}/`));
    expect(ofSensors).toHaveLength(count);
    expect(new Set(ofSensors)).toContain(`/${sensorObject}/${count - 1}`);
  });

  test.each([11542, 110, 112])('answers a Read of the whole object in blocks, format %i', async (format) => {
    const read = await server.call('GET', `/api/devices/${name}/objects/${sensorObject}?format=${format}`);
    expect(read.status, JSON.stringify(read.body).slice(0, 500)).toBe(200);
    const { items } = read.body as { items: { path: string; value: unknown }[] };
    const values = items.filter(({ path }) => path.endsWith('/2'));
    expect(values).toHaveLength(count);
    for (const { value } of values) expect(value).toBe(20.5);
  });

  test('has every one of them observed as the policy wants', async () => {
    await expect
      .poll(async () => {
        const { body } = await server.call('GET', `/api/devices/${name}/observations`);
        return (body as { items: unknown[] }).items.length;
      }, patience)
      .toBe(count);
  });
});

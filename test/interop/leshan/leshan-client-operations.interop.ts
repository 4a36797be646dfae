import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import type { JsonLine, JsonLinesProcess } from '../support/json-lines-process.ts';
import { type Answer, ServerProcess } from '../support/server-process.ts';
import { allTypesFile, allTypesXml, byPath, firstValues, otherValues, typesPath } from './all-types.ts';
import { buildLeshanPeers, hasLeshan, startLeshanClient } from './leshan-peers.ts';

const endpoint = 'leshan-types';
const device = `/api/devices/${endpoint}`;
const own = `${typesPath}/0`;

/** All that the library has, by id. */
const treeFormats = { TLV: 11_542, JSON: 11_543, SENML_JSON: 110, SENML_CBOR: 112 } as const;
const senml = ['SENML_JSON', 'SENML_CBOR'] as const;
const singles = Object.keys(otherValues)
  .map(Number)
  .filter((id) => id < 10) as (keyof typeof otherValues)[];
const first = byPath(0, firstValues);

function values({ status, body }: Answer): Record<string, unknown> {
  expect(status, JSON.stringify(body)).toBe(200);
  const { items } = body as { items: { path: string; value: unknown }[] };
  return Object.fromEntries(items.map(({ path, value }) => [path, value]));
}

const below = (path: string, of: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(of).filter(([each]) => each === path || each.startsWith(`${path}/`)));

/** A value, or values below the path, as REST has them. */
const content = (value: unknown): object =>
  typeof value === 'object' && value !== null ? { values: value } : { value };

/** `{10: {0: 'a'}}` as `{'10/0': 'a'}`. */
const flat = (of: Readonly<Record<number, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(byPath(0, of)).map(([path, value]) => [path.slice(`${own}/`.length), value]),
  );

describe.skipIf(!hasLeshan)(
  'a client on the Leshan library, put through every operation by our server',
  () => {
    let server: ServerProcess;
    let events: EventStream;
    let client: JsonLinesProcess;

    beforeAll(async () => {
      await buildLeshanPeers();
      server = await ServerProcess.start();
      const uploaded = await fetch(server.url('/api/object-models'), {
        method: 'POST',
        headers: { 'content-type': 'application/xml' },
        body: allTypesXml,
      });
      expect(uploaded.status, await uploaded.text()).toBe(201);
      events = await EventStream.open(server.url(`/api/events?endpoint=${endpoint}`));
      client = startLeshanClient({
        server: server.coap,
        endpoint,
        lifetime: 60,
        sensorObject: 42_770,
        sensors: 1,
        types: allTypesFile(),
        values: firstValues,
      });
      await events.until(({ type }) => type === 'registered');
      await client.until((line) => line.event === 'registered');
    });

    afterAll(async () => {
      events?.close();
      await client?.stop('SIGKILL');
      if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
    });

    const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
      server.call(method, `${device}${path}`, body);
    const read = (path: string, format: string): Promise<Answer> =>
      call('GET', `/objects${path}?format=${format}`);
    const done = async (method: string, path: string, body?: unknown): Promise<Answer> => {
      const answer = await call(method, path, body);
      expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
      return answer;
    };
    const told = (isWanted: (line: JsonLine) => boolean): Promise<JsonLine> => client.until(isWanted, 20_000);
    const reading = (text: string): Promise<unknown> =>
      events.until(({ type, data }) => type === 'readings' && JSON.stringify(data).includes(text));

    async function restore(): Promise<void> {
      const { 21: _, ...writable } = firstValues;
      for (const [id, value] of Object.entries(writable)) {
        await done('PUT', `/objects${own}/${id}?format=SENML_CBOR`, content(value));
      }
    }

    describe('reads', () => {
      test.each(Object.entries(treeFormats))('objects, instances and resources as %s', async (name, id) => {
        // The library writes unsigned integers in TLV as if they were signed: 2^64 - 1 comes as the one byte of -1,
        // which nobody could read right.
        const isRight = (path: string): boolean => name !== 'TLV' || path !== `${own}/2`;
        const right = (of: Record<string, unknown>): Record<string, unknown> =>
          Object.fromEntries(Object.entries(of).filter(([path]) => isRight(path)));
        const object = await read(typesPath, name);
        expect(object.body).toMatchObject({ contentFormat: id });
        expect(right(values(object))).toEqual(right(first));
        expect(right(values(await read(own, name)))).toEqual(right(first));
        for (const resource of Object.keys(firstValues)) {
          const path = `${own}/${resource}`;
          expect(right(values(await read(path, name))), path).toEqual(right(below(path, first)));
        }
      });

      test.each(senml)('instances of resources as %s', async (name) => {
        for (const path of Object.keys(first).filter((each) => each.split('/').length === 5)) {
          expect(values(await read(path, name)), path).toEqual({ [path]: first[path] });
        }
      });

      test.each(['TEXT', 'CBOR'])('single values as %s', async (name) => {
        for (const id of singles) {
          if (name === 'TEXT' && id === 5) continue;
          const path = `${own}/${id}`;
          expect(values(await read(path, name)), path).toEqual({ [path]: firstValues[id] });
        }
      });

      test('opaque values as they are', async () => {
        expect(values(await read(`${own}/5`, 'OPAQUE'))).toEqual({ [`${own}/5`]: '00ff10' });
      });
    });

    describe('writes', () => {
      test.each(Object.keys(treeFormats))(
        'some resources of an instance, keeping the others, as %s',
        async (name) => {
          await done('PUT', `/objects${own}?mode=update&format=${name}`, { values: flat(otherValues) });
          const now = values(await read(own, 'SENML_CBOR'));
          expect(now).toMatchObject(byPath(0, otherValues));
          // A multiple resource keeps the instances that are not named.
          expect(now).toMatchObject({ [`${own}/21`]: 'fixed', [`${own}/10/65534`]: 'three' });
          await restore();
        },
      );

      test.each(Object.keys(treeFormats))(
        'the whole of an instance as %s: what is not named goes',
        async (name) => {
          await done('PUT', `/objects${own}?format=${name}`, { values: flat({ 0: 'only', 11: { 4: 4 } }) });
          expect(values(await read(own, 'SENML_CBOR'))).toEqual({
            [`${own}/0`]: 'only',
            [`${own}/11/4`]: 4,
            [`${own}/21`]: 'fixed',
          });
          await restore();
        },
      );

      test.each(Object.keys(treeFormats))('each resource as %s', async (name) => {
        for (const [id, value] of Object.entries(otherValues)) {
          const path = `${own}/${id}`;
          await done('PUT', `/objects${path}?format=${name}`, content(value));
          expect(values(await read(path, 'SENML_CBOR')), path).toEqual(below(path, byPath(0, otherValues)));
        }
        await restore();
      });

      test.each(['TEXT', 'CBOR'])('single values as %s', async (name) => {
        for (const id of singles) {
          if (name === 'TEXT' && id === 5) continue;
          const path = `${own}/${id}`;
          await done('PUT', `/objects${path}?format=${name}`, { value: otherValues[id] });
          expect(values(await read(path, 'SENML_CBOR')), path).toEqual({ [path]: otherValues[id] });
        }
        await restore();
      });

      test('opaque values as they are', async () => {
        await done('PUT', `/objects${own}/5?format=OPAQUE`, { value: 'a1b2' });
        expect(await told((line) => line.event === 'written' && line.path === `${own}/5`)).toMatchObject({
          values: { '': expect.any(String) },
        });
        expect(values(await read(`${own}/5`, 'OPAQUE'))).toEqual({ [`${own}/5`]: 'a1b2' });
        await restore();
      });

      test.each([...senml, 'TEXT'])('an instance of a resource as %s', async (name) => {
        await done('PUT', `/objects${own}/10/7?format=${name}`, { value: name });
        expect(values(await read(`${own}/10`, 'SENML_CBOR'))).toEqual({
          [`${own}/10/0`]: 'one',
          [`${own}/10/7`]: name,
          [`${own}/10/65534`]: 'three',
        });
        await restore();
      });
    });

    describe('creates and deletes', () => {
      test.each(Object.keys(treeFormats))('an instance as %s', async (name) => {
        const { status, body } = await done('POST', `/objects${typesPath}?format=${name}`, {
          values: flat({ 1: 5, 10: { 0: 'a' } }),
        });
        expect(status).toBe(201);
        const { path } = body as { path: string };
        expect(path).toBe(`${typesPath}/1`);
        await told((line) => line.event === 'created' && line.path === path);
        expect(values(await read(path, 'SENML_CBOR'))).toEqual({ [`${path}/1`]: 5, [`${path}/10/0`]: 'a' });
        await done('DELETE', `/objects${path}`);
        await told((line) => line.event === 'deleted' && line.path === path);
        expect((await read(path, 'SENML_CBOR')).body).toMatchObject({ coapCode: '4.04' });
      });

      test('an instance whose id is given', async () => {
        await done('POST', `/objects${typesPath}/33`, { values: { 0: 'x' } });
        expect(values(await read(`${typesPath}/33/0`, 'TEXT'))).toEqual({ [`${typesPath}/33/0`]: 'x' });
        await done('DELETE', `/objects${typesPath}/33`);
      });
    });

    test('executes with arguments and without', async () => {
      await done('POST', `/objects${own}/20`);
      expect(await told((line) => line.event === 'executed')).toMatchObject({
        path: `${own}/20`,
        arguments: '',
      });
      await done('POST', `/objects${own}/20`, { args: "0='1',3" });
      expect(await told((line) => line.event === 'executed')).toMatchObject({ arguments: "0='1',3" });
    });

    test('writes attributes, and discovers them', async () => {
      await done('PUT', `/attributes${own}/3`, { pmin: 0, pmax: 30, gt: 9.5, lt: -1, st: 0.5 });
      const find = async (path: string): Promise<Record<string, string> | undefined> => {
        const { body } = await done('GET', `/discover${own}`);
        const { items } = body as { items: { path: string; attributes: Record<string, string> }[] };
        return items.find((item) => item.path === path)?.attributes;
      };
      expect(await find(`${own}/3`)).toEqual({ pmin: '0', pmax: '30', gt: '9.5', lt: '-1', st: '0.5' });
      await done('PUT', `/attributes${own}/3`, { pmin: null, pmax: null, gt: null, lt: null, st: null });
      expect(await find(`${own}/3`)).toEqual({});
      const { body } = await done('GET', `/discover${typesPath}`);
      expect(JSON.stringify(body)).toContain(`"${own}/10"`);
    });

    describe('observes', () => {
      const set = (of: Readonly<Record<number, unknown>>): void => client.order(`set ${JSON.stringify(of)}`);

      test.each([...Object.keys(treeFormats), 'TEXT', 'CBOR'])(
        'a resource as %s, until it tells it to stop',
        async (name) => {
          set({ 0: `before ${name}` });
          const observed = await done('POST', `/observations${own}/0?format=${name}`);
          expect(observed.body).toMatchObject({ value: expect.any(String) });
          set({ 0: `as ${name}` });
          await reading(`as ${name}`);
          await done('DELETE', `/observations${own}/0?active=true`);
          const { body } = await call('GET', '/observations');
          expect(JSON.stringify(body)).not.toContain(`"${own}/0"`);
        },
      );

      test.each(Object.keys(treeFormats))(
        'an instance as %s, until it resets a notification',
        async (name) => {
          await done('POST', `/observations${own}?format=${name}`);
          set({ 0: `instance as ${name}` });
          await reading(`instance as ${name}`);
          await done('DELETE', `/observations${own}`);
          set({ 0: `nobody hears ${name}` });
          const { body } = await call('GET', '/observations');
          expect(JSON.stringify(body)).not.toContain(`["${own}"]`);
        },
      );

      test.each(senml)('several paths together as %s, until it tells it to stop', async (name) => {
        const paths = `paths=${own}/0,${own}/3,/3/0/15`;
        const first = await done('POST', `/composite-observations?${paths}&format=${name}`);
        expect(values(first)).toMatchObject({
          [`${own}/3`]: expect.any(Number),
          '/3/0/15': expect.any(String),
        });
        set({ 0: `together as ${name}` });
        await reading(`together as ${name}`);
        await done('DELETE', `/composite-observations?${paths}&active=true`);
        const { body } = await call('GET', '/observations');
        expect(JSON.stringify(body)).not.toContain('"/3/0/15"');
      });

      test('several paths together, until it resets a notification', async () => {
        const paths = `paths=${own}/0,/3/0/15`;
        await done('POST', `/composite-observations?${paths}`);
        await done('DELETE', `/composite-observations?${paths}`);
        set({ 0: 'reset' });
        await restore();
      });
    });

    describe('composite operations', () => {
      test.each(senml)('read what is there of several paths as %s', async (name) => {
        const paths = [`${own}/2`, '/3/0/0', `${own}/10`, `${own}/11/3`, `${typesPath}/7/0`];
        const answer = await call('GET', `/composite?paths=${paths.join(',')}&format=${name}`);
        expect(values(answer)).toEqual({
          [`${own}/2`]: firstValues[2],
          '/3/0/0': 'Eclipse Leshan',
          [`${own}/10/0`]: 'one',
          [`${own}/10/7`]: 'two',
          [`${own}/10/65534`]: 'three',
          [`${own}/11/3`]: 4_294_967_296,
        });
      });

      test.each(senml)('write to several objects as %s', async (name) => {
        const changes = { [`${own}/1`]: 11, [`${own}/0`]: `composite ${name}`, '/3/0/15': 'Asia/Kolkata' };
        await done('PUT', `/composite?format=${name}`, { values: changes });
        const answer = await call('GET', `/composite?paths=${Object.keys(changes).join(',')}&format=${name}`);
        expect(values(answer)).toEqual(changes);
        await restore();
      });
    });

    describe('takes what it sends by itself', () => {
      test.each(senml)('values of now as %s', async (name) => {
        client.order(`set ${JSON.stringify({ 0: `sent as ${name}`, 3: 2.5 })}`);
        client.order(`send ${name} ${own}/0 ${own}/3 /3/0/0`);
        expect(await told((line) => line.event === 'sent')).toMatchObject({ code: 204 });
        await reading(`sent as ${name}`);
        await expect
          .poll(async () => (await call('GET', `/readings?path=${own}/3`)).body)
          .toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ value: 2.5 })]) });
      });

      test.each(senml)('values of several moments as %s, each with its own time', async (name) => {
        const path = '/42770/0/2';
        const began = Date.now();
        for (const value of [101.5, 102.5, 103.5]) {
          client.order(`value ${value}`);
          client.order(`collect ${path}`);
          await told((line) => line.event === 'collected');
        }
        client.order(`sendCollected ${name}`);
        await expect
          .poll(
            async () => {
              const { body } = await call('GET', `/readings?path=${path}&from=${began}`);
              const { items } = body as { items: { value: number; takenAt: number }[] };
              const sent = items.filter(({ value }) => value > 100);
              return {
                values: new Set(sent.map(({ value }) => value)),
                times: new Set(sent.map((each) => each.takenAt)).size,
              };
            },
            { timeout: 20_000 },
          )
          .toMatchObject({ values: new Set([101.5, 102.5, 103.5]) });
      });
    });

    test('is told to update its registration', async () => {
      await done('POST', '/server/update-trigger');
      await told((line) => line.event === 'updated');
    });
  },
);

describe.skipIf(!hasLeshan)('clients on the Leshan library that are otherwise', () => {
  let server: ServerProcess;
  const clients: JsonLinesProcess[] = [];

  beforeAll(async () => {
    await buildLeshanPeers();
    server = await ServerProcess.start();
  });
  afterAll(async () => {
    for (const client of clients) await client.stop('SIGKILL');
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
  });
  const start = async (settings: { endpoint: string; queueMode?: boolean; version?: '1.0' | '1.1' }) => {
    const client = startLeshanClient({
      server: server.coap,
      lifetime: 60,
      sensorObject: 42_770,
      sensors: 1,
      ...settings,
    });
    clients.push(client);
    await client.until((line) => line.event === 'registered');
    return client;
  };
  const registration = async (endpoint: string): Promise<unknown> =>
    ((await server.call('GET', `/api/devices/${endpoint}`)).body as { registration: unknown }).registration;

  test('registers in queue mode, and is read while it listens', async () => {
    await start({ endpoint: 'leshan-queue', queueMode: true });
    expect(await registration('leshan-queue')).toMatchObject({ queueMode: true });
    const { body } = await server.call('GET', '/api/devices/leshan-queue/objects/3/0/0');
    expect(body).toMatchObject({ value: 'Eclipse Leshan' });
  });

  test('registers with version 1.0, and is read in TLV', async () => {
    await start({ endpoint: 'leshan-old', version: '1.0' });
    expect(await registration('leshan-old')).toMatchObject({ version: '1.0' });
    const { body } = await server.call('GET', '/api/devices/leshan-old/objects/3/0?format=TLV');
    expect(body, JSON.stringify(body)).toMatchObject({ contentFormat: 11_542 });
  });
});

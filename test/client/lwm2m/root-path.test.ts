import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { ReadingQueue } from '../../../client/lwm2m/reading-queue.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { contentFormat, locationPath } from '../../../protocol/coap/options.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { parseLinks } from '../../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../../protocol/lwm2m/object-links.ts';
import { recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

const rootPath = '/devices/lwm2m';
let world: ClientWorld;
let client: Lwm2mClient;
let types: TypesObject;

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry, rootPath, version: '1.2' });
  types = new TypesObject(client.tree, { 0: 'a', 1: 7 });
  client.start();
  await world.registered();
});

afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);

describe('a client with a root path of its own', () => {
  it('says where it is when it registers', () => {
    const payload = world.server.of('register')[0]?.payload ?? '';
    expect(payload).toMatch(/^<\/devices\/lwm2m>;rt="oma.lwm2m";ct="60 110 112 11542 11543 11544",/);
    expect(payload).toContain('</devices/lwm2m/42771/0>');
    const links = objectLinks(parseLinks(payload));
    expect([links.rootPath, links.objects.map(({ path }) => path)]).toEqual([
      rootPath,
      expect.arrayContaining(['/1/0', '/42771/0']),
    ]);
  });

  it('is read, written and discovered below it, and nowhere else', async () => {
    const response = await ask(world.server.read(`${rootPath}/42771/0/1`, ContentFormat.TEXT));
    expect(new TextDecoder().decode(response.payload)).toBe('7');
    expect(told(await ask(world.server.writeText(`${rootPath}/42771/0/1`, '8')))).toBe('2.04');
    expect(types.get('/42771/0/1')).toBe(8);
    const links = await ask(world.server.discover(`${rootPath}/42771/0/1`));
    expect(new TextDecoder().decode(links.payload)).toBe('</devices/lwm2m/42771/0/1>');
    expect(told(await ask(world.server.read('/42771/0/1')))).toBe('4.04 /42771/0/1 is not here');
    expect(told(await ask(world.server.read(`${rootPath}/0/0`)))).toBe(
      '4.01 only a bootstrap server may access this object',
    );
    const known = await ask(world.server.discover('/.well-known/core'));
    expect(new TextDecoder().decode(known.payload)).toContain('</devices/lwm2m/42771/0>');
  });

  it('names it in SenML, in both directions', async () => {
    const { SENML_JSON } = ContentFormat;
    const response = await ask(world.server.read(`${rootPath}/42771/0`, SENML_JSON));
    expect(new TextDecoder().decode(response.payload)).toBe(
      '[{"bn":"/devices/lwm2m/42771/0/","n":"0","vs":"a"},{"n":"1","v":7}]',
    );
    const payload = encodeContent(SENML_JSON, '/42771/0', recordsOf(0, { 0: 'b' }), typesRegistry, rootPath);
    const write = { format: SENML_JSON, payload };
    expect(told(await ask(world.server.send(Code.POST, `${rootPath}/42771/0`, write)))).toBe('2.04');
    expect(types.get('/42771/0/0')).toBe('b');
  });

  it('takes composite operations at its root, and at that of the endpoint', async () => {
    for (const at of [rootPath, '/']) {
      const paths = at === '/' ? [`${rootPath}/42771/0/1`] : ['/42771/0/1'];
      const payload = new TextEncoder().encode(JSON.stringify([{ n: `${rootPath}/42771/0/1` }]));
      const response = await ask(
        world.server.send(Code.FETCH, at, { format: ContentFormat.SENML_JSON, payload }),
      );
      expect(contentFormat(response.options)).toBe(ContentFormat.SENML_JSON);
      const records = decodeContent(ContentFormat.SENML_JSON, '/', response.payload, typesRegistry, rootPath);
      expect([paths.length, records]).toEqual([1, [{ path: '/42771/0/1', value: 7 }]]);
    }
  });

  it('tells where a new instance is', async () => {
    const payload = encodeContent(ContentFormat.TLV, '/42771', recordsOf(3, { 0: 'x' }), typesRegistry);
    const response = await ask(
      world.server.send(Code.POST, `${rootPath}/42771`, { format: ContentFormat.TLV, payload }),
    );
    expect(locationPath(response.options)).toEqual(['devices', 'lwm2m', '42771', '3']);
  });

  it('names it in notifications and in packs', async () => {
    const path = '/42771/0/1';
    const queue = new ReadingQueue();
    client.addStream({ path, queue, takeNow: () => ({ time: world.clock.wallTime() * 1_000, value: 1 }) });
    const { first, told: list } = await ask(world.server.observe(rootPath + path));
    const decode = (payload: Uint8Array) =>
      decodeContent(ContentFormat.SENML_CBOR, path, payload, typesRegistry, rootPath).map(
        ({ value }) => value,
      );
    expect(decode(first.payload)).toEqual([1]);
    queue.push(world.clock.wallTime() * 1_000, 2);
    client.readingsAdded();
    await world.until('a pack', () => list.length === 1);
    expect(decode(list[0]?.payload ?? new Uint8Array(0))).toEqual([2]);
  });
});

it.each(['lwm2m', '/lwm2m/', '/a b', '//', '/a?b'])('%s is no root path', (path) => {
  expect(() => world.client({ rootPath: path })).toThrow(TypeError);
});

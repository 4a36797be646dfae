import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { instance } from '../../../client/lwm2m/object-tree.ts';
import { OperationError } from '../../../client/lwm2m/operation-error.ts';
import { apnConnectionProfileObject } from '../../../objects/apn-connection-profile.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { acceptOption, contentFormatOption } from '../../../protocol/coap/options.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import {
  BootstrapWorld,
  bootstrapAccount,
  bootstrapAddress,
  security,
  server,
} from '../../support/client/bootstrap-world.ts';
import { registry, serverAddress } from '../../support/client/client-world.ts';
import { describe as words } from '../../support/client/scripted-server.ts';

const otherAddress = '192.0.2.3:5683';

let world: BootstrapWorld;
let client: Lwm2mClient;

beforeEach(() => {
  world = new BootstrapWorld();
});
afterEach(async () => {
  await world.settle(client.close({ deregister: false }));
  expect(world.faults).toEqual([]);
});

/** A client that has asked for a bootstrap. */
async function asking(...options: Parameters<BootstrapWorld['bootstrapped']>): Promise<void> {
  client = world.bootstrapped(...options);
  client.start();
  await world.requested();
}

/** A client that was bootstrapped, and is registered. */
async function given(...options: Parameters<BootstrapWorld['bootstrapped']>): Promise<void> {
  await asking(...options);
  expect(await world.give()).toBe('2.04');
  await world.registered();
}

describe('a client without servers', () => {
  test('asks its bootstrap server, is given an account, and registers', async () => {
    await given();
    expect(world.asked).toEqual(['POST /bs?ep=modem-1&pct=112']);
    expect(world.server.requests[0]).toMatchObject({
      kind: 'register',
      query: expect.arrayContaining(['lt=120']),
    });
    expect(client.sessions.map(({ shortServerId, uri }) => [shortServerId, uri])).toEqual([
      [101, `coap://${serverAddress}`],
    ]);
    expect(world.bootstrapStates.at(-1)).toBe(`finished: 101 at coap://${serverAddress}`);
  });

  test('waits for the hold off time of its account first', async () => {
    client = world.bootstrapped({}, { account: { ...bootstrapAccount, holdOffTime: 30 } });
    client.start();
    await world.clock.run(29_000);
    expect(world.asked).toEqual([]);
    await world.clock.run(1_500);
    expect(world.asked).toHaveLength(1);
  });

  test('asks again, later and later, where it is declined or hears nothing', async () => {
    world.answers.push({ code: Code.BAD_REQUEST }, 'silence');
    await asking();
    await world.requested(2);
    await world.requested(3);
    expect(world.bootstrapStates.filter((each) => each.startsWith('waiting'))).toEqual([
      'waiting: the server answered 4.00; again in 2.0 s',
      expect.stringMatching(/^waiting: no answer .*; again in 4.0 s$/),
    ]);
    expect(await world.give()).toBe('2.04');
    await world.registered();
  });

  test('begins anew when the bootstrap server breaks off, with what it had before', async () => {
    await asking();
    await world.put('/0/1', security(1, serverAddress, 101));
    await world.requested(2);
    expect(await world.finish()).toBe('4.06 there is no server to register with');
  });

  test('that speaks 1.0 names no format', async () => {
    await asking({}, { server: { version: '1.0' } });
    expect(world.asked).toEqual(['POST /bs?ep=modem-1']);
  });
});

describe('what the bootstrap server asks for', () => {
  test('is discovered: accounts with their servers, and all other objects', async () => {
    await asking();
    await world.put('/0/1', security(1, serverAddress, 101));
    await world.put('/1/4', server(4, 101));
    expect(await world.discover()).toBe(
      `</>;lwm2m=1.1,</0>;ver=1.2,</0/0>,</0/1>;ssid=101;uri="coap://${serverAddress}",</1>;ver=1.2,</1/4>;ssid=101,</2>;ver=1.1`,
    );
    expect(await world.discover('/1')).toBe('</>;lwm2m=1.1,</1>;ver=1.2,</1/4>;ssid=101');
  });

  test('is read of Server and Access Control alone', async () => {
    await asking();
    await world.put('/1/4', server(4, 101));
    const read = (path: string, format: number) =>
      world.ask(Code.GET, path, { options: [acceptOption(format)] });
    for (const format of [ContentFormat.SENML_CBOR, ContentFormat.TLV, ContentFormat.SENML_JSON]) {
      const { payload } = await read('/1', format);
      expect(decodeContent(format, '/1', payload, registry)).toEqual(server(4, 101));
    }
    expect(words(await read('/0', ContentFormat.SENML_CBOR))).toBe('4.01 keys are not read');
    expect(words(await read('/0/0/5', ContentFormat.OPAQUE))).toBe('4.01 keys are not read');
    expect(words(await read('/2', ContentFormat.TLV))).toBe('4.04 /2 is not here');
    expect(words(await read('/3', ContentFormat.TLV))).toMatch(/^4.05/);
  });

  test.each([
    ['TLV', ContentFormat.TLV],
    ['SenML JSON', ContentFormat.SENML_JSON],
    ['SenML CBOR', ContentFormat.SENML_CBOR],
    ['LwM2M CBOR', ContentFormat.LWM2M_CBOR],
  ])('is written in %s, instances one by one or together', async (_, format) => {
    await asking();
    const both = [...server(0, 101), ...server(1, 102)];
    expect(await world.put('/1', both, format)).toBe('2.04');
    expect(await world.put('/0/1', security(1, serverAddress, 101), format)).toBe('2.04');
    expect(await world.put('/0/2', security(2, otherAddress, 102), format)).toBe('2.04');
    world.anotherServer(otherAddress);
    expect(await world.finish()).toBe('2.04');
    await world.registered(2);
    expect(client.sessions.map(({ shortServerId }) => shortServerId)).toEqual([101, 102]);
  });

  test('is written of one resource', async () => {
    await asking();
    await world.put('/0/1', security(1, serverAddress, 101));
    await world.put('/1/0', server(0, 101));
    expect(await world.put('/1/0/1', [{ path: '/1/0/1', value: 77 }], ContentFormat.TEXT)).toBe('2.04');
    expect(await world.finish()).toBe('2.04');
    await world.registered();
    expect(client.account.lifetime).toBe(77);
  });

  test('is declined where a value does not fit, and nothing of it is kept', async () => {
    await asking();
    const bad = security(1, serverAddress, 101).map((each) =>
      each.path === '/0/1/2' ? { ...each, value: 9 } : each,
    );
    expect(await world.put('/0/1', bad)).toMatch(/^4.00 Security Mode/);
    const payload = Uint8Array.of(1, 2, 3);
    const options = [contentFormatOption(ContentFormat.SENML_CBOR)];
    expect(words(await world.ask(Code.PUT, '/0/1', { options, payload }))).toMatch(/^4.00/);
    expect(words(await world.ask(Code.PUT, '/0/1', { options: [contentFormatOption(50)], payload }))).toMatch(
      /^4.15/,
    );
    expect(words(await world.ask(Code.POST, '/0/1'))).toMatch(/^4.05/);
    expect(await world.discover('/0')).toBe('</>;lwm2m=1.1,</0>;ver=1.2,</0/0>');
  });

  test('deletes everything but the bootstrap account and the Device object', async () => {
    await given();
    client.sessions[0]?.registration.pause();
    world.bootstrapStates.length = 0;
    await world.settle(world.server.execute('/1/0/9'));
    await world.requested(2);
    expect(await world.delete('/0/0')).toMatch(/^4.00/);
    expect(await world.delete('/3')).toMatch(/^4.00/);
    expect(await world.delete('/1/0/1')).toMatch(/^4.05/);
    expect(await world.delete('/')).toBe('2.02');
    expect(await world.discover()).toBe('</>;lwm2m=1.1,</0>;ver=1.2,</0/0>,</1>;ver=1.2,</2>;ver=1.1');
  });

  test('of everything leaves what the device cannot do without, and asked for alone that is declined', async () => {
    await asking();
    const { tree } = client;
    tree.addObject(apnConnectionProfileObject, {
      delete({ id }) {
        if (id === 0) throw new OperationError(Code.BAD_REQUEST, 'in use');
      },
    });
    for (const id of [0, 1]) tree.add(instance(apnConnectionProfileObject, id, {}) as never);
    expect(await world.delete('/11/0')).toBe('4.00 in use');
    expect(await world.delete('/')).toBe('2.02');
    expect([...(tree.object(11)?.instances.keys() ?? [])]).toEqual([0]);
  });

  test('is nobody else’s to ask, and nobody’s when no bootstrap is under way', async () => {
    await given();
    expect(await world.delete('/')).toBe('4.01 not my server');
    expect(await world.finish()).toBe('4.01 not my server');
    await world.settle(world.server.execute('/1/0/9'));
    await world.requested(2);
    expect(words(await world.settle(world.server.send(Code.DELETE, '/')))).not.toMatch(/^2/);
    expect(words(await world.settle(world.server.send(Code.GET, '/0')))).toMatch(/^4.01/);
  });
});

describe('a bootstrap that is finished', () => {
  test.each([
    ['no Server instance', [security(1, serverAddress, 101)], 'server 101 has 0 Server instances'],
    ['no Security instance', [server(0, 101)], '/1/0 is of server 101, which has no Security instance'],
    [
      'no address',
      [security(1, serverAddress, 101).slice(1), server(0, 101)],
      '/0/1 has no address of a server that can be spoken with',
    ],
    [
      'a key and no security',
      [
        security(1, serverAddress, 101).map((each) =>
          each.path === '/0/1/0' ? { ...each, value: 'coaps://a' } : each,
        ),
        server(0, 101),
      ],
      '/0/1: coaps://a without security',
    ],
    [
      'a mode that the client does not have',
      [
        security(1, serverAddress, 101).map((each) =>
          each.path === '/0/1/2' ? { ...each, value: 4 } : each,
        ),
        server(0, 101),
      ],
      '/0/1: security mode 4 is not supported',
    ],
  ])('with %s is inconsistent, and may be mended', async (_, instances, reason) => {
    await asking();
    for (const records of instances)
      await world.put(records[0]?.path.split('/').slice(0, 3).join('/') ?? '', records);
    expect(await world.finish()).toBe(`4.06 ${reason}`);
    expect(world.server.requests).toEqual([]);
    expect(await world.give()).toBe('2.04');
    await world.registered();
  });

  test('gives rights where there are several servers', async () => {
    world.anotherServer(otherAddress);
    await asking();
    await world.put('/0/1', security(1, serverAddress, 101));
    await world.put('/0/2', security(2, otherAddress, 102));
    await world.put('/1', [...server(0, 101), ...server(1, 102)]);
    await world.put('/2/0', [
      { path: '/2/0/0', value: 1 },
      { path: '/2/0/1', value: 0 },
      { path: '/2/0/2/102', value: 1 },
      { path: '/2/0/3', value: 101 },
    ]);
    expect(await world.finish()).toBe('2.04');
    await world.registered(2);
    const acl = Object.entries(await world.settle(world.server.values('/2')));
    const entry = acl.find(([path, value]) => path.endsWith('/0') && value === 1)?.[0].split('/')[2];
    expect(Object.fromEntries(acl)).toMatchObject({ [`/2/${entry}/2/102`]: 1, [`/2/${entry}/3`]: 101 });
  });
});

describe('a client that has an account', () => {
  test('is bootstrapped again when its server triggers it, and goes to the new server', async () => {
    const other = world.anotherServer(otherAddress);
    await given();
    expect(words(await world.settle(world.server.execute('/1/0/9')))).toBe('2.04');
    await world.requested(2);
    expect(await world.give(otherAddress, 7)).toBe('2.04');
    await world.registered(2);
    expect(world.server.requests.at(-1)?.kind).toBe('deregister');
    expect(other.requests[0]?.kind).toBe('register');
    expect(client.sessions.map(({ shortServerId }) => shortServerId)).toEqual([7]);
  });

  test('keeps the readings and counts of a server that stays', async () => {
    await given();
    const session = client.sessions[0];
    await world.settle(world.server.execute('/1/0/9'));
    await world.requested(2);
    expect(await world.give(serverAddress, 101)).toBe('2.04');
    await world.registered(2);
    expect(client.sessions[0]).toBe(session);
  });

  test('goes on with it while a bootstrap comes to nothing', async () => {
    await given();
    await world.settle(world.server.execute('/1/0/9'));
    await world.requested(2);
    await world.delete('/');
    await world.until('the end of the patience', () =>
      world.bootstrapStates.some((each) => each.startsWith('failed')),
    );
    expect(client.registration.location).toBe('/rd/1');
    expect(world.bootstrapStates.at(-1)).toBe('failed: the bootstrap server broke off');
    expect(words(await world.settle(world.server.execute('/1/0/8')))).toBe('2.04');
  });

  test('takes it up again when none of the new servers takes it', async () => {
    await given();
    await world.settle(world.server.execute('/1/0/9'));
    await world.requested(2);
    expect(await world.give(otherAddress, 7)).toBe('2.04');
    await world.registered(2);
    expect(client.sessions.map(({ uri }) => uri)).toEqual([`coap://${serverAddress}`]);
    expect(world.bootstrapStates.at(-1)).toContain('the former ones hold again');
    expect(world.storage.read()?.previous).toBeUndefined();
  });

  test('asks for a bootstrap when no server takes it any more', async () => {
    await given();
    world.server.decline.set('register', Code.FORBIDDEN);
    client.reregister();
    await world.requested(2);
    expect(world.bootstrapStates.at(-1)).toContain('no server takes the client');
  });

  test('keeps it beyond the process, and needs no bootstrap then', async () => {
    await given();
    await world.settle(client.close({ deregister: false }));
    client = world.bootstrapped({ port: world.link.port('198.51.100.8:1') });
    client.start();
    await world.registered(2);
    expect(world.asked).toHaveLength(1);
    expect(client.account.lifetime).toBe(120);
  });

  test('falls back after a restart too', async () => {
    await given();
    await world.settle(world.server.execute('/1/0/9'));
    await world.requested(2);
    expect(await world.give(otherAddress, 7)).toBe('2.04');
    await world.until('the new account', () => client.sessions[0]?.shortServerId === 7);
    await world.settle(client.close({ deregister: false }));
    client = world.bootstrapped({ port: world.link.port('198.51.100.8:1') });
    expect(client.sessions.map(({ shortServerId }) => shortServerId)).toEqual([7]);
    client.start();
    await world.registered(2);
    expect(client.sessions.map(({ shortServerId }) => shortServerId)).toEqual([101]);
  });

  test('has its bootstrap account no longer than that one says', async () => {
    await given({}, { account: { ...bootstrapAccount, accountTimeout: 60 } });
    await world.clock.run(61_000);
    expect(words(await world.settle(world.server.execute('/1/0/9')))).toBe('2.04');
    await world.clock.run(10_000);
    expect(world.asked).toHaveLength(1);
    expect([...(world.storage.read()?.current.keys() ?? [])].some((path) => path.startsWith('/0/0/'))).toBe(
      false,
    );
  });

  test('says when it was bootstrapped', async () => {
    await given();
    const { '/1/0/12': at } = await world.settle(world.server.values('/1/0'));
    expect(at).toBeTypeOf('number');
  });
});

describe('a bootstrap pack', () => {
  const pack = [...security(1, serverAddress, 101), ...server(0, 101)];
  const answer = (records: typeof pack) => ({
    code: Code.CONTENT,
    options: [contentFormatOption(ContentFormat.SENML_CBOR)],
    payload: encodeContent(ContentFormat.SENML_CBOR, '/', records, registry),
  });

  test('is asked for by a client of 1.2 that wants it, and has all at once', async () => {
    world.answers.push(answer(pack));
    await asking({}, { pack: true, server: { version: '1.2' } });
    await world.registered();
    expect(world.asked).toEqual(['GET /bspack?ep=modem-1']);
    expect(client.account.lifetime).toBe(120);
  });

  test('gives way to a bootstrap by requests where the server has none', async () => {
    await asking({}, { pack: true, server: { version: '1.2' } });
    await world.requested(2);
    expect(world.asked[1]).toBe('POST /bs?ep=modem-1&pct=112');
    expect(await world.give()).toBe('2.04');
    await world.registered();
  });

  test('that does not fit together is not taken', async () => {
    world.answers.push(answer(security(1, serverAddress, 101)));
    await asking({}, { pack: true, server: { version: '1.2' } });
    await world.requested(2);
    expect(world.bootstrapStates).toContain(
      'waiting: the pack cannot be taken: server 101 has 0 Server instances; again in 2.0 s',
    );
  });
});

test('a bootstrap server may be where a server is', async () => {
  await asking();
  expect(await world.give(bootstrapAddress)).toBe('2.04');
});

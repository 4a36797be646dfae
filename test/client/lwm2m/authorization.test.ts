import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { Code, formatCode } from '../../../protocol/coap/message.ts';
import { encodeChanges } from '../../../protocol/lwm2m/changes.ts';
import { decodeContent, encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld, serverAddress } from '../../support/client/client-world.ts';
import { type ScriptedServer, describe as told } from '../../support/client/scripted-server.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';

// Each operation asks for the right that it needs (OMA-TS-LightweightM2M_Core §8.2), instance by instance.

const { SENML_CBOR, TLV, LINK_FORMAT } = ContentFormat;
let world: ClientWorld;
let owner: ScriptedServer;
let guest: ScriptedServer;
let client: Lwm2mClient;
let types: TypesObject;

beforeEach(async () => {
  world = new ClientWorld();
  owner = world.server;
  const guestAddress = '192.0.2.2:5683';
  guest = world.anotherServer(guestAddress);
  client = world.client({
    lookup: typesRegistry,
    sharedRights: 0,
    servers: [serverAddress, guestAddress].map((address) => ({
      uri: `coap://${address}`,
      resolve: async () => address,
      version: '1.2' as const,
    })),
  });
  types = new TypesObject(client.tree);
  client.start();
  await world.registered(2);
});

afterEach(async () => {
  expect(world.faults).toEqual([]);
  await world.settle(client.close());
});

const ask = <T>(promise: Promise<T>): Promise<T> => world.settle(promise);
const payload = (
  records: ReturnType<typeof recordsOf>,
  path: string,
): { format: number; payload: Uint8Array } => ({
  format: TLV,
  payload: encodeContent(TLV, path, records, typesRegistry),
});

/** The bits of the guest's entry: 1 read, 2 write, 4 execute, 8 delete, 16 create. */
async function grant(instance: number, rights: number): Promise<void> {
  const shown = await ask(owner.values('/2'));
  const id = Object.entries(shown)
    .filter(([path, value]) => path.endsWith('/0') && value === 42_771)
    .map(([path]) => path.slice(0, -2))
    .find((path) => shown[`${path}/1`] === instance);
  const entries = [{ path: `${id}/2/102`, value: rights }];
  const body = { format: TLV, payload: encodeContent(TLV, `${id}/2`, entries, typesRegistry) };
  expect(told(await ask(owner.send(Code.PUT, `${id}/2`, body)))).toBe('2.04');
}

const operations: Readonly<Record<string, () => Promise<{ readonly code: Code }>>> = {
  'Read of an object': () => guest.read('/42771'),
  'Read of an instance': () => guest.read('/42771/0'),
  'Read of a resource': () => guest.read('/42771/0/1'),
  Observe: () => guest.observe('/42771/0/1').then(({ first }) => first),
  'Write-Attributes': () => guest.send(Code.PUT, '/42771/0/1', { query: ['pmin=0'] }),
  'Write to an instance': () =>
    guest.send(Code.POST, '/42771/0', payload(recordsOf(0, { 1: 5 }), '/42771/0')),
  'Write to a resource': () => guest.writeText('/42771/0/1', '5'),
  'Write-Composite': () =>
    guest.send(Code.IPATCH, '/', {
      format: SENML_CBOR,
      payload: encodeChanges(SENML_CBOR, recordsOf(0, { 1: 5 }), typesRegistry),
    }),
  'Delete of a resource instance': () => guest.send(Code.DELETE, '/42771/0/10/0'),
  Execute: () => guest.execute('/42771/0/20'),
  Delete: () => guest.send(Code.DELETE, '/42771/0'),
};
const needs: Readonly<Record<string, number>> = {
  'Read of an object': 1,
  'Read of an instance': 1,
  'Read of a resource': 1,
  Observe: 1,
  'Write-Attributes': 1,
  'Write to an instance': 2,
  'Write to a resource': 2,
  'Write-Composite': 2,
  'Delete of a resource instance': 2,
  Execute: 4,
  Delete: 8,
};

describe.each(Object.keys(operations))('%s', (name) => {
  const carryOut = () => ask((operations[name] as () => Promise<{ readonly code: Code }>)());

  it('is declined with 4.01 to a server without the right, and does nothing', async () => {
    const before = types.values();
    await grant(0, 31 & ~(needs[name] ?? 0));
    expect(formatCode((await carryOut()).code)).toBe('4.01');
    expect([types.values(), types.executed, client.observations]).toEqual([before, [], 0]);
  });

  it('is carried out for a server that has it, and no other right', async () => {
    await grant(0, needs[name] ?? 0);
    expect(formatCode((await carryOut()).code)).toMatch(/^2\./);
  });
});

describe('a server that may read some instances', () => {
  beforeEach(async () => {
    const made = payload(recordsOf(1, { 1: 11 }), '/42771');
    expect(told(await ask(owner.send(Code.POST, '/42771', made)))).toBe('2.01');
    await grant(1, 1);
  });

  const values = (response: { readonly payload: Uint8Array }, path: string): string[] =>
    decodeContent(SENML_CBOR, path, response.payload, typesRegistry).map((record) => record.path);

  it('gets those of an object, and no others', async () => {
    expect(values(await ask(guest.read('/42771', SENML_CBOR)), '/42771')).toEqual(['/42771/1/1']);
  });

  it('gets those of a composite Read, of the root too', async () => {
    const some = await ask(guest.fetch(['/42771/0/1', '/42771/1/1']));
    expect(values(some, '/')).toEqual(['/42771/1/1']);
    const all = values(await ask(guest.fetch(['/'])), '/');
    expect(all.filter((path) => path.startsWith('/42771/'))).toEqual(['/42771/1/1']);
    expect(all.filter((path) => path.startsWith('/1/0/'))).toEqual([]);
    expect(all.filter((path) => path.startsWith('/1/1/')).length).toBeGreaterThan(3);
  });

  it('is told of those when it observes, and 4.01 when it may no longer', async () => {
    const { told: list } = await ask(guest.observe('/42771', { accept: SENML_CBOR }));
    types.set('/42771/1/1', 12);
    await world.until('told', () => list.length === 1);
    expect(values(list[0] as { payload: Uint8Array }, '/42771')).toEqual(['/42771/1/1']);
    await grant(1, 0);
    types.set('/42771/1/1', 13);
    await world.until('told', () => list.length === 2);
    await world.clock.run(1_000);
    expect([formatCode(list[1]?.code ?? 0), client.observations]).toEqual(['4.01', 0]);
  });

  it('may discover everything all the same', async () => {
    const links = await ask(guest.read('/42771/0', LINK_FORMAT));
    expect(new TextDecoder().decode(links.payload)).toContain('</42771/0/1>');
  });

  it('cannot write to several where one is not its own: nothing is written', async () => {
    await grant(1, 3);
    const before = [types.values(0), types.values(1)];
    const changes = [...recordsOf(1, { 1: 99 }), ...recordsOf(0, { 1: 99 })];
    const body = { format: SENML_CBOR, payload: encodeChanges(SENML_CBOR, changes, typesRegistry) };
    expect(formatCode((await ask(guest.send(Code.IPATCH, '/', body))).code)).toBe('4.01');
    expect([types.values(0), types.values(1)]).toEqual(before);
  });
});

it('attributes are those of each server', async () => {
  await grant(0, 1);
  await ask(owner.send(Code.PUT, '/42771/0/1', { query: ['pmin=5'] }));
  await ask(guest.send(Code.PUT, '/42771/0/1', { query: ['pmax=9'] }));
  const links = await Promise.all([owner, guest].map((server) => ask(server.discover('/42771/0/1'))));
  expect(links.map((each) => new TextDecoder().decode(each.payload))).toEqual([
    '</42771/0/1>;pmin=5',
    '</42771/0/1>;pmax=9',
  ]);
});

it('attributes of every server go with the instance', async () => {
  await grant(0, 1);
  await ask(guest.send(Code.PUT, '/42771/0/1', { query: ['pmax=9'] }));
  expect(told(await ask(owner.send(Code.DELETE, '/42771/0')))).toBe('2.02');
  const made = payload(recordsOf(0, { 1: 11 }), '/42771');
  expect(told(await ask(owner.send(Code.POST, '/42771', made)))).toBe('2.01');
  const links = await ask(guest.discover('/42771/0/1'));
  expect(new TextDecoder().decode(links.payload)).toBe('</42771/0/1>');
});

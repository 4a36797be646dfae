import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ChangedDevices } from '../../../server/embedded/changed-devices.ts';
import type { Channel } from '../../../server/embedded/channel.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { type RegistrationRow, registrationRow } from '../../../server/embedded/registration-row.ts';
import { EmbeddedRegistrations } from '../../../server/embedded/registrations.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { anId, aRegistration, start } from '../../contract/engine.ts';
import { temporaryFolder } from './folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true }));

test('after a restart everything is as it was: addresses that were lost, ends, owners and their fences', async () => {
  const before = await openEmbeddedStores({ path: folder });
  const { registrations } = before;
  const shared = '192.0.2.1:5';
  const a = aRegistration('a', { address: shared });
  await registrations.register(a);
  await registrations.register(aRegistration('b', { address: shared, message: '1 ab' }));
  const c = aRegistration('c', { address: '192.0.2.3:5', queueMode: true });
  await registrations.register(c);
  await registrations.update({ id: c.id, address: c.address, updatedAt: start + 40_000, node: c.node });
  await registrations.move(anId('b'), '192.0.2.2:5', 'node-2');
  await registrations.claim(a.id, 'node-3');
  const states = (stores: typeof before) =>
    Promise.all([
      ...['a', 'b', 'c'].map((endpoint) => stores.registrations.byEndpoint(endpoint)),
      ...['a', 'b', 'c'].map((endpoint) => stores.devices.get(endpoint)),
      stores.registrations.byAddress(shared),
      stores.registrations.nextExpiry(),
      stores.registrations.count(),
    ]);
  const kept = await states(before);
  expect(kept[0]).toMatchObject({ node: 'node-3', fence: 2, addressLost: true });
  expect(kept[1]).toMatchObject({ node: 'node-2', fence: 2, address: '192.0.2.2:5' });
  expect(kept[2]).toMatchObject({ updatedAt: start + 40_000, expiresAt: start + 105_000 });
  expect(kept[6]).toBeUndefined();
  await before.close();
  const after = await openEmbeddedStores({ path: folder });
  expect(await states(after)).toEqual(kept);
  await after.close();
});

test('more registrations than are read at a time are all there after a restart', async () => {
  const before = await openEmbeddedStores({ path: folder, durable: false });
  const many = Array.from({ length: 5_001 }, (_, index) => `device-${index}`);
  await Promise.all(
    many.map((endpoint, index) =>
      before.registrations.register(aRegistration(endpoint, { address: `192.0.2.1:${index + 1}` })),
    ),
  );
  await before.close();
  const after = await openEmbeddedStores({ path: folder });
  expect(await after.registrations.count()).toBe(5_001);
  await after.close();
});

test('who says nothing new has the row of the registration left alone', async () => {
  const stores = await openEmbeddedStores({ path: folder });
  const { registrations } = stores;
  const identity = { kind: 'psk', name: 'key', endpoint: 'a' } as const;
  const registration = aRegistration('a', { identity });
  await registrations.register(registration);
  const other = new DatabaseSync(join(folder, 'simyard.db'));
  // A row that is written again would lose this.
  other.exec("UPDATE registration SET version = 'kept'");
  const { id, address, node, links, contentFormats } = registration;
  const alike = { identity: { ...identity }, contentFormats: [...contentFormats], binding: 'U' };
  const update = { id, address, node, updatedAt: start + 1, links, ...alike };
  expect((await registrations.update(update))?.registration).toMatchObject({ updatedAt: start + 1 });
  const stored = other.prepare('SELECT version FROM registration');
  expect(stored.get()).toEqual({ version: 'kept' });
  await registrations.update({ ...update, lifetime: 77 });
  expect(stored.get()).toEqual({ version: registration.version });
  // And one that registers anew, and says the same.
  other.exec("UPDATE registration SET version = 'kept'");
  const anew = {
    ...registration,
    lifetime: 77,
    id: anId('a', 'anew'),
    address: '192.0.2.7:7',
    message: '1 ab',
  };
  const renewed = { ...anew, identity: { ...identity }, additional: { ...registration.additional } };
  expect((await registrations.register(renewed)).replaced?.id).toBe(id);
  expect(other.prepare('SELECT id, address, message, version FROM registration').get()).toEqual({
    ...{ id: anew.id, address: anew.address, message: '1 ab' },
    version: 'kept',
  });
  await registrations.register({ ...anew, id, message: '2 ab', version: '1.0' });
  expect(stored.get()).toEqual({ version: '1.0' });
  other.close();
  await stores.close();
});

/** A database that answers when it is told to. */
class SlowChannel {
  readonly asked: { readonly name: string; readonly done: (error?: Error) => void }[] = [];
  row: RegistrationRow | undefined;

  writeSoon(name: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.asked.push({ name, done: (error) => (error === undefined ? resolve(1) : reject(error)) });
    });
  }

  async read(name: string): Promise<unknown> {
    this.asked.push({ name, done: () => undefined });
    return this.row;
  }
}

function slowly(): { readonly channel: SlowChannel; readonly registrations: EmbeddedRegistrations } {
  const channel = new SlowChannel();
  return {
    channel,
    registrations: new EmbeddedRegistrations(channel as unknown as Channel, new ChangedDevices()),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('steps of one device wait for each other, those of others do not; nobody is told before it is stored', async () => {
  const { channel, registrations } = slowly();
  const a = aRegistration('a');
  const first = registrations.register(a);
  const second = registrations.register(aRegistration('a', { id: anId('a', 'second') }));
  void registrations.register(aRegistration('b', { address: '192.0.2.2:1' }));
  await turn();
  expect(channel.asked.map(({ name }) => name)).toEqual(['register', 'register']);
  // Who asks for it meanwhile is answered by what comes of it.
  const asked = [registrations.byEndpoint('a'), registrations.byAddress(a.address), registrations.byId('b')];
  const answers: unknown[] = [];
  for (const answer of asked) void answer.then((found) => answers.push(found?.id));
  await turn();
  expect(answers).toEqual([]);
  channel.asked[0]?.done();
  expect(await first).toMatchObject({ replaced: undefined });
  await turn();
  expect(channel.asked).toHaveLength(3);
  expect(await registrations.count()).toBe(1);
  channel.asked[1]?.done();
  channel.asked[2]?.done();
  expect((await asked[0])?.id).toBe(anId('a', 'second'));
  expect((await second).replaced?.id).toBe(a.id);
  expect(await registrations.byId(a.id)).toBeUndefined();
});

test('who asks for a device waits for the steps before, not for those that others ask for without end', async () => {
  const { channel, registrations } = slowly();
  const register = (which: string): void =>
    void registrations.register(aRegistration('a', { id: anId('a', which) }));
  register('first');
  let found: string | undefined;
  void registrations.byEndpoint('a').then((registration) => {
    found = registration?.id;
  });
  register('second');
  await turn();
  channel.asked[0]?.done();
  register('third');
  await turn();
  expect(found).toBe(anId('a', 'first'));
});

test('what a device is doing comes before its end', async () => {
  const { channel, registrations } = slowly();
  const registration = aRegistration('a', { expiresAt: start });
  const made = registrations.register(registration);
  channel.asked[0]?.done();
  await made;
  const { id, address, node } = registration;
  const update = registrations.update({ id, address, node, updatedAt: start + 5 });
  await turn();
  expect(await registrations.expire(start + 10, 10)).toEqual([]);
  channel.asked[1]?.done();
  await update;
  expect(await registrations.nextExpiry()).toBe(start + 5);
  const expired = registrations.expire(start + 10, 10);
  // Who comes back meanwhile waits for the end, and is found no more.
  const late = registrations.update({ id, address, node, updatedAt: start + 11 });
  await turn();
  expect(channel.asked.map(({ name }) => name)).toEqual(['register', 'hearRegistration', 'endRegistrations']);
  channel.asked[2]?.done();
  expect((await expired).map((one) => one.id)).toEqual([id]);
  expect(await late).toBeUndefined();
  expect(await registrations.expire(start + 10, 10)).toEqual([]);
});

test.each([
  ['had stored it all the same', true],
  ['had not stored it', false],
])(
  'a step that failed is looked up before anything else of that device: the database %s',
  async (_what, had) => {
    const { channel, registrations } = slowly();
    const a = aRegistration('a');
    const failed = registrations.register(a);
    channel.asked[0]?.done(new StoreUnavailableError('the database thread has ended'));
    await expect(failed).rejects.toThrow(StoreUnavailableError);
    if (had) channel.row = registrationRow({ ...a, fence: 1 });
    expect((await registrations.byEndpoint('a'))?.id).toBe(had ? a.id : undefined);
    expect(channel.asked.map(({ name }) => name)).toEqual(['register', 'registration']);
    expect(await registrations.count()).toBe(had ? 1 : 0);
    // And only once.
    await registrations.byEndpoint('a');
    expect(channel.asked).toHaveLength(2);
  },
);

test('an end that failed is looked up too, and comes again', async () => {
  const { channel, registrations } = slowly();
  const a = aRegistration('a', { expiresAt: start });
  const made = registrations.register(a);
  channel.asked[0]?.done();
  await made;
  const failed = registrations.expire(start, 10);
  channel.asked[1]?.done(new StoreUnavailableError('the disk is full'));
  await expect(failed).rejects.toThrow('full');
  channel.row = registrationRow({ ...a, fence: 1 });
  const again = registrations.expire(start, 10);
  await turn();
  expect(channel.asked.at(-1)?.name).toBe('endRegistrations');
  channel.asked.at(-1)?.done();
  expect(await again).toHaveLength(1);
  expect(await registrations.count()).toBe(0);
});

test('what changed is told with the next question, and again where that failed', async () => {
  const changes = new ChangedDevices();
  const told = (): Promise<readonly string[] | undefined> => changes.tell(async (changed) => changed);
  await changes.during(['a', 'b'], async () => {
    // They may have changed already.
    expect(await told()).toEqual(['a', 'b']);
  });
  await expect(changes.tell(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
  expect(await told()).toEqual(['a', 'b']);
  expect(await told()).toEqual([]);
  await changes.during(
    Array.from({ length: 100_001 }, (_, index) => `${index}`),
    async () => undefined,
  );
  expect(await told()).toBeUndefined();
  expect(await told()).toEqual([]);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { aRegistration } from '../../contract/engine.ts';
import { append, readAll } from '../../contract/telemetry-log.ts';
import { temporaryFolder } from './folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const large = (key: string) => ({ endpoint: 'a', key, receivedAt: 1, body: new Uint8Array(20_000) });

describe('a full disk', () => {
  test('fails what was asked as unavailable, keeps what there was, and answers what only reads', async () => {
    const stores = await openEmbeddedStores({ path: folder, maxPages: 120 });
    await stores.registrations.register(aRegistration('a'));
    const stored: number[] = [];
    let failure: unknown;
    for (let index = 0; index < 100 && failure === undefined; index++) {
      await append(stores.log, large(`k${index}`)).then(
        ({ position }) => stored.push(position),
        (error: unknown) => {
          failure = error;
        },
      );
    }
    expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect((failure as Error).message).toMatch(/full/);
    expect(stored.length).toBeGreaterThan(3);
    expect((await readAll(stores.log, 0, 10)).map(({ position }) => position)).toEqual(stored);

    // In one turn: an append that does not fit, a write beside it, and a read.
    const results = await Promise.allSettled([
      append(stores.log, large('more')),
      stores.registrations.register(aRegistration('b')),
      stores.registrations.count(),
    ]);
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } });
    expect(results[1]).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } });
    expect(results[2]).toEqual({ status: 'fulfilled', value: 1 });
    expect(await stores.registrations.byEndpoint('b')).toBeUndefined();

    // Room again: what failed can be done, under a position that nobody was given before.
    expect(await stores.log.trim({ now: 0, maxAge: 1e9, maxBytes: 40_000 })).toBeGreaterThan(0);
    const again = await append(stores.log, large('more'));
    expect(again.duplicate).toBe(false);
    expect(again.position).toBeGreaterThan(stored.at(-1) as number);
    const made = await stores.registrations.register({ ...aRegistration('b'), address: '127.0.0.1:2' });
    expect(made).toEqual({ replaced: undefined, fence: 1 });
    await stores.check();
    await stores.close();
  });

  test('a history that does not fit leaves no part of it', async () => {
    const stores = await openEmbeddedStores({ path: folder, maxPages: 120 });
    const chunks = Array.from({ length: 400 }, (_, index) => ({
      endpoint: 'a',
      path: `/${index}`,
      position: index + 1,
      readings: [{ takenAt: 1, receivedAt: 1, value: 'x'.repeat(3000) }],
    }));
    await expect(stores.history.append(chunks)).rejects.toThrow(StoreUnavailableError);
    expect(await stores.history.paths('a')).toEqual([]);
    await stores.history.append(chunks.slice(0, 3));
    expect(await stores.history.paths('a')).toEqual(['/0', '/1', '/2']);
    await stores.close();
  });
});

describe('opening', () => {
  test('makes the folder', async () => {
    const path = join(folder, 'deep', 'er');
    const stores = await openEmbeddedStores({ path });
    expect(stores.description).toBe(`embedded, ${path}, durable`);
    await stores.close();
  });

  test('says in one line that another server of this process has the folder', async () => {
    const stores = await openEmbeddedStores({ path: folder });
    await expect(openEmbeddedStores({ path: folder })).rejects.toThrow(
      /^data folder '.*' is in use by another server$/,
    );
    await stores.check();
    await stores.close();
    await (await openEmbeddedStores({ path: folder })).close();
  });

  test('says so of another process too, and takes over as soon as that is killed', async () => {
    const program = fileURLToPath(new URL('./appender.ts', import.meta.url));
    const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    await expect(openEmbeddedStores({ path: folder })).rejects.toThrow(/in use by another server/);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await (await openEmbeddedStores({ path: folder })).close();
  });

  test('refuses a folder that cannot be one, and a file that is no database', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'x');
    await expect(openEmbeddedStores({ path: file })).rejects.toThrow(StoreUnavailableError);
    await expect(openEmbeddedStores({ path: join(file, 'below') })).rejects.toThrow(/cannot be made/);
    await mkdir(join(folder, 'other'));
    await writeFile(
      join(folder, 'other', 'simyard.db'),
      'this is not a database, but long enough to be read',
    );
    await expect(openEmbeddedStores({ path: join(folder, 'other') })).rejects.toThrow(
      /cannot be opened: .*not a database; restore a backup of it, or move it away/,
    );
  });

  test.each(['log_bounds', 'registration'])(
    'a damaged database is named, with what helps: %s',
    async (table) => {
      const stores = await openEmbeddedStores({ path: folder });
      await stores.registrations.register(aRegistration('a'));
      await stores.close();
      const file = join(folder, 'simyard.db');
      const database = new DatabaseSync(file);
      const root = database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(table);
      database.close();
      const bytes = await readFile(file);
      const start = (Number(root?.['rootpage']) - 1) * 4096;
      await writeFile(file, bytes.fill(0x5a, start, start + 4096));
      // The one is read at the start, the other when it is asked for.
      const use = async () => {
        const damaged = await openEmbeddedStores({ path: folder });
        await damaged.registrations.byEndpoint('a').finally(() => damaged.close());
      };
      await expect(use()).rejects.toThrow(
        /^'.*simyard\.db' is damaged: .*malformed; restore a backup of it, or move it away, with its -wal and -shm/,
      );
      await expect(use()).rejects.toThrow(StoreUnavailableError);
    },
  );

  test('refuses a database of a newer program, and leaves it as it is', async () => {
    await (await openEmbeddedStores({ path: folder })).close();
    const database = new DatabaseSync(join(folder, 'simyard.db'));
    database.exec('PRAGMA user_version = 999');
    database.close();
    await expect(openEmbeddedStores({ path: folder })).rejects.toThrow(/schema version 999.*newer/);
    const again = new DatabaseSync(join(folder, 'simyard.db'));
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 999 });
    again.close();
  });

  test('durable or not is said in the description', async () => {
    const stores = await openEmbeddedStores({ path: folder, durable: false });
    expect(stores.description).toMatch(/not durable/);
    await stores.close();
  });
});

test('the end of the database thread fails what it was asked; another one takes its place', async () => {
  const fault = Promise.withResolvers<Error>();
  const stores = await openEmbeddedStores({ path: folder, restartPause: 0, onFault: fault.resolve });
  await append(stores.log, large('first'));
  // Another connection breaks what no code of ours would: an append meets a table that is not there.
  const vandal = new DatabaseSync(join(folder, 'simyard.db'));
  vandal.exec('ALTER TABLE log_segment RENAME TO hidden');
  const results = await Promise.allSettled([
    append(stores.log, large('second')),
    stores.registrations.register(aRegistration('a')),
    stores.observations.count(),
  ]);
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StoreUnavailableError' } });
  }
  expect((await fault.promise).message).toMatch(/log_segment/);
  await expect(append(stores.log, large('second'))).rejects.toThrow(StoreUnavailableError);
  vandal.exec('ALTER TABLE hidden RENAME TO log_segment');
  vandal.close();
  expect((await append(stores.log, large('second'))).duplicate).toBe(false);
  expect((await append(stores.log, large('first'))).duplicate).toBe(true);
  expect(await stores.registrations.byEndpoint('a')).toBeUndefined();
  expect(await stores.registrations.count()).toBe(0);
  expect(await readAll(stores.log, 0, 10)).toHaveLength(2);
  await stores.close();
});

test('a call that fails half-way leaves nothing of itself', async () => {
  const stores = await openEmbeddedStores({ path: folder });
  const event = { type: 'x', at: 1, data: {} };
  const results = await Promise.allSettled([
    stores.events.append([event]),
    // The last event has no time, which is seen when others are written.
    stores.events.append([...Array.from({ length: 200 }, () => event), { ...event, at: Number.NaN }]),
    stores.events.append([event]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await stores.events.read({ after: 0, limit: 10 })).toHaveLength(2);
  await stores.close();
});

test('a mistake of ours in one call concerns that call only', async () => {
  const stores = await openEmbeddedStores({ path: folder });
  const results = await Promise.allSettled([
    stores.registrations.register(aRegistration('a')),
    // No lifetime, which the table refuses and the registration interface never asks for.
    stores.registrations.register(aRegistration('b', { lifetime: Number.NaN })),
    stores.registrations.register(aRegistration('c')),
    append(stores.log, large('k')),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  expect(results[1]).not.toMatchObject({ reason: { name: 'StoreUnavailableError' } });
  expect((await stores.devices.list({ limit: 5, now: 0 })).items.map(({ endpoint }) => endpoint)).toEqual([
    'a',
    'c',
  ]);
  await stores.close();
});

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { registrationRow } from '../../../server/embedded/registration-row.ts';
import { migrate, schemaVersion } from '../../../server/embedded/schema.ts';
import { encodeBody } from '../../../server/history/reading-body.ts';
import { anObservation, aRegistration, aToken, owned, start } from '../../contract/engine.ts';
import { temporaryFolder } from './folder.ts';

/** What the first version kept of two devices that had the same address, one after the other. */
function fillFirstVersion(database: DatabaseSync): void {
  const columns =
    'endpoint, id, address, identity, lifetime, version, binding, queue_mode, sms, root_path, links, formats, ' +
    'additional, registered_at, updated_at, expires_at, node';
  const put = database.prepare(
    `INSERT INTO registration (${columns}) VALUES (${columns.replace(/\w+/g, '?')})`,
  );
  for (const [index, endpoint] of ['former', 'present'].entries()) {
    put.run(...registrationRow(aRegistration(endpoint, { updatedAt: start + index })).slice(0, 17));
    database
      .prepare('INSERT INTO device (endpoint, registered, first_seen, last_seen) VALUES (?, 1, ?, ?)')
      .run(endpoint, start, start);
  }
  const { token, registrationId, endpoint, paths, origin, createdAt } = anObservation(
    'ab',
    aRegistration('present'),
  );
  database
    .prepare('INSERT INTO observation VALUES (?, ?, ?, ?, 112, ?, ?)')
    .run(token, registrationId, endpoint, JSON.stringify(paths), origin, createdAt);
  const command = database.prepare(
    `INSERT INTO command (id, endpoint, number, kind, parameters, state, attempts, created_at, updated_at, expires_at, history)
     VALUES (?, 'present', ?, 'carrier-switch', '{"carrier":1,"slot":0}', ?, 0, ?, ?, ?, '[]')`,
  );
  const event = database.prepare(
    "INSERT INTO event (type, endpoint, at, data) VALUES (?, 'present', ?, '{}')",
  );
  for (const type of ['registered', 'updated', 'expired']) event.run(type, start);
  // The newest is not there any more, and its number is not given again.
  database.exec("DELETE FROM event WHERE type = 'expired'");
  command.run('c1', 7, 'done', start, start, start + 1e9);
  command.run('c2', 8, 'queued', start, start, start + 1e9);
}

test('a database of every version before is taken along, with all that is in it', async () => {
  for (let version = 1; version < schemaVersion; version++) {
    const folder = await temporaryFolder();
    const file = join(folder, 'simyard.db');
    const old = new DatabaseSync(file);
    migrate(old, 1);
    fillFirstVersion(old);
    migrate(old, version);
    expect(old.prepare('PRAGMA user_version').get()).toEqual({ user_version: version });
    old.close();

    const stores = await openEmbeddedStores({ path: folder });
    const present = aRegistration('present', { updatedAt: start + 1 });
    expect(await stores.registrations.byEndpoint('present')).toEqual(owned(present));
    // Of those that had the address, it is that of who was heard last.
    expect((await stores.registrations.byAddress(present.address))?.endpoint).toBe('present');
    expect(await stores.observations.byToken(aToken('present', 'ab'))).toMatchObject(
      anObservation('ab', present),
    );
    expect((await stores.commands.head('present'))?.id).toBe('c2');
    expect(await stores.commands.trim({ endedBefore: start + 1, keep: 100, limit: 100 })).toBe(1);
    expect((await stores.devices.get('former'))?.firstSeen).toBe(start);
    expect(await stores.observationPolicies.policies()).toEqual([]);
    expect(await stores.observationPolicies.recorded()).toEqual([]);
    expect(await stores.objectModels.list()).toEqual([]);
    expect(await stores.profiles.list()).toEqual([]);
    expect((await stores.events.latest({ types: ['registered'], limit: 5 })).map(({ id }) => id)).toEqual([
      1,
    ]);
    expect((await stores.events.latest({ types: ['updated'], limit: 5 })).map(({ id }) => id)).toEqual([2]);
    expect(await stores.events.append([{ type: 'x', at: start, data: {} }])).toEqual([4]);
    await stores.close();
    await rm(folder, { recursive: true });
  }
});

test('readings of before there were roll-ups are rolled up when they are looked at, and counted', async () => {
  const folder = await temporaryFolder();
  const old = new DatabaseSync(join(folder, 'simyard.db'));
  migrate(old, 6);
  const hour = 3_600_000_000;
  const from = start * 1000 - ((start * 1000) % hour);
  old.exec("INSERT INTO series (endpoint, path) VALUES ('a', '/3/0/9'), ('a', '/3/0/7/0'), (NULL, '/3/0/9')");
  const insert = old.prepare(
    'INSERT INTO chunk (series, first, last, position, part, body) VALUES (?, ?, ?, ?, 0, ?)',
  );
  old.exec('BEGIN');
  // Six hours of one reading in five seconds, one to a chunk, of each of the three.
  for (let index = 0; index < 4320; index++) {
    const takenAt = from + index * 5_000_000;
    const body = encodeBody([{ takenAt, receivedAt: takenAt, value: index }]);
    for (const series of [1, 2, 3]) insert.run(series, takenAt, takenAt, index + 1, body);
  }
  old.exec('COMMIT');
  old.close();

  const stores = await openEmbeddedStores({ path: folder });
  const { history } = stores;
  const query = { endpoint: 'a', path: '/3/0/9', from, to: from + 6 * hour, points: 6 };
  const hours = await history.series(query);
  expect(hours.step).toBe(hour);
  expect(hours.items.map(({ min, max, last, count }) => [min, max, last, count])).toEqual(
    [0, 1, 2, 3, 4, 5].map((index) => [index * 720, index * 720 + 719, index * 720 + 719, 720]),
  );
  // What is appended again, as by a consumer that was killed, is what was there.
  const again = [{ takenAt: from, receivedAt: from, value: 0 }];
  await history.append([{ endpoint: 'a', path: '/3/0/9', position: 1, readings: again }]);
  expect(await history.series(query)).toEqual(hours);
  // The old chunks are counted: a bound by size goes by them, of the other series too.
  await history.trim({ readingsBefore: 0, rollUpsBefore: 0, maxBytes: 500_000 });
  expect(await history.series(query)).toEqual(hours);
  const left = await history.query({ endpoint: 'a', path: '/3/0/7/0', limit: 10_000 });
  expect(left.length).toBeGreaterThan(1000);
  expect(left.length).toBeLessThan(2200);
  await stores.close();
  const stored = new DatabaseSync(join(folder, 'simyard.db'));
  const counted = stored.prepare('SELECT sum(bytes) AS bytes FROM history_size WHERE kind = 0').get();
  const real = stored.prepare('SELECT sum(length(body) + 90) AS bytes FROM chunk').get();
  expect(counted).toEqual(real);
  stored.close();
  await rm(folder, { recursive: true });
});

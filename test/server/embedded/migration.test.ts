import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { registrationColumns, registrationRow } from '../../../server/embedded/registration-table.ts';
import { migrate, schemaVersion } from '../../../server/embedded/schema.ts';
import { anObservation, aRegistration, start } from '../../contract/engine.ts';
import { temporaryFolder } from './folder.ts';

/** What the first version kept of two devices that had the same address, one after the other. */
function fillFirstVersion(database: DatabaseSync): void {
  const columns = registrationColumns.replace(', profiles', '');
  const put = database.prepare(
    `INSERT INTO registration (${columns}) VALUES (${columns.replace(/\w+/g, '?')})`,
  );
  for (const [index, endpoint] of ['former', 'present'].entries()) {
    put.run(...registrationRow(aRegistration(endpoint, { updatedAt: start + index })).slice(0, -1));
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
    expect(await stores.registrations.byEndpoint('present')).toEqual(present);
    // Of those that had the address, it is that of who was heard last.
    expect((await stores.registrations.byAddress(present.address))?.endpoint).toBe('present');
    expect(await stores.observations.byToken('ab')).toMatchObject(anObservation('ab', present));
    expect((await stores.commands.head('present'))?.id).toBe('c2');
    expect(await stores.commands.trim({ endedBefore: start + 1, keep: 100, limit: 100 })).toBe(1);
    expect((await stores.devices.get('former'))?.firstSeen).toBe(start);
    expect(await stores.observationPolicies.policies()).toEqual([]);
    expect(await stores.observationPolicies.recorded()).toEqual([]);
    expect(await stores.objectModels.list()).toEqual([]);
    expect(await stores.profiles.list()).toEqual([]);
    await stores.close();
    await rm(folder, { recursive: true });
  }
});

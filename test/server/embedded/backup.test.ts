import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { aRegistration } from '../../contract/engine.ts';
import { append, readAll } from '../../contract/telemetry-log.ts';
import { temporaryFolder } from './folder.ts';

test('a copy taken while the server writes is whole: it opens, and holds what was acknowledged before', async () => {
  const folder = await temporaryFolder();
  const stores = await openEmbeddedStores({ path: join(folder, 'live') });
  await stores.registrations.register(aRegistration('a'));
  const entry = (index: number) => ({
    endpoint: 'a',
    key: `${index}`,
    receivedAt: index,
    body: new Uint8Array(5000).fill(index),
  });
  await Promise.all(Array.from({ length: 200 }, (_, index) => append(stores.log, entry(index))));

  // As `sqlite3 simyard.db ".backup copy"` does, from another connection.
  await mkdir(join(folder, 'copy'));
  const source = new DatabaseSync(join(folder, 'live', 'simyard.db'), { readOnly: true });
  const later = Promise.all(
    Array.from({ length: 200 }, (_, index) => append(stores.log, entry(200 + index))),
  );
  await backup(source, join(folder, 'copy', 'simyard.db'));
  source.close();
  await later;
  await stores.close();

  const restored = await openEmbeddedStores({ path: join(folder, 'copy') });
  expect(await restored.registrations.count()).toBe(1);
  const entries = await readAll(restored.log, 0, 100);
  expect(entries.length).toBeGreaterThanOrEqual(200);
  for (const [index, { receivedAt, body }] of entries.entries()) {
    expect(receivedAt).toBe(index);
    expect(body).toEqual(entry(index).body);
  }
  expect((await append(restored.log, entry(7))).duplicate).toBe(true);
  await restored.close();
  await rm(folder, { recursive: true });
});

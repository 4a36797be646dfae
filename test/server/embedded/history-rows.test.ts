import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { HistoryReading } from '../../../server/ports/history.ts';
import { temporaryFolder } from './folder.ts';

const hour = 3_600_000_000;

test('what a series gets at once is one row for each hour, however many log entries it is of', async () => {
  const folder = await temporaryFolder();
  const stores = await openEmbeddedStores({ path: folder });
  const path = '/42770/0/2';
  const chunkOf = (position: number, takenAt: number) => {
    const readings: HistoryReading[] = [{ takenAt, receivedAt: takenAt + position, value: position }];
    return { endpoint: 'a', path, position, readings };
  };
  await stores.history.append([1, 2, 3].map((position) => chunkOf(position, position)));
  // Some of it again, in one call with what is new.
  await stores.history.append([2, 3, 4, 5].map((position) => chunkOf(position, position)));
  await stores.history.append([chunkOf(6, 6), chunkOf(7, 7 + 2 * hour), chunkOf(8, 8)]);
  const found = await stores.history.query({ endpoint: 'a', path, limit: 100 });
  expect(found.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5, 6, 8, 7]);
  await stores.close();
  const database = new DatabaseSync(join(folder, 'simyard.db'));
  const rows = database.prepare('SELECT position, part, first, last FROM chunk ORDER BY id').all();
  expect(rows.map((row) => Object.values(row))).toEqual([
    [3, 0, 1, 3],
    [5, 0, 4, 5],
    [8, 0, 6, 8],
    [8, 1, 7 + 2 * hour, 7 + 2 * hour],
  ]);
  database.close();
  await rm(folder, { recursive: true });
});

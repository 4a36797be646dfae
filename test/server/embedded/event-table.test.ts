import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../server/embedded/database.ts';
import { EndpointProbe, filterBytes } from '../../../server/embedded/event-marks.ts';
import { EventTable, eventRow } from '../../../server/embedded/event-table.ts';
import { migrate, schemaVersion } from '../../../server/embedded/schema.ts';
import type { StoredEvent } from '../../../server/ports/event-log.ts';

const types = ['registered', 'updated', 'updated', 'updated', 'expired', 'observed'];

function anEvent(index: number): Omit<StoredEvent, 'id'> {
  const type = types[(index * 7) % types.length] as string;
  return {
    type,
    ...(index % 50 === 3 ? {} : { endpoint: `modem-${(index * 31) % 97}` }),
    at: 1_790_000_000_000 + index,
    // Some are long, and fill a segment alone.
    data: { index, text: '"é\u{1f600}\n'.repeat(index % 211 === 0 ? 2_000 : 1) },
    ...(index % 61 === 0 ? { trouble: true } : {}),
  };
}

test('what is found is the same whatever came together, and among many', () => {
  const database = openDatabase({ path: ':memory:', durable: true });
  const table = new EventTable(database);
  // Another one of the same connection, which only reads.
  const reader = new EventTable(database);
  const all: StoredEvent[] = [];
  for (let batch = 0; all.length < 3_000; batch++) {
    const given = Array.from({ length: (batch * 13) % 150 }, (_, index) => anEvent(all.length + index));
    const ids = table.append(given.map(eventRow));
    all.push(...given.map((event, index) => ({ ...event, id: ids[index] as number })));
    const endpoint = `modem-${batch % 97}`;
    const after = Math.max(0, all.length - 170);
    const of = all.filter((event) => event.endpoint === endpoint);
    expect(reader.read(after, undefined, 60)).toEqual(all.slice(after, after + 60));
    expect(reader.read(after, endpoint, 5)).toEqual(of.filter(({ id }) => id > after).slice(0, 5));
    expect(reader.latest({ endpoint, limit: 5 })).toEqual(of.slice(-5).reverse());
  }
  const newest = (limit: number, is: (event: StoredEvent) => boolean) =>
    all.filter(is).slice(-limit).reverse();
  expect(reader.latest({ trouble: true, limit: 20 })).toEqual(newest(20, (event) => event.trouble === true));
  expect(reader.latest({ types: ['observed', 'expired'], before: 1_000, limit: 90 })).toEqual(
    newest(90, ({ id, type }) => id < 1_000 && (type === 'observed' || type === 'expired')),
  );
  expect(reader.latest({ endpoint: 'nobody', limit: 10 })).toEqual([]);
  expect(reader.latest({ types: ['nothing'], limit: 10 })).toEqual([]);

  // In the middle of a segment; what is written next is behind what is there.
  while (table.trim(1_234));
  const kept = all.slice(-1_234);
  expect(table.extent()).toEqual({ oldest: kept[0]?.id, newest: all.length });
  expect(reader.read(0, undefined, 2_000)).toEqual(kept);
  expect(reader.latest({ limit: 2_000 })).toEqual(kept.toReversed());
  expect(table.append([eventRow(anEvent(1))])).toEqual([all.length + 1]);
  expect(new EventTable(database).latest({ limit: 1 })).toEqual([{ ...anEvent(1), id: all.length + 1 }]);
  database.close();
});

test('what was rolled back is not found, and its ids are given again', () => {
  const database = openDatabase({ path: ':memory:', durable: true });
  const table = new EventTable(database);
  expect(table.append([eventRow(anEvent(1))])).toEqual([1]);
  database.exec('BEGIN');
  expect(table.append(Array.from({ length: 100 }, (_, index) => eventRow(anEvent(index))))).toHaveLength(100);
  expect(table.latest({ limit: 1 })[0]?.id).toBe(101);
  database.exec('ROLLBACK');
  table.reload();
  expect(table.latest({ limit: 5 }).map(({ id }) => id)).toEqual([1]);
  expect(table.append([eventRow(anEvent(2))])).toEqual([2]);
  expect(table.read(0, undefined, 5)).toEqual([
    { ...anEvent(1), id: 1 },
    { ...anEvent(2), id: 2 },
  ]);
  database.close();
});

test('events of a version before are taken along, also where some are missing between', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database, schemaVersion - 1);
  const insert = database.prepare(
    'INSERT INTO event (id, type, endpoint, at, data, trouble) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const all: StoredEvent[] = [];
  for (let id = 5; id < 400; id++) {
    if (id % 90 === 0) continue;
    const event = { ...anEvent(id), id };
    const { type, endpoint, at, data, trouble } = event;
    insert.run(id, type, endpoint ?? null, at, JSON.stringify(data), trouble === true ? 1 : 0);
    all.push(event);
  }
  migrate(database);
  const table = new EventTable(database);
  expect(table.extent()).toEqual({ oldest: 5, newest: 399 });
  expect(table.read(0, undefined, 500)).toEqual(all);
  expect(table.latest({ endpoint: 'modem-31', trouble: true, limit: 9 })).toEqual(
    all.filter(({ endpoint, trouble }) => endpoint === 'modem-31' && trouble === true).reverse(),
  );
  expect(table.append([eventRow(anEvent(0))])).toEqual([400]);
  database.close();
});

test('a filter has all that was added, and few others', () => {
  const filter = new Uint8Array(filterBytes);
  for (let index = 0; index < 64; index++) new EndpointProbe(`urn:imei:86723400000${index}`).addTo(filter);
  for (let index = 0; index < 64; index++) {
    expect(new EndpointProbe(`urn:imei:86723400000${index}`).mayBeIn(filter)).toBe(true);
  }
  let passed = 0;
  for (let index = 64; index < 10_064; index++) {
    if (new EndpointProbe(`urn:imei:86723400000${index}`).mayBeIn(filter)) passed++;
  }
  expect(passed).toBeLessThan(200);
});

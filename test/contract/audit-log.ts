import { describe, expect, test } from 'vitest';
import type { AuditEntry, AuditLog, AuditQuery } from '../../server/ports/audit-log.ts';
import { type OpenStores, start, useStores } from './engine.ts';

function anEntry(number: number, change: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: start + number,
    actor: { kind: 'user', name: 'anna', tenant: 'north' },
    action: 'switchCarrier',
    target: 'modem-1',
    method: 'POST',
    path: '/api/devices/modem-1/carrier',
    source: '192.0.2.7',
    outcome: 'done',
    status: 202,
    detail: { carrier: 'Verizon', slot: 0, held: false, scopes: ['read'] },
    node: 'n1',
    ...change,
  };
}

/** All pages; each `at` as its distance from the start. */
async function numbers(
  audit: AuditLog,
  query: Omit<AuditQuery, 'limit' | 'cursor'>,
  limit = 2,
): Promise<number[]> {
  const found: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await audit.search({ ...query, limit, ...(cursor !== undefined && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items.map(({ at }) => at - start));
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}

export function describeAuditLog(name: string, open: OpenStores): void {
  describe(`AuditLog, ${name}`, () => {
    const stores = useStores(open);

    test('entries come as they were given, newest first, each with an id of its own', async () => {
      const { audit } = stores();
      expect(await audit.search({ limit: 10 })).toEqual({ items: [] });
      const nobody = anEntry(2, { actor: { kind: 'nobody', name: 'eve' }, code: 'login_failed' });
      await audit.append([anEntry(0), anEntry(1)]);
      await audit.append([nobody]);
      await audit.append([]);
      const { items, next } = await audit.search({ limit: 10 });
      expect(next).toBeUndefined();
      expect(items.map(({ id: _id, ...entry }) => entry)).toEqual([nobody, anEntry(1), anEntry(0)]);
      expect(new Set(items.map(({ id }) => id)).size).toBe(3);
    });

    test('pages follow each other without a gap, although entries are added meanwhile', async () => {
      const { audit } = stores();
      await audit.append([0, 1, 2, 3, 4].map((number) => anEntry(number)));
      const first = await audit.search({ limit: 2 });
      await audit.append([anEntry(5)]);
      const second = await audit.search({ limit: 2, cursor: first.next as string });
      expect([...first.items, ...second.items].map(({ at }) => at - start)).toEqual([4, 3, 2, 1]);
      await expect(audit.search({ limit: 2, cursor: 'nonsense' })).rejects.toThrow('cursor');
    });

    test.each([
      [{ actor: 'berta' }, [1]],
      [{ action: 'login' }, [2]],
      [{ target: 'modem-2' }, [3]],
      [{ source: '192.0.2.8' }, [4]],
      [{ outcome: 'refused' }, [5]],
      [{ tenant: 'south' }, [6]],
      [{ from: start + 5 }, [6, 5]],
      [{ to: start + 2 }, [1, 0]],
      [{ from: start + 2, to: start + 5, source: '192.0.2.7' }, [3, 2]],
      [{ actor: 'anna', target: 'modem-9' }, []],
    ] as const)('what was asked for is found: %o', async (query, expected) => {
      const { audit } = stores();
      await audit.append([
        anEntry(0),
        anEntry(1, { actor: { kind: 'user', name: 'berta' } }),
        anEntry(2, { action: 'login' }),
        anEntry(3, { target: 'modem-2' }),
        anEntry(4, { source: '192.0.2.8' }),
        anEntry(5, { outcome: 'refused' }),
        anEntry(6, { actor: { kind: 'user', name: 'anna', tenant: 'south' } }),
      ]);
      expect(await numbers(audit, query)).toEqual(expected);
    });

    test('an entry of a clock that is behind is entered all the same', async () => {
      const { audit } = stores();
      await audit.append([anEntry(100)]);
      await audit.append([anEntry(40)]);
      await audit.append([anEntry(101)]);
      expect(await numbers(audit, {})).toEqual([101, 40, 100]);
    });

    test('the old ones go by age, and the oldest of too many', async () => {
      const { audit } = stores();
      await audit.append(Array.from({ length: 8 }, (_, number) => anEntry(number)));
      await audit.trim({ before: start + 3, keep: 100 });
      expect(await numbers(audit, {})).toEqual([7, 6, 5, 4, 3]);
      await audit.trim({ before: 0, keep: 2 });
      expect(await numbers(audit, {})).toEqual([7, 6]);
      await audit.trim({ before: start + 100, keep: 2 });
      expect(await numbers(audit, {})).toEqual([]);
      await audit.append([anEntry(200)]);
      expect(await numbers(audit, {})).toEqual([200]);
    });
  });
}

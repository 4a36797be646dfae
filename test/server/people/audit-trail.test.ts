import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { type AuditRecord, AuditTrail } from '../../../server/people/audit-trail.ts';
import type { AuditEntry } from '../../../server/ports/audit-log.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

const record: AuditRecord = {
  actor: { kind: 'user', name: 'anna' },
  action: 'switchCarrier',
  method: 'POST',
  path: '/api/devices/m/carrier',
  source: '192.0.2.7',
  outcome: 'done',
  status: 202,
};

/** A store that can be away. */
function world() {
  const clock = new ManualClock();
  const stored: AuditEntry[] = [];
  const lines: string[] = [];
  const store = {
    isAway: false,
    append: async (entries: readonly AuditEntry[]) => {
      if (store.isAway) throw new StoreUnavailableError('away');
      stored.push(...entries);
    },
  };
  const log = pino({ level: 'debug' }, { write: (line) => lines.push(line) });
  return { clock, stored, lines, store, trail: new AuditTrail(store, clock, log, 'n1') };
}

describe('the audit trail', () => {
  test('enters when and where', async () => {
    const { trail, stored, clock } = world();
    await trail.enter(record);
    expect(stored).toEqual([{ ...record, at: clock.wallTime(), node: 'n1' }]);
  });

  test('keeps what the store does not take for the next time, in its order', async () => {
    const { trail, stored, store, lines } = world();
    store.isAway = true;
    await trail.enter({ ...record, target: 'a' });
    await trail.enter({ ...record, target: 'b' });
    expect(lines.join('')).toContain('was not stored yet');
    store.isAway = false;
    await trail.enter({ ...record, target: 'c' });
    expect(stored.map(({ target }) => target)).toEqual(['a', 'b', 'c']);
  });

  test('stores what waits when it is closed', async () => {
    const { trail, stored, store } = world();
    store.isAway = true;
    await trail.enter(record);
    store.isAway = false;
    await trail.close();
    await trail.close();
    expect(stored).toHaveLength(1);
  });

  test('keeps no more than it has room for, and says so', async () => {
    const { trail, stored, store, lines } = world();
    store.isAway = true;
    for (let i = 0; i < 1_002; i++) await trail.enter({ ...record, target: `t${i}` });
    store.isAway = false;
    await trail.close();
    expect(stored).toHaveLength(1_000);
    expect(stored[0]?.target).toBe('t2');
    expect(lines.join('')).toContain('are lost');
  });

  test('is not kept up by an entry that the store can never take', async () => {
    const { trail, stored, store, lines } = world();
    const append = store.append;
    store.append = async (entries) => {
      if (entries.some(({ target }) => target === 'poison')) throw new Error('cannot be bound');
      return append(entries);
    };
    store.isAway = true;
    await trail.enter({ ...record, target: 'before' });
    store.isAway = false;
    await trail.enter({ ...record, target: 'poison' });
    await trail.enter({ ...record, target: 'after' });
    expect(stored.map(({ target }) => target)).toEqual(['before', 'after']);
    expect(lines.join('')).toContain('cannot be stored');
  });

  test('is not filled by what nobody sends, but has each failed log-in', async () => {
    const { trail, stored, clock } = world();
    const nobody: AuditRecord = {
      ...record,
      actor: { kind: 'nobody', name: '' },
      outcome: 'refused',
      status: 401,
      code: 'not_logged_in',
    };
    for (let i = 0; i < 3; i++) await trail.enter(nobody);
    await trail.enter({ ...nobody, source: '192.0.2.8' });
    for (let i = 0; i < 3; i++) await trail.enter({ ...nobody, action: 'login', code: 'login_failed' });
    clock.advance(60_000);
    await trail.enter(nobody);
    expect(stored.map(({ code, source }) => `${code} ${source.at(-1)}`)).toEqual([
      'not_logged_in 7',
      'not_logged_in 8',
      'login_failed 7',
      'login_failed 7',
      'login_failed 7',
      'not_logged_in 7',
    ]);
  });
});

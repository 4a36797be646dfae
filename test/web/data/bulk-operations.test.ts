import { describe, expect, it } from 'vitest';
import type { ApiJob } from '../../../web/data/api-types.ts';
import {
  type BulkForm,
  bulkEffect,
  bulkOperation,
  countsText,
  finishedCount,
  isEnded,
} from '../../../web/data/bulk-operations.ts';

const form = (change: Partial<BulkForm>): BulkForm => ({
  kind: 'read',
  carrier: '',
  path: '',
  value: '',
  args: '',
  tenant: '',
  ...change,
});

describe('an operation on many devices', () => {
  it.each<[Partial<BulkForm>, unknown]>([
    [{ kind: 'forget' }, { kind: 'forget' }],
    [
      { kind: 'tenant', tenant: ' acme ' },
      { kind: 'tenant', tenant: 'acme' },
    ],
    [{ kind: 'tenant' }, { kind: 'tenant', tenant: null }],
    [
      { kind: 'carrier-switch', carrier: ' T-Mobile ' },
      { kind: 'carrier-switch', carrier: 'T-Mobile' },
    ],
    [
      { kind: 'read', path: '/3' },
      { kind: 'request', request: { operation: 'read', path: '/3' } },
    ],
    [
      { kind: 'write', path: '/42770/0/7', value: '1000' },
      { kind: 'request', request: { operation: 'write', path: '/42770/0/7', value: 1000 } },
    ],
    [
      { kind: 'write', path: '/3/0/15', value: '"12"' },
      { kind: 'request', request: { operation: 'write', path: '/3/0/15', value: '12' } },
    ],
    [
      { kind: 'write', path: '/1/0/6', value: 'true' },
      { kind: 'request', request: { operation: 'write', path: '/1/0/6', value: true } },
    ],
    [
      { kind: 'write', path: '/3/0/14', value: '+02:00' },
      { kind: 'request', request: { operation: 'write', path: '/3/0/14', value: '+02:00' } },
    ],
    [
      { kind: 'execute', path: '/3/0/4' },
      { kind: 'request', request: { operation: 'execute', path: '/3/0/4' } },
    ],
    [
      { kind: 'execute', path: '/42769/0/3', args: "0='1'" },
      { kind: 'request', request: { operation: 'execute', path: '/42769/0/3', args: "0='1'" } },
    ],
  ])('%j is what is asked for', (change, operation) => {
    expect(bulkOperation(form(change))).toEqual({ operation });
  });

  it.each<[Partial<BulkForm>, string]>([
    [{ kind: 'carrier-switch', carrier: ' ' }, 'Which carrier?'],
    [{ kind: 'read', path: '3/0' }, 'A path, such as /3/0/9'],
    [{ kind: 'execute', path: '/3/0' }, 'The path of a resource, such as /3/0/14'],
    [{ kind: 'write', path: '/3/0/14' }, 'Which value?'],
  ])('%j is told what is wrong', (change, fault) => {
    expect(bulkOperation(form(change))).toEqual({ fault });
  });

  it('says what it does to how many', () => {
    expect(bulkEffect(form({ kind: 'carrier-switch', carrier: 'Verizon' }), 1)).toMatch(
      /^one device leaves its network and comes back on Verizon/,
    );
    expect(bulkEffect(form({ kind: 'forget' }), 12_000)).toMatch(
      /^12\u202f000 devices and all their readings/,
    );
  });
});

describe('a job', () => {
  const job = (state: ApiJob['state'], counts: Partial<ApiJob['counts']>): ApiJob => ({
    id: 'j',
    operation: { kind: 'forget' },
    options: {},
    state,
    total: 10,
    createdAt: 0,
    expiresAt: 1,
    counts: {
      waiting: 0,
      queued: 0,
      sent: 0,
      accepted: 0,
      done: 0,
      failed: 0,
      cancelled: 0,
      expired: 0,
      unknown: 0,
      ...counts,
    },
  });

  it('tells how far it is', () => {
    const running = job('running', { waiting: 3, queued: 1, sent: 1, done: 4, failed: 1 });
    expect(finishedCount(running)).toBe(5);
    expect(countsText(running)).toBe('4 done, 1 failed, 1 under way, 4 waiting');
    expect(countsText(job('preparing', {}))).toBe('nothing yet');
    expect(isEnded(running)).toBe(false);
    expect((['done', 'cancelled', 'stopped'] as const).every((state) => isEnded(job(state, {})))).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import type { ApiJob } from '../../../server/api/schemas/jobs.ts';
import {
  actionsOf,
  jobFilterOf,
  jobTitle,
  operationTitle,
  progressText,
  resultsUrl,
  retryable,
  segmentsOf,
} from '../../../web/data/jobs.ts';

const none = {
  waiting: 0,
  queued: 0,
  sent: 0,
  accepted: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
  unknown: 0,
};

function aJob(state: ApiJob['state'], counts: Partial<ApiJob['counts']> = {}): ApiJob {
  const all = { ...none, ...counts };
  return {
    id: 'j1',
    operation: { kind: 'carrier-switch', carrier: 'T-Mobile' },
    options: {},
    state,
    total: Object.values(all).reduce((sum, count) => sum + count, 0),
    counts: all,
    createdAt: 0,
    expiresAt: 1,
  };
}

describe('a job', () => {
  it.each([
    [{ kind: 'carrier-switch', carrier: 'Disconnect' }, 'Disconnect'],
    [{ kind: 'carrier-switch', carrier: 2 }, 'Switch to Carrier 2'],
    [{ kind: 'request', request: { operation: 'execute', path: '/3/0/4' } }, 'Execute Reboot (/3/0/4)'],
    [{ kind: 'request', request: { operation: 'read', path: '3/0' } }, 'Read Device (/3/0)'],
    [
      { kind: 'request', request: { operation: 'write-composite', values: { '/1/0/1': 5, '/3/0/14': 'x' } } },
      'Write together /1/0/1, /3/0/14',
    ],
    [{ kind: 'forget' }, 'Forget'],
    [{ kind: 'observe', paths: ['/3/0/9'], wanted: false }, 'Stop observing /3/0/9'],
  ] as const)('of %j is called %s', (operation, title) => {
    expect(operationTitle(operation as unknown as ApiJob['operation'])).toBe(title);
  });

  it('has its own name, where it was given one', () => {
    expect(jobTitle({ ...aJob('done'), name: 'Night' })).toBe('Night');
    expect(jobTitle({ ...aJob('done'), name: ' ' })).toBe('Switch to T-Mobile');
  });

  it('offers what can be done with it', () => {
    expect(actionsOf(aJob('preparing'))).toEqual(['cancel']);
    expect(actionsOf(aJob('running'))).toEqual(['pause', 'cancel']);
    expect(actionsOf(aJob('paused'))).toEqual(['resume', 'cancel']);
    expect(actionsOf(aJob('cancelling'))).toEqual([]);
    expect(actionsOf(aJob('done', { done: 3, unknown: 1 }))).toEqual([]);
    expect(actionsOf(aJob('stopped', { cancelled: 3 }))).toEqual(['retry']);
    expect(retryable(aJob('done', { failed: 1, expired: 2, cancelled: 3, unknown: 4 }))).toBe(6);
  });

  it('says how far it is', () => {
    expect(progressText(aJob('running', { done: 3, failed: 1, queued: 16 }))).toBe('4 of 20 devices');
    expect(progressText(aJob('preparing', { waiting: 1 }))).toBe('1 device so far');
  });

  it('is shown whole: few of many are still seen', () => {
    const parts = segmentsOf(aJob('running', { done: 99_998, failed: 1, waiting: 1 }));
    expect(parts.map(({ state }) => state)).toEqual(['done', 'failed', 'waiting']);
    expect(parts.every(({ share }) => share > 0.9)).toBe(true);
    expect(parts.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(100);
    expect(segmentsOf(aJob('running'))).toEqual([]);
  });

  it('is looked for by what the address says, and by nothing that it may not say', () => {
    expect(jobFilterOf('state=active')).toBe('active');
    expect(jobFilterOf('state=nonsense')).toBe('all');
    expect(resultsUrl('j/1', 'failed')).toBe('/api/jobs/j%2F1/devices?format=csv&state=failed');
  });
});

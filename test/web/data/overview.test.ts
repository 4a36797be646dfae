import { describe, expect, it } from 'vitest';
import type { ApiEvent } from '../../../web/data/api-types.ts';
import {
  changeText,
  midnight,
  pointsOf,
  sparkline,
  troubleCount,
  troubleText,
  withTrouble,
} from '../../../web/data/overview.ts';

const day = 86_400_000;
const event = (id: number, change: Partial<ApiEvent> = {}): ApiEvent => ({
  id,
  type: 'expired',
  endpoint: 'm 1',
  at: id,
  data: {},
  trouble: true,
  ...change,
});

describe('the change since a week ago', () => {
  it.each([
    [110, 100, '▲ 10\u202f%'],
    [99, 100, '▼ 1\u202f%'],
    [100.5, 100, '▲ 0.5\u202f%'],
    [7, 7, 'as a week ago'],
    [3, 0, '▲ 3'],
    [0, 0, 'as a week ago'],
    [0, 4, '▼ 100\u202f%'],
  ])('of %s, which was %s, is “%s”', (now, before, text) => {
    expect(changeText(now, before).text).toBe(text);
  });

  it('is a dash, and why, where nothing was kept', () => {
    for (const before of [null, undefined]) {
      expect(changeText(5, before)).toEqual({
        text: '—',
        meaning: 'Nothing was counted at this time a week ago',
      });
    }
  });
});

describe('a sparkline', () => {
  it('goes from left to right, what is more higher', () => {
    expect(
      sparkline(
        [
          [0, 0],
          [day / 2, 10],
          [day, 0],
        ],
        day / 2,
        day,
      ),
    ).toEqual(['0.0,22.0 50.0,2.0 100.0,22.0']);
  });

  it('has a gap where nothing was counted', () => {
    const series = [0, 1, 5, 6].map((step) => [(step * day) / 10, step] as const);
    expect(sparkline(series, day / 10, day).map((line) => line.split(' ').length)).toEqual([2, 2]);
  });

  it('is calm where hardly anything changes, and at the bottom where nothing is', () => {
    expect(
      sparkline(
        [
          [0, 1000],
          [day, 1001],
        ],
        day,
        day,
      ),
    ).toEqual(['0.0,12.2 100.0,11.8']);
    expect(sparkline([[0, 0]], day, day)).toEqual(['0.0,22.0']);
    expect(sparkline([], day, day)).toEqual([]);
  });

  it('tells readings by the second', () => {
    const statistics = { step: 60_000, series: { readings: [[0, 120]], awake: [[0, 3]] } };
    expect(pointsOf(statistics, 'readings')).toEqual([[0, 2]]);
    expect(pointsOf(statistics, 'awake')).toEqual([[0, 3]]);
    expect(pointsOf(undefined, 'lost')).toEqual([]);
  });
});

describe('the latest trouble', () => {
  it('has each event once, the newest first, and not more than is shown', () => {
    const known = [event(3), event(1)];
    const { trouble: _, ...fine } = event(5);
    const news = [event(4), event(3), fine];
    expect(withTrouble(known, news).map(({ id }) => id)).toEqual([4, 3, 1]);
    const many = Array.from({ length: 40 }, (_, id) => event(id));
    expect(withTrouble([], many)).toHaveLength(troubleCount);
    expect(withTrouble([], many)[0]?.id).toBe(39);
  });

  it.each<[Partial<ApiEvent>, string, string, string | undefined]>([
    [{}, 'm 1', 'its registration ran out', '/devices/m%201'],
    [
      { type: 'command', data: { command: { kind: 'carrier-switch', state: 'failed', reason: 'NACK' } } },
      'm 1',
      'a carrier switch failed: NACK',
      '/devices/m%201/commands',
    ],
    [
      { type: 'command', data: { command: { kind: 'request', state: 'unknown' } } },
      'm 1',
      'a request ended unknown',
      '/devices/m%201/commands',
    ],
    [
      { type: 'observation-refused', data: { path: '/3/0/9', reason: '4.05' } },
      'm 1',
      'refuses an observation /3/0/9: 4.05',
      '/devices/m%201',
    ],
    [
      { type: 'observation-drifted', data: { path: '/3/0/9' } },
      'm 1',
      'an observation is not as wanted /3/0/9',
      '/devices/m%201',
    ],
  ])('%j is told in words, with where to look', (change, who, text, href) => {
    expect(troubleText(event(1, change))).toEqual({ who, text, href });
  });

  it('tells of jobs, webhooks and nodes', () => {
    const { endpoint: _, ...server } = event(1);
    expect(troubleText({ ...server, type: 'node', data: { node: { name: 'n1', state: 'gone' } } })).toEqual({
      who: 'n1',
      href: '/cluster',
      text: 'the server node is gone',
    });
    expect(
      troubleText({ ...server, type: 'job', data: { job: { id: 'j1', name: 'Rollout', state: 'stopped' } } }),
    ).toEqual({ who: 'Rollout', text: 'was stopped', href: '/jobs/j1' });
    expect(
      troubleText({ ...server, type: 'webhook', data: { webhook: { name: 'ops', state: 'disabled' } } }),
    ).toEqual({ who: 'ops', text: 'the webhook is disabled', href: '/settings/webhooks' });
  });
});

it("midnight is the reader's own", () => {
  const at = new Date(midnight(Date.now()));
  expect([at.getHours(), at.getMinutes(), at.getSeconds(), at.getMilliseconds()]).toEqual([0, 0, 0, 0]);
});

import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../protocol/errors.ts';
import type { WallClockTime } from '../../../protocol/temporenc.ts';
import { timeZone } from '../../../server/gateway/time-zone.ts';

function wallClock(text: string, microsecond = 0): WallClockTime {
  const [year, month, day, hour, minute, second] = text.split(/[-T:]/).map(Number);
  return { year, month, day, hour, minute, second, microsecond };
}

const moment = (zone: string, text: string, microsecond = 0): string | undefined => {
  const found = timeZone(zone).momentOf(wallClock(text, microsecond));
  return found === undefined
    ? undefined
    : `${new Date(Math.floor(found / 1000)).toISOString().slice(0, -1)}|${found % 1000}`;
};

describe('which moment a wall clock means', () => {
  test.each([
    ['UTC', '2023-06-14T12:34:56', '2023-06-14T12:34:56.789|12'],
    ['+02:00', '2023-06-14T12:34:56', '2023-06-14T10:34:56.789|12'],
    ['-05:30', '2023-06-14T22:34:56', '2023-06-15T04:04:56.789|12'],
    ['America/New_York', '2023-06-14T12:34:56', '2023-06-14T16:34:56.789|12'],
    ['America/New_York', '2023-01-14T12:34:56', '2023-01-14T17:34:56.789|12'],
    ['Asia/Kathmandu', '2023-01-14T12:34:56', '2023-01-14T06:49:56.789|12'],
  ])('%s, %s', (zone, text, expected) => {
    expect(moment(zone, text, 789_012)).toBe(expected);
  });

  test('an hour that is there twice is the first one', () => {
    // In New York the clocks went from 2:00 back to 1:00 on 5 November 2023.
    expect(moment('America/New_York', '2023-11-05T00:59:59')).toBe('2023-11-05T04:59:59.000|0');
    expect(moment('America/New_York', '2023-11-05T01:30:00')).toBe('2023-11-05T05:30:00.000|0');
    expect(moment('America/New_York', '2023-11-05T02:00:00')).toBe('2023-11-05T07:00:00.000|0');
  });

  test('an hour that is not there is that of a clock that was not set', () => {
    // From 2:00 to 3:00 on 12 March 2023.
    expect(moment('America/New_York', '2023-03-12T02:30:00')).toBe('2023-03-12T07:30:00.000|0');
    expect(moment('America/New_York', '2023-03-12T03:30:00')).toBe('2023-03-12T07:30:00.000|0');
  });

  test('a leap second is the next second, and a year below 100 is that year', () => {
    expect(moment('UTC', '2016-12-31T23:59:60')).toBe('2017-01-01T00:00:00.000|0');
    expect(moment('UTC', '23-06-14T12:00:00')).toMatch(/^0023-06-14/);
  });

  test('no moment where a part is missing, or there is no such day', () => {
    const whole = wallClock('2023-06-14T12:34:56');
    for (const part of ['year', 'month', 'day', 'hour', 'minute', 'second'] as const) {
      expect(timeZone('UTC').momentOf({ ...whole, [part]: undefined })).toBeUndefined();
    }
    expect(moment('UTC', '2023-02-29T00:00:00')).toBeUndefined();
    expect(moment('UTC', '2024-02-29T00:00:00')).toBe('2024-02-29T00:00:00.000|0');
    expect(moment('America/New_York', '2023-04-31T00:00:00')).toBeUndefined();
  });

  test.each(['', 'utc+2', '+15:00', '+02:60', 'Mars/Olympus'])('%j is no zone', (name) => {
    expect(() => timeZone(name)).toThrow(RequestError);
  });
});

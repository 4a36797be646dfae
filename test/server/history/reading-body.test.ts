import { describe, expect, test } from 'vitest';
import { decodeBody, encodeBody } from '../../../server/history/reading-body.ts';
import type { HistoryReading } from '../../../server/ports/history.ts';

const first = 1_760_000_000_000_000;

function aReading(after: number, received: number, value: HistoryReading['value'] = after): HistoryReading {
  return { takenAt: first + after, receivedAt: first + received, value };
}

function decoded(body: Uint8Array): HistoryReading[] {
  const readings: HistoryReading[] = [];
  decodeBody(body, (takenAt, receivedAt, value, claimedAt) => {
    readings.push({ takenAt, receivedAt, value, ...(claimedAt === undefined ? {} : { claimedAt }) });
  });
  return readings;
}

describe('readings of one body', () => {
  test.each([
    {
      name: 'numbers that were received together',
      readings: [aReading(0, 9), aReading(5, 9)],
      format: 1,
      size: 48,
    },
    {
      name: 'numbers that were received at several times, some of them together',
      readings: [aReading(0, 9), aReading(1, 9), aReading(2, 10.5), aReading(3, 9)],
      format: 3,
      size: 24 + 4 * 12 + 3 * 16,
    },
    { name: 'a text among them', readings: [aReading(0, 9), aReading(1, 10, 'on')], format: 2 },
    {
      name: 'a time that cannot be',
      readings: [aReading(0, 9), { ...aReading(1, 9), claimedAt: 4 }],
      format: 2,
    },
  ])('$name come back as they were', ({ readings, format, size }) => {
    const body = encodeBody(readings);
    expect(body[0]).toBe(format);
    if (size !== undefined) expect(body).toHaveLength(size);
    expect(decoded(body)).toEqual(readings);
  });
});

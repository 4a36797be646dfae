import { beforeEach, describe, expect, test } from 'vitest';
import { Reporter } from '../../../server/gateway/reporter.ts';
import type { Report, ReportOutcome } from '../../../server/telemetry/ingest.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

let clock: FakeClock;
let outcome: ReportOutcome;
let kept: Report[];
let lost: number;
let reporter: Reporter;

beforeEach(() => {
  clock = new FakeClock();
  outcome = 'kept';
  kept = [];
  lost = 0;
  let messages = 0;
  reporter = new Reporter({
    ingest: {
      keep: (report, done) => {
        if (outcome === 'kept') kept.push(report);
        done(outcome);
      },
    },
    endpoint: 'field-1',
    lookup: () => ({ resourceType: () => undefined }),
    clock,
    nextMessage: () => `message ${messages++}`,
    onLost: () => lost++,
  });
});

const record = (value: number) => [{ path: '/42770/1/2', value }];
const values = () => kept.map(({ records }) => records[0]?.value);

describe('what a device says', () => {
  test('is kept at once, each message a message of its own', () => {
    reporter.report(record(1), Uint8Array.of(1));
    reporter.report(record(2), Uint8Array.of(2));
    expect(values()).toEqual([1, 2]);
    expect(new Set(kept.map(({ message }) => message)).size).toBe(2);
    expect(kept[0]).toMatchObject({ kind: 'send', source: { endpoint: 'field-1', path: '/' } });
  });

  test('waits, in order, while the store does not take it', async () => {
    outcome = 'refused';
    reporter.report(record(1), Uint8Array.of(1));
    reporter.report(record(2), Uint8Array.of(2));
    await clock.run(5_500);
    outcome = 'kept';
    reporter.report(record(3), Uint8Array.of(3));
    expect(values()).toEqual([]);
    await clock.run(1_000);
    expect(values()).toEqual([1, 2, 3]);
    expect(lost).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('is given up from the front where more waits than there is room for', async () => {
    outcome = 'refused';
    for (let value = 0; value < 1_010; value++) reporter.report(record(value), Uint8Array.of());
    outcome = 'kept';
    await clock.run(1_000);
    expect(lost).toBe(10);
    expect(values()).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 10));
  });

  test('does not wait any more when the reporter is closed', async () => {
    outcome = 'refused';
    reporter.report(record(1), Uint8Array.of());
    reporter.close();
    outcome = 'kept';
    await clock.run(5_000);
    expect(values()).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

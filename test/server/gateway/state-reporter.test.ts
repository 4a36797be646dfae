import { beforeEach, describe, expect, test } from 'vitest';
import { StateReporter } from '../../../server/gateway/state-reporter.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { Report, ReportOutcome } from '../../../server/telemetry/ingest.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

let clock: FakeClock;
/** With the store, and not answered. */
let asked: { readonly report: Report; readonly done: (outcome: ReportOutcome) => void }[];
let kept: unknown[];
let lost: number;
let reporter: StateReporter;

beforeEach(() => {
  clock = new FakeClock();
  asked = [];
  kept = [];
  lost = 0;
  let messages = 0;
  reporter = new StateReporter({
    ingest: { keep: (report, done) => void asked.push({ report, done }) },
    endpoint: 'field-1',
    lookup: () => ({ resourceType: () => undefined }),
    clock,
    nextMessage: () => `message ${messages++}`,
    onLost: () => lost++,
  });
});

const record = (value: number) => [{ path: '/42769/0/4', value }];

/** The store answers what is with it. */
function answer(outcome: ReportOutcome): void {
  const next = asked.shift();
  if (next === undefined) throw new Error('nothing is with the store');
  if (outcome === 'kept') kept.push(next.report.records[0]?.value);
  next.done(outcome);
}

describe('the state of a device', () => {
  test('gets into the log in its order: what the store does not take is never overtaken', async () => {
    reporter.report(record(1));
    reporter.report(record(2));
    expect(asked).toHaveLength(1);
    const { message } = asked[0]?.report ?? {};
    answer('refused');
    reporter.report(record(3));
    expect(asked).toHaveLength(0);
    await clock.run(1_000);
    // It may be in the log: as the same message it is not there twice.
    expect(asked[0]?.report.message).toBe(message);
    for (let i = 0; i < 3; i++) answer('kept');
    expect(kept).toEqual([1, 2, 3]);
    expect(clock.pending).toBe(0);
  });

  test('is built on only when all before it is in the log', async () => {
    reporter.report(record(1));
    const recorded = reporter.record(record(2));
    answer('kept');
    answer('kept');
    await expect(recorded).resolves.toBeUndefined();
    expect(kept).toEqual([1, 2]);
  });

  test('is not built on while something before it waits for the store', async () => {
    reporter.report(record(1));
    const behind = reporter.record(record(2));
    answer('refused');
    await expect(behind).rejects.toThrow(StoreUnavailableError);
    await expect(reporter.record(record(3))).rejects.toThrow(StoreUnavailableError);
    await clock.run(1_000);
    answer('kept');
    const after = reporter.record(record(4));
    answer('kept');
    await after;
    expect(kept).toEqual([1, 4]);
  });

  test('that was refused where something is built on it is not tried again', async () => {
    const recorded = reporter.record(record(1));
    answer('refused');
    await expect(recorded).rejects.toThrow(StoreUnavailableError);
    await clock.run(5_000);
    expect(asked).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('is given up from the front where more waits than there is room for', async () => {
    for (let value = 0; value < 110; value++) reporter.report(record(value));
    expect(lost).toBe(10);
    while (asked.length > 0) answer('kept');
    expect(kept).toEqual([0, ...Array.from({ length: 99 }, (_, i) => i + 11)]);
  });

  test('does not wait any more when the reporter is closed', async () => {
    reporter.report(record(1));
    answer('refused');
    reporter.close();
    await expect(reporter.record(record(2))).rejects.toThrow(StoreUnavailableError);
    await clock.run(5_000);
    expect(asked).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../protocol/clock.ts';
import { LoadMeter } from '../../../server/cluster/load-meter.ts';

/** Keeps the event loop from all else. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Uses so much of the processor's time, however long that takes. */
function burn(ms: number): void {
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 >= ms) return;
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 30));

describe('LoadMeter', () => {
  let meter: LoadMeter;
  afterEach(() => meter.close());

  test('tells how much memory there is, and how late the event loop comes', async () => {
    meter = new LoadMeter(systemClock);
    meter.start();
    await turn();
    block(300);
    await turn();
    const { memory, eventLoopDelay } = meter.read();
    expect(eventLoopDelay).toBeGreaterThan(200);
    expect(memory).toBeGreaterThan(10_000_000);
  });

  test('tells how much of the processor was used in the last seconds, until there are newer ones', async () => {
    let due: (() => void) | undefined;
    let now = 0;
    const clock = {
      ...systemClock,
      now: () => now,
      setTimer: (_delay: number, callback: () => void) => {
        due = callback;
        return { cancel: () => undefined };
      },
    };
    meter = new LoadMeter(clock);
    meter.start();
    burn(100);
    now = 10_000;
    due?.();
    const { cpu } = meter.read();
    expect(cpu).toBeGreaterThanOrEqual(0.01);
    // The window that has just begun says nothing yet.
    expect(meter.read().cpu).toBe(cpu);
  });
});

import { expect, it } from 'vitest';
import type { CardDriver, CardReading } from '../../../client/modem/card-driver.ts';
import { CardLock } from '../../../client/modem/card-lock.ts';
import { CardWatch } from '../../../client/modem/card-watch.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

/** A watch on a card that somebody has; how it is read afterwards. */
function busyWatch() {
  const steps: string[] = [];
  const reading: CardReading = { carriers: [], current: undefined };
  const driver = {
    start: async () => {
      steps.push('powered up and read');
      return reading;
    },
    read: async () => {
      steps.push('read');
      return reading;
    },
  } as unknown as CardDriver;
  const lock = new CardLock();
  lock.take('a switch is under way');
  const watch = new CardWatch({
    driver,
    clock: new FakeClock(),
    lock,
    onReading: async () => {},
    actions: { cardTrouble: () => {}, log: () => {}, fault: (error) => void steps.push(String(error)) },
  });
  return { watch, lock, steps };
}

it.each([
  // Whoever had it may not have noticed, and then its toolkit knows nothing of the terminal.
  [['removed', 'inserted'] as const, 'powered up and read'],
  [['inserted', 'changed'] as const, 'powered up and read'],
  [['removed'] as const, 'read'],
  [['changed'] as const, 'read'],
])('a card that was %s while somebody had it is %s when it is free', async (events, step) => {
  const { watch, lock, steps } = busyWatch();
  for (const event of events) watch.heard(event);
  lock.free();
  watch.freed();
  await new Promise((resolve) => setImmediate(resolve));
  expect(steps).toEqual([step]);
});

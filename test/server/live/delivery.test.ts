import { describe, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { LiveHub } from '../../../server/live/hub.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

async function openHub(clock: ManualClock) {
  const stores = await openEmbeddedStores({ path: ':memory:' });
  const hub = await LiveHub.open(stores.events, stores.log, clock);
  let id = 0;
  const publish = () => hub.publishEvent({ id: ++id, type: 'device', endpoint: 'm', at: 1, data: {} });
  const subscribe = (seen: number[][]) =>
    hub.subscribe({
      after: hub.position(),
      wishes: [],
      onEntries: (entries) => {
        seen.push(entries.map(({ position }) => position?.event ?? 0));
        return true;
      },
      onGap: () => undefined,
      onError: (error) => {
        throw error;
      },
    });
  return { hub, publish, subscribe, close: () => stores.close() };
}

const turn = () => new Promise<void>(setImmediate);

describe('what is published', () => {
  test('goes out at once after a rest, and then together with what comes in the next 10 ms', async () => {
    const clock = new ManualClock();
    const { publish, subscribe, close } = await openHub(clock);
    const seen: number[][] = [];
    subscribe(seen);
    await turn();
    publish();
    publish();
    await turn();
    expect(seen).toEqual([[1, 2]]);
    publish();
    clock.advance(9);
    await turn();
    publish();
    await turn();
    expect(seen).toHaveLength(1);
    clock.advance(1);
    expect(seen).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await close();
  });

  test('goes out in the next turn where somebody waits for it, with what was held back before it', async () => {
    const clock = new ManualClock();
    const { hub, publish, subscribe, close } = await openHub(clock);
    const seen: number[][] = [];
    subscribe(seen);
    await turn();
    publish();
    await turn();
    publish();
    const command = { state: 'done' };
    hub.publishEvent({ id: 3, type: 'command', endpoint: 'm', at: 1, data: { command } });
    await turn();
    expect(seen).toEqual([[1], [2, 3]]);
    expect(clock.timers).toBe(0);
    await close();
  });

  test('is handed to at most 64 subscribers in one turn, and to the others in the next ones', async () => {
    const clock = new ManualClock();
    const { publish, subscribe, close } = await openHub(clock);
    const all = Array.from({ length: 150 }, () => [] as number[][]);
    for (const seen of all) subscribe(seen);
    await turn();
    publish();
    const served = () => all.filter((seen) => seen.length === 1).length;
    const turns: number[] = [];
    while (served() < all.length) {
      await turn();
      turns.push(served());
    }
    expect(turns).toEqual([64, 128, 150]);
    expect(all.every((seen) => seen[0]?.[0] === 1)).toBe(true);
    await close();
  });

  test('what comes while a delivery is under way follows it, in order', async () => {
    const clock = new ManualClock();
    const { publish, subscribe, close } = await openHub(clock);
    const all = Array.from({ length: 100 }, () => [] as number[][]);
    for (const seen of all) subscribe(seen);
    await turn();
    publish();
    await turn();
    publish();
    clock.advance(10);
    for (let count = 0; count < 6; count++) await turn();
    expect(all.map((seen) => seen.flat())).toEqual(all.map(() => [1, 2]));
    await close();
  });
});

import { expect, test } from 'vitest';
import type { StoredSession } from '../../../server/ports/session-store.ts';
import { SessionPlaces, TooManyLooksError } from '../../../server/transport/session-places.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

function worldOf(stored: ReadonlyMap<string, StoredSession> = new Map()) {
  const clock = new FakeClock();
  const looks: string[] = [];
  const read = async (id: string): Promise<StoredSession | undefined> => {
    looks.push(id);
    return stored.get(id);
  };
  return { clock, looks, places: new SessionPlaces({ store: { read }, clock }) };
}

const session = (id: string, node: string): StoredSession => ({
  ...{ id, node, fence: 1, account: 'server', identity: { kind: 'psk', name: 'i' } },
  ...{ state: new Uint8Array(), hasWindow: false },
});

test('an id that nobody knows costs one look, however often it comes', async () => {
  const { places, looks, clock } = worldOf();
  for (let time = 0; time < 100; time++) {
    if (places.known('x') !== null) await places.look('x');
  }
  expect(looks).toEqual(['x']);
  expect(places.justRead('x')).toBeNull();
  await clock.run(2_000);
  expect(places.known('x')).toBeUndefined();
});

test('looks of the same id at the same time are one', async () => {
  const { places, looks } = worldOf(new Map([['a', session('a', 'two')]]));
  const found = await Promise.all([places.look('a'), places.look('a')]);
  expect(found.map((one) => one?.node)).toEqual(['two', 'two']);
  expect(looks).toEqual(['a']);
});

test('ids that are made up cost no more looks a second than the store bears, and no memory', async () => {
  const { places, looks, clock } = worldOf();
  const flood = async (name: string, count: number): Promise<number> => {
    let refused = 0;
    for (let id = 0; id < count; id++) {
      await places.look(`${name}-${id}`).catch((error: unknown) => {
        expect(error).toBeInstanceOf(TooManyLooksError);
        refused++;
      });
    }
    return refused;
  };
  expect(await flood('made-up', 5_000)).toBe(3_000);
  expect(looks).toHaveLength(2_000);
  await clock.run(1_000);
  expect(await flood('more', 50_000)).toBe(48_000);
  expect(looks).toHaveLength(4_000);
});

test('what was read is good for a moment, where it is for longer, and nothing once it is forgotten', async () => {
  const { places, clock } = worldOf(new Map([['a', session('a', 'two')]]));
  await places.look('a');
  expect(places.justRead('a')).toMatchObject({ node: 'two' });
  await clock.run(1_000);
  expect(places.justRead('a')).toBeUndefined();
  expect(places.known('a')).toBe('two');
  places.forget('a');
  expect(places.known('a')).toBeUndefined();
});

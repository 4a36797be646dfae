import { describe, expect, test } from 'vitest';
import { AddressBook } from '../../redis/address-book.ts';
import type { RedisConnection } from '../../redis/connection.ts';
import { RedisRegistrationStore } from '../../redis/registration-store.ts';
import { anId, aRegistration, start, useStores } from '../contract/engine.ts';
import { describeOnRedis } from './engines.ts';

const here = '192.0.2.1:40000';
const there = '192.0.2.2:40001';

let connection: RedisConnection;

describeOnRedis(
  (name, open) => {
    describe(`addresses, ${name}`, () => {
      const stores = useStores(open);

      test('however many devices are heard at few addresses at once, each address ends with one of them', async () => {
        const { registrations } = stores();
        const random = randomOf(21);
        // What a device may be called, no id is.
        const idOf = (endpoint: string): string => anId(endpoint).replaceAll(/[%\n]/g, '_');
        const endpoints = Array.from({ length: 12 }, (_, index) => `dev-${index}%\n${index}`);
        const addresses = Array.from({ length: 3 }, (_, index) => `192.0.2.${index}:5683`);
        const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
        for (const endpoint of endpoints) {
          await registrations.register(
            aRegistration(endpoint, { id: idOf(endpoint), address: pick(addresses) }),
          );
        }
        for (let round = 0; round < 12; round++) {
          const steps = Array.from({ length: 40 }, () => {
            const endpoint = pick(endpoints);
            const address = pick(addresses);
            const id = idOf(endpoint);
            const dice = random();
            if (dice < 0.4) return registrations.move(id, address, 'n');
            if (dice < 0.8) return registrations.update({ id, address, updatedAt: start, node: 'n' });
            return registrations.register(aRegistration(endpoint, { id, address }));
          });
          await Promise.all(steps);
          const found = await Promise.all(endpoints.map((endpoint) => registrations.byEndpoint(endpoint)));
          for (const address of addresses) {
            const holder = await registrations.byAddress(address);
            const keeping = found.filter((one) => one?.address === address && one.addressLost !== true);
            // Who thinks it has the address is the one that is found by it, and nobody else does.
            expect(keeping.map((one) => one?.endpoint)).toEqual(
              holder === undefined ? [] : [holder.endpoint],
            );
          }
        }
      });

      test('who was displaced by a node that ended before it told it, is told by the next one that is heard there', async () => {
        const { registrations } = stores();
        const book = new AddressBook(connection);
        for (const endpoint of ['a', 'b', 'c']) {
          await registrations.register(aRegistration(endpoint, { address: endpoint === 'a' ? here : there }));
        }
        // As far as it came.
        await book.claim(here, 'b');
        expect(await registrations.byEndpoint('a')).not.toHaveProperty('addressLost');
        const moved = await registrations.move(anId('c'), here, 'n');
        expect(moved?.displaced).toBeDefined();
        expect(await registrations.byEndpoint('a')).toMatchObject({ address: here, addressLost: true });
        expect((await book.holding(here))?.untold).toEqual([]);
        expect((await registrations.byAddress(here))?.endpoint).toBe('c');
      });

      test('a device that speaks where it was displaced without having been told is said to have lost the address', async () => {
        const { registrations } = stores();
        const book = new AddressBook(connection);
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.register(aRegistration('b', { address: there }));
        await book.claim(here, 'b');
        const update = { id: anId('a'), address: here, updatedAt: start + 1, node: 'n' };
        const spoken = await registrations.update(update);
        // What is under way to it goes out again.
        expect(spoken?.previous).toMatchObject({ addressLost: true });
        expect(spoken?.registration).not.toHaveProperty('addressLost');
        expect((await registrations.byAddress(here))?.endpoint).toBe('a');
        expect((await book.holding(here))?.untold).toEqual([]);
      });

      test('what a device is told late, of a claim before its own, changes nothing', async () => {
        const { registrations } = stores();
        const book = new AddressBook(connection);
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.register(aRegistration('b', { address: there }));
        const claim = await book.claim(here, 'b');
        await registrations.update({ id: anId('a'), address: here, updatedAt: start + 1, node: 'n' });
        // The node that let b in goes on only now.
        await book.settle(here, 'b', claim, false);
        expect(await registrations.byEndpoint('a')).not.toHaveProperty('addressLost');
        expect((await registrations.byAddress(here))?.endpoint).toBe('a');
      });

      test('what a node that ended has left of addresses is tidied up with time', async () => {
        const { registrations } = stores();
        const book = new AddressBook(connection);
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.register(aRegistration('b', { address: there }));
        // b was let in at a's address by a node that ended then; a device left its address, and the node with it.
        await book.claim(here, 'b');
        await book.claim('192.0.2.3:1', 'gone');
        for (let look = 0; look < 256; look++) await book.tidy();
        expect(await registrations.byEndpoint('a')).toMatchObject({ addressLost: true });
        expect(await book.holding(here)).toBeUndefined();
        expect(await book.holding('192.0.2.3:1')).toBeUndefined();
        expect((await book.holding(there))?.endpoint).toBe('b');
      });

      test('an address that everybody has left is forgotten', async () => {
        const { registrations } = stores();
        const book = new AddressBook(connection);
        await registrations.register(aRegistration('a', { address: here }));
        await registrations.register(aRegistration('b', { address: here }));
        await registrations.move(anId('b'), there, 'n');
        expect(await book.holding(here)).toBeUndefined();
        await registrations.deregister(anId('b'));
        expect(await book.holding(there)).toBeUndefined();
      });
    });
  },
  (redis) => {
    connection = redis;
    return { registrations: new RedisRegistrationStore(redis) };
  },
);

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

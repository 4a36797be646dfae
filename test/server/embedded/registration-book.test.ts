import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Expiring, ExpiryQueue } from '../../../server/embedded/expiry-queue.ts';
import { RegistrationBook } from '../../../server/embedded/registration-book.ts';
import { aRegistration, start } from '../../contract/engine.ts';

class Item implements Expiring {
  expiresAt: number;
  due = 0;
  place = -1;

  constructor(expiresAt: number) {
    this.expiresAt = expiresAt;
  }
}

describe('what ends next', () => {
  test('is found whatever was put in, moved and taken out', () => {
    const step = fc.record({
      item: fc.nat(9),
      what: fc.constantFrom('put', 'remove'),
      expiresAt: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const items = Array.from({ length: 10 }, () => new Item(0));
        const queue = new ExpiryQueue<Item>();
        const within = new Set<Item>();
        for (const { item: index, what, expiresAt } of steps) {
          const item = items[index] as Item;
          if (what === 'put') {
            item.expiresAt = expiresAt;
            queue.put(item);
            within.add(item);
          } else {
            queue.remove(item);
            within.delete(item);
          }
          const least = Math.min(...[...within].map((one) => one.expiresAt));
          expect(queue.first()?.expiresAt ?? Number.POSITIVE_INFINITY).toBe(least);
        }
        const order: number[] = [];
        for (let first = queue.first(); first !== undefined; first = queue.first()) {
          order.push(first.expiresAt);
          queue.remove(first);
        }
        expect(order).toEqual([...within].map(({ expiresAt }) => expiresAt).sort((a, b) => a - b));
      }),
    );
  });
});

describe('the book of registrations', () => {
  const here = '192.0.2.1:40000';
  const there = '192.0.2.2:40000';

  test('has the address for who was heard there last, and knows who has lost it', () => {
    const book = new RegistrationBook();
    const a = aRegistration('a', { address: here });
    const b = aRegistration('b', { address: here });
    expect(book.put(a)).toBeUndefined();
    expect(book.put(b)?.endpoint).toBe('a');
    expect(book.byAddress(here)).toBe(b);
    expect(book.byEndpoint('a')).toEqual({ ...a, addressLost: true });
    // Who has lost it leaves nothing behind; who has it takes it along.
    book.put({ ...a, address: there });
    expect(book.byAddress(here)?.endpoint).toBe('b');
    book.put({ ...b, address: there });
    expect(book.byAddress(here)).toBeUndefined();
    expect(book.byEndpoint('a')?.addressLost).toBe(true);
    expect(book.holder(there, 'a')?.endpoint).toBe('b');
    expect(book.holder(there, 'b')).toBeUndefined();
  });

  test.each([
    ['the later one first', ['later', 'sooner']],
    ['the later one last', ['sooner', 'later']],
  ])('gives an address that two have at the start to who was heard last: %s', (_order, endpoints) => {
    const book = new RegistrationBook();
    for (const endpoint of endpoints) {
      book.restore(aRegistration(endpoint, { address: here, updatedAt: endpoint === 'later' ? 2 : 1 }));
    }
    expect(book.byAddress(here)?.endpoint).toBe('later');
    expect(book.byEndpoint('sooner')?.addressLost).toBe(true);
    expect(book.byEndpoint('later')).not.toHaveProperty('addressLost');
  });

  test('forgets the id of a registration that was replaced, and all of one that was removed', () => {
    const book = new RegistrationBook();
    const first = aRegistration('a');
    const second = aRegistration('a', { id: 'second' });
    book.put(first);
    book.put(second);
    expect(book.byId(first.id)).toBeUndefined();
    expect(book.byId('second')).toBe(second);
    book.remove('a');
    expect([book.size, book.byId('second'), book.byAddress(second.address), book.nextExpiry()]).toEqual([
      0,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('tells which have ended, without those that are passed over, and keeps all', () => {
    const book = new RegistrationBook();
    for (const [index, endpoint] of ['c', 'a', 'b', 'later'].entries()) {
      book.put(aRegistration(endpoint, { expiresAt: start + index * 10 }));
    }
    const names = (isPassedOver: (endpoint: string) => boolean, limit = 10): readonly string[] =>
      book.expired(start + 20, limit, isPassedOver).map(({ endpoint }) => endpoint);
    expect(names(() => false)).toEqual(['c', 'a', 'b']);
    expect(names((endpoint) => endpoint === 'c', 1)).toEqual(['a']);
    expect(book.nextExpiry()).toBe(start);
    expect(book.size).toBe(4);
  });
});

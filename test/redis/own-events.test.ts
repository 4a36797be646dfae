import { expect, test } from 'vitest';
import { OwnEvents } from '../../redis/own-events.ts';

test('an event of this node is what was written, once; others are read', () => {
  const own = new OwnEvents();
  const data = { state: 'done' };
  const text = own.write(data);
  expect(own.read(text)).toBe(data);
  expect(own.read(text)).toEqual(data);
  expect(own.read(text)).not.toBe(data);
});

test('few are remembered, and none that are long', () => {
  const own = new OwnEvents();
  const long = { reason: 'x'.repeat(5_000) };
  expect(own.read(own.write(long))).not.toBe(long);
  const first = { number: -1 };
  const text = own.write(first);
  for (let number = 0; number < 10_000; number++) own.write({ number });
  expect(own.read(text)).not.toBe(first);
  expect(own.read(text)).toEqual(first);
});

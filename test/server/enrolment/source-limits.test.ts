import { expect, test } from 'vitest';
import { SourceLimits, sourceOf } from '../../../server/enrolment/source-limits.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const HERE = '198.51.100.1:40000';
const ELSEWHERE = '198.51.100.2:40000';

/** How many handshakes may begin there now, each by `begin`. */
function admitted(limits: SourceLimits, begin: (address: string) => void = () => undefined): number {
  let count = 0;
  while (count < 10_000 && limits.admits(HERE)) {
    begin(HERE);
    count++;
  }
  return count;
}

test('who fails has a number of tries, and then one more every few seconds; others have theirs', () => {
  const clock = new FakeClock();
  const limits = new SourceLimits(clock);
  expect(admitted(limits, (address) => limits.failed(address))).toBe(20);
  expect(limits.refused).toBe(1);
  expect(limits.admits(ELSEWHERE)).toBe(true);
  clock.advance(3_000);
  expect(admitted(limits, (address) => limits.failed(address))).toBe(1);
  clock.advance(3_600_000);
  expect(admitted(limits, (address) => limits.failed(address))).toBe(20);
});

test('handshakes that are begun and left are not begun without end, though none has failed', () => {
  const clock = new FakeClock();
  const limits = new SourceLimits(clock);
  expect(admitted(limits)).toBe(1_000);
  clock.advance(1_000);
  expect(admitted(limits)).toBe(100);
  expect(limits.admits(ELSEWHERE)).toBe(true);
});

test('handshakes that are gone through with cost nothing, however many they are', () => {
  const limits = new SourceLimits(new FakeClock());
  expect(admitted(limits, (address) => limits.established(address))).toBe(10_000);
  expect(admitted(limits)).toBe(1_000);
});

test('ports are of one source, and so are the addresses of one subscriber', () => {
  expect(sourceOf('198.51.100.1:1')).toBe(sourceOf('198.51.100.1:2'));
  expect(sourceOf('[2001:db8::1]:1')).toBe(sourceOf('[2001:db8:0:0:a::2]:1'));
  expect(sourceOf('[2001:db8::1]:1')).not.toBe(sourceOf('[2001:db8:0:1::1]:1'));
});

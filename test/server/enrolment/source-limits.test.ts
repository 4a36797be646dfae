import { describe, expect, test } from 'vitest';
import { SourceLimits, sourceOf } from '../../../server/enrolment/source-limits.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

describe('limits per source', () => {
  test('let a source fail so often, and then once in so long; others are not concerned', () => {
    const clock = new FakeClock();
    const limits = new SourceLimits(clock);
    for (let failure = 0; failure < 100; failure++) {
      expect(limits.admits(`192.0.2.1:${failure}`)).toBe(true);
      limits.failed(`192.0.2.1:${failure}`);
    }
    expect(limits.admits('192.0.2.1:9')).toBe(false);
    expect(limits.admits('192.0.2.2:9')).toBe(true);
    expect(limits.refused).toBe(1);
    clock.advance(500);
    expect(limits.admits('192.0.2.1:9')).toBe(true);
    limits.failed('192.0.2.1:9');
    expect(limits.admits('192.0.2.1:9')).toBe(false);
    clock.advance(60_000);
    expect(limits.admits('192.0.2.1:9')).toBe(true);
  });

  test('sixty devices behind one NAT that try every half minute in vain do not lock out the others', () => {
    const clock = new FakeClock();
    const limits = new SourceLimits(clock);
    for (let second = 0; second < 600; second++) {
      for (let device = 0; device < 2; device++) {
        expect(limits.admits('192.0.2.1:9')).toBe(true);
        limits.failed('192.0.2.1:9');
      }
      clock.advance(1_000);
    }
    expect(limits.refused).toBe(0);
  });

  test('who does not fail is never held up', () => {
    const limits = new SourceLimits(new FakeClock());
    for (let handshake = 0; handshake < 1_000; handshake++) expect(limits.admits('192.0.2.1:9')).toBe(true);
  });

  test.each([
    ['192.0.2.1:5684', '192.0.2.1'],
    ['[2001:db8:1:2:3:4:5:6]:1', '2001:db8:1:2'],
    ['[2001:0db8:0001:2::6]:1', '2001:db8:1:2'],
    ['[2001:db8::6]:1', '2001:db8:0:0'],
    ['[::1]:1', '0:0:0:0'],
    ['[fe80::1%eth0]:1', 'fe80:0:0:0'],
  ])('%s is of %s', (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });
});

import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../protocol/errors.ts';
import { SourceMap } from '../../../server/gateway/source-map.ts';

function mapOf(...sources: readonly string[]): SourceMap {
  const map = new SourceMap();
  for (const [device, source] of sources.entries()) map.add(source, device);
  return map;
}

describe('which device a source is', () => {
  test.each([
    ['192.0.2.1:6002', 0],
    ['192.0.2.1:6003', 1],
    ['192.0.2.2:6002', 2],
    ['192.0.3.1:1', 3],
    ['[2001:db8::1]:6002', 4],
    ['[2001:db8:0:0:0:0:0:1]:6002', 4],
    ['[2001:db8::1]:7', 5],
    ['[2001:db8:0:1::9]:7', 6],
    ['203.0.113.1:6002', undefined],
    ['[2001:db9::1]:6002', undefined],
  ])('the narrowest mapping counts: %s', (peer, device) => {
    const map = mapOf(
      '192.0.2.1:6002',
      '192.0.2.1',
      '192.0.2.0/24',
      '192.0.0.0/16',
      '[2001:db8::1]:6002',
      '2001:db8::1',
      '2001:db8::/48',
    );
    expect(map.find(peer)).toBe(device);
  });

  test('the order in which networks are given does not matter', () => {
    expect(mapOf('10.0.0.0/8', '10.8.0.0/16').find('10.8.1.1:1')).toBe(1);
    expect(mapOf('10.8.0.0/16', '10.0.0.0/8').find('10.8.1.1:1')).toBe(0);
  });

  test('a network of everything takes everything of its family', () => {
    const map = mapOf('0.0.0.0/0');
    expect(map.find('198.51.100.1:1')).toBe(0);
    expect(map.find('[2001:db8::1]:1')).toBeUndefined();
  });

  test('an IPv6 address with an interface, and one with IPv4 in it, are what they are', () => {
    expect(mapOf('fe80::1').find('[fe80::1%eth0]:6002')).toBe(0);
    expect(mapOf('64:ff9b::192.0.2.1').find('[64:ff9b::c000:201]:6002')).toBe(0);
  });

  test('what is no address is nobody', () => {
    const map = mapOf('0.0.0.0/0', '::/0');
    for (const peer of ['', ':', 'host:6002', '[]:1', '[::1', '1.2.3:4'])
      expect(map.find(peer)).toBeUndefined();
  });

  test.each([
    '',
    'modem.example',
    '192.0.2.1/33',
    '192.0.2.1/-1',
    '192.0.2.0/24/1',
    '192.0.2.1/24',
    '2001:db8::1/48',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '[192.0.2.1]:1',
    '2001:db8::/129',
  ])('%j is refused', (source) => {
    expect(() => new SourceMap().add(source, 0)).toThrow(RequestError);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1/32'],
    ['192.0.2.1:6002', '192.0.2.1:6002'],
    ['2001:db8::/48', '2001:db8:0::/48'],
  ])('%s and %s cannot be two devices', (one, other) => {
    const map = mapOf(one);
    expect(() => map.add(other, 0)).not.toThrow();
    expect(() => map.add(other, 1)).toThrow(/two devices/);
  });
});

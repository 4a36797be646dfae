import { describe, expect, test } from 'vitest';
import { createAddressPolicy } from '../../../server/webhooks/address-policy.ts';

const usual = createAddressPolicy(['public']);

describe('where webhooks may go', () => {
  test.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
    expect(usual.allows('hooks.example.org', address)).toBe(true);
  });

  test.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '10.0.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    'fd12:3456::1',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:7f00:1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '100.100.100.200',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '255.255.255.255',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::127.0.0.1',
    '::a9fe:a9fe',
    'fec0::1',
    'ff02::1',
  ])('%s is not', (address) => {
    expect(usual.allows('hooks.example.org', address)).toBe(false);
  });

  test('words let this machine and networks of one’s own in, and what tells a cloud machine its secrets never', () => {
    const policy = createAddressPolicy(['loopback', 'private']);
    expect(['127.0.0.1', '::1', '10.1.2.3', 'fd12::1'].every((address) => policy.allows('x', address))).toBe(
      true,
    );
    expect(
      ['8.8.8.8', '169.254.169.254', 'fd00:ec2::254'].some((address) => policy.allows('x', address)),
    ).toBe(false);
  });

  test('a name that is listed may have any address but those; a network that is listed, all of its own', () => {
    const policy = createAddressPolicy([
      'hooks.corp',
      '*.internal',
      '192.168.7.0/24',
      '169.254.1.1',
      'fd99::/16',
    ]);
    expect(policy.allows('hooks.corp', '10.0.0.1')).toBe(true);
    expect(policy.allows('A.INTERNAL', '10.0.0.1')).toBe(true);
    expect(policy.allows('hooks.corp.evil.org', '10.0.0.1')).toBe(false);
    expect(policy.allows('hooks.corp', '169.254.169.254')).toBe(false);
    expect(policy.allows('other', '192.168.7.9')).toBe(true);
    expect(policy.allows('other', '192.168.8.9')).toBe(false);
    expect(policy.allows('other', '169.254.1.1')).toBe(true);
    expect(policy.allows('other', 'fd99::5')).toBe(true);
    expect(policy.allows('other', '8.8.8.8')).toBe(false);
  });

  test.each(['10.0.0.0/33', '::/129', '1.2.3', 'http://x', 'a b', '10.0.0.0/8/8'])(
    '%s is refused',
    (entry) => {
      expect(() => createAddressPolicy([entry])).toThrow(RangeError);
    },
  );
});

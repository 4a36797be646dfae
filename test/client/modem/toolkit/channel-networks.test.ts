import { describe, expect, it } from 'vitest';
import { channelNetworks } from '../../../../client/modem/toolkit/channel-networks.ts';
import { RequestError } from '../../../../protocol/errors.ts';

describe('where the channels of a card may lead', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7', '192.0.2.8'],
    ['192.0.2.0/24', '192.0.2.200', '192.0.3.1'],
    ['0.0.0.0/0', '10.0.0.1', '2001:db8::1'],
    ['2001:db8::/32', '2001:db8:0:0:0:0:0:1', '2001:db9::1'],
    ['::1', '0:0:0:0:0:0:0:1', '::2'],
  ])('%s holds %s, and not %s', (network, within, without) => {
    const networks = channelNetworks([network]);
    expect(networks.allows(within)).toBe(true);
    expect(networks.allows(without)).toBe(false);
  });

  it('is nowhere where none is said, and the sum of several', () => {
    expect(channelNetworks([]).allows('192.0.2.7')).toBe(false);
    const networks = channelNetworks(['192.0.2.7', '198.51.100.0/24']);
    expect(networks.allows('192.0.2.7')).toBe(true);
    expect(networks.allows('198.51.100.1')).toBe(true);
    expect(networks.allows('example.org')).toBe(false);
  });

  it.each([
    '',
    'example.org',
    '192.0.2.0/33',
    '192.0.2.0/',
    '192.0.2.0/x',
    '192.0.2.0/24/1',
    '::/129',
    '10.1',
  ])('cannot be %s', (text) => {
    expect(() => channelNetworks([text])).toThrow(RequestError);
  });
});

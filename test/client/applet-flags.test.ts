import { describe, expect, it } from 'vitest';
import { parseApplet } from '../../client/applet-flags.ts';
import { UsageError } from '../../client/flag-values.ts';

const gatewayOf = (gateway: string) => parseApplet({ 'card-kind': 'auto', gateway }).gateway;

describe('flags about the applet of a card', () => {
  it('ask the card and send nothing through it unless told otherwise', () => {
    expect(parseApplet({ 'card-kind': 'auto' })).toEqual({
      cardKind: 'auto',
      gateway: undefined,
      cardReadings: undefined,
    });
  });

  it('name the kind of card, and the readings that go through it', () => {
    expect(parseApplet({ 'card-kind': 'legacy', 'card-readings': '5' })).toMatchObject({
      cardKind: 'legacy',
      cardReadings: 5,
    });
  });

  it.each([
    ['192.0.2.7', { address: '192.0.2.7', port: 6001 }],
    ['192.0.2.7:7001', { address: '192.0.2.7', port: 7001 }],
    ['[2001:db8::7]:7001', { address: '2001:db8:0:0:0:0:0:7', port: 7001 }],
    ['2001:db8::7', { address: '2001:db8:0:0:0:0:0:7', port: 6001 }],
    ['[::1]', { address: '0:0:0:0:0:0:0:1', port: 6001 }],
    ['[2001:db8:1:2:3:4:5:6]', { address: '2001:db8:1:2:3:4:5:6', port: 6001 }],
  ])('name the gateway %s, as a card writes addresses', (text, gateway) =>
    expect(gatewayOf(text)).toEqual(gateway),
  );

  it.each(['gateway.example', '192.0.2', '192.0.2.7:0', '192.0.2.7:70000', '[x]:1', ''])(
    'refuse the gateway %j',
    (text) => expect(() => gatewayOf(text)).toThrow(UsageError),
  );

  it('refuse another kind of card, and readings beyond what a card can do', () => {
    expect(() => parseApplet({ 'card-kind': 'usim' })).toThrow(UsageError);
    expect(() => parseApplet({ 'card-kind': 'auto', 'card-readings': '51' })).toThrow(UsageError);
    expect(() => parseApplet({ 'card-kind': 'auto', 'card-readings': '0' })).toThrow(UsageError);
  });

  it('say where the channels of the card may lead', () => {
    const networksOf = (...networks: string[]) =>
      parseApplet({ 'card-kind': 'auto', 'card-channels': networks }).cardNetworks;
    expect(parseApplet({ 'card-kind': 'auto' }).cardNetworks).toBeUndefined();
    expect(networksOf('192.0.2.0/24', '::1')?.allows('192.0.2.9')).toBe(true);
    expect(networksOf('none')?.allows('192.0.2.9')).toBe(false);
    expect(() => networksOf('none', '::1')).toThrow(UsageError);
    expect(() => networksOf('example.org')).toThrow(UsageError);
  });
});

import { BlockList, isIP } from 'node:net';
import { RequestError } from '../../../protocol/errors.ts';

/** Where the channels of a card may lead. */
export interface ChannelNetworks {
  allows(address: string): boolean;
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
 * Of addresses (`192.0.2.7`, `2001:db8::7`) and networks (`192.0.2.0/24`); of none: nowhere.
 * @throws RequestError one is neither
 */
export function channelNetworks(texts: readonly string[]): ChannelNetworks {
  const list = new BlockList();
  for (const text of texts) {
    const [address = '', length, ...more] = text.split('/');
    const bits = isIP(address) === 6 ? 128 : 32;
    const prefix = length === undefined ? bits : Number(length);
    const fits = /^\d{1,3}$/.test(length ?? '0') && prefix <= bits && more.length === 0;
    if (isIP(address) === 0 || !fits) {
      throw new RequestError(`neither an IP address nor a network: ${text}`);
    }
    list.addSubnet(address, prefix, family(address));
  }
  return { allows: (address) => isIP(address) !== 0 && list.check(address, family(address)) };
}

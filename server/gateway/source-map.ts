import { isIPv4, isIPv6 } from 'node:net';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { RequestError } from '../../protocol/errors.ts';

/** IPv4 and IPv6 have networks of their own. */
const widths = { 4: 32, 6: 128 } as const;

/** The networks of one length: by their first bits. */
interface Length {
  readonly family: 4 | 6;
  /** Bits behind the prefix. */
  readonly shift: bigint;
  readonly networks: Map<bigint, number>;
}

/**
 * Which device a source is, by its number in the configuration. The narrowest mapping counts: `host:port`, then the
 * longest prefix; a single address is a network of one. What a lookup of a source that is not mapped costs does not
 * depend on how many there are, and leaves nothing behind.
 */
export class SourceMap {
  readonly #ports = new Map<PeerAddress, number>();
  /** The longest prefixes first. */
  #lengths: Length[] = [];

  /**
   * @param source `192.0.2.1:6002`, `[2001:db8::1]:6002`, `192.0.2.1`, `10.8.0.0/16`, `2001:db8::/48`
   * @throws RequestError it is none of these, or another device's already
   */
  add(source: string, device: number): void {
    const withPort = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(source);
    if (withPort !== null) {
      const host = withPort[1] ?? withPort[2] ?? '';
      const port = Number(withPort[3]);
      const bits = withPort[1] === undefined ? ipv4Bits(host) : ipv6Bits(host);
      if (bits === undefined || port === 0 || port > 65_535) throw notASource(source);
      const family = withPort[1] === undefined ? 4 : 6;
      this.#put(this.#ports, portKey(family, bits, port), device, source);
      return;
    }
    const [address = '', length, ...more] = source.split('/');
    const family = isIPv4(address) ? 4 : 6;
    const bits = family === 4 ? ipv4Bits(address) : ipv6Bits(address);
    const prefix = length === undefined ? widths[family] : Number(length);
    const isLength = length === undefined || /^\d{1,3}$/.test(length);
    if (bits === undefined || !isLength || prefix > widths[family] || more.length > 0)
      throw notASource(source);
    const shift = BigInt(widths[family] - prefix);
    if ((bits >> shift) << shift !== bits) {
      throw new RequestError(`'${source}' has bits behind its prefix: is the address or the network meant?`);
    }
    this.#put(this.#lengthOf(family, shift).networks, bits >> shift, device, source);
  }

  /** The device that is heard there; undefined: none. */
  find(peer: PeerAddress): number | undefined {
    const colon = peer.lastIndexOf(':');
    const bracketed = peer.startsWith('[');
    const host = bracketed ? peer.slice(1, colon - 1) : peer.slice(0, colon);
    const family = bracketed ? 6 : 4;
    const bits = family === 4 ? ipv4Bits(host) : ipv6Bits(host);
    if (bits === undefined) return undefined;
    if (this.#ports.size > 0) {
      const device = this.#ports.get(portKey(family, bits, Number(peer.slice(colon + 1))));
      if (device !== undefined) return device;
    }
    for (const length of this.#lengths) {
      if (length.family !== family) continue;
      const device = length.networks.get(bits >> length.shift);
      if (device !== undefined) return device;
    }
    return undefined;
  }

  #lengthOf(family: 4 | 6, shift: bigint): Length {
    const known = this.#lengths.find((length) => length.family === family && length.shift === shift);
    if (known !== undefined) return known;
    const length: Length = { family, shift, networks: new Map() };
    this.#lengths = [...this.#lengths, length].sort((a, b) => Number(a.shift - b.shift));
    return length;
  }

  #put<Key>(map: Map<Key, number>, key: Key, device: number, source: string): void {
    const former = map.get(key);
    if (former !== undefined && former !== device) {
      throw new RequestError(`'${source}' is a source of two devices: nobody could tell them apart`);
    }
    map.set(key, device);
  }
}

function portKey(family: 4 | 6, bits: bigint, port: number): string {
  return `${family} ${bits.toString(16)} ${port}`;
}

function ipv4Bits(host: string): bigint | undefined {
  if (!isIPv4(host)) return undefined;
  let bits = 0;
  for (const part of host.split('.')) bits = bits * 256 + Number(part);
  return BigInt(bits);
}

function ipv6Bits(host: string): bigint | undefined {
  // A zone (`%eth0`) names an interface of this machine, and no place in the network.
  const address = host.split('%')[0] ?? '';
  if (!isIPv6(address)) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  let text = address;
  if (dotted !== null) {
    const low = ipv4Bits(dotted[2] ?? '') ?? 0n;
    text = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  let bits = 0n;
  for (const group of [...before, ...Array<string>(missing).fill('0'), ...after]) {
    bits = (bits << 16n) | BigInt(Number.parseInt(group, 16));
  }
  return bits;
}

function notASource(source: string): RequestError {
  return new RequestError(
    `'${source}' is no source: an address (192.0.2.1), a network (10.8.0.0/16), or an address with a port (192.0.2.1:6002)`,
  );
}

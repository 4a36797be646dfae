import { BlockList, isIP } from 'node:net';
import { globMatches, isExact } from '../lwm2m/glob.ts';

/**
 * Where webhooks may go. `public`: every address that is routed in the Internet. `loopback`: this machine.
 * `private`: networks of one's own (RFC 1918, RFC 6598, RFC 4193). Beside these words host names, with `*` for any
 * text, and addresses or networks such as `10.1.0.0/16`.
 */
export interface AddressPolicy {
  /** Whether a host of this name may have the address that it was found to have. */
  allows(host: string, address: string): boolean;
}

type Network = readonly [address: string, prefix: number];

const loopback: readonly Network[] = [
  ['127.0.0.0', 8],
  ['::1', 128],
];

const ownNetworks: readonly Network[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
];

/** Where clouds tell a machine its own secrets: reached only where a network that has them is named. */
const metadata: readonly Network[] = [
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['100.100.100.200', 32],
];

/** No place for a webhook: this network, multicast, broadcast, documentation, what wraps other addresses. */
const special: readonly Network[] = [
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  // IPv4-compatible addresses (RFC 4291 §2.5.5.1), the unspecified one among them.
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  // Site-local, deprecated (RFC 3879).
  ['fec0::', 10],
  ['ff00::', 8],
];

const words = ['public', 'loopback', 'private'] as const;

/** @throws RangeError for an entry that is neither word, host name, address nor network */
export function createAddressPolicy(entries: readonly string[]): AddressPolicy {
  const named = new Set<string>(entries.filter((entry) => (words as readonly string[]).includes(entry)));
  const hosts: string[] = [];
  const networks: Network[] = [];
  for (const entry of entries) {
    if (named.has(entry)) continue;
    const network = parseNetwork(entry);
    if (network !== undefined) networks.push(network);
    else if (/^[a-z0-9*]([a-z0-9.*-]*[a-z0-9])?$/.test(entry) && !/^[\d.]+$/.test(entry)) hosts.push(entry);
    else
      throw new RangeError(`'${entry}' is no host name, address or network, and none of ${words.join(', ')}`);
  }
  const lists = {
    listed: listOf(networks),
    metadata: listOf(metadata),
    loopback: listOf(loopback),
    own: listOf(ownNetworks),
    special: listOf(special),
  };
  return {
    allows: (host, given) => {
      const address = plain(given);
      if (contains(lists.listed, address)) return true;
      if (contains(lists.metadata, address)) return false;
      const name = host.toLowerCase();
      if (hosts.some((glob) => (isExact(glob) ? glob === name : globMatches(glob, name)))) return true;
      if (contains(lists.loopback, address)) return named.has('loopback');
      if (contains(lists.own, address)) return named.has('private');
      return !contains(lists.special, address) && named.has('public');
    },
  };
}

function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.replace(/^\[(.*)\]$/, '$1').split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const longest = family === 4 ? 32 : 128;
  if (prefix === undefined) return [address, longest];
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest ? [address, Number(prefix)] : undefined;
}

function listOf(networks: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks) {
    list.addSubnet(address, prefix, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** Without a zone, and an IPv4 address that IPv6 wraps (RFC 4291 §2.5.5.2) as what it is. */
function plain(address: string): string {
  const bare = address.split('%')[0] ?? address;
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (dotted !== undefined) return dotted;
  const hex = /^(?:0*:)*:?ffff:([\da-f]{1,4}):([\da-f]{1,4})$/i.exec(bare);
  if (hex === null) return bare;
  const bits = (Number.parseInt(hex[1] ?? '', 16) << 16) | Number.parseInt(hex[2] ?? '', 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

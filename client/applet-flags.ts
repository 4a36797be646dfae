import { isIP } from 'node:net';
import { RequestError } from '../protocol/errors.ts';
import { number, oneOf, UsageError } from './flag-values.ts';
import { type ChannelNetworks, channelNetworks } from './modem/toolkit/channel-networks.ts';
import { type CarrierCardKind, carrierCardKinds } from './sim/detected-card.ts';
import type { AppletGateway } from './sim/virtual-card/applet-memory.ts';

/** Flags about applets on the card, as node:util's parseArgs has them. */
export const appletOptions = {
  'card-kind': { type: 'string', default: 'auto' },
  gateway: { type: 'string' },
  'card-readings': { type: 'string' },
  'card-channels': { type: 'string', multiple: true },
} as const;

/** How a card changes its carrier, and what it says to the network by itself. */
export interface AppletSettings {
  /** `auto`: a new virtual card is an eUICC, and any card is asked what it is. */
  readonly cardKind: CarrierCardKind | 'auto';
  /** Where the channel of the card's applet leads; undefined: where the card knows. */
  readonly gateway: AppletGateway | undefined;
  /** Readings of each sensor per second that go up through the card; undefined: none. */
  readonly cardReadings: number | undefined;
  /** Where the channels of the card may lead; undefined: anywhere. */
  readonly cardNetworks: ChannelNetworks | undefined;
}

const defaultPort = 6001;
/** Each reading is three APDUs, and there are three sensors: a card in a reader has to keep up. */
const mostReadings = 50;

export const appletHelp = `  --card-kind KIND        by what the card changes its carrier: ${carrierCardKinds.join(', ')}; auto asks the card.
                          A new virtual card is of that kind  (auto; a new one: euicc)
  --gateway ADDRESS[:PORT]    where the channel of the card's applet leads, an IP address: the gateway of the
                          server  (port ${defaultPort}; where the card knows)
  --card-channels NETWORK where the card's channels may lead: an address, a network (192.0.2.0/24), or none; once for
                          each  (anywhere)
  --card-readings HZ      readings of each sensor per second that go up through the card too  (none)`;

/** @throws UsageError */
export function parseApplet(values: {
  readonly 'card-kind': string;
  readonly gateway?: string | undefined;
  readonly 'card-readings'?: string | undefined;
  readonly 'card-channels'?: readonly string[] | undefined;
}): AppletSettings {
  const { gateway, 'card-kind': kind, 'card-readings': rate, 'card-channels': networks } = values;
  return {
    cardKind: oneOf('--card-kind', kind, ['auto', ...carrierCardKinds]),
    gateway: gateway === undefined ? undefined : parseGateway(gateway),
    cardReadings: rate === undefined ? undefined : number('--card-readings', rate, 1, mostReadings),
    cardNetworks: networks === undefined ? undefined : parseNetworks(networks),
  };
}

function parseNetworks(texts: readonly string[]): ChannelNetworks {
  try {
    return channelNetworks(texts.length === 1 && texts[0] === 'none' ? [] : texts);
  } catch (error) {
    if (error instanceof RequestError) throw new UsageError(`--card-channels: ${error.message}`);
    throw error;
  }
}

/** `192.0.2.7`, `192.0.2.7:6001`, `[2001:db8::7]:6001`; IPv6 becomes its form of eight groups. */
function parseGateway(text: string): AppletGateway {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  const version = isIP(address);
  if (version === 0) {
    throw new UsageError(
      `--gateway is an IP address and a port, as in 192.0.2.7:${defaultPort}, not ${text}`,
    );
  }
  const port = match?.[3] === undefined ? defaultPort : number('--gateway', match[3], 1, 65_535);
  return { address: version === 4 ? address : eightGroups(address), port };
}

function eightGroups(address: string): string {
  // The URL parser writes IPv6 in its shortest form, dotted parts included.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = short.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after].join(':');
}

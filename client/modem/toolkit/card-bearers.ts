import { SocketAddress } from 'node:net';
import type { DatagramPort, PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { createUdpPort, formatPeer } from '../../../protocol/coap/udp-port.ts';
import { localHostFor } from '../../server-address.ts';
import { type BearerChannel, BearerError, type ChannelOptions } from '../../sim/toolkit/bearer-channel.ts';
import { BipCause, GeneralResult } from '../../sim/toolkit/tags.ts';
import type { Radio } from '../radio.ts';
import { type ChannelNetworks, channelNetworks } from './channel-networks.ts';

/** A datagram socket of its own that reaches that peer. @throws the system's errors */
export type OpenSocket = (peer: PeerAddress) => Promise<DatagramPort>;

/** Bytes that the system holds for a channel: what does not fit is lost, as on any network. */
const receiveBufferSize = 65_536;

/** Addresses of no host, or of many: this machine without a name, groups, everybody. */
const noHost = channelNetworks(['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255', '::', 'ff00::/8']);

const openUdpSocket: OpenSocket = (peer) =>
  createUdpPort({ host: localHostFor([peer]), port: 0, receiveBufferSize });

export interface CardBearersOptions {
  readonly radio: Radio;
  /** Default: a UDP socket of the system. */
  readonly openSocket?: OpenSocket;
  /** Where channels may lead; default: anywhere. */
  readonly networks?: ChannelNetworks;
  /** For people. */
  readonly onLog: (message: string) => void;
}

/** The links that a modem opens for its card: UDP sockets behind its own radio, gone when that is off. */
export class CardBearers {
  readonly #options: CardBearersOptions;
  readonly #links = new Set<Link>();

  constructor(options: CardBearersOptions) {
    this.#options = options;
  }

  /** @throws BearerError the modem is not on the network; the destination is no host; the system has no socket or no route */
  async open(options: ChannelOptions): Promise<BearerChannel> {
    const { radio, openSocket = openUdpSocket, networks, onLog } = this.#options;
    if (!radio.isOn) throw BearerError.noService();
    if (noHost.allows(options.destination) || options.port === 0) {
      throw BearerError.unreachable('that is no host');
    }
    if (networks?.allows(options.destination) === false) {
      throw BearerError.unreachable('its channels may not lead there');
    }
    const peer = formatPeer(numericHost(options.destination), options.port);
    const socket = await opened(openSocket(peer));
    if (!radio.isOn) {
      await socket.close();
      throw BearerError.noService();
    }
    socket.onError((error) => onLog(`channel of the card to ${peer}: ${error.message}`));
    const link = new Link(radio.through(socket), peer, () => this.#links.delete(link));
    this.#links.add(link);
    return link;
  }

  /** The radio is off: all links are gone. */
  dropAll(): void {
    for (const link of [...this.#links]) link.drop('the modem left the network');
  }
}

class Link implements BearerChannel {
  readonly #port: DatagramPort;
  readonly #peer: PeerAddress;
  readonly #onEnd: () => void;
  #onData: (data: Uint8Array) => void = () => {};
  #onDropped: (reason: string) => void = () => {};
  #ended: Promise<void> | undefined;

  constructor(port: DatagramPort, peer: PeerAddress, onEnd: () => void) {
    this.#port = port;
    this.#peer = peer;
    this.#onEnd = onEnd;
    // A channel is to one remote end: what others send is not the card's.
    port.onDatagram((data, from) => {
      if (from === peer && this.#ended === undefined) this.#onData(data);
    });
  }

  async send(data: Uint8Array): Promise<void> {
    if (this.#ended !== undefined) {
      throw new BearerError('the channel is closed', {
        general: GeneralResult.BIP_ERROR,
        additional: BipCause.CHANNEL_CLOSED,
      });
    }
    this.#port.send(data, this.#peer);
  }

  onData(listener: (data: Uint8Array) => void): void {
    this.#onData = listener;
  }

  onDropped(listener: (reason: string) => void): void {
    this.#onDropped = listener;
  }

  close(): Promise<void> {
    this.#onEnd();
    this.#ended ??= this.#port.close();
    return this.#ended;
  }

  drop(reason: string): void {
    if (this.#ended !== undefined) return;
    void this.close();
    this.#onDropped(reason);
  }
}

/** The address in the form in which the system tells it. */
function numericHost(address: string): string {
  return address.includes(':') ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

async function opened(socket: Promise<DatagramPort>): Promise<DatagramPort> {
  try {
    return await socket;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw BearerError.unreachable(error.message);
    throw error;
  }
}

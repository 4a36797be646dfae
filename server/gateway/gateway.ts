import { randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodePacket, encodePacket, type UpstreamPacket } from '../../protocol/flow/packet.ts';
import { GatewayCounts } from './counts.ts';
import type { GatewayDevices } from './device-file.ts';
import { FlowDevice, type FlowDeviceParts } from './flow-device.ts';
import { PacketAllowance } from './packet-allowance.ts';

export interface GatewayOptions
  extends Omit<FlowDeviceParts, 'send' | 'nextMessage' | 'counts'>,
    GatewayDevices {
  readonly port: DatagramPort;
  readonly clock: Clock;
}

interface Mapped {
  readonly device: FlowDevice;
  readonly allowance: PacketAllowance;
}

/**
 * The UDP service for devices that speak system A's protocol. One socket for both directions: what goes to a device
 * leaves where it was heard, to the address that it was heard at last.
 */
export class Gateway {
  readonly counts = new GatewayCounts();
  readonly #options: GatewayOptions;
  /** By their number in the configuration. */
  readonly #mapped: readonly Mapped[];
  readonly #byEndpoint: ReadonlyMap<string, FlowDevice>;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { port, devices, clock } = options;
    const process = randomBytes(9).toString('base64url');
    let messages = 0;
    const parts: FlowDeviceParts = {
      ...options,
      counts: this.counts,
      send: (packet, peer) => port.send(encodePacket(packet), peer),
      nextMessage: () => `flow ${process} ${messages++}`,
    };
    this.#mapped = devices.map((device) => ({
      device: new FlowDevice(parts, device),
      allowance: new PacketAllowance(device.rate, device.burst),
    }));
    this.#byEndpoint = new Map(this.#mapped.map(({ device }) => [device.device.endpoint, device]));
    port.onError((error, peer) => options.logger.debug({ error, peer }, 'a datagram could not be delivered'));
    port.onDatagram((data, peer) => this.#take(data, peer, clock.now()));
  }

  /** The address that devices send to. */
  get local(): PeerAddress {
    return this.#options.port.local;
  }

  device(endpoint: string): FlowDevice | undefined {
    return this.#byEndpoint.get(endpoint);
  }

  /** Another node has the device, or its registration has ended. */
  released(endpoint: string): void {
    this.device(endpoint)?.released();
  }

  close(): void {
    for (const { device } of this.#mapped) device.close();
  }

  /** What is not mapped leaves nothing behind but a count. */
  #take(data: Uint8Array, peer: PeerAddress, now: number): void {
    const { sources, logger } = this.#options;
    const { datagrams } = this.counts;
    const number = sources.find(peer);
    const mapped = number === undefined ? undefined : this.#mapped[number];
    if (mapped === undefined) {
      datagrams.unmapped++;
      return;
    }
    if (!mapped.allowance.take(now)) {
      datagrams.limited++;
      return;
    }
    let packet: UpstreamPacket;
    try {
      packet = decodePacket(data, 'upstream');
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      datagrams.malformed++;
      const { endpoint } = mapped.device.device;
      logger.debug({ endpoint, peer, reason: error.message }, 'a datagram that is no packet of the protocol');
      return;
    }
    mapped.device.take(packet, data, peer);
  }
}

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { formatPeer, parsePeer } from '../../protocol/coap/udp-port.ts';

/** One device as it is seen from the outside. */
interface Flow {
  /** Its address there; a new one after `rebind`. */
  outside: Socket | undefined;
  readonly device: RemoteInfo;
}

/**
 * What stands between devices and servers, on real sockets: a NAT, behind which each device has an address of its
 * own that changes when it is told to; and a balancer, which keeps those addresses, and lets each server answer for
 * all. Whatever it is, it forgets nobody by itself.
 */
export class UdpMiddlebox {
  readonly #inside: Socket;
  readonly #flows = new Map<string, Flow>();
  readonly #servers: readonly string[];
  /** Which of the servers gets what this device sends: its number, among so many. */
  route: (device: string, servers: number) => number = () => 0;
  /** What the system says of datagrams that reached nobody. */
  readonly errors: Error[] = [];

  private constructor(inside: Socket, servers: readonly string[]) {
    this.#inside = inside;
    this.#servers = servers;
    inside.on('message', (data, device) => this.#outward(data, device));
  }

  /** @param servers `host:port` of each */
  static async open(servers: readonly string[]): Promise<UdpMiddlebox> {
    const inside = createSocket('udp4');
    inside.bind(0, '127.0.0.1');
    await once(inside, 'listening');
    inside.setRecvBufferSize(4 * 1024 * 1024);
    return new UdpMiddlebox(inside, servers);
  }

  /** Where devices send to: `host:port`. */
  get address(): string {
    const { address, port } = this.#inside.address();
    return formatPeer(address, port);
  }

  /** Gives all devices, or this one, another address at their next datagram. What comes for the former one is lost. */
  rebind(device?: string): void {
    for (const [name, flow] of this.#flows) {
      if (device !== undefined && device !== name) continue;
      flow.outside?.close();
      flow.outside = undefined;
    }
  }

  async close(): Promise<void> {
    this.rebind();
    this.#flows.clear();
    await new Promise<void>((resolve) => this.#inside.close(() => resolve()));
  }

  #outward(data: Buffer, device: RemoteInfo): void {
    const name = formatPeer(device.address, device.port);
    let flow = this.#flows.get(name);
    if (flow === undefined) {
      flow = { outside: undefined, device };
      this.#flows.set(name, flow);
    }
    const server = this.#servers[this.route(name, this.#servers.length)];
    if (server === undefined) throw new Error(`no server for ${name}`);
    flow.outside ??= this.#open(flow.device);
    const { host, port } = parsePeer(server);
    flow.outside.send(data, port, host);
  }

  #open(device: RemoteInfo): Socket {
    const outside = createSocket('udp4');
    outside.on('message', (data) => {
      this.#inside.send(data, device.port, device.address);
    });
    // A server that is not there: no concern of the device's.
    outside.on('error', (error) => this.errors.push(error));
    outside.bind(0, '127.0.0.1');
    return outside;
  }
}

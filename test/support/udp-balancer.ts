import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Large enough for a fleet that speaks at once. */
const bufferSize = 8 * 1024 * 1024;

interface Flow {
  readonly socket: Socket;
  /** Of the device. */
  readonly port: number;
}

/**
 * A UDP load balancer as it has to be in front of several nodes: each device has an address of its own at the nodes,
 * which stays while nodes come and go, and whichever node answers to it, the device hears it from the balancer.
 * Which node a device's datagrams go to is decided anew with each: by rendezvous hash over the nodes that are up.
 */
export class UdpBalancer {
  readonly #front: Socket;
  readonly #flows = new Map<number, Flow>();
  readonly #targets: readonly number[];
  readonly #up: Set<number>;
  #closed = false;

  private constructor(front: Socket, targets: readonly number[]) {
    this.#front = front;
    this.#targets = targets;
    this.#up = new Set(targets);
    front.on('message', (data, { port }) => this.#toNode(data, port));
  }

  /** `targets`: UDP ports of the nodes on the loopback interface; 0 for `port` takes a free one. */
  static async open(targets: readonly number[], port = 0): Promise<UdpBalancer> {
    const front = createSocket({ type: 'udp4', lookup });
    // Asked for first: without a name to be looked up it listens before `bind` returns.
    const listening = once(front, 'listening');
    front.bind(port, '127.0.0.1');
    await listening;
    front.setRecvBufferSize(bufferSize);
    return new UdpBalancer(front, targets);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** Whether a node gets anything. */
  set(target: number, up: boolean): void {
    if (up) this.#up.add(target);
    else this.#up.delete(target);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const sockets = [this.#front, ...[...this.#flows.values()].map(({ socket }) => socket)];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  #toNode(data: Uint8Array, port: number): void {
    const flow = this.#flows.get(port) ?? this.#open(port);
    const target = this.#choose(port);
    if (target !== undefined) flow.socket.send(data, target, '127.0.0.1');
  }

  #open(port: number): Flow {
    const socket = createSocket({ type: 'udp4', lookup });
    // Sending binds it, to an address that is this device's alone.
    socket.on('message', (data) => {
      if (!this.#closed) this.#front.send(data, port, '127.0.0.1');
    });
    // Nobody listens at a node that was killed: the device will send again.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') throw error;
    });
    const flow = { socket, port };
    this.#flows.set(port, flow);
    return flow;
  }

  #choose(port: number): number | undefined {
    let best: number | undefined;
    let weight = -1;
    for (const target of this.#targets) {
      if (!this.#up.has(target)) continue;
      const own = mix(port, target);
      if (own > weight) {
        best = target;
        weight = own;
      }
    }
    return best;
  }
}

function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Addresses are numeric: nothing is to be looked up for each datagram. */
function lookup(
  host: string,
  _options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  callback(null, host, 4);
}

import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import type { CloseReason } from '../../../protocol/dtls/types.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { SessionStore } from '../../../server/ports/session-store.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { createSealer } from '../../../server/secrets/sealer.ts';
import type { RecordCalls, RecordMembers } from '../../../server/transport/foreign-records.ts';
import { openTransport, type Transport } from '../../../server/transport/open-transport.ts';
import type { DtlsWorld } from './dtls-world.ts';

type Handlers = Parameters<RecordCalls['serve']>[1];

export interface TransportNode extends Transport {
  /** What its devices have said, as text. */
  readonly received: readonly string[];
  readonly closed: readonly CloseReason[];
}

/** Nodes of a cluster, of which each has a DTLS port, at an address of its own, and all have one store in memory. */
export class TransportNodes {
  readonly world: DtlsWorld;
  readonly stores: Stores;
  /** The sessions in it; a test may put its own in the place of a method. */
  readonly sessions: SessionStore;
  /** What nodes have asked each other, `two>one take`. */
  readonly calls: string[] = [];
  readonly #sealer = createSealer([new Uint8Array(32).fill(3)]);
  readonly #handlers = new Map<string, Handlers>();

  private constructor(world: DtlsWorld, stores: Stores) {
    this.world = world;
    this.stores = stores;
    this.sessions = { ...stores.sessions };
  }

  static async open(world: DtlsWorld): Promise<TransportNodes> {
    return new TransportNodes(world, await openEmbeddedStores({ path: ':memory:' }));
  }

  node(name: string, address: PeerAddress, slot: number): TransportNode {
    return this.#open(name, address, slot, { rpc: this.#rpc(name), members: this.#members() });
  }

  /** A node that has no others. */
  single(name: string, address: PeerAddress): TransportNode {
    return this.#open(name, address, 0, undefined);
  }

  /** Lets time go on, and the store answer in it. */
  async settle(milliseconds: number): Promise<void> {
    for (let part = 0; part < 20; part++) {
      await this.world.clock.run(milliseconds / 20);
      // The store answers in order: what was asked before has its answer by then.
      for (let turn = 0; turn < 4; turn++) {
        await this.stores.sessions.read('');
        await setImmediate();
      }
    }
  }

  #open(
    name: string,
    address: PeerAddress,
    slot: number,
    others: { readonly rpc: RecordCalls; readonly members: RecordMembers } | undefined,
  ): TransportNode {
    const { world, sessions } = this;
    const received: string[] = [];
    const closed: CloseReason[] = [];
    const transport = openTransport({
      coap: undefined,
      coaps: world.link.port(address),
      account: 'server',
      credentials: { psk: world.psk },
      clock: world.clock,
      log: pino({ level: 'silent' }),
      slot,
      events: { onClosed: (_session, reason) => closed.push(reason) },
      kept: { store: sessions, sealer: this.#sealer, node: name, keepFor: 86_400_000, others },
    });
    transport.port.onDatagram((data, peer) => {
      received.push(Buffer.from(data).toString());
      transport.port.send(Buffer.from(`${Buffer.from(data)}!`), peer);
    });
    return { ...transport, received, closed };
  }

  #rpc(from: string): RecordCalls {
    const call = async (node: string, _service: string, method: string, args: readonly unknown[]) => {
      this.calls.push(`${from}>${node} ${method}`);
      return await this.#handlers.get(node)?.[method]?.(args, { from });
    };
    return {
      call,
      tell: async (...told) => {
        await call(...told);
        return true;
      },
      serve: (_service, handlers) => this.#handlers.set(from, handlers),
    };
  }

  #members(): RecordMembers {
    return {
      isThere: (name) => this.#handlers.has(name),
      isGone: async (name) => !this.#handlers.has(name),
      sharesAddress: () => false,
    };
  }
}

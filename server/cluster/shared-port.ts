import type { StrayDatagram, StrayForwarder } from '../../protocol/coap/exchange.ts';
import type { MessageIdSpace } from '../../protocol/coap/message-ids.ts';
import type { MemberNode } from '../ports/cluster-ports.ts';

/** Nodes that may share an address: as many parts has the space of message ids. */
export const MOST_SHARERS = 16;
const IDS_OF_ONE = 65_536 / MOST_SHARERS;
/** ms: half of what a device waits at least before it sends again (RFC 7252 §4.8), and long for the way there and back. */
const OFFER_TIMEOUT = 1_000;
/** The service by which nodes hand each other what came to the wrong one. */
const SERVICE = 'datagrams';

/** What the tokens of the node in that slot begin with. */
export function tokenPrefixOf(slot: number): Uint8Array {
  return Uint8Array.of(slot);
}

/** The message ids of the node in that slot. */
export function messageIdsOf(slot: number): MessageIdSpace {
  return { first: (slot % MOST_SHARERS) * IDS_OF_ONE, count: IDS_OF_ONE };
}

/** What is needed of the calls between nodes. */
export interface StrayCalls {
  call(
    node: string,
    service: string,
    method: string,
    args: readonly unknown[],
    options: { readonly timeout: number },
  ): Promise<unknown>;
  tell(node: string, service: string, method: string, args: readonly unknown[]): Promise<boolean>;
  serve(service: string, handlers: Readonly<Record<string, (args: readonly unknown[]) => unknown>>): void;
}

/** What is needed of the membership: this node, and all that it knows of. */
export interface StrayMembers {
  readonly self: Pick<MemberNode, 'name' | 'coap'>;
  list(): readonly Pick<MemberNode, 'name' | 'slot' | 'coap'>[];
}

/** Who takes what others have received: the CoAP endpoint. */
export interface StrayTaker {
  takeStray(stray: StrayDatagram): boolean;
}

export interface StrayRouterOptions {
  readonly rpc: StrayCalls;
  readonly members: StrayMembers;
  /** A node could not be told, or did not answer: the datagram goes its usual way here, and comes again. */
  readonly onUnreachable: (error: unknown, node: string) => void;
  /** Hears of each datagram that is taken for another node, before it is. */
  readonly onAdopted?: (stray: StrayDatagram) => void;
}

/**
 * The nodes that share this one's address, whether by SO_REUSEPORT or behind a balancer that keeps the sources of
 * datagrams, get what is theirs: an ACK or RST by its message id, a response by its token.
 */
export class StrayRouter implements StrayForwarder {
  readonly #options: StrayRouterOptions;

  constructor(options: StrayRouterOptions) {
    this.#options = options;
  }

  /** Takes what others have for this node from now on. */
  attach(taker: StrayTaker): void {
    const take = (stray: StrayDatagram): boolean => {
      const taken = taker.takeStray(stray);
      if (taken) this.#options.onAdopted?.(stray);
      return taken;
    };
    this.#options.rpc.serve(SERVICE, {
      reply: (args) => void take(decodeArgs(args)),
      response: (args) => take(decodeArgs(args)),
    });
  }

  reply(messageId: number, stray: StrayDatagram): void {
    const { rpc, onUnreachable } = this.#options;
    const part = Math.floor(messageId / IDS_OF_ONE);
    // One node, unless more share the address than there are parts.
    for (const { name, slot } of this.#sharers()) {
      if (slot % MOST_SHARERS !== part) continue;
      rpc
        .tell(name, SERVICE, 'reply', encodeArgs(stray))
        .catch((error: unknown) => onUnreachable(error, name));
    }
  }

  response(token: Uint8Array, stray: StrayDatagram, done: (taken: boolean) => void): void {
    const { rpc, onUnreachable } = this.#options;
    const maker = this.#sharers().find(({ slot }) => slot === token[0]);
    if (maker === undefined) {
      done(false);
      return;
    }
    rpc.call(maker.name, SERVICE, 'response', encodeArgs(stray), { timeout: OFFER_TIMEOUT }).then(
      (taken) => done(taken === true),
      (error: unknown) => {
        onUnreachable(error, maker.name);
        done(false);
      },
    );
  }

  #sharers(): readonly Pick<MemberNode, 'name' | 'slot'>[] {
    const { members } = this.#options;
    const { name: self, coap: address } = members.self;
    return members.list().filter(({ name, coap }) => name !== self && coap === address);
  }
}

function encodeArgs({ data, peer, identity }: StrayDatagram): readonly unknown[] {
  return [data, peer, identity ?? null];
}

function decodeArgs([data, peer, identity]: readonly unknown[]): StrayDatagram {
  return {
    data: data as Uint8Array,
    peer: peer as string,
    identity: (identity as StrayDatagram['identity'] | null) ?? undefined,
  };
}

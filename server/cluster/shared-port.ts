import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { CoapEndpointOptions } from '../../protocol/coap/endpoint.ts';
import type { StrayDatagram, StrayForwarder } from '../../protocol/coap/exchange.ts';
import type { MessageIdSpace } from '../../protocol/coap/message-ids.ts';
import type { MemberNode } from '../ports/cluster-ports.ts';
import type { Seat } from './seat.ts';

/** Nodes that may share an address: as many parts has the space of message ids. */
export const MOST_SHARERS = 16;
const IDS_OF_ONE = 65_536 / MOST_SHARERS;
/** ms: half of what a device waits at least before it sends again (RFC 7252 §4.8), and long for the way there and back. */
const OFFER_TIMEOUT = 1_000;
/** How often, at most, others are looked for where nobody known fits, ms: whoever forges tokens must not have us ask all the time. */
const LOOK_PAUSE = 500;
/** ACKs and RSTs that are on their way to other nodes at once, at most. */
const MOST_TOLD = 1_024;
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
  list(): readonly Sharer[];
  /** Looks who there is now. */
  refresh(): Promise<void>;
}

type Sharer = Pick<MemberNode, 'name' | 'slot' | 'coap'>;

/** Who takes what others have received: the CoAP endpoint. */
export interface StrayTaker {
  takeStray(stray: StrayDatagram): boolean;
}

export interface StrayRouterOptions {
  readonly rpc: StrayCalls;
  readonly members: StrayMembers;
  readonly clock: Clock;
  /** A node could not be told, or did not answer: the datagram goes its usual way here, and comes again. */
  readonly onUnreachable: (error: unknown, node: string | undefined) => void;
  /** Hears of each datagram that is taken for another node, before it is. */
  readonly onAdopted?: (stray: StrayDatagram) => void;
}

/**
 * The nodes that share this one's address, whether by SO_REUSEPORT or behind a balancer that keeps the sources of
 * datagrams, get what is theirs: an ACK or RST by its message id, a response by its token.
 */
export class StrayRouter implements StrayForwarder {
  readonly #options: StrayRouterOptions;
  /** ACKs and RSTs that are on their way to other nodes. */
  #telling = 0;
  #looking: Promise<void> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

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
    // Anybody can send an ACK. What is dropped is sent again where it answers something.
    if (this.#telling >= MOST_TOLD) return;
    this.#telling++;
    const part = Math.floor(messageId / IDS_OF_ONE);
    this.#find(
      ({ slot }) => slot % MOST_SHARERS === part,
      (nodes) => {
        const { rpc, onUnreachable } = this.#options;
        // One node, unless more share the address than there are parts.
        const told = nodes.map(({ name }) =>
          rpc
            .tell(name, SERVICE, 'reply', encodeArgs(stray))
            .catch((error: unknown) => onUnreachable(error, name)),
        );
        Promise.all(told).then(() => this.#telling--);
      },
    );
  }

  response(token: Uint8Array, stray: StrayDatagram, done: (taken: boolean) => void): void {
    this.#find(
      ({ slot }) => slot === token[0],
      ([maker]) => {
        if (maker === undefined) {
          done(false);
          return;
        }
        const { rpc, onUnreachable } = this.#options;
        rpc.call(maker.name, SERVICE, 'response', encodeArgs(stray), { timeout: OFFER_TIMEOUT }).then(
          (taken) => done(taken === true),
          (error: unknown) => {
            onUnreachable(error, maker.name);
            done(false);
          },
        );
      },
    );
  }

  /** Finds others at this node's address, at once where there are any; one that came just now after another look. */
  #find(fits: (node: Sharer) => boolean, found: (nodes: readonly Sharer[]) => void): void {
    const nodes = this.#sharers().filter(fits);
    const { members, clock, onUnreachable } = this.#options;
    const now = clock.now();
    if (nodes.length === 0 && this.#looking === undefined && now - this.#lookedAt >= LOOK_PAUSE) {
      this.#lookedAt = now;
      this.#looking = members
        .refresh()
        .catch((error: unknown) => onUnreachable(error, undefined))
        .finally(() => {
          this.#looking = undefined;
        });
    }
    if (nodes.length > 0 || this.#looking === undefined) {
      found(nodes);
      return;
    }
    this.#looking.then(() => found(this.#sharers().filter(fits)));
  }

  #sharers(): readonly Sharer[] {
    const { members } = this.#options;
    const { name: self, coap: address } = members.self;
    return members.list().filter(({ name, coap }) => name !== self && coap === address);
  }
}

/** What a node that may share its port with others gives its CoAP endpoint; nothing where it is alone. */
export function sharePort(
  { others, slot }: Pick<Seat, 'others' | 'slot'>,
  parts: {
    readonly clock: Clock;
    readonly log: Logger;
    readonly onAdopted: (stray: StrayDatagram) => void;
  },
): {
  readonly options: Pick<CoapEndpointOptions, 'tokenPrefix' | 'messageIds' | 'strays'>;
  /** The endpoint is there. */
  attach(endpoint: StrayTaker): void;
} {
  if (others === undefined) return { options: {}, attach: () => undefined };
  const router = new StrayRouter({
    ...parts,
    rpc: others.rpc,
    members: others.members,
    onUnreachable: (error, node) => parts.log.debug({ error, node }, 'a datagram could not be passed on'),
  });
  return {
    options: { tokenPrefix: tokenPrefixOf(slot), messageIds: messageIdsOf(slot), strays: router },
    attach: (endpoint) => router.attach(endpoint),
  };
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

import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { DtlsServerPort, ForeignRecords } from '../../protocol/dtls/types.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import type { HandOvers } from './hand-overs.ts';
import { sessionAddressOf } from './session-address.ts';
import type { SessionPlaces } from './session-places.ts';

/** ms: half of what a device waits at least before it sends again (RFC 7252 §4.8). */
const OFFER_TIMEOUT = 1_000;
/** Records that are on their way to other nodes at once, at most. */
const MOST_UNDER_WAY = 4_096;
/** How long a node is waited for that is saving its sessions, ms, before the store is asked again; so often at the most. */
const LEAVING_PAUSE = 100;
const MOST_LOOKS = 20;
/** The service by which nodes hand each other records and what is to be sent in sessions. */
const SERVICE = 'records';
/** What begins the address of a peer whose records another node receives, at an address of its own: the answer goes back by it. */
const VIA = 'via:';

/** `leaving`: it is on its way into the store. */
type TakeAnswer = 'taken' | 'leaving' | 'absent';
type OfferAnswer = TakeAnswer | 'gone' | 'slow';

/** What is needed of the calls between nodes. */
export interface RecordCalls {
  call(
    node: string,
    service: string,
    method: string,
    args: readonly unknown[],
    options: { readonly timeout: number },
  ): Promise<unknown>;
  tell(node: string, service: string, method: string, args: readonly unknown[]): Promise<boolean>;
  serve(
    service: string,
    handlers: Readonly<
      Record<string, (args: readonly unknown[], call: { readonly from: string }) => unknown>
    >,
  ): void;
}

/** What is needed of the membership. */
export interface RecordMembers {
  isThere(name: string): boolean;
  isGone(name: string): Promise<boolean>;
  sharesAddress(name: string): boolean;
}

export interface RecordForwarderOptions {
  readonly node: string;
  readonly rpc: RecordCalls;
  readonly members: RecordMembers;
  readonly places: SessionPlaces;
  readonly clock: Clock;
  /** A node could not be told, or did not answer. */
  readonly onUnreachable: (error: unknown, node: string) => void;
}

/** What the forwarder hands to, and takes from. */
export interface RecordTaker {
  readonly dtls: Pick<DtlsServerPort, 'takeForeign'>;
  readonly handOvers: HandOvers;
  /** The socket that records leave by. */
  readonly socket: { send(data: Uint8Array, peer: PeerAddress): void };
  /** Sends in a session that is here. */
  readonly send: (data: Uint8Array, peer: PeerAddress) => void;
}

/**
 * Records that arrive at another node than the one that has their session, as when a NAT has changed a device's port or a
 * node has gone. The store says who has it; that one is given the record, and answers by its own socket where both are
 * reached at the same address, or back by way of here. Of a node that is gone the session is taken over.
 */
export class RecordForwarder implements ForeignRecords {
  readonly #options: RecordForwarderOptions;
  #underWay = 0;
  /** Sessions are on their way into the store: nobody is to take them before they are there. */
  #leaving = false;

  constructor(options: RecordForwarderOptions) {
    this.#options = options;
  }

  /** Takes what others have for this node from now on. */
  attach({ dtls, handOvers, socket, send }: RecordTaker): void {
    const { rpc, places } = this.#options;
    /** To say of what is on its way into the store that it is not here would have it taken without its window. */
    const take = ([datagram, source, id]: readonly unknown[], from: string): TakeAnswer => {
      if (this.#leaving || handOvers.isLeaving(id as string)) return 'leaving';
      if (!dtls.takeForeign(datagram as Uint8Array, source as string)) return 'absent';
      handOvers.heard(id as string, from);
      return 'taken';
    };
    rpc.serve(SERVICE, {
      take: (args, { from }) => take(args, from),
      // As `take`, but nobody waits for the answer.
      given: (args, { from }) => {
        if (take(args, from) !== 'taken') this.tellGone(from, args[2] as string);
      },
      gone: ([id]) => places.forget(id as string),
      back: ([datagram, to]) => socket.send(datagram as Uint8Array, to as string),
      send: ([data, id]) => send(data as Uint8Array, sessionAddressOf(id as string)),
    });
  }

  /** Its sessions are on their way into the store from now on. */
  leave(): void {
    this.#leaving = true;
  }

  /** A session is not here any more: that node is to look where it is. */
  tellGone(node: string, id: string): void {
    this.#tell(node, 'gone', [id]);
  }

  /** @throws TooManyLooksError, StoreUnavailableError: who has it is not known, and so nobody is given it */
  async forward(id: Uint8Array, datagram: Uint8Array, source: PeerAddress): Promise<boolean> {
    const { places } = this.#options;
    const name = Buffer.from(id).toString('hex');
    const known = places.known(name);
    if (known === null) return false;
    if (this.#isOther(known)) {
      if (await this.#give(known, name, datagram, source)) return true;
      // It has ended meanwhile.
      places.forget(name);
    } else if (places.justRead(name) !== undefined) return false;
    return this.#lookAndOffer(name, datagram, source);
  }

  /** Who has it is asked of the store, until a node that lives has the record, or it may be taken over. */
  async #lookAndOffer(id: string, datagram: Uint8Array, source: PeerAddress): Promise<boolean> {
    const { places, members, clock } = this.#options;
    let asked: string | undefined;
    for (let look = 0; look < MOST_LOOKS; look++) {
      const owner = (await places.look(id))?.node;
      if (!this.#isOther(owner)) return false;
      const answer = await this.#offer(owner, id, datagram, source);
      if (answer === 'taken') return true;
      places.forget(id);
      if (answer === 'leaving') await new Promise<void>((resolve) => clock.setTimer(LEAVING_PAUSE, resolve));
      // It may have been given up just now: what the store says then counts.
      else if (asked !== owner) asked = owner;
      // Whoever takes it over from one that has lost it does so by the fence that the store has.
      else return answer === 'gone' ? !(await members.isGone(owner)) : answer === 'slow';
    }
    return true;
  }

  #isOther(node: string | null | undefined): node is string {
    return node !== undefined && node !== null && node !== '' && node !== this.#options.node;
  }

  /** Whether a session that is not in this process is at another node that lives. @throws StoreUnavailableError */
  async isElsewhere(id: string): Promise<boolean> {
    const { places, members } = this.#options;
    const known = places.known(id);
    const owner = known === undefined ? (await places.look(id, 'own'))?.node : known;
    if (!this.#isOther(owner)) return false;
    if (members.isThere(owner) || !(await members.isGone(owner))) return true;
    places.forget(id);
    return false;
  }

  /** Has its node send in a session that is elsewhere. */
  send(data: Uint8Array, id: string): void {
    const { places } = this.#options;
    const owner = places.known(id);
    if (owner) this.#tell(owner, 'send', [data, id], () => places.forget(id));
  }

  /** Sends a record to a peer whose records came by way of another node. False: it is no such peer. */
  sendBack(record: Uint8Array, peer: PeerAddress): boolean {
    if (!peer.startsWith(VIA)) return false;
    const bar = peer.indexOf('|');
    const node = peer.slice(VIA.length, bar);
    this.#tell(node, 'back', [record, peer.slice(bar + 1)]);
    return true;
  }

  /**
   * The first record of a session to that node. `absent`: it does not have it any more; `gone`: nobody listens by its
   * name; `slow`: it may have taken it, and the device sends again what it has not.
   */
  async #offer(node: string, id: string, datagram: Uint8Array, source: PeerAddress): Promise<OfferAnswer> {
    const { rpc, onUnreachable } = this.#options;
    if (this.#underWay >= MOST_UNDER_WAY) return 'taken';
    this.#underWay++;
    try {
      const args = [datagram, this.#sourceFor(node, source), id];
      const answer = await rpc.call(node, SERVICE, 'take', args, { timeout: OFFER_TIMEOUT });
      return answer === 'taken' || answer === 'leaving' ? answer : 'absent';
    } catch (error) {
      if (!(error instanceof NodeUnreachableError)) throw error;
      onUnreachable(error, node);
      return error.gone ? 'gone' : 'slow';
    } finally {
      this.#underWay--;
    }
  }

  /** A further record. False: nobody listens by that name. */
  async #give(node: string, id: string, datagram: Uint8Array, source: PeerAddress): Promise<boolean> {
    if (this.#underWay >= MOST_UNDER_WAY) return true;
    this.#underWay++;
    try {
      const args = [datagram, this.#sourceFor(node, source), id];
      return await this.#options.rpc.tell(node, SERVICE, 'given', args);
    } finally {
      this.#underWay--;
    }
  }

  /** Anybody can send records: beyond a bound they are dropped, and what matters is sent again. */
  #tell(node: string, method: string, args: readonly unknown[], unheard: () => void = () => undefined): void {
    if (this.#underWay >= MOST_UNDER_WAY) return;
    this.#underWay++;
    this.#options.rpc
      .tell(node, SERVICE, method, args)
      .then((heard) => {
        if (!heard) unheard();
      })
      .catch((error: unknown) => {
        unheard();
        this.#options.onUnreachable(error, node);
      })
      .finally(() => {
        this.#underWay--;
      });
  }

  #sourceFor(node: string, source: PeerAddress): PeerAddress {
    const { members, node: self } = this.#options;
    return members.sharesAddress(node) ? source : `${VIA}${self}|${source}`;
  }
}

/** The address of the peer itself, by whichever node its records come. */
export function withoutWay(address: PeerAddress): PeerAddress {
  return address.startsWith(VIA) ? address.slice(address.indexOf('|') + 1) : address;
}

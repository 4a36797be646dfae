import type { ByteBudget } from './byte-budget.ts';
import type { PeerAddress, PeerIdentity } from './datagram-port.ts';
import { Deadline } from './deadlines.ts';
import { DeduplicationRing } from './deduplication.ts';
import { type CoapMessage, MessageType } from './message.ts';

/** Who sent a message, and hears what becomes of it. Called at most once per transmission, but for `superseded`. */
export interface TransmissionOwner {
  /** It goes out, for the first time. */
  sent?(): void;
  /** An empty ACK. */
  acknowledged(transmission: Transmission): void;
  /** An ACK that carries a response (RFC 7252 §5.2.1). */
  respondedTo(
    transmission: Transmission,
    message: CoapMessage,
    peer: Peer,
    identity: PeerIdentity | undefined,
  ): void;
  /** RST. */
  reset(transmission: Transmission): void;
  /** MAX_RETRANSMIT retransmissions were in vain. */
  timedOut(transmission: Transmission): void;
  /** About to be sent again: the owner may give newer data, which goes out under a new message id (RFC 7641 §4.5.2). */
  renew?(transmission: Transmission): Uint8Array | undefined;
}

export const TransmissionState = { IDLE: 0, QUEUED: 1, SENT: 2, CLOSED: 3 } as const;
export type TransmissionState = (typeof TransmissionState)[keyof typeof TransmissionState];

/** Who sends, and sends again. */
export interface TransmissionDriver {
  transmissionDue(transmission: Transmission): void;
}

/** One message of ours, from NSTART's queue to its ACK (RFC 7252 §4.2). */
export class Transmission extends Deadline {
  readonly owner: TransmissionOwner;
  readonly confirmable: boolean;
  /** Whether NSTART counts it: requests and notifications, not separate responses. */
  readonly counted: boolean;
  readonly #driver: TransmissionDriver;
  peer: Peer;
  /** The encoded message; its id is written when it is sent first. */
  data: Uint8Array;
  messageId = -1;
  state: TransmissionState = TransmissionState.IDLE;
  /** Holds one of the NSTART places of its peer. */
  holdsPlace = false;
  /** Times that it was sent again. */
  retransmissions = 0;
  /** When it was sent first: `Clock.now`. */
  sentAt = 0;
  /** The present wait for an ACK, in milliseconds: doubles (RFC 7252 §4.2). */
  interval = 0;

  constructor(
    driver: TransmissionDriver,
    owner: TransmissionOwner,
    peer: Peer,
    data: Uint8Array,
    counted: boolean,
  ) {
    super();
    this.#driver = driver;
    this.owner = owner;
    this.peer = peer;
    this.data = data;
    this.confirmable = ((data[0] as number) >> 4) % 4 === MessageType.CON;
    this.counted = counted;
  }

  override expire(): void {
    this.#driver.transmissionDue(this);
  }
}

/** What the message layer knows of one peer. Everything that an idle peer does not need is absent. */
export class Peer {
  readonly address: PeerAddress;
  /** The next of our message ids, counted without end; see messageIdMark. */
  nextId = 0;
  seen: DeduplicationRing | undefined;
  /** Who it was when it last spoke; undefined on plain UDP. */
  identity: PeerIdentity | undefined;
  /** Messages of ours that an ACK or RST may name, by message id. */
  outgoing: Map<number, Transmission> | undefined;
  /** Messages that wait for NSTART. */
  queue: Transmission[] | undefined;
  /** Interactions outstanding in the sense of NSTART (RFC 7252 §4.7). */
  active = 0;
  /** What else holds it: observers, block transfers. */
  holds = 0;
  lastUsed = 0;
  /** Owned by PeerTable: the order of use. */
  newer: Peer | undefined;
  older: Peer | undefined;

  constructor(address: PeerAddress) {
    this.address = address;
  }

  ring(capacity: number, budget: ByteBudget): DeduplicationRing {
    this.seen ??= new DeduplicationRing(capacity, budget);
    return this.seen;
  }

  /** Whether that is who it was before, or the first that it says of itself. */
  sameIdentity(identity: PeerIdentity | undefined): boolean {
    const known = this.identity;
    return (
      known === identity ||
      known === undefined ||
      (known.kind === identity?.kind && known.name === identity.name)
    );
  }

  /** Forgets what it sent; how many message ids those were. */
  forgetSeen(): number {
    const { seen } = this;
    if (seen === undefined) return 0;
    this.seen = undefined;
    seen.clear();
    return seen.size;
  }

  /** True while forgetting it would lose more than duplicates of what is done. */
  busy(now: number): boolean {
    return (
      this.holds > 0 ||
      (this.outgoing !== undefined && this.outgoing.size > 0) ||
      (this.queue !== undefined && this.queue.length > 0) ||
      this.seen?.pending(now) === true
    );
  }
}

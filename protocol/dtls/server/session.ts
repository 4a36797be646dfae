import type { PeerAddress, PeerIdentity } from '../../coap/datagram-port.ts';
import type { RepeatFlight } from '../handshake/flight.ts';
import type { KeyCache } from '../records/key-cache.ts';
import { MAX_PLAINTEXT, MAX_SEQUENCE } from '../records/record.ts';
import { SecuredEpoch } from '../records/secured-epoch.ts';
import type { SessionInfo, SessionState } from '../types.ts';
import type { PathCheck } from './path-check.ts';

const PREFIX = 'dtls:';

/** How a session is known to those above, by its id. */
export function peerOf(id: Uint8Array): PeerAddress {
  return PREFIX + Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
}

/** The id in such an address; undefined where it is none. */
export function idOf(peer: PeerAddress): Uint8Array | undefined {
  return /^dtls:[0-9a-f]{16}$/.test(peer) ? Buffer.from(peer.slice(PREFIX.length), 'hex') : undefined;
}

export interface SessionParameters {
  readonly id: Uint8Array;
  readonly identity: PeerIdentity;
  readonly address: PeerAddress;
  readonly epoch: SecuredEpoch;
  readonly connectionIds: boolean;
  readonly returnRoutability: boolean;
  readonly maxPlaintext: number;
  readonly establishedAt: number;
  readonly resumed: boolean;
}

/** An established session of a server: small, for there are many. */
export class Session {
  readonly id: Uint8Array;
  readonly peer: PeerAddress;
  readonly identity: PeerIdentity;
  readonly epoch: SecuredEpoch;
  readonly connectionIds: boolean;
  readonly returnRoutability: boolean;
  readonly maxPlaintext: number;
  readonly establishedAt: number;
  readonly resumed: boolean;
  /** Where it was heard last, by a record newer than all before. */
  address: PeerAddress;
  fence = 0;
  /** The first sequence number that may not be written with. */
  reservedTo = MAX_SEQUENCE + 1;
  ended = false;
  /** The end of the handshake, for as long as the peer may not have got it. */
  lastFlight: RepeatFlight | undefined;
  /** The TLS session id by which it can be resumed. */
  resumableAs: Uint8Array | undefined;
  /** Present while nothing has shown that the peer is at its new address. */
  path: PathCheck | undefined;
  /** Owned by SequenceKeeping. */
  keeping: Promise<void> | undefined;
  stored = false;
  /** How often it was to be kept for the first time. */
  creations = 0;
  askAgainAt = 0;
  /** Owned by SessionTable: the order in which sessions were heard. */
  newer: Session | undefined;
  older: Session | undefined;
  /** Owned by SessionTable: another one whose id has the same number there. */
  sharingNumber: Session | undefined;

  constructor(parameters: SessionParameters) {
    this.id = parameters.id;
    this.peer = peerOf(parameters.id);
    this.identity = parameters.identity;
    this.epoch = parameters.epoch;
    this.connectionIds = parameters.connectionIds;
    this.returnRoutability = parameters.returnRoutability;
    this.maxPlaintext = parameters.maxPlaintext;
    this.establishedAt = parameters.establishedAt;
    this.resumed = parameters.resumed;
    this.address = parameters.address;
  }

  /** A session as it was stored. The state is not used any more: keys are wiped where they are. */
  static from(state: SessionState, cache: KeyCache): Session {
    const { id, peerConnectionId } = state;
    const epoch = new SecuredEpoch(
      {
        suite: state.suite,
        keys: state.keys,
        role: 'server',
        ownConnectionId: peerConnectionId === undefined ? undefined : id,
        peerConnectionId,
      },
      cache,
    );
    epoch.resume(state.nextSequence, state.window);
    const session = new Session({
      id,
      identity: state.peer,
      address: state.address,
      epoch,
      connectionIds: peerConnectionId !== undefined,
      returnRoutability: state.returnRoutability,
      maxPlaintext: state.maxPlaintext ?? MAX_PLAINTEXT,
      establishedAt: state.establishedAt,
      resumed: false,
    });
    session.fence = state.fence;
    // A block may go beyond the last number that there is.
    session.reservedTo = Math.min(state.reservedTo, MAX_SEQUENCE + 1);
    session.stored = true;
    return session;
  }

  get mayWrite(): boolean {
    return !this.ended && this.epoch.nextSequence < this.reservedTo;
  }

  info(): SessionInfo {
    const { peer, address, identity, epoch, resumed, connectionIds, establishedAt } = this;
    return {
      peer,
      address,
      identity,
      suite: epoch.suite,
      resumed,
      connectionId: connectionIds,
      establishedAt,
    };
  }

  /** All of it, with keys of its own. */
  state(): SessionState {
    const { epoch } = this;
    return {
      id: this.id,
      peer: this.identity,
      address: this.address,
      suite: epoch.suite,
      keys: { client: new Uint8Array(epoch.keys.client), server: new Uint8Array(epoch.keys.server) },
      ...(this.connectionIds && { peerConnectionId: epoch.peerConnectionId ?? new Uint8Array(0) }),
      returnRoutability: this.returnRoutability,
      ...(this.maxPlaintext < MAX_PLAINTEXT && { maxPlaintext: this.maxPlaintext }),
      establishedAt: this.establishedAt,
      fence: this.fence,
      nextSequence: epoch.nextSequence,
      reservedTo: this.reservedTo,
      window: epoch.window.state(),
    };
  }
}

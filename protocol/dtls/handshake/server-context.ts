import type { Clock } from '../../clock.ts';
import type { PeerAddress, PeerIdentity } from '../../coap/datagram-port.ts';
import type { CipherSuite } from '../crypto/cipher-suites.ts';
import type { ClientHello } from '../messages/hello-messages.ts';
import type { KeyCache } from '../records/key-cache.ts';
import type { SecuredEpoch } from '../records/secured-epoch.ts';
import type { DtlsStatistics, HandshakeFailure, ServerCredentials } from '../types.ts';
import type { RepeatFlight } from './flight.ts';

/** What it takes to resume a session (RFC 5246 §7.3). All have the extended master secret: others cannot be resumed (RFC 7627 §5.3). */
export interface Resumable {
  readonly masterSecret: Uint8Array;
  readonly suite: number;
  readonly identity: PeerIdentity;
}

/** What all handshakes of a server share. */
export interface ServerHandshakeContext {
  readonly clock: Clock;
  readonly credentials: ServerCredentials;
  readonly suites: readonly CipherSuite[];
  readonly pmtu: number;
  readonly maxMessage: number;
  readonly maxTime: number;
  readonly connectionIds: boolean;
  /** Whether sessions get ids by which they can be resumed. */
  readonly resumption: boolean;
  readonly keyCache: KeyCache;
  readonly statistics: DtlsStatistics;
  random(bytes: number): Uint8Array;
  send(datagram: Uint8Array, address: PeerAddress): void;
  findResumable(sessionId: Uint8Array): Resumable | undefined;
  /** A fault of ours. It ends the handshake in which it came to light, and nothing else. */
  onError(error: unknown): void;
}

/** The ClientHello that opens a handshake, once its cookie was right. */
export interface OpeningHello {
  readonly hello: ClientHello;
  readonly body: Uint8Array;
  /** Its message_seq: ours go on from it, for none was kept of what went before (RFC 6347 §4.2.2). */
  readonly messageSeq: number;
  /** The number of its record, which that of the ServerHello has to equal (RFC 6347 §4.2.1). */
  readonly recordSequence: number;
}

/** What has become of a handshake. */
export interface ServerHandshakeEvents {
  /** The client's Finished was verified, and the last flight is sent. */
  established(outcome: HandshakeOutcome): void;
  /** It was in vain; called once, but not where it is called off by `stop`. */
  failed(failure: HandshakeFailure): void;
  /** Nothing more is to come of it. */
  over(): void;
}

export interface HandshakeOutcome {
  readonly identity: PeerIdentity;
  readonly epoch: SecuredEpoch;
  readonly resumed: boolean;
  readonly returnRoutability: boolean;
  readonly connectionIds: boolean;
  readonly maxPlaintext: number;
  /** What to send again when the client repeats its Finished. */
  readonly lastFlight: RepeatFlight | undefined;
  /** What the client has sent meanwhile. */
  readonly overtaken: readonly Uint8Array[];
  /** The TLS session id, where the session can be resumed. */
  readonly sessionId: Uint8Array | undefined;
  /** What it takes to do so; undefined where it was itself resumed. */
  readonly resumable: Resumable | undefined;
}

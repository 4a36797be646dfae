import type { PeerIdentity } from '../../coap/datagram-port.ts';
import type { HelloExtensions } from '../messages/hello-extensions.ts';
import type { FailureReason } from '../types.ts';
import type { Transcript } from './transcript.ts';

/** A handshake message without its header, which the flight gives it. */
export interface HandshakeBody {
  readonly type: number;
  readonly body: Uint8Array;
}

/** The randoms of both hellos, as signatures and keys take them (RFC 5246 §7.4.3, §8.1). */
export interface HelloRandoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** Who a client has turned out to be; `identity` is undefined where it may not come in, and is not told so before its Finished. */
export interface AuthenticatedClient {
  readonly identity: PeerIdentity | undefined;
  /** Why `identity` is undefined. */
  readonly reason?: FailureReason;
}

/**
 * What a server does between ServerHello and Finished, by the kind of the suite's key exchange. One for each handshake. All
 * methods throw HandshakeError or DecodeError where the peer is at fault. They are called in the order of the messages, each
 * when the one before is done.
 */
export interface ServerKeyExchange {
  /** What the ServerHello says of it: certificate types, point formats. Only what the ClientHello has offered. */
  readonly helloExtensions: HelloExtensions;
  /** What stands between ServerHello and ServerHelloDone: Certificate, ServerKeyExchange, CertificateRequest, as there are. */
  serverFlight(randoms: HelloRandoms): readonly HandshakeBody[];
  /** What the client has called itself so far, for the log: printable. */
  readonly named: string | undefined;
  /** Whether CertificateRequest is among them: then the client's Certificate comes first. */
  readonly asksForCertificate: boolean;
  /** Takes the client's Certificate. Whether CertificateVerify has to follow the ClientKeyExchange. */
  clientCertificate(body: Uint8Array): boolean;
  /** Takes the ClientKeyExchange and gives the premaster secret, which the caller wipes. */
  clientKeyExchange(body: Uint8Array): Promise<Uint8Array>;
  /** Takes the CertificateVerify; the transcript ends before it. */
  certificateVerify(body: Uint8Array, transcript: Transcript): void;
  /** Who it is: asked when all of the above is done, and known to the peer only by how its Finished fares. */
  authenticate(): Promise<AuthenticatedClient>;
}

/** The same for a client. */
export interface ClientKeyExchange {
  /** The server's messages, those that come; a server that leaves out one that is needed is found out at `serverDone`. */
  serverCertificate(body: Uint8Array): void;
  serverKeyExchange(body: Uint8Array, randoms: HelloRandoms): void;
  certificateRequest(body: Uint8Array): void;
  /** ServerHelloDone: throws where something is missing. */
  serverDone(): void;
  /** The body of the own Certificate; undefined where none was asked for. */
  certificate(): Uint8Array | undefined;
  /** The body of the ClientKeyExchange, and the premaster secret, which the caller wipes. */
  clientKeyExchange(): { readonly body: Uint8Array; readonly premaster: Uint8Array };
  /** The body of the CertificateVerify over the transcript so far; undefined where no certificate was sent. */
  certificateVerify(transcript: Transcript): Uint8Array | undefined;
}

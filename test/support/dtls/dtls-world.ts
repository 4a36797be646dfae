import type { DatagramPort, PeerAddress, PeerIdentity } from '../../../protocol/coap/datagram-port.ts';
import { createDtlsClientPort } from '../../../protocol/dtls/client-port.ts';
import { createDtlsServerPort } from '../../../protocol/dtls/server-port.ts';
import type {
  ClientCredentials,
  CloseReason,
  DtlsClientOptions,
  DtlsClientPort,
  DtlsServerOptions,
  DtlsServerPort,
  HandshakeFailure,
  PskCredential,
  SessionInfo,
} from '../../../protocol/dtls/types.ts';
import { FakeClock } from '../coap/fake-clock.ts';
import { type LinkQuality, LossyLink, seededBytes } from '../coap/lossy-link.ts';

export const SERVER = '192.0.2.1:5684';
export const KEY = Uint8Array.from({ length: 16 }, (_, at) => at + 1);

/** What a peer has received. */
export interface Received {
  readonly text: string;
  readonly peer: PeerAddress;
  readonly identity: PeerIdentity | undefined;
}

export interface TestServer {
  readonly port: DtlsServerPort;
  readonly received: Received[];
  readonly established: SessionInfo[];
  readonly closed: { readonly session: SessionInfo; readonly reason: CloseReason }[];
  readonly failures: HandshakeFailure[];
  readonly moves: { readonly session: SessionInfo; readonly from: PeerAddress }[];
  readonly errors: unknown[];
  /** Answers everything with the same text behind an exclamation mark, unless false. */
  echo: boolean;
}

export interface TestClient {
  readonly port: DtlsClientPort;
  readonly received: Received[];
  readonly established: { readonly suite: number; readonly resumed: boolean }[];
  readonly failures: string[];
  closed: number;
}

/** A network with DTLS servers and clients on it, in time that stands still until a test moves it. */
export class DtlsWorld {
  readonly clock = new FakeClock();
  readonly link: LossyLink;
  /** By identity, as text. */
  readonly keys = new Map<string, Uint8Array>([['one', KEY]]);
  #seed = 1;

  constructor(quality: LinkQuality = {}) {
    this.link = new LossyLink(this.clock, quality);
  }

  readonly psk = (identity: Uint8Array): Promise<PskCredential | undefined> => {
    const name = Buffer.from(identity).toString();
    const key = this.keys.get(name);
    return Promise.resolve(
      key === undefined ? undefined : { key, peer: { kind: 'psk', name, endpoint: `ep-${name}` } },
    );
  };

  server(options: Partial<DtlsServerOptions> = {}, address: PeerAddress = SERVER): TestServer {
    const established: SessionInfo[] = [];
    const closed: TestServer['closed'] = [];
    const failures: HandshakeFailure[] = [];
    const moves: TestServer['moves'] = [];
    const errors: unknown[] = [];
    const received: Received[] = [];
    const port = createDtlsServerPort({
      port: options.port ?? this.link.port(address),
      clock: this.clock,
      credentials: { psk: this.psk },
      random: seededBytes(this.#seed++),
      ...options,
      events: {
        onEstablished: (session) => established.push(session),
        onClosed: (session, reason) => closed.push({ session, reason }),
        onHandshakeFailed: (failure) => failures.push(failure),
        onMoved: (session, from) => moves.push({ session, from }),
        onError: (error) => errors.push(error),
        ...options.events,
      },
    });
    const server = { port, received, established, closed, failures, moves, errors, echo: true };
    port.onDatagram((data, peer, identity) => {
      const text = Buffer.from(data).toString();
      received.push({ text, peer, identity });
      if (server.echo) port.send(Buffer.from(`${text}!`), peer);
    });
    return server;
  }

  client(
    address: PeerAddress,
    options: Partial<DtlsClientOptions> & {
      readonly credentials?: ClientCredentials;
      readonly identity?: string;
      readonly key?: Uint8Array;
      readonly inner?: DatagramPort;
    } = {},
  ): TestClient {
    const { credentials, identity = 'one', key = KEY, inner, ...rest } = options;
    const received: Received[] = [];
    const established: TestClient['established'] = [];
    const failures: string[] = [];
    const port = createDtlsClientPort({
      port: inner ?? this.link.port(address),
      clock: this.clock,
      random: seededBytes(1_000 + this.#seed++),
      ...rest,
      events: {
        onEstablished: (_peer, session) => established.push(session),
        onFailed: (_peer, reason, detail) => failures.push(`${reason}: ${detail}`),
        onClosed: () => client.closed++,
      },
    });
    port.onDatagram((data, peer, from) =>
      received.push({ text: Buffer.from(data).toString(), peer, identity: from }),
    );
    const client = { port, received, established, failures, closed: 0 };
    port.secure(SERVER, credentials ?? { kind: 'psk', identity: Buffer.from(identity), key });
    return client;
  }

  say(client: TestClient, text: string): void {
    client.port.send(Buffer.from(text), SERVER);
  }

  /** Has the client say something, and waits for the echo. Whether it came. */
  async ask(client: TestClient, text: string, milliseconds = 5_000): Promise<boolean> {
    this.say(client, text);
    return this.clock.run(milliseconds, () => client.received.some((one) => one.text === `${text}!`));
  }
}

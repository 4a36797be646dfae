import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../protocol/clock.ts';
import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import type { CoapEndpoint, IncomingRequest } from '../../../protocol/coap/exchange.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { pathOptions, uriPath } from '../../../protocol/coap/options.ts';
import { createUdpPort, parsePeer } from '../../../protocol/coap/udp-port.ts';
import { createDtlsClientPort } from '../../../protocol/dtls/client-port.ts';
import { createDtlsServerPort } from '../../../protocol/dtls/server-port.ts';
import type {
  ClientCredentials,
  DtlsClientOptions,
  DtlsServerOptions,
  DtlsServerPort,
  HandshakeFailure,
  SessionInfo,
} from '../../../protocol/dtls/types.ts';
import { Authority } from '../../support/dtls/authorities.ts';
import { pem } from '../../support/dtls/make-certificate.ts';

export const IDENTITY = 'device-1';
export const KEY = '000102030405060708090a0b0c0d0e0f';

const text = (value: string) => new TextEncoder().encode(value);

/** What libcoap's programs use: they take keys as text alone. */
export const TEXT_IDENTITY = 'device-2';
export const TEXT_KEY = 'open-sesame-2026';

const keys = new Map([
  [IDENTITY, Buffer.from(KEY, 'hex')],
  [TEXT_IDENTITY, Buffer.from(TEXT_KEY)],
]);

/** What /hello answers. */
export const HELLO = 'hello from simyard';

function answer(request: IncomingRequest): void {
  const path = uriPath(request.options).join('/');
  if (path === 'hello' || path === '') request.respond({ code: Code.CONTENT, payload: text(HELLO) });
  else if (path === 'echo') request.respond({ code: Code.CHANGED, payload: request.payload });
  else request.respond({ code: Code.NOT_FOUND });
}

/** Our DTLS server with CoAP on it, on the loopback. */
export interface SecureServer {
  readonly endpoint: CoapEndpoint;
  readonly dtls: DtlsServerPort;
  readonly port: number;
  readonly established: SessionInfo[];
  readonly failures: HandshakeFailure[];
  readonly moves: PeerAddress[];
  /** Asks the device of the session that was established last; its answer as text. */
  ask(path: string): Promise<string>;
  close(): Promise<void>;
}

export const authority = new Authority('interop authority');
export const serverIdentity = authority.identity('localhost', { dnsNames: ['localhost'] });
export const deviceIdentity = authority.identity('device-1');

export async function openSecureServer(options: Partial<DtlsServerOptions> = {}): Promise<SecureServer> {
  const established: SessionInfo[] = [];
  const failures: HandshakeFailure[] = [];
  const moves: PeerAddress[] = [];
  const udp = await createUdpPort({ host: '127.0.0.1', port: 0 });
  const dtls = createDtlsServerPort({
    port: udp,
    clock: systemClock,
    credentials: {
      ...authority.credentials(serverIdentity, [deviceIdentity.pair.spki], Date.now),
      psk: (identity) => {
        const name = Buffer.from(identity).toString();
        const key = keys.get(name);
        return Promise.resolve(key === undefined ? undefined : { key, peer: { kind: 'psk', name } });
      },
    },
    ...options,
    events: {
      onEstablished: (session) => established.push(session),
      onHandshakeFailed: (failure) => failures.push(failure),
      onMoved: (session) => moves.push(session.address),
    },
  });
  const endpoint = createCoapEndpoint({ port: dtls, handler: answer });
  return {
    endpoint,
    dtls,
    port: parsePeer(udp.local).port,
    established,
    failures,
    moves,
    ask: (path) => ask(endpoint, established.at(-1)?.peer as PeerAddress, path),
    close: () => endpoint.close(),
  };
}

/** Our DTLS client with CoAP on it. */
export interface SecureClient {
  readonly endpoint: CoapEndpoint;
  readonly failures: string[];
  readonly suites: number[];
  /** Asks the server; its answer as text. */
  ask(path: string): Promise<string>;
  close(): Promise<void>;
}

export const pskCredentials: ClientCredentials = {
  kind: 'psk',
  identity: Buffer.from(IDENTITY),
  key: Buffer.from(KEY, 'hex'),
};
export const rpkCredentials: ClientCredentials = {
  kind: 'rpk',
  own: deviceIdentity,
  serverPublicKey: serverIdentity.pair.spki,
};
export const x509Credentials: ClientCredentials = {
  kind: 'x509',
  own: deviceIdentity,
  trusted: [authority.certificate],
  serverName: 'localhost',
};

export async function openSecureClient(
  serverPort: number,
  credentials: ClientCredentials,
  options: Partial<DtlsClientOptions> = {},
): Promise<SecureClient> {
  const failures: string[] = [];
  const suites: number[] = [];
  const udp = await createUdpPort({ host: '127.0.0.1', port: 0 });
  const dtls = createDtlsClientPort({
    port: udp,
    clock: systemClock,
    ...options,
    events: {
      onEstablished: (_peer, { suite }) => suites.push(suite),
      onFailed: (_peer, reason, detail) => failures.push(`${reason}: ${detail}`),
    },
  });
  const endpoint = createCoapEndpoint({ port: dtls, handler: answer });
  const server = `127.0.0.1:${serverPort}`;
  dtls.secure(server, credentials);
  return {
    endpoint,
    failures,
    suites,
    ask: (path) => ask(endpoint, server, path),
    close: () => endpoint.close(),
  };
}

async function ask(endpoint: CoapEndpoint, peer: PeerAddress, path: string): Promise<string> {
  const { code, payload } = await endpoint.request(peer, { code: Code.GET, options: pathOptions(path) });
  return `${code >> 5}.${String(code & 31).padStart(2, '0')} ${new TextDecoder().decode(payload)}`;
}

/** Keys and certificates as files, for programs that want them so. */
export interface KeyFiles {
  /** Where they are; what is put there beside is removed with them. */
  readonly folder: string;
  readonly authority: string;
  readonly certificate: string;
  /** PKCS #8 */
  readonly key: string;
  /** SEC 1 */
  readonly ecKey: string;
  readonly publicKey: string;
  /** Of the other side. */
  readonly peerPublicKey: string;
  /** `device-1:KEY`, as gnutls-serv reads it. */
  readonly psk: string;
  remove(): Promise<void>;
}

/** Those of the device, for peers that are clients, or of the server. */
export async function keyFiles(of: 'device' | 'server'): Promise<KeyFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'simyard-dtls-'));
  const [own, other] = of === 'device' ? [deviceIdentity, serverIdentity] : [serverIdentity, deviceIdentity];
  const files = {
    authority: [pem('CERTIFICATE', authority.certificate)],
    certificate: (own.certificateChain ?? []).map((der) => pem('CERTIFICATE', der)),
    key: [own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ecKey: [own.privateKey.export({ type: 'sec1', format: 'pem' }).toString()],
    publicKey: [pem('PUBLIC KEY', own.pair.spki)],
    peerPublicKey: [pem('PUBLIC KEY', other.pair.spki)],
    psk: [`${IDENTITY}:${KEY}\n`],
  };
  const paths: Record<string, string> = {};
  for (const [name, parts] of Object.entries(files)) {
    const path = join(folder, `${name}.pem`);
    await writeFile(path, parts.join(''));
    paths[name] = path;
  }
  return {
    ...(paths as Record<keyof typeof files, string>),
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

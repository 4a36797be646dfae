import { createHash, randomBytes } from 'node:crypto';
import type { DatagramHandler, PeerAddress, PeerIdentity } from '../coap/datagram-port.ts';
import { RequestError } from '../errors.ts';
import { SecuredServer } from './client/secured-server.ts';
import { cipherSuites } from './crypto/cipher-suites.ts';
import type { ClientHandshakeContext } from './handshake/client-handshake.ts';
import { printable } from './handshake/printable.ts';
import { DEFAULT_PMTU, SMALLEST_PMTU, suitesOf } from './parameters.ts';
import { KeyCache } from './records/key-cache.ts';
import { readRecord } from './records/record.ts';
import type { ClientCredentials, ClientSessionState, DtlsClientOptions, DtlsClientPort } from './types.ts';

const HANDSHAKE_TIME = 120_000;
const MAX_QUEUED = 16;
/** Servers whose KeyObjects are kept: a device has few. */
const CACHED_KEYS = 64;

/**
 * A client's port for servers with DTLS 1.2 and without.
 * @throws RequestError where an option cannot be.
 */
export function createDtlsClientPort(options: DtlsClientOptions): DtlsClientPort {
  const { port, clock, pmtu = DEFAULT_PMTU, connectionId = new Uint8Array(0), events = {} } = options;
  if (!(pmtu >= SMALLEST_PMTU)) throw new RequestError(`a path of ${pmtu} bytes is too narrow for DTLS`);
  const servers = new Map<PeerAddress, SecuredServer>();
  let handler: DatagramHandler | undefined;
  const context: ClientHandshakeContext = {
    clock,
    suites: options.suites === undefined ? cipherSuites : suitesOf(options.suites),
    pmtu,
    maxTime: options.handshakeTime ?? HANDSHAKE_TIME,
    connectionId: connectionId ?? undefined,
    returnRoutability: options.returnRoutability ?? true,
    keyCache: new KeyCache(CACHED_KEYS),
    random: options.random ?? randomBytes,
    send: (datagram, address) => port.send(datagram, address),
  };
  const idLength = connectionId?.length ?? 0;
  port.onDatagram((data, source, identity) => {
    const server = servers.get(source);
    if (server === undefined) {
      handler?.(data, source, identity);
      return;
    }
    // What is no record ends the datagram (RFC 6347 §4.1.2.7).
    for (let offset = 0; offset < data.length; ) {
      const record = readRecord(data, offset, idLength);
      if (record === undefined) return;
      offset = record.end;
      server.receive(record);
    }
  });
  return {
    get local() {
      return port.local;
    },
    send(data, peer) {
      const server = servers.get(peer);
      if (server === undefined) port.send(data, peer);
      else server.send(data);
    },
    onDatagram(receiver) {
      handler = receiver;
    },
    onError: (listener) => port.onError(listener),
    secure(peer, credentials) {
      servers.get(peer)?.stop();
      const onData = (data: Uint8Array, from: PeerAddress, identity: PeerIdentity) =>
        handler?.(data, from, identity);
      const maxQueued = options.maxQueued ?? MAX_QUEUED;
      servers.set(
        peer,
        new SecuredServer({
          context,
          peer,
          credentials,
          identity: serverIdentity(credentials),
          maxQueued,
          events,
          onData,
        }),
      );
    },
    release(peer) {
      servers.get(peer)?.stop();
      servers.delete(peer);
    },
    established: (peer) => servers.get(peer)?.established ?? false,
    suspend() {
      return [...servers.values()].flatMap((server) => server.suspend() ?? []);
    },
    restore(state: ClientSessionState) {
      const server = servers.get(state.peer);
      const fits =
        (state.ownConnectionId?.length ?? 0) === idLength || state.serverConnectionId === undefined;
      if (server === undefined || !fits) return false;
      server.restore(state);
      return true;
    },
    async close() {
      for (const server of servers.values()) server.stop();
      servers.clear();
      await port.close();
    },
  };
}

/** Who a server is once it has proven that it holds the key, or is the one that the credentials name. */
function serverIdentity(credentials: ClientCredentials): PeerIdentity {
  if (credentials.kind === 'psk') return { kind: 'psk', name: printable(credentials.identity) };
  if (credentials.kind === 'rpk') {
    const name = createHash('sha256').update(credentials.serverPublicKey).digest('hex');
    return { kind: 'rpk', name };
  }
  const { serverCertificate, serverName } = credentials;
  const fingerprint = createHash('sha256').update(serverCertificate ?? new Uint8Array(0));
  return { kind: 'x509', name: serverName ?? fingerprint.digest('hex') };
}

/** Our DTLS server with a CoAP endpoint on it, both in one process: what a device of `bench/dtls.ts` speaks with. */
import { X509Certificate } from 'node:crypto';
import { systemClock } from '../../protocol/clock.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import { Code } from '../../protocol/coap/message.ts';
import { createUdpPort, parsePeer } from '../../protocol/coap/udp-port.ts';
import { verifyChain } from '../../protocol/dtls/certificates/chain.ts';
import { createDtlsServerPort } from '../../protocol/dtls/server-port.ts';
import { Authority } from '../../test/support/dtls/authorities.ts';

export interface DtlsTargetReady {
  readonly port: number;
  /** DER, base64: the authority, and the device's certificate and private key. */
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly serverCertificate: string;
  readonly serverPrivateKey: string;
}

export interface DtlsTargetReport {
  readonly sessions: number;
  readonly handshakes: number;
  /** Bytes after a garbage collection: heap, and what buffers have outside of it. */
  readonly heap: number;
}

const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const authority = new Authority();
const server = authority.identity('server');
const device = authority.identity('device-1');
const anchors = [new X509Certificate(authority.certificate)];

const udp = await createUdpPort({ host: '127.0.0.1', port: 0 });
const dtls = createDtlsServerPort({
  port: udp,
  clock: systemClock,
  credentials: {
    identity: server,
    psk: (identity) =>
      Promise.resolve({ key: KEY, peer: { kind: 'psk', name: Buffer.from(identity).toString() } }),
    certificate: (chain) => {
      const verdict = verifyChain(chain, { anchors, now: Date.now(), purpose: 'client' });
      return Promise.resolve(verdict.problem === undefined ? { kind: 'x509', name: 'device-1' } : undefined);
    },
  },
});
createCoapEndpoint({
  port: dtls,
  handler: (request) => request.respond({ code: Code.CHANGED, payload: request.payload }),
});

process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  const report: DtlsTargetReport = {
    sessions: dtls.sessions,
    handshakes: dtls.statistics.handshakesDone,
    heap: heapUsed + arrayBuffers,
  };
  process.send?.(report);
});
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const ready: DtlsTargetReady = {
  port: parsePeer(udp.local).port,
  authority: base64(authority.certificate),
  certificate: base64(device.certificateChain[0] as Uint8Array),
  privateKey: base64(device.privateKey.export({ type: 'pkcs8', format: 'der' })),
  serverCertificate: base64(server.certificateChain[0] as Uint8Array),
  serverPrivateKey: base64(server.privateKey.export({ type: 'pkcs8', format: 'der' })),
};
process.send?.(ready);

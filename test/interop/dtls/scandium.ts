import { startDtlsPeer } from '../leshan/leshan-peers.ts';
import type { JsonLinesProcess } from '../support/json-lines-process.ts';
import { authority, deviceIdentity, IDENTITY, KEY, serverIdentity } from './fixture.ts';

export type ScandiumKind = 'psk' | 'rpk' | 'x509';

export interface ScandiumSettings {
  readonly role: 'client' | 'server';
  readonly kind: ScandiumKind;
  /** Bytes of its own connection id; without connection ids unless told. */
  readonly connectionId?: number;
  readonly suites?: readonly string[];
  readonly mtu?: number;
}

export type ScandiumProcess = JsonLinesProcess & { readonly port: number };

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** Starts a CoAP endpoint over Scandium, as our device or our server; it is ready when this resolves. */
export async function startScandium(settings: ScandiumSettings): Promise<ScandiumProcess> {
  const { role, kind, connectionId = -1, ...rest } = settings;
  const process = startDtlsPeer({ role, connectionId, ...credentials(role, kind), ...rest });
  const { port } = await process.until(({ event }) => event === 'ready');
  return Object.assign(process, { port: port as number });
}

function credentials(role: ScandiumSettings['role'], kind: ScandiumKind): object {
  if (kind === 'psk') return { identity: IDENTITY, key: KEY };
  const [own, other] =
    role === 'client' ? [deviceIdentity, serverIdentity] : [serverIdentity, deviceIdentity];
  const privateKey = base64(own.privateKey.export({ type: 'pkcs8', format: 'der' }));
  return kind === 'rpk'
    ? { privateKey, publicKey: base64(own.pair.spki), trustedKeys: [base64(other.pair.spki)] }
    : {
        privateKey,
        chain: own.certificateChain.map(base64),
        trusted: [base64(authority.certificate)],
      };
}

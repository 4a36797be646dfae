import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClientCredentials, OwnIdentity } from '../protocol/dtls/types.ts';
import { UsageError } from './flag-values.ts';

/** Values of the Security object's Security Mode (OMA-TS-LightweightM2M_Core §E.1). */
export const securityModes = { psk: 0, rpk: 1, x509: 2 } as const satisfies Record<
  ClientCredentials['kind'],
  number
>;

/** What the command line says of how a modem proves itself; each may be absent. */
export interface CredentialFlags {
  /** PSK identity; `{name}` and `{n}` stand for the endpoint name and the number in a fleet. */
  readonly identity?: string | undefined;
  /** Hex; `{n}` is the number in a fleet, as eight hex digits. */
  readonly key?: string | undefined;
  /** File with such a key, or with a line of `identity` and key. */
  readonly keyFile?: string | undefined;
  /** PEM files. */
  readonly privateKey?: string | undefined;
  readonly serverPublicKey?: string | undefined;
  readonly certificate?: string | undefined;
  readonly serverCertificate?: string | undefined;
  readonly serverCa?: string | undefined;
}

/** Which modem: credentials of a fleet differ. */
export interface ModemName {
  readonly endpoint: string;
  /** In a fleet, from 1. */
  readonly number?: number;
}

/** What a modem proves itself by. */
export type CredentialsOf = (modem: ModemName) => ClientCredentials;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
/** RFC 4279 §5.3 has keys up to 64 bytes; more is a slip. */
const longestKey = 64;

/**
 * How modems prove themselves to a server, read once for all of them: by certificates where there is one, by a raw public
 * key where there is a private key alone, by a pre-shared key otherwise. Undefined: nothing is given.
 * @throws UsageError
 */
export function readCredentials(flags: CredentialFlags, host: string): CredentialsOf | undefined {
  const { identity, key, keyFile, privateKey, certificate } = flags;
  const isPsk = identity !== undefined || key !== undefined || keyFile !== undefined;
  const isPublic = privateKey !== undefined || certificate !== undefined;
  if (!isPsk && !isPublic) return undefined;
  if (isPsk && isPublic) {
    throw new UsageError(
      'a server takes a pre-shared key, or a private key with what belongs to it: not both',
    );
  }
  if (isPsk) return preSharedKey(flags);
  return certificate === undefined ? rawPublicKey(flags) : certificates(flags, host);
}

function preSharedKey({ identity, key, keyFile }: CredentialFlags): CredentialsOf {
  if ((key === undefined) === (keyFile === undefined)) {
    throw new UsageError('a pre-shared key is given by --key or by --key-file');
  }
  const text = key ?? readText('--key-file', keyFile ?? '').trim();
  parseKey(text, 1);
  return ({ endpoint, number = 1 }) => ({
    kind: 'psk',
    identity: new TextEncoder().encode(
      (identity ?? '{name}').replaceAll('{name}', endpoint).replaceAll('{n}', String(number)),
    ),
    key: parseKey(text, number),
  });
}

/** @throws UsageError, which does not show it */
function parseKey(template: string, number: number): Uint8Array {
  const hex = template.replaceAll('{n}', number.toString(16).padStart(8, '0'));
  if (!/^(?:[\da-f]{2})+$/i.test(hex) || hex.length > 2 * longestKey) {
    throw new UsageError(`a pre-shared key is 1 to ${longestKey} bytes as hex digits`);
  }
  return Buffer.from(hex, 'hex');
}

function rawPublicKey({
  privateKey,
  serverPublicKey,
  serverCa,
  serverCertificate,
}: CredentialFlags): CredentialsOf {
  if (serverPublicKey === undefined || serverCa !== undefined || serverCertificate !== undefined) {
    throw new UsageError('with a raw public key the server is known by --server-public-key');
  }
  const own = readPrivateKey(privateKey ?? '');
  const publicKey = spkiOf(createPublicKey(own));
  const known = spkiOf(readPublicKey(serverPublicKey));
  const identity: OwnIdentity = { privateKey: own, publicKey };
  return () => ({ kind: 'rpk', own: identity, serverPublicKey: known });
}

function certificates(
  { privateKey, certificate = '', serverCertificate, serverCa, serverPublicKey }: CredentialFlags,
  host: string,
): CredentialsOf {
  if (privateKey === undefined) throw new UsageError('--certificate needs its --private-key');
  if (serverPublicKey !== undefined || (serverCertificate === undefined && serverCa === undefined)) {
    throw new UsageError('with a certificate the server is known by --server-certificate, or by --server-ca');
  }
  const own: OwnIdentity = {
    privateKey: readPrivateKey(privateKey),
    certificateChain: readCertificates('--certificate', certificate),
  };
  const [known] =
    serverCertificate === undefined ? [] : readCertificates('--server-certificate', serverCertificate);
  return () => ({
    kind: 'x509',
    own,
    ...(known === undefined ? {} : { serverCertificate: known }),
    ...(serverCa === undefined
      ? {}
      : { trusted: readCertificates('--server-ca', serverCa), serverName: host.replace(/^\[|\]$/g, '') }),
  });
}

/** @throws UsageError */
function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`${flag}: '${path}' cannot be read (${reason})`);
  }
}

/** @throws UsageError */
function readPrivateKey(path: string): KeyObject {
  const text = readText('--private-key', path);
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw new UsageError(`--private-key: there is no private key (PEM) in '${path}'`);
  }
  return onCurve('--private-key', key);
}

/** @throws UsageError */
function readPublicKey(path: string): KeyObject {
  const text = readText('--server-public-key', path);
  let key: KeyObject;
  try {
    key = createPublicKey(text);
  } catch {
    throw new UsageError(`--server-public-key: there is no public key (PEM) in '${path}'`);
  }
  return onCurve('--server-public-key', key);
}

/** @throws UsageError */
function onCurve(flag: string, key: KeyObject): KeyObject {
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new UsageError(`${flag}: the key is not one on the curve P-256`);
}

/** DER. @throws UsageError */
function readCertificates(flag: string, path: string): Uint8Array[] {
  const found = readText(flag, path).match(CERTIFICATE) ?? [];
  if (found.length === 0) throw new UsageError(`${flag}: there is no certificate (PEM) in '${path}'`);
  return found.map((pem) => {
    try {
      return new X509Certificate(pem).raw;
    } catch {
      throw new UsageError(`${flag}: a certificate in '${path}' cannot be read`);
    }
  });
}

function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' });
}

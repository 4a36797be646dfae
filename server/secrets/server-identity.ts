import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OwnIdentity } from '../../protocol/dtls/types.ts';
import { ConfigError } from '../config.ts';
import { keepFile } from './kept-file.ts';

/** Beside the database. */
export const SERVER_KEY_FILE = 'server.key';

export interface ServerIdentityOptions {
  /** PEM files of the settings. */
  readonly keyFile: string | undefined;
  readonly certificateFile: string | undefined;
  /** Folder of the embedded store; undefined where nodes share one. */
  readonly data: string | undefined;
}

/**
 * What the server proves itself by to devices with raw public keys and certificates: the key of the settings, with its
 * certificates where there are some; or a key in a file beside the database, which is made at the first start. Nodes
 * that share a store have none without settings: devices would meet another one at each.
 * @throws ConfigError one line: a file is not to be read, or does not fit
 */
export async function openServerIdentity(options: ServerIdentityOptions): Promise<OwnIdentity | undefined> {
  const { keyFile, certificateFile, data } = options;
  if (keyFile === undefined) {
    if (certificateFile !== undefined) {
      throw new ConfigError(
        'SIMYARD_SERVER_CERTIFICATE needs the key that it was made for: set SIMYARD_SERVER_KEY',
      );
    }
    if (data === undefined) return undefined;
    const pem = data === ':memory:' ? makeKey() : await keepFile(join(data, SERVER_KEY_FILE), makeKey);
    return identityOf(readKey(pem, join(data, SERVER_KEY_FILE)));
  }
  const privateKey = readKey(await read(keyFile, 'SIMYARD_SERVER_KEY'), `SIMYARD_SERVER_KEY: ${keyFile}`);
  if (certificateFile === undefined) return identityOf(privateKey);
  const chain = readChain(await read(certificateFile, 'SIMYARD_SERVER_CERTIFICATE'), certificateFile);
  if (chain[0]?.checkPrivateKey(privateKey) !== true) {
    throw new ConfigError(
      `SIMYARD_SERVER_CERTIFICATE: the first certificate of ${certificateFile} is not that of SIMYARD_SERVER_KEY`,
    );
  }
  return { ...identityOf(privateKey), certificateChain: chain.map(({ raw }) => raw) };
}

function identityOf(privateKey: KeyObject): OwnIdentity {
  return { privateKey, publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'der' }) };
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function readKey(pem: string, what: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // What OpenSSL says of it may quote it.
    throw new ConfigError(`${what} has no private key in PEM`);
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ConfigError(`${what} is no key on the curve P-256 (secp256r1), which all devices know`);
  }
  return key;
}

function readChain(pem: string, file: string): readonly X509Certificate[] {
  const parts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (parts.length > 0) return parts.map((part) => new X509Certificate(part));
  } catch {
    // Told below.
  }
  throw new ConfigError(`SIMYARD_SERVER_CERTIFICATE: ${file} has no certificates in PEM`);
}

async function read(file: string, setting: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${setting}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

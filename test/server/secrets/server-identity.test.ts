import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../../server/config.ts';
import { openServerIdentity, SERVER_KEY_FILE } from '../../../server/secrets/server-identity.ts';
import { Authority } from '../../support/dtls/authorities.ts';

const none = { keyFile: undefined, certificateFile: undefined, data: undefined };

describe('what the server proves itself by', () => {
  let folder: string;
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const pem = (certificate: Uint8Array): string =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----\n`;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-identity-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a key beside the database, made at the first start and the same at the next; without certificates', async () => {
    const first = await openServerIdentity({ ...none, data: folder });
    const second = await openServerIdentity({ ...none, data: folder });
    expect(statSync(join(folder, SERVER_KEY_FILE)).mode & 0o777).toBe(0o600);
    expect(first?.publicKey).toEqual(second?.publicKey);
    expect(first?.certificateChain).toBeUndefined();
    expect(createPublicKey(first?.privateKey ?? '').asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('nothing where nodes share a store and no key is set', async () => {
    expect(await openServerIdentity(none)).toBeUndefined();
  });

  test('the key of the settings with its chain, in its order', async () => {
    const authority = new Authority();
    const { pair, certificateChain } = authority.identity('server.example');
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const chain = [...certificateChain, authority.certificate];
    const identity = await openServerIdentity({
      ...none,
      keyFile: write('key.pem', key),
      certificateFile: write('chain.pem', chain.map(pem).join('')),
    });
    expect(identity?.certificateChain?.map((one) => Buffer.from(one))).toEqual(
      chain.map((one) => Buffer.from(one)),
    );
    expect(Buffer.from(identity?.publicKey ?? [])).toEqual(Buffer.from(pair.spki));
  });

  test('what does not fit is told in one line that shows no key', async () => {
    const authority = new Authority();
    const pemOf = (curve: string): string =>
      generateKeyPairSync('ec', { namedCurve: curve })
        .privateKey.export({ type: 'pkcs8', format: 'pem' })
        .toString();
    const key = write('key.pem', pemOf('P-256'));
    const certificate = write('other.pem', pem(authority.certificate));
    const wrong = [
      [{ keyFile: join(folder, 'missing') }, /SIMYARD_SERVER_KEY: ENOENT/],
      [{ keyFile: write('text', 'no key') }, /has no private key in PEM/],
      [{ keyFile: write('p384.pem', pemOf('P-384')) }, /no key on the curve P-256/],
      [{ certificateFile: certificate }, /needs the key that it was made for/],
      [{ keyFile: key, certificateFile: certificate }, /is not that of SIMYARD_SERVER_KEY/],
      [{ keyFile: key, certificateFile: key }, /has no certificates in PEM/],
    ] as const;
    for (const [options, message] of wrong) {
      const opened = openServerIdentity({ ...none, ...options });
      await expect(opened).rejects.toThrow(ConfigError);
      await expect(opened).rejects.toThrow(message);
    }
  });
});

import { beforeEach, describe, expect, test } from 'vitest';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { until } from '../../support/until.ts';
import { freePort } from '../coap/fixture.ts';
import { PeerProcess } from '../coap/peer-process.ts';
import {
  HELLO,
  type KeyFiles,
  keyFiles,
  openSecureClient,
  openSecureServer,
  rpkCredentials,
  type SecureServer,
  TEXT_IDENTITY,
  TEXT_KEY,
  x509Credentials,
} from './fixture.ts';

const psk = { kind: 'psk', identity: Buffer.from(TEXT_IDENTITY), key: Buffer.from(TEXT_KEY) } as const;

const libraries = ['openssl', 'gnutls'];
const missing = !libraries.every((library) => isInstalled(`coap-client-${library}`));

describe.skipIf(missing).each(libraries)("libcoap's client over %s", (library) => {
  let here: SecureServer;
  let files: KeyFiles;
  beforeEach(async () => {
    here = await openSecureServer();
    files = await keyFiles('device');
    return async () => {
      await here.close();
      await files.remove();
    };
  });

  const run = (...args: string[]) =>
    runToEnd(`coap-client-${library}`, ['-B', '10', ...args, `coaps://localhost:${here.port}/hello`]);

  test('reads with a pre-shared key', async () => {
    const { output } = await run('-u', TEXT_IDENTITY, '-k', TEXT_KEY);
    expect(output).toContain(HELLO);
    expect(here.established).toMatchObject([{ identity: { kind: 'psk', name: TEXT_IDENTITY } }]);
  });

  test('is refused with another key', async () => {
    const { output } = await run('-u', TEXT_IDENTITY, '-k', 'another');
    expect(output).not.toContain(HELLO);
    expect(here.failures).toMatchObject([{ reason: 'wrong_key', identity: TEXT_IDENTITY }]);
  });

  test('reads with a certificate', async () => {
    const { output } = await run('-c', files.certificate, '-j', files.key, '-C', files.authority);
    expect(output).toContain(HELLO);
    expect(here.established).toMatchObject([{ identity: { kind: 'x509', name: 'device-1' } }]);
  });

  // OpenSSL of Debian 12 has no raw public keys.
  if (library === 'gnutls') {
    test('reads with a raw public key', async () => {
      const { output } = await run('-M', files.ecKey);
      expect(output).toContain(HELLO);
      expect(here.established).toMatchObject([{ identity: { kind: 'rpk' } }]);
    });
  }
});

describe.skipIf(missing).each(libraries)("libcoap's server over %s", (library) => {
  let files: KeyFiles;
  let there: PeerProcess | undefined;
  beforeEach(async () => {
    files = await keyFiles('server');
    return async () => {
      await there?.stop();
      await files.remove();
    };
  });

  /** Starts it; the port on which it listens for DTLS, which is the next one to that for UDP. */
  async function start(...args: string[]): Promise<number> {
    const port = await freePort();
    there = new PeerProcess(`coap-server-${library}`, [
      '-p',
      String(port),
      '-A',
      '127.0.0.1',
      '-v',
      '7',
      ...args,
    ]);
    await until('it listens', () => /created (DTLS|UDP)/.test(there?.output ?? ''));
    return port + 1;
  }

  test.each([
    ['a pre-shared key', psk, () => ['-k', TEXT_KEY]],
    [
      'certificates',
      x509Credentials,
      () => ['-c', files.certificate, '-j', files.key, '-C', files.authority],
    ],
    ...(library === 'gnutls'
      ? ([['raw public keys', rpkCredentials, () => ['-M', files.ecKey]]] as const)
      : []),
  ] as const)('is read with %s', async (_name, credentials, args) => {
    const port = await start(...args());
    const here = await openSecureClient(port, credentials);
    expect(await here.ask('/'), there?.output).toMatch(/^2\.05 This is a test server/);
    expect(here.failures).toEqual([]);
    await here.close();
  });
});

import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cipherSuiteOf, cipherSuites } from '../../../protocol/dtls/crypto/cipher-suites.ts';
import type { ClientCredentials } from '../../../protocol/dtls/types.ts';
import { UdpMiddlebox } from '../../support/udp-middlebox.ts';
import { buildLeshanPeers, hasLeshan } from '../leshan/leshan-peers.ts';
import {
  HELLO,
  openSecureClient,
  openSecureServer,
  pskCredentials,
  rpkCredentials,
  x509Credentials,
} from './fixture.ts';
import { type ScandiumKind, type ScandiumProcess, startScandium } from './scandium.ts';

const kinds: readonly (readonly [ScandiumKind, ClientCredentials])[] = [
  ['psk', pskCredentials],
  ['rpk', rpkCredentials],
  ['x509', x509Credentials],
];
// Scandium 4 has all of ours but for one.
const suites = cipherSuites.filter(
  ({ name }) => name !== 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256' && !name.includes('CBC'),
);

describe.skipIf(!hasLeshan)('Scandium', () => {
  let peer: ScandiumProcess | undefined;

  beforeAll(buildLeshanPeers);
  afterEach(async () => {
    await peer?.stop('SIGKILL');
    peer = undefined;
  });

  const answered = (text: string) => ({ event: 'answer', code: '2.05', text });
  async function ask(path: string, port: number | string): Promise<unknown> {
    peer?.order(`get coaps://127.0.0.1:${port}${path}`);
    return peer?.until(({ event }) => event === 'answer');
  }

  test.each(kinds)('as a client with %s and connection ids speaks CoAP both ways', async (kind) => {
    const here = await openSecureServer();
    peer = await startScandium({ role: 'client', kind, connectionId: 4 });
    expect(await ask('/hello', here.port)).toMatchObject(answered(HELLO));
    expect(here.established).toMatchObject([{ connectionId: true, identity: { kind } }]);
    expect(await here.ask('/hello')).toBe('2.05 hello from scandium');
    await here.close();
  });

  test.each(kinds)(
    'as a server with %s and connection ids speaks CoAP both ways',
    async (kind, credentials) => {
      peer = await startScandium({ role: 'server', kind, connectionId: 6 });
      const here = await openSecureClient(peer.port, credentials, { connectionId: Uint8Array.of(7, 8) });
      expect(await here.ask('/hello')).toBe('2.05 hello from scandium');
      const { identity } = await peer.until(({ event }) => event === 'request');
      expect(identity).toEqual(
        kind === 'psk' ? 'device-1' : kind === 'x509' ? 'CN=device-1' : expect.any(String),
      );
      await here.close();
    },
  );

  test.each(suites)('as a client speaks $name', async ({ id, name, keyExchange }) => {
    const here = await openSecureServer();
    const kind = keyExchange === 'ecdhe_ecdsa' ? 'x509' : 'psk';
    peer = await startScandium({ role: 'client', kind, suites: [name] });
    expect(await ask('/hello', here.port)).toMatchObject(answered(HELLO));
    expect(here.established.map(({ suite }) => cipherSuiteOf(suite)?.name)).toEqual([
      cipherSuiteOf(id)?.name,
    ]);
    await here.close();
  });

  test('goes on over one session while a NAT gives it one address after the other', async () => {
    const here = await openSecureServer();
    const nat = await UdpMiddlebox.open([`127.0.0.1:${here.port}`]);
    peer = await startScandium({ role: 'client', kind: 'psk', connectionId: 0 });
    const port = nat.address.split(':').at(-1) as string;
    for (let move = 0; move < 5; move++) {
      expect(await ask('/hello', port)).toMatchObject(answered(HELLO));
      expect(await here.ask('/hello')).toBe('2.05 hello from scandium');
      nat.rebind();
    }
    expect(here.established).toHaveLength(1);
    expect(here.moves).toHaveLength(4);
    await nat.close();
    await here.close();
  });

  test('with certificates over a path that takes 256 bytes', async () => {
    const here = await openSecureServer({ pmtu: 256 });
    peer = await startScandium({ role: 'client', kind: 'x509', mtu: 256 });
    expect(await ask('/hello', here.port)).toMatchObject(answered(HELLO));
    await here.close();
  });
});

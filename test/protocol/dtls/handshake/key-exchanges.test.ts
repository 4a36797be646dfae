import { describe, expect, test } from 'vitest';
import { rawPublicKeyName } from '../../../../protocol/dtls/certificates/names.ts';
import { cipherSuites } from '../../../../protocol/dtls/crypto/cipher-suites.ts';
import { NamedGroup } from '../../../../protocol/dtls/crypto/ecdhe.ts';
import type { ClientCredentials, ServerCredentials } from '../../../../protocol/dtls/types.ts';
import { Authority } from '../../../support/dtls/authorities.ts';
import { DtlsWorld } from '../../../support/dtls/dtls-world.ts';
import { makeKeyPair } from '../../../support/dtls/make-certificate.ts';

const CLIENT = '198.51.100.1:40000';
const authority = new Authority();
const server = authority.identity('server.example', { dnsNames: ['server.example'] });
const device = authority.identity('device-1');

const rpk: ClientCredentials = { kind: 'rpk', own: device, serverPublicKey: server.pair.spki };
const x509: ClientCredentials = {
  kind: 'x509',
  own: device,
  trusted: [authority.certificate],
  serverName: 'server.example',
};

/** Both sides meet; what came of it. */
async function meet(
  client: ClientCredentials | undefined,
  options: {
    readonly suites?: readonly number[];
    readonly server?: Partial<ServerCredentials>;
    readonly pmtu?: number;
  } = {},
) {
  const world = new DtlsWorld();
  const credentials = {
    psk: world.psk,
    ...authority.credentials(server, [device.pair.spki], () => world.clock.wallTime()),
    ...options.server,
  };
  const pmtu = options.pmtu === undefined ? {} : { pmtu: options.pmtu };
  const there = world.server({ credentials, ...pmtu });
  const here = world.client(CLIENT, {
    ...(client !== undefined && { credentials: client }),
    ...(options.suites !== undefined && { suites: options.suites }),
    ...pmtu,
  });
  const spoke = await world.ask(here, 'hello', 100_000);
  return { spoke, there, here, world };
}

describe('every cipher suite', () => {
  test.each(cipherSuites)('$name carries data both ways', async ({ id, keyExchange }) => {
    const { spoke, there } = await meet(keyExchange === 'ecdhe_ecdsa' ? x509 : undefined, { suites: [id] });
    expect(spoke).toBe(true);
    expect(there.established).toMatchObject([{ suite: id }]);
    expect(there.failures).toEqual([]);
  });

  test('one with forward secrecy is taken where both have it', async () => {
    const { there } = await meet(undefined);
    expect(there.established).toMatchObject([{ suite: 0xd001 }]);
  });
});

describe('raw public keys', () => {
  test('tell both sides who the other is', async () => {
    const { spoke, there } = await meet(rpk);
    expect(spoke).toBe(true);
    const name = rawPublicKeyName(device.pair.spki);
    expect(there.established).toMatchObject([{ identity: { kind: 'rpk', name } }]);
    expect(there.received).toMatchObject([{ text: 'hello', identity: { kind: 'rpk', name } }]);
  });

  test('of a device that is not known do not come in', async () => {
    const pair = makeKeyPair();
    const own = { privateKey: pair.privateKey, publicKey: pair.spki };
    const { spoke, there } = await meet({ kind: 'rpk', own, serverPublicKey: server.pair.spki });
    expect(spoke).toBe(false);
    expect(there.established).toEqual([]);
    expect(there.failures).toMatchObject([
      { reason: 'unknown_identity', identity: rawPublicKeyName(pair.spki) },
    ]);
  });

  test('that the device has not the private key of do not come in', async () => {
    const own = { privateKey: makeKeyPair().privateKey, publicKey: device.pair.spki };
    const { spoke, there } = await meet({ kind: 'rpk', own, serverPublicKey: server.pair.spki });
    expect(spoke).toBe(false);
    expect(there.established).toEqual([]);
    expect(there.failures).toMatchObject([{ reason: 'wrong_key' }]);
  });

  test('of another server than the one that is meant get no data', async () => {
    const { spoke, here, there } = await meet({ ...rpk, serverPublicKey: makeKeyPair().spki });
    expect(spoke).toBe(false);
    expect(here.failures[0]).toContain('another public key');
    expect(there.received).toEqual([]);
  });

  test('are not spoken where the server has none', async () => {
    const { publicKey, ...identity } = server;
    const { spoke, there } = await meet(rpk, { server: { identity } });
    expect(publicKey).toBeDefined();
    expect(spoke).toBe(false);
    expect(there.failures).toMatchObject([{ reason: 'no_common_suite' }]);
  });
});

describe('certificates', () => {
  test('tell both sides who the other is', async () => {
    const { spoke, there } = await meet(x509);
    expect(spoke).toBe(true);
    expect(there.established).toMatchObject([{ identity: { kind: 'x509', name: 'device-1' } }]);
  });

  test('cross a path that takes 256 bytes', async () => {
    const { spoke, world } = await meet(x509, { pmtu: 256 });
    expect(spoke).toBe(true);
    expect(world).toBeDefined();
  });

  const refused: readonly (readonly [name: string, client: () => ClientCredentials, reason: string])[] = [
    [
      'of another authority',
      () => ({ ...x509, own: new Authority().identity('device-1') }),
      'bad_certificate',
    ],
    [
      'that have run out',
      () => ({ ...x509, own: authority.identity('device-1', { validFrom: 0, validTo: 1 }) }),
      'bad_certificate',
    ],
    [
      'of a device that has not the private key',
      () => ({ ...x509, own: { ...device, privateKey: makeKeyPair().privateKey } }),
      'wrong_key',
    ],
    [
      'of a device that has none',
      () => ({ ...x509, own: { privateKey: device.privateKey } }),
      'bad_certificate',
    ],
    [
      'with a key on another curve',
      () => {
        const pair = makeKeyPair('secp384r1');
        const own = { privateKey: pair.privateKey, certificateChain: [authority.issue('device-1', pair)] };
        return { ...x509, own };
      },
      'bad_certificate',
    ],
  ];
  test.each(refused)('%s do not come in', async (_name, client, reason) => {
    const { spoke, there } = await meet(client());
    expect(spoke).toBe(false);
    expect(there.established).toEqual([]);
    expect(there.received).toEqual([]);
    expect(there.failures).toMatchObject([{ reason }]);
  });

  const distrusted: readonly (readonly [name: string, client: Partial<ClientCredentials>, why: string])[] = [
    ['for another host', { serverName: 'other.example' }, 'it is not for other.example'],
    [
      'of an authority that the client does not know',
      { trusted: [new Authority().certificate] },
      'no trusted',
    ],
    [
      'other than the one it knows',
      { serverCertificate: new Authority().certificate },
      'another certificate',
    ],
  ];
  test.each(distrusted)('of a server %s get no data', async (_name, client, why) => {
    const { spoke, here, there } = await meet({ ...x509, ...client } as ClientCredentials);
    expect(spoke).toBe(false);
    expect(here.failures[0]).toContain(why);
    expect(there.received).toEqual([]);
  });

  test('of a server without anything to know it by get no data', async () => {
    const { spoke, here } = await meet({ kind: 'x509', own: device });
    expect(spoke).toBe(false);
    expect(here.failures[0]).toContain('trusts nobody');
  });

  test('of the server alone are enough where the client has that one', async () => {
    const [serverCertificate] = server.certificateChain as [Uint8Array];
    const { spoke } = await meet({ kind: 'x509', own: device, serverCertificate });
    expect(spoke).toBe(true);
  });

  test('come in over an authority between, which the device sends along', async () => {
    const middle = { subject: 'middle', key: makeKeyPair() };
    const middleCertificate = authority.issue(middle.subject, middle.key, {
      authority: true,
      keyUsage: 0x06,
    });
    const own = authority.identity('device-2', { issuer: middle });
    const certificateChain = [...(own.certificateChain ?? []), middleCertificate];
    const { there, spoke } = await meet({ ...x509, own: { ...own, certificateChain } });
    expect(spoke).toBe(true);
    expect(there.established).toMatchObject([{ identity: { name: 'device-2' } }]);
  });

  test('cannot be checked while the store does not answer: nobody comes in, and nobody is called unknown', async () => {
    const { spoke, there } = await meet(x509, {
      server: { certificate: () => Promise.reject(new Error('store down')) },
    });
    expect(spoke).toBe(false);
    expect(there.established).toEqual([]);
    expect(there.failures[0]).toMatchObject({ reason: 'unavailable' });
  });
});

test('groups have numbers of their own', () => {
  expect(NamedGroup).toEqual({ SECP256R1: 23, X25519: 29 });
});

test('the keys that a lookup gives are left as they are, Buffers too', async () => {
  const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const before = key.toString('hex');
  const world = new DtlsWorld();
  const server = world.server({
    credentials: { psk: () => Promise.resolve({ key, peer: { kind: 'psk', name: 'one' } }) },
  });
  for (const port of [40_000, 40_001]) {
    const client = world.client(`198.51.100.1:${port}`, { key });
    expect(await world.ask(client, 'hello')).toBe(true);
  }
  expect(server.failures).toEqual([]);
  expect(key.toString('hex')).toBe(before);
});

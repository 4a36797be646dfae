import { describe, expect, test } from 'vitest';
import {
  cipherSuiteOf,
  cipherSuites,
  needsEncryptThenMac,
} from '../../../../protocol/dtls/crypto/cipher-suites.ts';
import { equalBytes, wipe } from '../../../../protocol/dtls/crypto/constant-time.ts';
import {
  deriveKeys,
  keyLayout,
  masterSecret,
  pskPremasterSecret,
} from '../../../../protocol/dtls/crypto/key-schedule.ts';
import { prf } from '../../../../protocol/dtls/crypto/prf.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';

describe('premaster secrets', () => {
  test('of PSK are as many zeros as the key has bytes, and the key (RFC 4279 §2)', () => {
    expect(hex(pskPremasterSecret(unhex('aabbcc')))).toBe('0003000000' + '0003aabbcc');
    expect(hex(pskPremasterSecret(new Uint8Array(0)))).toBe('00000000');
  });
  test('of ECDHE_PSK are the shared secret and the key (RFC 5489 §2)', () => {
    expect(hex(pskPremasterSecret(unhex('aabb'), unhex('01020304')))).toBe('000401020304' + '0002aabb');
  });
});

describe('keys', () => {
  const client = unhex('c1'.repeat(32));
  const server = unhex('5e'.repeat(32));
  const master = masterSecret(unhex('0001000001aa'), client, server);

  // A master secret and a key block that another implementation printed in a session of TLS 1.2.
  test('come from client random and server random for the master, the other way round for the block', () => {
    expect(hex(masterSecret(known.premaster, known.clientRandom, known.serverRandom))).toBe(known.master);
  });

  test('are cut from the key block as RFC 5246 §6.3 says', () => {
    const seed = Buffer.concat([server, client]);
    const gcm = deriveKeys(suiteNamed('TLS_PSK_WITH_AES_128_GCM_SHA256'), master, client, server);
    const block = hex(prf(master, 'key expansion', seed, 40));
    expect(hex(gcm.client)).toBe(block.slice(0, 32) + block.slice(64, 72));
    expect(hex(gcm.server)).toBe(block.slice(32, 64) + block.slice(72, 80));

    const cbc = deriveKeys(suiteNamed('TLS_PSK_WITH_AES_128_CBC_SHA256'), master, client, server);
    const longer = hex(prf(master, 'key expansion', seed, 96));
    expect(hex(cbc.client)).toBe(longer.slice(128, 160) + longer.slice(0, 64));
    expect(hex(cbc.server)).toBe(longer.slice(160, 192) + longer.slice(64, 128));
  });

  test('have the length of their layout, in memory of their own', () => {
    for (const suite of cipherSuites) {
      const { key, iv, mac } = keyLayout(suite.cipher);
      const keys = deriveKeys(suite, master, client, server);
      for (const one of [keys.client, keys.server]) {
        expect(one.length).toBe(key + iv + mac);
        expect(one.buffer.byteLength).toBe(one.length);
      }
    }
  });
});

describe('cipher suites', () => {
  test('are found by their numbers, which are those of the registry', () => {
    const numbers = cipherSuites.map(({ id, name }) => `${id.toString(16).padStart(4, '0')} ${name}`);
    expect(numbers).toEqual([
      'c02b TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'c0ac TLS_ECDHE_ECDSA_WITH_AES_128_CCM',
      'c0ae TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8',
      'd001 TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256',
      'd005 TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256',
      'd003 TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256',
      'c037 TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256',
      '00a8 TLS_PSK_WITH_AES_128_GCM_SHA256',
      'c0a4 TLS_PSK_WITH_AES_128_CCM',
      'c0a8 TLS_PSK_WITH_AES_128_CCM_8',
      '00ae TLS_PSK_WITH_AES_128_CBC_SHA256',
    ]);
    for (const suite of cipherSuites) {
      expect(cipherSuiteOf(suite.id)).toBe(suite);
      expect(needsEncryptThenMac(suite)).toBe(suite.name.includes('CBC'));
    }
    expect(cipherSuiteOf(0x002f)).toBeUndefined();
  });
});

test('bytes are equal where all of them are', () => {
  expect(equalBytes(unhex('0102'), unhex('0102'))).toBe(true);
  expect(equalBytes(unhex('0102'), unhex('0103'))).toBe(false);
  expect(equalBytes(unhex('0102'), unhex('010200'))).toBe(false);
  expect(equalBytes(new Uint8Array(0), new Uint8Array(0))).toBe(true);
});

test('what is wiped is zeros', () => {
  const secret = unhex('010203');
  wipe(secret);
  expect(hex(secret)).toBe('000000');
});

const known = {
  premaster: unhex(
    'f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bcadb386b411fd4fe4313a604fce6c17fbc',
  ),
  clientRandom: unhex('36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c'),
  serverRandom: unhex('f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce'),
  master: '202c88c00f84a17a20027079604787461176455539e705be730890602c289a5001e34eeb3a043e5d52a65e66125188bf',
};

function suiteNamed(name: string) {
  const suite = cipherSuites.find((entry) => entry.name === name);
  if (suite === undefined) throw new Error(`no suite ${name}`);
  return suite;
}

import { describe, expect, test } from 'vitest';
import {
  createKeyShare,
  isNamedGroup,
  NamedGroup,
  namedGroups,
} from '../../../../protocol/dtls/crypto/ecdhe.ts';
import { DecodeError, RequestError } from '../../../../protocol/errors.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';

describe.each(Object.entries(NamedGroup))('ECDHE on %s', (_name, group) => {
  test('gives both sides the same secret of 32 bytes, and another one each time', () => {
    const secrets = Array.from({ length: 20 }, () => {
      const client = createKeyShare(group);
      const server = createKeyShare(group);
      const secret = client.secret(server.publicKey);
      expect(hex(server.secret(client.publicKey))).toBe(hex(secret));
      expect(secret.length).toBe(32);
      return hex(secret);
    });
    expect(new Set(secrets).size).toBe(20);
  });

  test('refuses a key of another length', () => {
    const share = createKeyShare(group);
    for (const length of [0, 1, share.publicKey.length - 1, share.publicKey.length + 1]) {
      expect(() => share.secret(new Uint8Array(length).fill(4))).toThrow(DecodeError);
    }
  });
});

test('secp256r1 refuses what is no point of it, the point at infinity, and compressed points', () => {
  const share = createKeyShare(NamedGroup.SECP256R1);
  const peer = createKeyShare(NamedGroup.SECP256R1).publicKey;
  const off = Uint8Array.from(peer);
  off[64] = (off[64] as number) ^ 1;
  expect(() => share.secret(off)).toThrow(DecodeError);
  expect(() => share.secret(unhex('00'))).toThrow(DecodeError);
  expect(() => share.secret(unhex(`04${'00'.repeat(64)}`))).toThrow(DecodeError);
  expect(() => share.secret(unhex(`04${'ff'.repeat(64)}`))).toThrow(DecodeError);
  const compressed = Uint8Array.of(2 + ((peer[64] as number) & 1), ...peer.subarray(1, 33));
  expect(() => share.secret(compressed)).toThrow(DecodeError);
});

// RFC 7748 §6.1: these make the secret all zeros, whatever the other key is.
test.each([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
])('x25519 refuses the point of small order %s', (point) => {
  expect(() => createKeyShare(NamedGroup.X25519).secret(unhex(point))).toThrow(DecodeError);
});

test('no other groups are spoken', () => {
  expect(namedGroups.every(isNamedGroup)).toBe(true);
  expect(isNamedGroup(24)).toBe(false);
  expect(() => createKeyShare(24 as NamedGroup)).toThrow(RequestError);
});

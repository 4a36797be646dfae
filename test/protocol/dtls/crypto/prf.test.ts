import { expect, test } from 'vitest';
import { prf } from '../../../../protocol/dtls/crypto/prf.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';

// The vector that implementers of TLS 1.2 agreed on: the TLS working group's list, msg03416.
test('gives what the known vector of the TLS 1.2 PRF with SHA-256 says', () => {
  const output = prf(
    unhex('9bbe436ba940f017b17652849a71db35'),
    'test label',
    unhex('a0ba9f936cda311827a6f796ffd5198c'),
    100,
  );
  expect(hex(output)).toBe(
    'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af' +
      '0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701' +
      '87347b66',
  );
});

test('a shorter output is the beginning of a longer one, in memory of its own', () => {
  const secret = unhex('0102');
  const long = prf(secret, 'x', unhex('03'), 96);
  for (const length of [0, 1, 31, 32, 33, 64]) {
    const short = prf(secret, 'x', unhex('03'), length);
    expect(hex(short)).toBe(hex(long.subarray(0, length)));
    expect(short.buffer.byteLength).toBe(length);
  }
});

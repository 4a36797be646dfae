import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HelloExtensions } from '../../../../protocol/dtls/messages/hello-extensions.ts';
import {
  type ClientHello,
  decodeClientHello,
  decodeEmptyBody,
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
  encodeHelloVerifyRequest,
  encodeServerHello,
  type ServerHello,
} from '../../../../protocol/dtls/messages/hello-messages.ts';
import { DecodeError, RequestError } from '../../../../protocol/errors.ts';
import { unhex } from '../../../support/coap/raw-peer.ts';
import { anyBytes, anyUint8, anyUint16, testCodec } from '../../../support/dtls/codec-suite.ts';

const random = 'a0'.repeat(32);
const clientHello = (draft: Partial<ClientHello>): ClientHello => ({
  version: 0xfefd,
  random: unhex(random),
  sessionId: new Uint8Array(0),
  cookie: new Uint8Array(0),
  cipherSuites: [0xc0a8],
  compressionMethods: [0],
  extensions: {},
  ...draft,
});
const serverHello = (draft: Partial<ServerHello>): ServerHello => ({
  version: 0xfefd,
  random: unhex(random),
  sessionId: new Uint8Array(0),
  cipherSuite: 0xc0a8,
  compressionMethod: 0,
  extensions: {},
  ...draft,
});

const numbers = fc.array(anyUint16, { minLength: 1, maxLength: 5 });
const bytes = fc.array(anyUint8, { minLength: 1, maxLength: 5 });
const both: { [Key in keyof HelloExtensions]-?: fc.Arbitrary<NonNullable<HelloExtensions[Key]>> } = {
  serverName: fc.stringMatching(/^[a-z0-9.-]{1,30}$/),
  maxFragmentLength: anyUint8,
  supportedGroups: numbers,
  ecPointFormats: bytes,
  signatureAlgorithms: numbers,
  clientCertificateTypes: bytes,
  serverCertificateTypes: bytes,
  encryptThenMac: fc.constant(true),
  extendedMasterSecret: fc.constant(true),
  recordSizeLimit: fc.integer({ min: 64, max: 0xffff }),
  sessionTicket: anyBytes(0, 40),
  connectionId: anyBytes(0, 255),
  rrc: fc.constant(true),
  renegotiationInfo: anyBytes(0, 24),
};
const anyClientExtensions = fc.record(both, { requiredKeys: [] }) as fc.Arbitrary<HelloExtensions>;
const oneOf = anyUint8.map((type) => [type]);
const anyServerExtensions = fc.record(
  { ...both, serverName: fc.constant(''), clientCertificateTypes: oneOf, serverCertificateTypes: oneOf },
  { requiredKeys: [] },
) as fc.Arbitrary<HelloExtensions>;

describe('ClientHello', () => {
  testCodec({
    encode: encodeClientHello,
    decode: decodeClientHello,
    vectors: [
      ['one without extensions', `fefd ${random} 00 00 0002 c0a8 01 00`, clientHello({})],
      [
        'one with session, cookie and several suites',
        `fefd ${random} 02 0102 03 aabbcc 0004 c0a8 00ff 01 00`,
        clientHello({
          sessionId: unhex('0102'),
          cookie: unhex('aabbcc'),
          cipherSuites: [0xc0a8, 0x00ff],
        }),
      ],
      [
        'every extension',
        `fefd ${random} 00 00 0002 c0ae 01 00 005a
         0000 0009 0007 00 0004 612e6263
         0001 0001 02
         000a 0006 0004 0017 001d
         000b 0002 01 00
         000d 0004 0002 0403
         0013 0003 02 02 00
         0014 0002 01 00
         0016 0000
         0017 0000
         001c 0002 0100
         0023 0000
         0036 0004 03 0a0b0c
         003d 0000
         ff01 0001 00`,
        clientHello({
          cipherSuites: [0xc0ae],
          extensions: {
            serverName: 'a.bc',
            maxFragmentLength: 2,
            supportedGroups: [23, 29],
            ecPointFormats: [0],
            signatureAlgorithms: [0x0403],
            clientCertificateTypes: [2, 0],
            serverCertificateTypes: [0],
            encryptThenMac: true,
            extendedMasterSecret: true,
            recordSizeLimit: 256,
            sessionTicket: new Uint8Array(0),
            connectionId: unhex('0a0b0c'),
            rrc: true,
            renegotiationInfo: new Uint8Array(0),
          },
        }),
      ],
    ],
    malformed: [
      ['no cipher suites', `fefd ${random} 00 00 0000 01 00`],
      ['half a cipher suite', `fefd ${random} 00 00 0003 c0a8c0 01 00`],
      ['no compression methods', `fefd ${random} 00 00 0002 c0a8 00`],
      ['a session id of 33 bytes', `fefd ${random} 21 ${'00'.repeat(33)} 00 0002 c0a8 01 00`],
      ['bytes behind the extensions', `fefd ${random} 00 00 0002 c0a8 01 00 0000 00`],
      ['an extension twice', `fefd ${random} 00 00 0002 c0a8 01 00 0008 00170000 00170000`],
      ['an unknown extension twice', `fefd ${random} 00 00 0002 c0a8 01 00 0008 aaaa0000 aaaa0000`],
      ['an extension that is too long', `fefd ${random} 00 00 0002 c0a8 01 00 0005 0017 0001 00`],
      ['an extension beyond the list', `fefd ${random} 00 00 0002 c0a8 01 00 0004 0036 0001 00`],
      ['an empty list of groups', `fefd ${random} 00 00 0002 c0a8 01 00 0006 000a 0002 0000`],
      ['a record size limit of 63', `fefd ${random} 00 00 0002 c0a8 01 00 0006 001c 0002 003f`],
      ['an empty host name', `fefd ${random} 00 00 0002 c0a8 01 00 0009 0000 0005 0003 00 0000`],
      ['two host names', `fefd ${random} 00 00 0002 c0a8 01 00 000e 0000 000a 0008 00000161 00000162`],
    ],
    any: fc.record({
      version: anyUint16,
      random: anyBytes(32),
      sessionId: anyBytes(0, 32),
      cookie: anyBytes(0, 255),
      cipherSuites: numbers,
      compressionMethods: bytes,
      extensions: anyClientExtensions,
    }),
  });

  test('passes over extensions and kinds of names that it does not know', () => {
    const data = unhex(
      `fefd ${random} 00 00 0002 c0a8 01 00 0017 1a1a 0003 010203 0000 0008 0006 07 0003 aabbcc 0017 0000`,
    );
    expect(decodeClientHello(data).extensions).toEqual({ extendedMasterSecret: true });
  });

  test('refuses to encode what does not fit', () => {
    expect(() => encodeClientHello(clientHello({ cookie: new Uint8Array(256) }))).toThrow(RequestError);
    expect(() => encodeClientHello(clientHello({ cipherSuites: [0x10000] }))).toThrow(RequestError);
  });
});

describe('ServerHello', () => {
  testCodec({
    encode: encodeServerHello,
    decode: decodeServerHello,
    vectors: [
      ['one without extensions', `fefd ${random} 00 c0a8 00`, serverHello({})],
      [
        'chosen certificate types, an empty connection id and a name that was understood',
        `fefd ${random} 01 07 c0ae 00 0018 0000 0000 0013 0001 02 0014 0001 00 0036 0001 00 ff01 0001 00`,
        serverHello({
          sessionId: unhex('07'),
          cipherSuite: 0xc0ae,
          extensions: {
            serverName: '',
            clientCertificateTypes: [2],
            serverCertificateTypes: [0],
            connectionId: new Uint8Array(0),
            renegotiationInfo: new Uint8Array(0),
          },
        }),
      ],
    ],
    malformed: [
      ['a list of certificate types', `fefd ${random} 00 c0a8 00 0006 0013 0002 01 02`],
      ['a session id of 33 bytes', `fefd ${random} 21 ${'00'.repeat(33)} c0a8 00`],
      ['bytes behind the extensions', `fefd ${random} 00 c0a8 00 0000 00`],
    ],
    any: fc.record({
      version: anyUint16,
      random: anyBytes(32),
      sessionId: anyBytes(0, 32),
      cipherSuite: anyUint16,
      compressionMethod: anyUint8,
      extensions: anyServerExtensions,
    }),
  });
});

describe('HelloVerifyRequest', () => {
  testCodec({
    encode: encodeHelloVerifyRequest,
    decode: decodeHelloVerifyRequest,
    vectors: [
      ['a cookie', 'feff 04 01020304', { version: 0xfeff, cookie: unhex('01020304') }],
      ['an empty cookie', 'fefd 00', { version: 0xfefd, cookie: new Uint8Array(0) }],
    ],
    malformed: [['bytes behind the cookie', 'feff 01 0102']],
    any: fc.record({ version: anyUint16, cookie: anyBytes(0, 255) }),
  });
});

test('messages without a body have none', () => {
  expect(() => decodeEmptyBody(new Uint8Array(0))).not.toThrow();
  expect(() => decodeEmptyBody(new Uint8Array(1))).toThrow(DecodeError);
});

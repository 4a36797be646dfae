import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type CipherSuite, cipherSuiteOf } from '../../../../protocol/dtls/crypto/cipher-suites.ts';
import {
  deriveKeys,
  extendedMasterSecret,
  finishedData,
  pskPremasterSecret,
} from '../../../../protocol/dtls/crypto/key-schedule.ts';
import { createRecordProtection } from '../../../../protocol/dtls/crypto/record-protection.ts';
import { verifyData } from '../../../../protocol/dtls/crypto/signatures.ts';
import { decodeCertificateChain } from '../../../../protocol/dtls/messages/certificate-messages.ts';
import { ContentType, HandshakeType } from '../../../../protocol/dtls/messages/constants.ts';
import {
  decodeHandshakeFragments,
  encodeHandshakeMessage,
} from '../../../../protocol/dtls/messages/handshake-fragment.ts';
import { decodeClientHello, decodeServerHello } from '../../../../protocol/dtls/messages/hello-messages.ts';
import {
  decodePskClientKeyExchange,
  decodeSignedServerKeyExchange,
  encodeEcdhParameters,
} from '../../../../protocol/dtls/messages/key-exchange-messages.ts';
import { hex, unhex } from '../../../support/coap/raw-peer.ts';
import recording from './openssl-handshakes.json' with { type: 'json' };

/**
 * Sessions between `openssl s_client` and `openssl s_server` (3.0, with `-dtls1_2`, `-keylogfile`, and for PSK the
 * identity `device-1`), as they went over the wire: what two other implementations said to each other is the known
 * answer for the whole key schedule and for the records.
 */
interface Session {
  readonly suite: string;
  readonly psk?: string;
  readonly masterSecret: string;
  readonly datagrams: readonly { readonly from: string; readonly data: string }[];
}

interface Record {
  readonly from: 'client' | 'server';
  readonly type: number;
  /** `epoch ‖ sequence_number` */
  readonly sequence: Uint8Array;
  readonly additional: Uint8Array;
  readonly fragment: Uint8Array;
}

function recordsOf(session: Session): Record[] {
  const records: Record[] = [];
  for (const { from, data } of session.datagrams) {
    const bytes = unhex(data);
    for (let at = 0; at < bytes.length; ) {
      const length = ((bytes[at + 11] as number) << 8) | (bytes[at + 12] as number);
      const sequence = bytes.subarray(at + 3, at + 11);
      records.push({
        from: from as Record['from'],
        type: bytes[at] as number,
        sequence,
        additional: Uint8Array.of(...sequence, ...bytes.subarray(at, at + 3), 0, 0),
        fragment: bytes.subarray(at + 13, at + 13 + length),
      });
      at += 13 + length;
    }
  }
  return records;
}

/** The messages in the clear, put together; those of the exchange of cookies are not part of the transcript. */
function messagesOf(records: readonly Record[]): { type: number; seq: number; body: Uint8Array }[] {
  const messages: { type: number; seq: number; body: Uint8Array }[] = [];
  for (const { type, sequence, fragment } of records) {
    if (type !== ContentType.HANDSHAKE || sequence[1] !== 0) continue;
    for (const part of decodeHandshakeFragments(fragment)) {
      const body =
        part.fragmentOffset === 0 ? new Uint8Array(part.length) : (messages.at(-1)?.body as Uint8Array);
      body.set(part.fragment, part.fragmentOffset);
      if (part.fragmentOffset === 0) messages.push({ type: part.type, seq: part.messageSeq, body });
    }
  }
  return messages.slice(2);
}

const sessions: readonly Session[] = recording.sessions;

describe.each(sessions)('a session of OpenSSL with $suite', (session) => {
  const records = recordsOf(session);
  const messages = messagesOf(records);
  const bodyOf = (type: number) => messages.find((message) => message.type === type)?.body as Uint8Array;
  const client = decodeClientHello(bodyOf(HandshakeType.CLIENT_HELLO));
  const server = decodeServerHello(bodyOf(HandshakeType.SERVER_HELLO));
  const suite = cipherSuiteOf(server.cipherSuite) as CipherSuite;
  const master = unhex(session.masterSecret);
  const keys = deriveKeys(suite, master, client.random, server.random);
  const protections = {
    client: createRecordProtection(suite, keys.client),
    server: createRecordProtection(suite, keys.server),
  };
  const whole = (wanted: (type: number) => boolean) =>
    messages
      .filter(({ type }) => wanted(type))
      .map(({ type, seq, body }) => encodeHandshakeMessage(type, seq, body));
  // The ticket comes behind the client's Finished.
  const tickets = whole((type) => type === HandshakeType.NEW_SESSION_TICKET);
  const upToKeyExchange = whole((type) => type !== HandshakeType.NEW_SESSION_TICKET);
  const hash = (...parts: readonly Uint8Array[]) =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  const opened = (from: Record['from'], type: number) =>
    records
      .filter((record) => record.from === from && record.type === type && record.sequence[1] === 1)
      .map(({ sequence, additional, fragment }) => protections[from].open(sequence, additional, fragment));

  test('negotiates what is needed', () => {
    expect(server.extensions.extendedMasterSecret).toBe(true);
    expect(server.extensions.renegotiationInfo).toEqual(new Uint8Array(0));
    expect(server.extensions.encryptThenMac).toBe(suite.cipher === 'cbc_sha256' ? true : undefined);
  });

  if (suite.keyExchange === 'psk') {
    test('has the master secret that we make of the key', () => {
      expect(
        Buffer.from(decodePskClientKeyExchange(bodyOf(HandshakeType.CLIENT_KEY_EXCHANGE))).toString(),
      ).toBe('device-1');
      const premaster = pskPremasterSecret(unhex(session.psk as string));
      expect(hex(extendedMasterSecret(premaster, hash(...upToKeyExchange)))).toBe(session.masterSecret);
    });
  }

  if (suite.keyExchange === 'ecdhe_ecdsa') {
    test('has a signed key exchange that we verify', () => {
      const [certificate] = decodeCertificateChain(bodyOf(HandshakeType.CERTIFICATE)) as [Uint8Array];
      const { parameters, signed } = decodeSignedServerKeyExchange(bodyOf(HandshakeType.SERVER_KEY_EXCHANGE));
      const data = Buffer.concat([client.random, server.random, encodeEcdhParameters(parameters)]);
      const { publicKey } = new X509Certificate(certificate);
      expect(verifyData(signed.algorithm, publicKey, data, signed.signature)).toBe(true);
      data[0] = (data[0] as number) ^ 1;
      expect(verifyData(signed.algorithm, publicKey, data, signed.signature)).toBe(false);
    });
  }

  test('has Finished messages that we open and verify', () => {
    const [clientRecord] = opened('client', ContentType.HANDSHAKE) as [Uint8Array];
    const [clientFinished] = decodeHandshakeFragments(clientRecord);
    expect(hex(clientFinished?.fragment as Uint8Array)).toBe(
      hex(finishedData(master, 'client', hash(...upToKeyExchange))),
    );
    const [serverRecord] = opened('server', ContentType.HANDSHAKE) as [Uint8Array];
    const [serverFinished] = decodeHandshakeFragments(serverRecord);
    expect(serverFinished?.type).toBe(HandshakeType.FINISHED);
    expect(hex(serverFinished?.fragment as Uint8Array)).toBe(
      hex(finishedData(master, 'server', hash(...upToKeyExchange, clientRecord, ...tickets))),
    );
  });

  test('has application data that we open, and seal to the same bytes', () => {
    for (const from of ['client', 'server'] as const) {
      const [data] = opened(from, ContentType.APPLICATION_DATA) as [Uint8Array];
      expect(Buffer.from(data).toString()).toBe(`hello from the ${from}\n`);
      const record = records.find(
        (entry) => entry.from === from && entry.type === ContentType.APPLICATION_DATA,
      ) as Record;
      // OpenSSL's explicit nonces are epoch and sequence number too; the IVs of CBC are random.
      if (suite.cipher === 'cbc_sha256') continue;
      const again = createRecordProtection(suite, keys[from]).seal(
        record.fragment.subarray(0, 8),
        record.additional,
        data,
      );
      expect(hex(again)).toBe(hex(record.fragment));
    }
  });
});

import { describe, expect, test } from 'vitest';
import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { createKeyShare, NamedGroup } from '../../../protocol/dtls/crypto/ecdhe.ts';
import { pskPremasterSecret } from '../../../protocol/dtls/crypto/key-schedule.ts';
import {
  encodeCertificateChain,
  encodeRawPublicKey,
} from '../../../protocol/dtls/messages/certificate-messages.ts';
import { ContentType, DtlsVersion, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import { encodeHandshakeFragment } from '../../../protocol/dtls/messages/handshake-fragment.ts';
import {
  decodeSignedServerKeyExchange,
  encodeEcdheClientKeyExchange,
  encodePskClientKeyExchange,
} from '../../../protocol/dtls/messages/key-exchange-messages.ts';
import { plainRecord } from '../../../protocol/dtls/records/record.ts';
import type { ClientCredentials } from '../../../protocol/dtls/types.ts';
import { Authority } from '../../support/dtls/authorities.ts';
import { DtlsWorld, KEY, SERVER, type TestServer } from '../../support/dtls/dtls-world.ts';
import { ScriptedClient } from '../../support/dtls/scripted-client.ts';
import {
  editClientHello,
  editServerHello,
  messageTypeOf,
  recordsOf,
  sentTo,
  sentToServer,
  tamper,
} from '../../support/dtls/wire.ts';

/**
 * The attacks on handshakes of DTLS that are known, a test each; those on records are in attacks.test.ts. What is tried: by whoever can send datagrams with any source
 * address, by whoever hears what passes, and by whoever can hold it up and change it.
 */
const CLIENT = '198.51.100.1:40000';
const OTHER = '198.51.100.2:40000';

/** A session in which something was said. */
async function established() {
  const world = new DtlsWorld();
  world.link.recording = true;
  const server = world.server();
  const client = world.client(CLIENT);
  expect(await world.ask(client, 'hello')).toBe(true);
  return { world, server, client };
}

/** Has the server receive that, as if it had come from there. */
async function inject(world: DtlsWorld, datagram: Uint8Array, from: PeerAddress): Promise<void> {
  world.link.carry(datagram, from, SERVER);
  await world.clock.run(1_000);
}

const texts = ({ received }: TestServer) => received.map(({ text }) => text);

describe('a spoofed ClientHello on a live 5-tuple', () => {
  test('without a cookie costs an answer and nothing else', async () => {
    const { world, server, client } = await established();
    const [hello] = sentToServer(world) as [Uint8Array];
    for (let n = 0; n < 50; n++) await inject(world, hello, CLIENT);
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
    expect(server.closed).toEqual([]);
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('with a cookie, by whoever hears what comes to the address, begins a handshake that does not end the session', async () => {
    const { world, server } = await established();
    const spoofer = new ScriptedClient(world, CLIENT);
    await spoofer.greet();
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 1 });
    // Both ways, while it lasts: what the client says, and what it is told.
    const peer = server.received[0]?.peer as string;
    server.port.send(Buffer.from('to the client'), peer);
    await world.clock.run(100);
    expect(recordsOf(spoofer.datagrams.at(-1) as Uint8Array)[0]).toMatchObject({ epoch: 1 });
    spoofer.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodePskClientKeyExchange(Buffer.from('one')));
    spoofer.secure(pskPremasterSecret(Uint8Array.from(KEY, (byte) => byte ^ 1)));
    spoofer.finish();
    await world.clock.run(300_000);
    expect(server.closed).toEqual([]);
    expect(server.established).toHaveLength(1);
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
  });

  test('of a device that has lost its session replaces the session only when it has proven who it is', async () => {
    const { world, server } = await established();
    const restarted = world.client(CLIENT);
    world.say(restarted, 'again');
    await world.clock.run(15);
    expect(server.closed).toEqual([]);
    await world.clock.run(5_000);
    expect(server.closed).toMatchObject([{ reason: 'replaced' }]);
    expect(restarted.received).toMatchObject([{ text: 'again!' }]);
  });
});

describe('downgrade', () => {
  /** A client with everything, and somebody who edits on the way. */
  async function tampered(edit: (world: DtlsWorld) => void, credentials?: ClientCredentials) {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(CLIENT, credentials === undefined ? {} : { credentials });
    edit(world);
    const spoke = await world.ask(client, 'hello', 200_000);
    expect(server.received).toEqual([]);
    expect(server.established).toEqual([]);
    expect(spoke).toBe(false);
    return { server, client };
  }

  test('of the version in the ClientHello', async () => {
    const { server } = await tampered((world) =>
      editClientHello(world, (hello) => ({ ...hello, version: DtlsVersion.DTLS_1_0 })),
    );
    expect(server.failures[0]).toMatchObject({ reason: 'no_common_suite' });
  });

  test('of the version in the ServerHello', async () => {
    await tampered((world) =>
      editServerHello(world, (hello) => ({ ...hello, version: DtlsVersion.DTLS_1_0 })),
    );
  });

  test('of the list of suites, to the weakest that both have', async () => {
    await tampered((world) => editClientHello(world, (hello) => ({ ...hello, cipherSuites: [0xc0a8] })));
  });

  test('of the suite that was chosen', async () => {
    await tampered((world) => editServerHello(world, (hello) => ({ ...hello, cipherSuite: 0xc0a4 })));
  });

  test('by the loss of the extended master secret', async () => {
    await tampered((world) =>
      editClientHello(world, ({ extensions: { extendedMasterSecret, ...extensions }, ...hello }) => ({
        ...hello,
        extensions,
      })),
    );
  });

  test('by the loss of connection ids, and of secure renegotiation', async () => {
    await tampered((world) =>
      editClientHello(world, ({ extensions: { connectionId, ...extensions }, ...hello }) => ({
        ...hello,
        extensions,
      })),
    );
    await tampered((world) =>
      editClientHello(world, ({ extensions: { renegotiationInfo, ...extensions }, ...hello }) => ({
        ...hello,
        extensions,
      })),
    );
  });

  test('by another connection id', async () => {
    await tampered((world) =>
      editServerHello(world, (hello) => ({
        ...hello,
        extensions: { ...hello.extensions, connectionId: new Uint8Array(8).fill(9) },
      })),
    );
  });

  test('of the groups, and of the signature algorithms', async () => {
    const authority = new Authority();
    const [identity, own] = [authority.identity('server'), authority.identity('device')];
    for (const strip of ['supportedGroups', 'signatureAlgorithms'] as const) {
      const world = new DtlsWorld();
      const server = world.server({
        credentials: authority.credentials(identity, [], () => world.clock.wallTime()),
      });
      const client = world.client(CLIENT, {
        credentials: { kind: 'x509', own, trusted: [authority.certificate] },
      });
      editClientHello(world, (hello) => ({
        ...hello,
        extensions: { ...hello.extensions, [strip]: hello.extensions[strip]?.slice(-1) ?? [] },
      }));
      expect(await world.ask(client, 'hello', 200_000)).toBe(false);
      expect(server.established).toEqual([]);
    }
  });

  test('of what the client knows of its server: a ServerKeyExchange of another handshake is not taken', async () => {
    const authority = new Authority();
    const [identity, own] = [authority.identity('server'), authority.identity('device')];
    const world = new DtlsWorld();
    world.link.recording = true;
    const server = world.server({
      credentials: authority.credentials(identity, [], () => world.clock.wallTime()),
    });
    const credentials: ClientCredentials = { kind: 'x509', own, trusted: [authority.certificate] };
    expect(await world.ask(world.client(OTHER, { credentials }), 'hello')).toBe(true);
    const isFlight = (datagram: Uint8Array) => messageTypeOf(datagram) === HandshakeType.SERVER_HELLO;
    const former = sentTo(world, OTHER).find(isFlight) as Uint8Array;
    const client = world.client(CLIENT, { credentials });
    tamper(world, (datagram, from) => {
      if (from !== SERVER || !isFlight(datagram)) return undefined;
      // The hello is the present one, the rest of the flight is the former one's.
      const hello = recordsOf(datagram)[0]?.end ?? 0;
      const rest = recordsOf(former)[0]?.end ?? 0;
      return Buffer.concat([datagram.subarray(0, hello), former.subarray(rest)]);
    });
    expect(await world.ask(client, 'hello', 200_000)).toBe(false);
    expect(server.established).toHaveLength(1);
  });

  test('by the loss of the cookie exchange: a client takes a ServerHello without one, but a server asks everybody', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const lazy = new ScriptedClient(world, CLIENT);
    for (let n = 0; n < 10; n++) {
      lazy.cookie = new Uint8Array(16).fill(n);
      lazy.sayHello();
      await world.clock.run(100);
    }
    expect(server.port).toMatchObject({ sessions: 0, handshakes: 0 });
  });

  test('to compression, and to a renegotiation of what is not there', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = world.client(CLIENT);
    editClientHello(world, (hello) => ({ ...hello, compressionMethods: [1] }));
    expect(await world.ask(client, 'hello', 100_000)).toBe(false);
    const other = world.client(OTHER);
    editClientHello(world, (hello) => ({
      ...hello,
      extensions: { ...hello.extensions, renegotiationInfo: new Uint8Array(12) },
    }));
    expect(await world.ask(other, 'hello', 100_000)).toBe(false);
    expect(server.established).toEqual([]);
  });
});

describe('messages out of turn', () => {
  /** A client with the right key, in the middle of its handshake. */
  async function greeted(): Promise<{ world: DtlsWorld; server: TestServer; client: ScriptedClient }> {
    const world = new DtlsWorld();
    const server = world.server();
    const client = new ScriptedClient(world, CLIENT);
    await client.greet();
    return { world, server, client };
  }
  const identity = encodePskClientKeyExchange(Buffer.from('one'));
  const premaster = pskPremasterSecret(KEY);

  test('in the right order, the scripted client comes in', async () => {
    const { world, server, client } = await greeted();
    client.say(HandshakeType.CLIENT_KEY_EXCHANGE, identity);
    client.secure(premaster);
    client.finish();
    client.saySecured(ContentType.APPLICATION_DATA, Buffer.from('hello'));
    await world.clock.run(1_000);
    expect(texts(server)).toEqual(['hello']);
  });

  test('ChangeCipherSpec before there is a key does not make the key that of zeros (CVE-2014-0224)', async () => {
    const { world, server, client } = await greeted();
    client.sayChangeCipherSpec();
    client.secure(pskPremasterSecret(new Uint8Array(16)));
    client.finish();
    await world.clock.run(1_000);
    expect(server.established).toEqual([]);
  });

  test('a Finished in the clear is none', async () => {
    const { world, server, client } = await greeted();
    client.say(HandshakeType.CLIENT_KEY_EXCHANGE, identity);
    client.say(HandshakeType.FINISHED, new Uint8Array(12));
    await world.clock.run(300_000);
    expect(server.established).toEqual([]);
    expect(server.port.handshakes).toBe(0);
  });

  test('data before the Finished is not passed up', async () => {
    const { world, server, client } = await greeted();
    client.say(HandshakeType.CLIENT_KEY_EXCHANGE, identity);
    client.secure(premaster);
    client.saySecured(ContentType.APPLICATION_DATA, Buffer.from('too early'));
    await world.clock.run(300_000);
    expect(server.received).toEqual([]);
    expect(server.established).toEqual([]);
  });

  test('certificates in a handshake with a pre-shared key, and a second ClientKeyExchange, end it', async () => {
    for (const [type, body] of [
      [HandshakeType.CERTIFICATE, encodeCertificateChain([])],
      [HandshakeType.CERTIFICATE_VERIFY, new Uint8Array(4)],
      [HandshakeType.SERVER_HELLO_DONE, new Uint8Array(0)],
      [99, new Uint8Array(3)],
    ] as const) {
      const { world, server, client } = await greeted();
      client.say(type, body);
      await world.clock.run(100);
      expect(server.port.handshakes).toBe(0);
      expect(server.failures).toMatchObject([{ reason: 'malformed' }]);
    }
  });

  test('a certificate without proof of its key (SKIP-TLS) does not come in', async () => {
    const authority = new Authority();
    const [own, victim] = [authority.identity('server'), authority.identity('victim')];
    for (const steps of ['no CertificateVerify', 'nor a Certificate'] as const) {
      const world = new DtlsWorld();
      const server = world.server({
        credentials: authority.credentials(own, [victim.pair.spki], () => world.clock.wallTime()),
      });
      const client = new ScriptedClient(world, CLIENT, 0xc0ae);
      client.extensions = {
        supportedGroups: [NamedGroup.SECP256R1],
        signatureAlgorithms: [0x0403],
        clientCertificateTypes: [2],
        serverCertificateTypes: [2],
      };
      await client.greet();
      const { parameters } = decodeSignedServerKeyExchange(
        client.heard.get(HandshakeType.SERVER_KEY_EXCHANGE) as Uint8Array,
      );
      const share = createKeyShare(NamedGroup.SECP256R1);
      if (steps === 'no CertificateVerify') {
        client.say(HandshakeType.CERTIFICATE, encodeRawPublicKey(victim.pair.spki));
      }
      client.say(HandshakeType.CLIENT_KEY_EXCHANGE, encodeEcdheClientKeyExchange(share.publicKey));
      client.secure(share.secret(parameters.publicKey));
      client.finish();
      client.saySecured(ContentType.APPLICATION_DATA, Buffer.from('let me in'));
      await world.clock.run(300_000);
      expect(server.established).toEqual([]);
      expect(server.received).toEqual([]);
      expect(server.port.handshakes).toBe(0);
    }
  });
});

describe('oversized and overlapping fragments', () => {
  const fragment = (length: number, fragmentOffset: number, bytes: Uint8Array, messageSeq = 2, type = 16) =>
    encodeHandshakeFragment({ type, length, messageSeq, fragmentOffset, fragment: bytes });

  async function greeted() {
    const world = new DtlsWorld();
    const server = world.server();
    const client = new ScriptedClient(world, CLIENT);
    await client.greet();
    const send = (content: Uint8Array) =>
      client.send(plainRecord(ContentType.HANDSHAKE, client.sequence++, content));
    return { world, server, client, send };
  }

  test('of a message of 16 MB keep nothing', async () => {
    const { world, server, send } = await greeted();
    const before = process.memoryUsage().arrayBuffers;
    for (let messageSeq = 2; messageSeq < 200; messageSeq++) {
      send(fragment(0xffffff, 0xfffff0, new Uint8Array(8), messageSeq));
      send(fragment(1_000_000, 0, new Uint8Array(1_000), messageSeq));
    }
    await world.clock.run(100);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
    expect(server.port.handshakes).toBe(1);
  });

  test('that contradict each other do not change what came first', async () => {
    const { world, server, client, send } = await greeted();
    const body = encodePskClientKeyExchange(Buffer.from('one'));
    const liar = Uint8Array.from(body, (byte) => byte ^ 0xff);
    send(fragment(body.length, 1, body.subarray(1, 3)));
    send(fragment(body.length, 0, liar.subarray(0, 0)));
    send(fragment(body.length, 1, liar.subarray(1, 3)));
    send(fragment(body.length, 2, body.subarray(2)));
    // Another length, or type, for the same message.
    send(fragment(body.length + 50, 0, liar));
    send(fragment(body.length, 0, liar, 2, 11));
    send(fragment(body.length, 0, body.subarray(0, 2)));
    client.message(HandshakeType.CLIENT_KEY_EXCHANGE, body);
    client.secure(pskPremasterSecret(KEY));
    client.finish();
    client.saySecured(ContentType.APPLICATION_DATA, Buffer.from('hello'));
    await world.clock.run(1_000);
    expect(texts(server)).toEqual(['hello']);
  });

  test('beyond the end of their message, of nothing, or thousands of one byte, end in silence', async () => {
    const { world, server, send } = await greeted();
    send(fragment(4, 3, new Uint8Array(2)));
    send(fragment(0, 0, new Uint8Array(0), 3, 14));
    for (let at = 0; at < 3_000; at += 2) send(fragment(3_000, at, Uint8Array.of(1)));
    await world.clock.run(300_000);
    expect(server.established).toEqual([]);
    expect(server.port).toMatchObject({ sessions: 0, handshakes: 0 });
    expect(world.clock.pending).toBe(0);
  });
});

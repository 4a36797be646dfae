import { describe, expect, test } from 'vitest';
import type { PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { cipherSuites } from '../../../protocol/dtls/crypto/cipher-suites.ts';
import { createKeyShare, NamedGroup } from '../../../protocol/dtls/crypto/ecdhe.ts';
import { pskPremasterSecret } from '../../../protocol/dtls/crypto/key-schedule.ts';
import { encodeAlert } from '../../../protocol/dtls/messages/alert.ts';
import {
  encodeCertificateChain,
  encodeRawPublicKey,
} from '../../../protocol/dtls/messages/certificate-messages.ts';
import { ContentType, DtlsVersion, HandshakeType } from '../../../protocol/dtls/messages/constants.ts';
import {
  encodeHandshakeFragment,
  encodeHandshakeMessage,
} from '../../../protocol/dtls/messages/handshake-fragment.ts';
import {
  decodeSignedServerKeyExchange,
  encodeEcdheClientKeyExchange,
  encodePskClientKeyExchange,
} from '../../../protocol/dtls/messages/key-exchange-messages.ts';
import { plainRecord, readRecord } from '../../../protocol/dtls/records/record.ts';
import type { ClientCredentials } from '../../../protocol/dtls/types.ts';
import { Authority } from '../../support/dtls/authorities.ts';
import { DtlsWorld, KEY, SERVER, type TestServer } from '../../support/dtls/dtls-world.ts';
import { MemoryKeeper } from '../../support/dtls/memory-keeper.ts';
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
 * The attacks on DTLS that are known, a test each. What is tried: by whoever can send datagrams with any source
 * address, by whoever hears what passes, and by whoever can hold it up and change it.
 */
const CLIENT = '198.51.100.1:40000';
const OTHER = '198.51.100.2:40000';
const ATTACKER = '203.0.113.66:6666';

/** A session in which something was said. */
async function established(quality = {}) {
  const world = new DtlsWorld(quality);
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

describe('replay', () => {
  test('of records: each is taken once, from wherever it comes', async () => {
    const { world, server, client } = await established();
    for (const text of ['a', 'b', 'c']) expect(await world.ask(client, text)).toBe(true);
    const all = sentToServer(world);
    for (const from of [CLIENT, ATTACKER]) {
      for (const datagram of all) await inject(world, datagram, from);
    }
    expect(texts(server)).toEqual(['hello', 'a', 'b', 'c']);
    expect(server.port.statistics.replayed).toBeGreaterThan(0);
    expect(server.moves).toEqual([]);
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('of records older than the window', async () => {
    const { world, server, client } = await established();
    for (let n = 0; n < 200; n++) world.say(client, `${n}`);
    await world.clock.run(1_000);
    const count = server.received.length;
    for (const datagram of sentToServer(world)) await inject(world, datagram, CLIENT);
    expect(server.received).toHaveLength(count);
  });

  test('of a whole handshake: no session comes of it, and the one that is there stays', async () => {
    const { world, server, client } = await established();
    const recorded = sentToServer(world);
    for (const from of [CLIENT, OTHER, ATTACKER]) {
      for (const datagram of recorded) await inject(world, datagram, from);
      await world.clock.run(300_000);
    }
    expect(server.established).toHaveLength(1);
    expect(server.closed).toEqual([]);
    expect(server.port).toMatchObject({ sessions: 1, handshakes: 0 });
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('of the server’s records to the client', async () => {
    const { world, client } = await established();
    for (const datagram of sentTo(world, CLIENT)) world.link.carry(datagram, SERVER, CLIENT);
    await world.clock.run(10_000);
    expect(client.received.map(({ text }) => text)).toEqual(['hello!']);
    expect(await world.ask(client, 'still there')).toBe(true);
  });

  test('of another device’s cookie: it is the address’s and the hello’s', async () => {
    const { world, server } = await established();
    const hello = sentToServer(world).filter(
      (datagram) => messageTypeOf(datagram) === HandshakeType.CLIENT_HELLO,
    )[1] as Uint8Array;
    await inject(world, hello, ATTACKER);
    expect(server.port.handshakes).toBe(0);
    await world.clock.run(200_000);
    // Nor is it one for ever.
    await inject(world, hello, CLIENT);
    expect(server.port.handshakes).toBe(0);
    const changed = Uint8Array.from(hello);
    changed[30] = (changed[30] as number) ^ 1;
    await inject(world, changed, CLIENT);
    expect(server.port.handshakes).toBe(0);
  });
});

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

describe('record splicing', () => {
  async function two() {
    const world = new DtlsWorld();
    world.keys.set('two', KEY);
    world.link.recording = true;
    const server = world.server();
    const [one, other] = [world.client(CLIENT), world.client(OTHER, { identity: 'two' })];
    expect(await world.ask(one, 'one')).toBe(true);
    expect(await world.ask(other, 'two')).toBe(true);
    const of = (address: PeerAddress) =>
      Uint8Array.from(world.link.log.filter(({ from }) => from === address).at(-1)?.data as Uint8Array);
    return { world, server, one: of(CLIENT), other: of(OTHER) };
  }

  test('of one session’s record under another’s connection id is not taken', async () => {
    const { world, server, one, other } = await two();
    const spliced = Uint8Array.from(one);
    spliced.set(other.subarray(11, 19), 11);
    // A number that the other session has not had yet.
    spliced[10] = 99;
    for (const from of [CLIENT, OTHER, ATTACKER]) await inject(world, spliced, from);
    expect(texts(server)).toEqual(['one', 'two']);
    expect(server.port.statistics.forged).toBe(3);
    expect(server.moves).toEqual([]);
  });

  test('of halves of two records is not taken', async () => {
    const { world, server, one, other } = await two();
    for (let at = 19; at < one.length; at++) {
      const spliced = Buffer.concat([one.subarray(0, at), other.subarray(at)]);
      spliced[10] = 99;
      await inject(world, spliced, CLIENT);
    }
    expect(texts(server)).toEqual(['one', 'two']);
  });

  test('with any one bit of a record changed is not taken, and the session goes on', async () => {
    const { world, server, client } = await established();
    world.link.filter = (_data, from) => from === CLIENT;
    world.say(client, 'held up');
    const held = sentToServer(world).at(-1) as Uint8Array;
    world.link.filter = undefined;
    for (let bit = 0; bit < held.length * 8; bit++) {
      const forged = Uint8Array.from(held);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      await inject(world, forged, ATTACKER);
    }
    expect(texts(server)).toEqual(['hello']);
    expect(server.moves).toEqual([]);
    expect(server.port).toMatchObject({ sessions: 1 });
    await inject(world, held, CLIENT);
    expect(texts(server)).toEqual(['hello', 'held up']);
  });

  test('behind an honest record does not taint it, nor does the honest one vouch for it', async () => {
    const { world, server, client } = await established();
    const forged = plainRecord(ContentType.APPLICATION_DATA, 9, Buffer.from('forged'));
    tamper(world, (datagram, from) => (from === CLIENT ? Buffer.concat([datagram, forged]) : undefined));
    expect(await world.ask(client, 'honest')).toBe(true);
    expect(texts(server)).toEqual(['hello', 'honest']);
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

describe('a truncated MAC', () => {
  test.each(cipherSuites.filter(({ keyExchange }) => keyExchange !== 'ecdhe_ecdsa'))(
    'is none, with $name',
    async ({ id }) => {
      const world = new DtlsWorld();
      world.link.recording = true;
      const server = world.server();
      const client = world.client(CLIENT, { suites: [id] });
      expect(await world.ask(client, 'hello')).toBe(true);
      world.link.filter = (_data, from) => from === CLIENT;
      world.say(client, 'held up');
      const held = sentToServer(world).at(-1) as Uint8Array;
      world.link.filter = undefined;
      const { fragment } = readRecord(held, 0, 8) as { fragment: Uint8Array };
      for (let length = 0; length < fragment.length; length++) {
        const cut = Uint8Array.from(held.subarray(0, held.length - fragment.length + length));
        cut[19] = length >> 8;
        cut[20] = length;
        await inject(world, cut, CLIENT);
      }
      expect(texts(server)).toEqual(['hello']);
      await inject(world, held, CLIENT);
      expect(texts(server)).toEqual(['hello', 'held up']);
    },
  );
});

describe('the reuse of an epoch', () => {
  test('0 after the handshake: data and alerts in the clear are nobody’s', async () => {
    const { world, server, client } = await established();
    for (const [type, content] of [
      [ContentType.APPLICATION_DATA, Buffer.from('in the clear')],
      [ContentType.ALERT, encodeAlert({ level: 1, description: 0 })],
      [ContentType.ALERT, encodeAlert({ level: 2, description: 40 })],
      [ContentType.CHANGE_CIPHER_SPEC, Uint8Array.of(1)],
      [ContentType.HANDSHAKE, encodeHandshakeMessage(HandshakeType.HELLO_REQUEST, 0, new Uint8Array(0))],
      [ContentType.HANDSHAKE, encodeHandshakeMessage(HandshakeType.FINISHED, 7, new Uint8Array(12))],
    ] as const) {
      const record = plainRecord(type, 1_000, content);
      await inject(world, record, CLIENT);
      world.link.carry(record, SERVER, CLIENT);
      await world.clock.run(1_000);
    }
    expect(texts(server)).toEqual(['hello']);
    expect(client.received).toHaveLength(1);
    expect(server.closed).toEqual([]);
    expect(client.closed).toBe(0);
    expect(await world.ask(client, 'still there')).toBe(true);
    expect(client.established).toHaveLength(1);
  });

  test('others than the one that is spoken', async () => {
    const { world, server } = await established();
    const last = sentToServer(world).at(-1) as Uint8Array;
    for (const epoch of [0, 2, 3, 255, 65_535]) {
      const record = Uint8Array.from(last);
      record[3] = epoch >> 8;
      record[4] = epoch;
      record[10] = 77;
      await inject(world, record, CLIENT);
    }
    expect(texts(server)).toEqual(['hello']);
  });

  test('of a session that a newer one has replaced: its records are no longer taken', async () => {
    const { world, server, client } = await established();
    world.link.filter = (_data, from) => from === CLIENT;
    world.say(client, 'from before');
    const before = sentToServer(world).at(-1) as Uint8Array;
    world.link.filter = undefined;
    const restarted = world.client(CLIENT);
    expect(await world.ask(restarted, 'again')).toBe(true);
    await inject(world, before, CLIENT);
    expect(texts(server)).toEqual(['hello', 'again']);
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

describe('amplification', () => {
  test('before the cookie nobody gets more than it sent, and nothing is kept', async () => {
    const world = new DtlsWorld();
    world.link.recording = true;
    const server = world.server();
    const hello = new ScriptedClient(world, CLIENT);
    hello.sayHello();
    await world.clock.run(100);
    const sent = sentToServer(world)[0] as Uint8Array;
    for (let n = 0; n < 2_000; n++) {
      world.link.carry(sent, `192.0.2.${n % 250}:${1_000 + n}`, SERVER);
      // And what is cut short, which may get nothing at all.
      world.link.carry(sent.subarray(0, n % sent.length), `192.0.2.${n % 250}:${1_000 + n}`, SERVER);
    }
    await world.clock.run(1_000);
    const out = world.link.log.filter(({ from }) => from === SERVER);
    expect(out.length).toBeGreaterThan(2_000);
    for (const { data } of out) expect(data.length).toBeLessThanOrEqual(sent.length);
    expect(server.port).toMatchObject({ sessions: 0, handshakes: 0 });
    expect(world.clock.pending).toBe(0);
  });

  test('to an address that a record was sent on from: three times what came from there, until it answers', async () => {
    const { world, server, client } = await established();
    const peer = server.received[0]?.peer as string;
    // Somebody holds the newest record up, and sends it on from a victim's address.
    const victim = '203.0.113.1:53';
    tamper(world, (datagram, from) => {
      if (from !== CLIENT || datagram[0] !== ContentType.TLS12_CID) return undefined;
      world.link.filter = undefined;
      world.link.carry(datagram, victim, SERVER);
      return new Uint8Array(0);
    });
    server.echo = false;
    world.say(client, 'news');
    await world.clock.run(100);
    expect(server.moves).toHaveLength(1);
    for (let n = 0; n < 100; n++) server.port.send(new Uint8Array(200), peer);
    await world.clock.run(60_000);
    const received = world.link.log.find(({ from }) => from === victim)?.data.length ?? 0;
    const out = sentTo(world, victim).reduce((sum, { length }) => sum + length, 0);
    expect(received).toBeGreaterThan(0);
    expect(out).toBeGreaterThan(0);
    expect(out).toBeLessThanOrEqual(3 * received);
    // The client speaks, and has its session back.
    server.echo = true;
    expect(await world.ask(client, 'I am here')).toBe(true);
    expect(server.port.transportAddress(peer)).toBe(CLIENT);
  });

  test('by handshakes that nobody goes on with: flights end', async () => {
    const world = new DtlsWorld();
    const server = world.server();
    const client = new ScriptedClient(world, CLIENT);
    await client.greet();
    const sent = client.datagrams.length;
    await world.clock.run(600_000);
    expect(client.datagrams.length - sent).toBeLessThan(12);
    expect(server.port.handshakes).toBe(0);
    expect(world.clock.pending).toBe(0);
  });
});

describe('two owners of one session', () => {
  test('never write with one sequence number, and the former one is shut out', async () => {
    const world = new DtlsWorld();
    world.link.recording = true;
    const keeper = new MemoryKeeper();
    const former = world.server({ keeper, slot: 1 });
    const client = world.client(CLIENT);
    expect(await world.ask(client, 'hello')).toBe(true);
    const peer = former.received[0]?.peer as string;
    // It is believed to be dead, was saved by somebody, and is taken over; but it lives, and goes on.
    const saved = [...keeper.states.values()].map((state) => ({
      ...state,
      window: { highest: 50, seen: new Uint8Array(8).fill(0xff) },
    }));
    keeper.save(saved);
    const latter = world.server({ keeper, slot: 2 });
    for (let n = 0; n < 60; n++) world.say(client, `${n}`);
    await world.clock.run(1_000);
    expect(latter.port.statistics.takenOver).toBe(1);
    const sequences = new Set<string>();
    let written = 0;
    world.link.recording = false;
    world.link.filter = (datagram, from) => {
      if (from !== SERVER) return false;
      for (const { sequenceBytes } of recordsOf(datagram)) {
        sequences.add(Buffer.from(sequenceBytes).toString('hex'));
        written++;
      }
      return true;
    };
    for (let round = 0; round < 140; round++) {
      for (let n = 0; n < 1_000; n++) {
        for (const { port } of [former, latter]) port.send(Uint8Array.of(1), peer);
      }
      await world.clock.run(1);
    }
    expect(written).toBeGreaterThan(150_000);
    expect(sequences.size).toBe(written);
    expect(former.closed).toMatchObject([{ reason: 'fenced' }]);
    expect(latter.closed).toEqual([]);
  }, 60_000);
});

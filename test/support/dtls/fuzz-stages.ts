import assert from 'node:assert/strict';
import { ContentType } from '../../../protocol/dtls/messages/constants.ts';
import { KeyCache } from '../../../protocol/dtls/records/key-cache.ts';
import { SecuredEpoch } from '../../../protocol/dtls/records/secured-epoch.ts';
import type { ClientCredentials } from '../../../protocol/dtls/types.ts';
import { Authority } from './authorities.ts';
import { DtlsWorld, SERVER, type TestClient, type TestServer } from './dtls-world.ts';
import { MemoryKeeper } from './memory-keeper.ts';
import { TapPort } from './tap-port.ts';
import { recordsOf } from './wire.ts';

const CLIENT = '198.51.100.1:40000';

/** A state that a server or a client is in, and what it can be sent then. */
export interface FuzzStage {
  /** What an honest peer would say now. */
  readonly corpus: readonly Uint8Array[];
  /** Puts one datagram in; `n` counts them. */
  feed(datagram: Uint8Array, n: number): void;
  /** Throws where something is not as it has to be. */
  check(): void;
  /** Whether it is still that state: what is sent may end a handshake. */
  standing(): boolean;
  /** Whether time may go on: it lets flights be sent again. */
  readonly inTime: DtlsWorld | undefined;
}

const authority = new Authority();
const serverIdentity = authority.identity('server');
const device = authority.identity('device');
const certificates: ClientCredentials = {
  kind: 'x509',
  own: device,
  trusted: [authority.certificate],
};

/** A world whose ports can be fed, and where what each side says can be held back. */
function stage(credentials: ClientCredentials | undefined, suites: readonly number[]) {
  const world = new DtlsWorld();
  const [serverTap, clientTap] = [new TapPort(world.link.port(SERVER)), new TapPort(world.link.port(CLIENT))];
  const server = world.server({
    port: serverTap,
    credentials: {
      psk: world.psk,
      ...authority.credentials(serverIdentity, [], () => world.clock.wallTime()),
    },
  });
  const client = world.client(CLIENT, {
    inner: clientTap,
    suites,
    ...(credentials !== undefined && { credentials }),
  });
  return { world, server, client, serverTap, clientTap };
}

/** Has `tap` hold back its flight number `flight` and all that comes later; what it held. */
async function hold(
  world: DtlsWorld,
  tap: TapPort,
  client: TestClient,
  flight: number,
): Promise<Uint8Array[]> {
  const held: Uint8Array[] = [];
  let sent = 0;
  let at = -1;
  tap.onSend = (data) => {
    // What is sent at one moment is one flight.
    if (world.clock.now() !== at) {
      at = world.clock.now();
      sent++;
    }
    if (sent < flight) return true;
    held.push(Uint8Array.from(data));
    return false;
  };
  world.say(client, 'hello');
  await world.clock.run(500, () => held.length > 0);
  return held;
}

/** Nothing was let in, and nothing was passed up. */
function untouched({ port, established, received, errors }: TestServer): void {
  assert.equal(established.length, 0);
  assert.equal(received.length, 0);
  assert.deepEqual(errors, []);
  assert.ok(port.handshakes <= 1);
}

async function beforeTheCookie(): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = stage(undefined, [0xc0a8, 0xd001]);
  const corpus = await hold(world, clientTap, client, 1);
  const pending = world.clock.pending;
  return {
    corpus,
    feed: (datagram, n) => serverTap.deliver(datagram, `192.0.2.${n % 251}:${1_024 + (n % 60_000)}`),
    check() {
      untouched(server);
      assert.equal(server.port.handshakes, 0);
      assert.equal(server.port.sessions, 0);
      // Whatever the server answered is under way, and no timer of its own.
      world.clock.advance(20);
      assert.ok(world.clock.pending <= pending);
    },
    standing: () => true,
    inTime: undefined,
  };
}

/** A ClientHello with the right cookie, which does not cover all of it. */
async function greetingServer(
  credentials: ClientCredentials | undefined,
  suites: readonly number[],
): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = stage(credentials, suites);
  const corpus = await hold(world, clientTap, client, 2);
  return {
    corpus,
    feed: (datagram) => serverTap.deliver(datagram, CLIENT),
    check: () => untouched(server),
    standing: () => server.port.handshakes === 0,
    inTime: world,
  };
}

/** The server has greeted; the client's next flight is what is fed. */
async function serverInHandshake(
  credentials: ClientCredentials | undefined,
  suites: readonly number[],
): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = stage(credentials, suites);
  const corpus = await hold(world, clientTap, client, 3);
  return {
    corpus,
    feed: (datagram) => serverTap.deliver(datagram, CLIENT),
    check() {
      // By chance it may be the honest flight after all, or one that means the same.
      if (server.established.length === 0) untouched(server);
      assert.equal(server.received.length, 0);
    },
    standing: () => server.port.handshakes === 1 && server.established.length === 0,
    inTime: world,
  };
}

/** The server has all but the Finished. */
async function serverAwaitingFinished(): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = stage(undefined, [0xc0a8]);
  const flight = Buffer.concat(await hold(world, clientTap, client, 3));
  const records = recordsOf(flight);
  const start = (records.at(-2)?.end ?? 0) as number;
  serverTap.deliver(Uint8Array.from(flight.subarray(0, start)), CLIENT);
  await world.clock.run(1);
  return {
    corpus: [Uint8Array.from(flight.subarray(start)), Uint8Array.from(flight)],
    feed: (datagram) => serverTap.deliver(datagram, CLIENT),
    check() {
      if (server.established.length === 0) untouched(server);
    },
    standing: () => server.port.handshakes === 1 && server.established.length === 0,
    inTime: world,
  };
}

/** The client awaits the server's flight of that number. */
async function clientInHandshake(
  flight: number,
  credentials: ClientCredentials | undefined,
  suites: readonly number[],
): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = stage(credentials, suites);
  const corpus = await hold(world, serverTap, client, flight);
  clientTap.onSend = () => false;
  return {
    corpus,
    feed: (datagram) => clientTap.deliver(datagram, SERVER),
    check() {
      assert.equal(client.received.length, 0);
      // Only the honest Finished lets it believe that it has a session.
      if (flight < 3) assert.equal(client.established.length, 0);
      assert.deepEqual(server.errors, []);
    },
    standing: () => client.failures.length === 0 && client.established.length === 0,
    inTime: world,
  };
}

async function speaking() {
  const all = stage(undefined, [0xc0a8]);
  const { world, client } = all;
  assert.ok(await world.ask(client, 'hello'));
  return all;
}

async function serverEstablished(): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = await speaking();
  const corpus: Uint8Array[] = [];
  clientTap.onSend = (data) => {
    corpus.push(Uint8Array.from(data));
    return false;
  };
  for (let n = 0; n < 4; n++) world.say(client, `held up ${n}`);
  const honest = new Set(corpus.map((data) => Buffer.from(data).toString('hex')));
  let taken = server.received.length;
  return {
    corpus,
    feed(datagram, n) {
      const before = server.received.length;
      serverTap.deliver(datagram, n % 2 === 0 ? CLIENT : '203.0.113.9:9');
      if (server.received.length === before) return;
      // What was passed up was in there, whole, and once.
      const records = recordsOf(datagram).map(({ end, fragment }) =>
        Buffer.from(datagram.subarray(end - fragment.length - 21, end)).toString('hex'),
      );
      assert.ok(records.some((record) => honest.has(record)));
      taken += server.received.length - before;
      assert.ok(taken <= 5);
    },
    check() {
      assert.equal(server.port.sessions, 1);
      assert.equal(server.established.length, 1);
      assert.deepEqual(server.closed, []);
      assert.deepEqual(server.errors, []);
    },
    standing: () => server.received.length < 5,
    inTime: undefined,
  };
}

/** The session is in the store, and its records arrive at a server that has never seen it. */
async function serverWithoutTheSession(): Promise<FuzzStage> {
  const world = new DtlsWorld();
  const keeper = new MemoryKeeper();
  const former = world.server({ keeper });
  const clientTap = new TapPort(world.link.port(CLIENT));
  const client = world.client(CLIENT, { inner: clientTap, suites: [0xc0a8] });
  assert.ok(await world.ask(client, 'hello'));
  keeper.save(await former.port.suspend());
  const serverTap = new TapPort(world.link.port(SERVER));
  const server = world.server({ keeper, port: serverTap });
  const corpus: Uint8Array[] = [];
  clientTap.onSend = (data) => {
    corpus.push(Uint8Array.from(data));
    return false;
  };
  for (let n = 0; n < 4; n++) world.say(client, `held up ${n}`);
  let isWhole = false;
  return {
    corpus,
    feed(datagram, n) {
      isWhole ||= corpus.some((honest) => Buffer.from(datagram).includes(Buffer.from(honest)));
      serverTap.deliver(datagram, n % 2 === 0 ? CLIENT : '203.0.113.9:9');
    },
    check() {
      assert.deepEqual(server.errors, []);
      assert.deepEqual(server.closed, []);
      assert.equal(server.established.length, 0);
      // It is taken over by a record that is whole, and by nothing else.
      const { takenOver } = server.port.statistics;
      assert.ok(takenOver <= (isWhole ? 1 : 0));
      if (takenOver === 0) assert.equal(server.received.length, 0);
      assert.ok(server.received.every(({ text }) => text.startsWith('held up ')));
    },
    standing: () => server.port.sessions === 0,
    inTime: world,
  };
}

/** What is fed is sealed with the session's keys: its own peer has gone mad. */
async function sealedAt(target: 'server' | 'client'): Promise<FuzzStage> {
  const { world, server, client, serverTap, clientTap } = await speaking();
  const [state] = client.port.suspend();
  assert.ok(state);
  const isServer = target === 'server';
  const cache = new KeyCache(4);
  const epoch = new SecuredEpoch(
    {
      suite: state.suite,
      keys: state.keys,
      role: isServer ? 'client' : 'server',
      ownConnectionId: undefined,
      peerConnectionId: isServer ? state.serverConnectionId : undefined,
    },
    cache,
  );
  epoch.nextSequence = 1_000;
  const other = isServer ? undefined : world.client(CLIENT, { inner: clientTap, suites: [0xc0a8] });
  const { keys, ...rest } = state;
  other?.port.restore({
    ...rest,
    keys: { client: Uint8Array.from(keys.client), server: Uint8Array.from(keys.server) },
  });
  const types = [...Object.values(ContentType), 0, 24, 26, 255];
  return {
    corpus: sealedContents,
    feed(content, n) {
      const record = epoch.seal(types[n % types.length] as number, content);
      if (isServer) serverTap.deliver(record, CLIENT);
      else clientTap.deliver(record, SERVER);
    },
    check() {
      assert.deepEqual(server.errors, []);
      assert.ok(server.port.sessions <= 1);
      server.received.length = 0;
      if (other !== undefined) other.received.length = 0;
      // Answers travel, and are not kept.
      world.clock.advance(20);
    },
    standing: () => (isServer ? server.port.sessions === 1 : (other?.port.established(SERVER) ?? false)),
    inTime: undefined,
  };
}

/** Alerts, a Finished, a ClientHello's beginning, a path challenge, CoAP. */
const sealedContents = [
  '0100',
  '0228',
  '14000000c0003000000000000c000102030405060708090a0b',
  '0100003000000000000000300000fefd0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200000000002c0a80100',
  '000102030405060708',
  '010102030405060708',
  '440112340102030468656c6c6f',
].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));

/** Every state, by name, and its share of the inputs, in hundredths. */
export const fuzzStages: readonly (readonly [
  name: string,
  weight: number,
  open: () => Promise<FuzzStage>,
])[] = [
  ['server: before the cookie', 24, beforeTheCookie],
  ['server: PSK, awaiting a cookie', 2, () => greetingServer(undefined, [0xc0a8, 0xd001])],
  ['server: X.509, awaiting a cookie', 2, () => greetingServer(certificates, [0xc0ae])],
  ['server: PSK, awaiting ClientKeyExchange', 3, () => serverInHandshake(undefined, [0xc0a8])],
  ['server: ECDHE_PSK, awaiting ClientKeyExchange', 1, () => serverInHandshake(undefined, [0xd001])],
  ['server: X.509, awaiting Certificate', 2, () => serverInHandshake(certificates, [0xc0ae])],
  ['server: awaiting Finished', 8, serverAwaitingFinished],
  ['server: established', 22, serverEstablished],
  ['server: its session is in the store', 4, serverWithoutTheSession],
  ['server: established, by its own peer', 12, () => sealedAt('server')],
  ['client: awaiting HelloVerifyRequest', 2, () => clientInHandshake(1, undefined, [0xc0a8])],
  ['client: PSK, awaiting ServerHello', 2, () => clientInHandshake(2, undefined, [0xc0a8])],
  ['client: X.509, awaiting ServerHello', 2, () => clientInHandshake(2, certificates, [0xc0ae])],
  ['client: awaiting Finished', 2, () => clientInHandshake(3, undefined, [0xc0a8])],
  ['client: established, by its own peer', 12, () => sealedAt('client')],
];

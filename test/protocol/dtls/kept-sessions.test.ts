import { describe, expect, test } from 'vitest';
import { SEQUENCE_BLOCK } from '../../../protocol/dtls/types.ts';
import { DtlsWorld, SERVER } from '../../support/dtls/dtls-world.ts';
import { MemoryKeeper } from '../../support/dtls/memory-keeper.ts';

const DEVICE = '198.51.100.1:40000';

/** A server with a keeper, and a client that has a session with it. */
async function setUp() {
  const world = new DtlsWorld();
  const keeper = new MemoryKeeper();
  const first = world.server({ keeper, slot: 3 });
  const client = world.client(DEVICE);
  expect(await world.ask(client, 'hello')).toBe(true);
  await world.clock.run(1_000);
  return { world, keeper, first, client, peer: first.established[0]?.peer ?? '' };
}

/** The same address, another process. */
function restart(world: DtlsWorld, keeper: MemoryKeeper) {
  return world.server({ keeper, slot: 4 });
}

describe('a session that is kept', () => {
  test('begins with a block of sequence numbers, and its id names the node', async () => {
    const { keeper, peer } = await setUp();
    expect(peer).toMatch(/^dtls:03/);
    expect([...keeper.states.values()]).toMatchObject([
      { reservedTo: SEQUENCE_BLOCK, fence: 0, peer: { name: 'one' }, address: DEVICE },
    ]);
  });

  test('that was suspended goes on in another process, without a handshake and behind the reserved numbers', async () => {
    const { world, keeper, first, client, peer } = await setUp();
    keeper.save(await first.port.suspend());
    await first.port.close();
    const second = restart(world, keeper);
    world.link.recording = true;
    expect(await world.ask(client, 'still there?')).toBe(true);
    expect(second.received).toMatchObject([
      { text: 'still there?', peer, identity: { name: 'one', endpoint: 'ep-one' } },
    ]);
    expect(client.established).toHaveLength(1);
    expect(second.port.statistics).toMatchObject({ takenOver: 1, handshakesStarted: 0 });
    const answers = world.link.log.filter(({ from }) => from === SERVER);
    expect(answers.map(({ data }) => sequenceOf(data))).toEqual([SEQUENCE_BLOCK]);
    expect([...keeper.states.values()]).toMatchObject([{ fence: 1, reservedTo: 2 * SEQUENCE_BLOCK }]);
  });

  test('that was suspended takes no record a second time', async () => {
    const { world, keeper, first, client } = await setUp();
    world.link.recording = true;
    expect(await world.ask(client, 'once')).toBe(true);
    const record = world.link.log.find(({ to }) => to === SERVER)?.data as Uint8Array;
    keeper.save(await first.port.suspend());
    await first.port.close();
    const second = restart(world, keeper);
    world.link.carry(record, DEVICE, SERVER);
    await world.clock.run(1_000);
    expect(second.received).toEqual([]);
    expect(await world.ask(client, 'twice')).toBe(true);
    expect(second.received.map(({ text }) => text)).toEqual(['twice']);
  });

  test('whose owner was killed gives nothing to those above: its peer is told, and has a new one at once', async () => {
    const { world, keeper, first, client } = await setUp();
    await killed(first);
    const second = restart(world, keeper);
    world.say(client, 'lost');
    await world.clock.run(1_000, () => client.established.length === 2);
    expect(client.closed).toBe(1);
    expect(client.established).toMatchObject([{}, { resumed: false }]);
    expect(second.received).toEqual([]);
    expect(second.closed).toMatchObject([{ reason: 'window-lost' }]);
    expect(await world.ask(client, 'again')).toBe(true);
    await world.clock.run(1_000);
    expect([...keeper.states.values()]).toMatchObject([{ fence: 0 }]);
  });

  test('is not taken over for a forged record, nor for a replayed one while its owner is elsewhere', async () => {
    const { world, keeper, first, client } = await setUp();
    world.link.recording = true;
    await world.ask(client, 'recorded');
    const record = world.link.log.find(({ to }) => to === SERVER)?.data as Uint8Array;
    keeper.save(await first.port.suspend());
    await first.port.close();
    const second = restart(world, keeper);
    const forged = record.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
    world.link.carry(forged, '203.0.113.9:9', SERVER);
    await world.clock.run(1_000);
    expect(keeper.calls.filter((call) => call.startsWith('takeOver'))).toEqual([]);
    expect(second.port).toMatchObject({ sessions: 0, statistics: { forged: 1 } });
    expect(await world.ask(client, 'well')).toBe(true);
  });

  test('of which nobody knows is looked for once in a while, however many records name it', async () => {
    const { world, keeper, first, client } = await setUp();
    await killed(first);
    keeper.states.clear();
    const second = restart(world, keeper);
    for (let i = 0; i < 10; i++) {
      world.say(client, 'lost');
      await world.clock.run(10);
    }
    expect(keeper.calls.filter((call) => call.startsWith('read'))).toHaveLength(1);
    expect(second.port.statistics.dropped).toBeGreaterThan(5);
  });

  test('reserves the next block before the last is used up, and never writes beyond what is reserved', async () => {
    const { world, keeper, first, client, peer } = await setUp();
    first.echo = false;
    world.link.recording = true;
    const sendMany = (count: number) => {
      for (let i = 0; i < count; i++) first.port.send(Uint8Array.of(1), peer);
    };
    let release = () => {};
    keeper.gate = new Promise((resolve) => {
      release = resolve;
    });
    sendMany(SEQUENCE_BLOCK + 100);
    expect(first.port.statistics.unsent).toBeGreaterThan(0);
    const numbers = world.link.log.filter(({ from }) => from === SERVER).map(({ data }) => sequenceOf(data));
    expect(Math.max(...numbers.slice(-10))).toBe(SEQUENCE_BLOCK - 1);
    release();
    await world.clock.run(10);
    sendMany(10);
    const last = world.link.log.filter(({ from }) => from === SERVER).at(-1)?.data as Uint8Array;
    expect(sequenceOf(last)).toBe(SEQUENCE_BLOCK + 9);
    const all = world.link.log.filter(({ from }) => from === SERVER).map(({ data }) => sequenceOf(data));
    expect(new Set(all).size).toBe(all.length);
    expect(client.failures).toEqual([]);
  });

  test('that has another owner by now is forgotten without a word', async () => {
    const { world, keeper, first, peer } = await setUp();
    const [state] = keeper.states.values();
    await keeper.takeOver(state?.id as Uint8Array, 0, false);
    first.echo = false;
    world.link.recording = true;
    for (let i = 0; i < SEQUENCE_BLOCK; i++) first.port.send(Uint8Array.of(1), peer);
    await world.clock.run(10);
    expect(first.closed).toMatchObject([{ reason: 'fenced' }]);
    const sent = world.link.log.length;
    first.port.send(Uint8Array.of(1), peer);
    await world.clock.run(10);
    expect(world.link.log).toHaveLength(sent);
    expect([...keeper.states.values()]).toMatchObject([{ fence: 1 }]);
  });

  test('goes on while the keeper fails, and is kept when it works again', async () => {
    const world = new DtlsWorld();
    const keeper = new MemoryKeeper();
    keeper.failure = new Error('the store does not answer');
    const server = world.server({ keeper });
    const client = world.client(DEVICE);
    expect(await world.ask(client, 'hello')).toBe(true);
    await world.clock.run(10_000);
    expect(server.errors).toEqual([keeper.failure]);
    keeper.failure = undefined;
    expect(await world.ask(client, 'well?')).toBe(true);
    await world.clock.run(10);
    expect(keeper.states.size).toBe(1);
  });

  test('writes no number that an epoch does not have, though its block goes beyond', async () => {
    const { world, keeper, first, client, peer } = await setUp();
    keeper.save(await first.port.suspend());
    await first.port.close();
    const [state] = keeper.states.values();
    if (state === undefined) throw new Error('nothing was saved');
    keeper.states.set(peer.slice('dtls:'.length), { ...state, reservedTo: 2 ** 48 - 2 });
    const second = restart(world, keeper);
    second.echo = false;
    world.say(client, 'hello again');
    await world.clock.run(1_000);
    world.link.recording = true;
    for (let i = 0; i < 10; i++) second.port.send(Uint8Array.of(1), peer);
    const numbers = world.link.log.filter(({ from }) => from === SERVER).map(({ data }) => sequenceOf(data));
    expect(numbers).toEqual([2 ** 48 - 2, 2 ** 48 - 1]);
    expect(second.port.statistics.unsent).toBe(8);
  });

  for (const ended of [true, false]) {
    const then = ended ? 'and was ended there' : 'and is there';
    test(`that was kept without an answer, taken over ${then}, repeats no number`, async () => {
      const world = new DtlsWorld();
      world.link.recording = true;
      const keeper = new MemoryKeeper();
      keeper.lost = new Error('the store has it, and its answer is lost');
      const server = world.server({ keeper });
      const client = world.client(DEVICE);
      expect(await world.ask(client, 'hello')).toBe(true);
      keeper.lost = undefined;
      const [state] = keeper.states.values();
      const taken = await keeper.takeOver(state?.id as Uint8Array, 0, false);
      expect(taken).toMatchObject({ nextSequence: SEQUENCE_BLOCK });
      if (ended) await keeper.ended(state?.id as Uint8Array, 1);
      await world.clock.run(10_000);
      server.echo = false;
      const [peer] = server.established.map((session) => session.peer);
      for (let i = 0; i < 2 * SEQUENCE_BLOCK; i++) {
        if (i % 1_000 === 0) await world.clock.run(1);
        server.port.send(Uint8Array.of(1), peer ?? '');
      }
      const numbers = world.link.log
        .filter(({ from }) => from === SERVER)
        .map(({ data }) => sequenceOf(data));
      const others = numbers.filter((each) => each >= SEQUENCE_BLOCK && each < 2 ** 28);
      expect(others).toEqual([]);
      expect(server.closed.map(({ reason }) => reason)).toEqual(ended ? [] : ['fenced']);
      expect(server.errors).toHaveLength(1);
    });
  }

  test('ends with its last sequence number', async () => {
    const { world, keeper, first, client, peer } = await setUp();
    const last = 2 ** 48 - 1;
    const [state] = await first.port.suspend();
    if (state === undefined) throw new Error('no session');
    await first.port.close();
    keeper.states.set(peer.slice(5), { ...state, nextSequence: last - 1, reservedTo: last - 1 });
    const second = restart(world, keeper);
    world.link.recording = true;
    expect(await world.ask(client, 'nearly over')).toBe(true);
    expect(await world.ask(client, 'over')).toBe(true);
    expect(second.closed).toMatchObject([{ reason: 'exhausted' }]);
    const answers = world.link.log.filter(({ from, data }) => from === SERVER && data[4] === 1);
    expect(answers.map(({ data }) => sequenceOf(data))).toEqual([last - 1, last]);
    await world.clock.run(1_000);
    expect(keeper.states.size).toBe(0);
  });

  test('that is heard while it is being saved for want of room is not taken out without its window', async () => {
    const world = new DtlsWorld();
    world.keys.set('two', new Uint8Array(16).fill(2));
    const keeper = new MemoryKeeper();
    const server = world.server({ keeper, limits: { sessions: 1 } });
    const client = world.client(DEVICE);
    expect(await world.ask(client, 'hello')).toBe(true);
    await world.clock.run(1_000);
    let release = (): void => undefined;
    keeper.gate = new Promise((resolve) => {
      release = resolve;
    });
    const other = world.client('198.51.100.2:40000', { identity: 'two', key: new Uint8Array(16).fill(2) });
    expect(await world.ask(other, 'hello')).toBe(true);
    expect(server.closed).toMatchObject([{ reason: 'evicted' }]);
    world.say(client, 'lost');
    await world.clock.run(100);
    const [peer] = server.established.map((session) => session.peer);
    const record = Buffer.from([...Buffer.alloc(11), ...Buffer.from((peer ?? '').slice(5), 'hex'), 0, 0]);
    record[0] = 25;
    expect(server.port.takeForeign(record, DEVICE)).toBe(true);
    keeper.gate = undefined;
    release();
    await world.clock.run(100);
    expect(await world.ask(client, 'again')).toBe(true);
    expect(client.established).toHaveLength(1);
    expect(server.closed.map(({ reason }) => reason)).not.toContain('window-lost');
  });

  test('is taken out of the keeper when it ends', async () => {
    const { world, keeper, client } = await setUp();
    client.port.release(SERVER);
    await world.clock.run(1_000);
    expect(keeper.states.size).toBe(0);
  });

  test('is loaded to send to its peer, where it is known what was received', async () => {
    const { world, keeper, first, client, peer } = await setUp();
    const states = await first.port.suspend();
    await first.port.close();
    const second = restart(world, keeper);
    expect(await second.port.load(peer)).toBe(false);
    expect(keeper.states.size).toBe(1);
    keeper.save(states);
    expect(await Promise.all([second.port.load(peer), second.port.load(peer)])).toEqual([true, true]);
    second.port.send(Buffer.from('news'), peer);
    await world.clock.run(1_000);
    expect(client.received.at(-1)?.text).toBe('news');
    expect(await second.port.load('dtls:0000000000000000')).toBe(false);
    expect(await second.port.load('192.0.2.1:5684')).toBe(false);
  });

  test('is released to another, and takes nothing more here', async () => {
    const { world, keeper, first, client, peer } = await setUp();
    const state = await first.port.release(peer);
    expect(state).toMatchObject({ fence: 0, window: { highest: expect.any(Number) } });
    expect(first.port.sessions).toBe(0);
    expect(await first.port.release(peer)).toBeUndefined();
    keeper.save(state === undefined ? [] : [state]);
    // It comes back with the next record: nobody else has taken it.
    expect(await world.ask(client, 'hm')).toBe(true);
    expect(first.port.statistics.takenOver).toBe(1);
  });

  test('for which there is no room is not looked for before it is saved', async () => {
    const world = new DtlsWorld();
    const keeper = new MemoryKeeper();
    world.keys.set('two', Buffer.from('the key of two..'));
    const server = world.server({ keeper, limits: { sessions: 1 } });
    const one = world.client(DEVICE);
    const two = world.client('198.51.100.2:40000', { identity: 'two', key: Buffer.from('the key of two..') });
    expect(await world.ask(one, 'hello')).toBe(true);
    await world.clock.run(100);
    let save = () => {};
    const saving = new Promise<void>((resolve) => {
      save = resolve;
    });
    const { evicted } = keeper;
    keeper.evicted = (state) => saving.then(() => evicted.call(keeper, state));
    expect(await world.ask(two, 'hello')).toBe(true);
    expect(await world.ask(one, 'me again', 1_000)).toBe(false);
    expect(keeper.calls.filter((call) => call.startsWith('read'))).toEqual([]);
    // Another node has got its next record, and asks: it is to leave the session alone.
    world.link.recording = true;
    world.link.filter = () => true;
    world.say(one, 'by another way');
    world.link.filter = undefined;
    const record = world.link.log.at(-1)?.data as Uint8Array;
    expect(server.port.takeForeign(record, DEVICE)).toBe(true);
    save();
    for (let i = 0; i < 10; i++) await world.clock.run(100);
    expect(one.received.slice(-2).map(({ text }) => text)).toEqual(['me again!', 'by another way!']);
    expect(one.established).toHaveLength(1);
  });

  test('for which there is no room in memory comes back when it is heard', async () => {
    const world = new DtlsWorld();
    const keeper = new MemoryKeeper();
    world.keys.set('two', Buffer.from('the key of two..'));
    const server = world.server({ keeper, limits: { sessions: 1 } });
    const one = world.client(DEVICE);
    const two = world.client('198.51.100.2:40000', { identity: 'two', key: Buffer.from('the key of two..') });
    expect(await world.ask(one, 'hello')).toBe(true);
    expect(await world.ask(two, 'hello')).toBe(true);
    await world.clock.run(100);
    expect(server.closed).toMatchObject([{ reason: 'evicted', session: { identity: { name: 'one' } } }]);
    expect(await world.ask(one, 'me again')).toBe(true);
    expect(one.established).toHaveLength(1);
    expect(server.port.sessions).toBe(1);
  });
});

/** Gone without a word, with all that it knew. */
async function killed(server: Awaited<ReturnType<typeof setUp>>['first']): Promise<void> {
  await server.port.suspend();
  await server.port.close();
}

/** Of the first record. */
function sequenceOf(data: Uint8Array): number {
  return Buffer.from(data).readUIntBE(5, 6);
}

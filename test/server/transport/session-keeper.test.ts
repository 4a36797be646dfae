import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SEQUENCE_BLOCK, type SessionState } from '../../../protocol/dtls/types.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { createSealer, SealError } from '../../../server/secrets/sealer.ts';
import { decodeSessionState, decodeWindow } from '../../../server/transport/session-codec.ts';
import { StoredSessions } from '../../../server/transport/session-keeper.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

const KEEP = 800_000;
const id = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 0xff);
const name = '00010203040506ff';
const client = Uint8Array.from({ length: 20 }, (_, index) => index + 100);
const server = Uint8Array.from({ length: 20 }, (_, index) => index + 200);
const window = { highest: 2 ** 40 + 3, seen: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 7) };

/** Keys are copies: who gets them wipes them. */
const aState = (): SessionState => ({
  id,
  peer: { kind: 'psk', name: 'identity', endpoint: 'modem' },
  address: '198.51.100.7:40001',
  suite: 0xc0a8,
  keys: { client: Uint8Array.from(client), server: Uint8Array.from(server) },
  peerConnectionId: Uint8Array.of(9, 8),
  returnRoutability: true,
  maxPlaintext: 512,
  establishedAt: 1_760_000_000_000,
  fence: 0,
  nextSequence: 1,
  reservedTo: SEQUENCE_BLOCK,
  window,
});

describe('DTLS sessions in the store', () => {
  let stores: Stores;
  let clock: FakeClock;
  const sealer = createSealer([randomBytes(32)]);
  const keeperOf = (node: string, sealedBy = sealer, account: 'server' | 'bootstrap' = 'server') =>
    new StoredSessions({ store: stores.sessions, sealer: sealedBy, node, account, keepFor: KEEP, clock });

  beforeEach(async () => {
    stores = await openEmbeddedStores({ path: ':memory:' });
    clock = new FakeClock();
  });
  afterEach(() => stores.close());

  test('what is kept is sealed, and is read as it was', async () => {
    await keeperOf('one').created(aState());
    const { state = new Uint8Array() } = (await stores.sessions.read(name)) ?? {};
    for (const secret of [client, server, Buffer.from('198.51.100.7')]) {
      expect(Buffer.from(state).includes(Buffer.from(secret))).toBe(false);
    }
    const { window: _, nextSequence: __, reservedTo: ___, ...told } = aState();
    const { nextSequence, reservedTo, ...read } = (await keeperOf('two').read(id)) ?? aState();
    expect(read).toEqual(told);
    expect([nextSequence, reservedTo]).toEqual([0, 0]);
  });

  test('with another key it is not to be read, and says so', async () => {
    await keeperOf('one').created(aState());
    await expect(keeperOf('one', createSealer([randomBytes(32)])).read(id)).rejects.toThrow(SealError);
  });

  test('a session of the other kind of accounts is none of this port’s', async () => {
    await keeperOf('one').created(aState());
    expect(await keeperOf('one', sealer, 'bootstrap').read(id)).toBeUndefined();
  });

  test('one that the store has, though its answer was lost, is kept at the second attempt, unless it is another one’s by then', async () => {
    const { create } = stores.sessions;
    for (const taken of [false, true]) {
      const lossy = { ...stores.sessions };
      lossy.create = async (session) => {
        lossy.create = create;
        await create(session);
        throw new Error('the answer was lost');
      };
      const options = { store: lossy, sealer, node: 'one', account: 'server', keepFor: KEEP, clock } as const;
      const one = new StoredSessions(options);
      await expect(one.created(aState())).rejects.toThrow('lost');
      if (taken) await keeperOf('two').takeOver(id, 0, false);
      const later = { ...aState(), reservedTo: 9 * SEQUENCE_BLOCK };
      expect(await one.created(later)).toBe(!taken);
      if (!taken)
        expect(await keeperOf('two').takeOver(id, 0, false)).toMatchObject({
          nextSequence: 9 * SEQUENCE_BLOCK,
        });
      await stores.sessions.remove(name);
    }
    const one = keeperOf('one');
    await one.created(aState());
    await expect(one.created(aState())).rejects.toThrow('already');
  });

  test('of a node that was killed it is taken over without its window, behind what was reserved', async () => {
    const one = keeperOf('one');
    await one.created(aState());
    expect(await one.reserve(id, 0, 3 * SEQUENCE_BLOCK)).toBe(true);
    const two = keeperOf('two');
    expect(await two.takeOver(id, 0, true)).toBeUndefined();
    expect(await two.takeOver(id, 0, false)).toMatchObject({
      fence: 1,
      nextSequence: 3 * SEQUENCE_BLOCK,
      reservedTo: 4 * SEQUENCE_BLOCK,
      keys: { client, server },
    });
    expect(await one.reserve(id, 0, 5 * SEQUENCE_BLOCK)).toBe(false);
    await one.ended(id, 0);
    expect(await two.read(id)).toMatchObject({ fence: 1 });
  });

  test('saved, it is taken over with its window, once', async () => {
    const one = keeperOf('one');
    await one.created(aState());
    expect(await one.save([aState()])).toBe(1);
    const two = keeperOf('two');
    const taken = await two.takeOver(id, 1, true);
    expect(taken).toMatchObject({ fence: 2, nextSequence: SEQUENCE_BLOCK });
    expect(taken?.window).toEqual(window);
    expect((await keeperOf('three').takeOver(id, 2, false))?.window).toBeUndefined();
  });

  test('one that had lost its window is not saved as if it had one', async () => {
    const one = keeperOf('one');
    const { window: _, ...lost } = aState();
    await one.created(aState());
    expect(await one.save([lost])).toBe(0);
    expect(await stores.sessions.read(name)).toMatchObject({ hasWindow: false, node: 'one' });
  });

  test('one that is heard is kept for longer, and the store is seldom told', async () => {
    const one = keeperOf('one');
    await one.created(aState());
    expect(one.heard(`dtls:${name}`)).toBeUndefined();
    for (let time = 0; time < 4; time++) {
      await clock.run(KEEP / 4);
      await one.heard(`dtls:${name}`);
      expect(one.heard(`dtls:${name}`)).toBeUndefined();
    }
    expect(await stores.sessions.trim(clock.wallTime(), 10)).toBe(0);
    await clock.run(KEEP + 1);
    expect(await stores.sessions.trim(clock.wallTime(), 10)).toBe(1);
    one.forgetOld();
    expect(one.heard(`dtls:${name}`)).toBeUndefined();
  });
});

test('what is no session is told as that', () => {
  for (const bytes of [new Uint8Array(), Uint8Array.of(0xff), Uint8Array.of(0xa0), Uint8Array.of(0xf6)]) {
    expect(() => decodeSessionState(bytes)).toThrow('no state of a DTLS session');
  }
  expect(() => decodeWindow(new Uint8Array(15))).toThrow('a receive window of 15 bytes');
});

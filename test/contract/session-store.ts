import { describe, expect, test } from 'vitest';
import {
  MOST_SESSIONS_OF_IDENTITY,
  type NewSession,
  type SessionHolder,
} from '../../server/ports/session-store.ts';
import { type OpenStores, start, useStores } from './engine.ts';

const BLOCK = 65_536;
const keeping = { at: start, keepFor: 60_000 };
const by = { node: 'node-2', numbers: BLOCK, ...keeping };
const holder: SessionHolder = { account: 'server', identity: { kind: 'psk', name: 'ünïcode id\n"x"' } };
/** Bytes that are no text: line breaks and zeros among them. */
const state = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) & 0xff);
const window = Uint8Array.of(0, 1, 10, 255, 0);

export function aDtlsSession(mark: number, change: Partial<NewSession> = {}): NewSession & typeof keeping {
  const id = mark.toString(16).padStart(16, '0');
  return { id, ...holder, node: 'node-1', fence: 1, reserved: BLOCK, state, ...keeping, ...change };
}

export function describeSessionStore(name: string, open: OpenStores): void {
  describe(`SessionStore, ${name}`, () => {
    const stores = useStores(open);
    const store = () => stores().sessions;
    const { id } = aDtlsSession(1);

    test('a session is read as it was entered, and is not there before', async () => {
      expect(await store().read(id)).toBeUndefined();
      expect(await store().create(aDtlsSession(1))).toBe(true);
      const stored = await store().read(id);
      expect({ ...stored, state: [...(stored?.state ?? [])] }).toEqual({
        id,
        ...holder,
        node: 'node-1',
        fence: 1,
        state: [...state],
        hasWindow: false,
      });
    });

    test('an id is given once', async () => {
      await store().create(aDtlsSession(1));
      expect(await store().create(aDtlsSession(1, { node: 'node-2' }))).toBe(false);
      expect(await store().read(id)).toMatchObject({ node: 'node-1', fence: 1 });
    });

    test('who has it reserves write sequence numbers, and what was reserved stays so', async () => {
      await store().create(aDtlsSession(1));
      expect(await store().reserve(id, 1, 3 * BLOCK, keeping)).toBe(true);
      expect(await store().reserve(id, 1, 2 * BLOCK, keeping)).toBe(true);
      expect(await store().take(id, 1, by)).toMatchObject({ writeFrom: 3 * BLOCK, reserved: 4 * BLOCK });
    });

    test('numbers of 48 bits are kept to the last digit', async () => {
      const last = 2 ** 48 - BLOCK - 1;
      await store().create(aDtlsSession(1));
      await store().reserve(id, 1, last, keeping);
      expect(await store().take(id, 1, by)).toMatchObject({ writeFrom: last, reserved: last + BLOCK });
    });

    test('whoever takes it over starts behind what was reserved, and the one before may not go on', async () => {
      await store().create(aDtlsSession(1));
      const taken = await store().take(id, 1, by);
      expect({ ...taken, state: [...(taken?.state ?? [])] }).toEqual({
        id,
        ...holder,
        fence: 2,
        writeFrom: BLOCK,
        reserved: 2 * BLOCK,
        state: [...state],
        window: undefined,
      });
      expect(await store().read(id)).toMatchObject({ node: 'node-2', fence: 2 });
      expect(await store().reserve(id, 1, 5 * BLOCK, keeping)).toBe(false);
      expect(await store().save(id, 1, { state, window, ...keeping })).toBe(false);
      expect(await store().remove(id, 1)).toBe(false);
      expect(await store().reserve(id, 2, 3 * BLOCK, keeping)).toBe(true);
    });

    test('of two who take it over at the same time one does', async () => {
      await store().create(aDtlsSession(1));
      const taken = await Promise.all([
        store().take(id, 1, by),
        store().take(id, 1, { ...by, node: 'node-3' }),
      ]);
      expect(taken.filter((one) => one !== undefined)).toHaveLength(1);
    });

    test('saved, it is nobody’s, with its window; the window is given out once', async () => {
      await store().create(aDtlsSession(1));
      const later = state.map((byte) => byte ^ 1);
      expect(await store().save(id, 1, { state: later, window, ...keeping })).toBe(true);
      expect(await store().read(id)).toMatchObject({ node: '', fence: 2, hasWindow: true });
      expect(await store().reserve(id, 1, 2 * BLOCK, keeping)).toBe(false);
      const taken = await store().take(id, 2, by);
      expect([...(taken?.window ?? [])]).toEqual([...window]);
      expect([...(taken?.state ?? [])]).toEqual([...later]);
      expect(await store().read(id)).toMatchObject({ node: 'node-2', fence: 3, hasWindow: false });
      expect((await store().take(id, 3, by))?.window).toBeUndefined();
    });

    test('what is gone can be neither reserved, saved, taken nor removed', async () => {
      await store().create(aDtlsSession(1));
      expect(await store().remove(id, 2)).toBe(false);
      expect(await store().remove(id)).toBe(true);
      expect(await store().remove(id)).toBe(false);
      expect(await store().read(id)).toBeUndefined();
      expect(await store().reserve(id, 1, BLOCK, keeping)).toBe(false);
      expect(await store().save(id, 1, { state, window, ...keeping })).toBe(false);
      expect(await store().take(id, 1, by)).toBeUndefined();
      expect(await store().of(holder)).toEqual([]);
    });

    test('those of an identity are found by account, kind and name together', async () => {
      const other: SessionHolder = { account: 'bootstrap', identity: holder.identity };
      const certificate: SessionHolder = {
        account: 'server',
        identity: { ...holder.identity, kind: 'x509' },
      };
      await store().create(aDtlsSession(1));
      await store().create(aDtlsSession(2, other));
      await store().create(aDtlsSession(3, certificate));
      await store().create(aDtlsSession(4));
      await store().take(aDtlsSession(4).id, 1, by);
      expect(await store().of(holder)).toEqual([
        { id: aDtlsSession(1).id, node: 'node-1', fence: 1 },
        { id: aDtlsSession(4).id, node: 'node-2', fence: 2 },
      ]);
      expect(await store().of(other)).toHaveLength(1);
      await store().remove(aDtlsSession(1).id);
      expect(await store().of(holder)).toHaveLength(1);
    });

    test('an identity that shakes hands again and again keeps its newest sessions', async () => {
      const count = MOST_SESSIONS_OF_IDENTITY + 2;
      for (let mark = 1; mark <= count; mark++)
        await store().create({ ...aDtlsSession(mark), at: start + mark });
      const kept = await store().of(holder);
      expect(kept.map((place) => Number.parseInt(place.id, 16)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: MOST_SESSIONS_OF_IDENTITY }, (_, index) => index + 3),
      );
      expect(await store().read(aDtlsSession(1).id)).toBeUndefined();
      expect(await store().reserve(aDtlsSession(2).id, 1, 2 * BLOCK, keeping)).toBe(false);
    });
  });
}

import { describe, expect, test } from 'vitest';
import { BusyError } from '../../protocol/errors.ts';
import { type OpenStores, start, useStores } from './engine.ts';

const day = 86_400_000;

function aRequest(key: string, change: { at?: number; fingerprint?: string; holder?: string } = {}) {
  return { key, fingerprint: 'f1', holder: 'p1', at: start, limit: 100, ...change };
}

export function describeIdempotencyStore(name: string, open: OpenStores): void {
  describe(`IdempotencyStore, ${name}`, () => {
    const stores = useStores(open);
    const keys = () => stores().idempotency;

    test('a key is the first request’s, until that is answered, and then keeps its answer', async () => {
      expect(await keys().begin(aRequest('k'))).toEqual({ state: 'begun' });
      const again = aRequest('k', { at: start + 5, fingerprint: 'f2', holder: 'p2' });
      expect(await keys().begin(again)).toEqual({
        state: 'open',
        fingerprint: 'f1',
        holder: 'p1',
        since: start,
      });
      const answer = { status: 202, headers: { location: '/x' }, body: '{"a":"ü"}' };
      await keys().finish('k', 'p1', answer);
      expect(await keys().begin(again)).toEqual({ state: 'answered', fingerprint: 'f1', answer });
      expect(await keys().begin(aRequest('other'))).toEqual({ state: 'begun' });
      await keys().finish('other', 'p1', { status: 204, headers: {} });
      expect(await keys().begin(aRequest('other'))).toMatchObject({ answer: { status: 204, headers: {} } });
    });

    test('of requests that come at once, one has it', async () => {
      const states = await Promise.all(Array.from({ length: 20 }, () => keys().begin(aRequest('k'))));
      expect(states.filter(({ state }) => state === 'begun')).toHaveLength(1);
    });

    test('a key that is released is free; one that is answered stays', async () => {
      await keys().begin(aRequest('k'));
      await keys().release('k', 'p1');
      expect(await keys().begin(aRequest('k'))).toEqual({ state: 'begun' });
      await keys().finish('k', 'p1', { status: 200, headers: {} });
      await keys().release('k', 'p1');
      expect((await keys().begin(aRequest('k'))).state).toBe('answered');
    });

    test('one process takes over from one that has ended', async () => {
      await keys().begin(aRequest('k'));
      const taken = await Promise.all([keys().takeOver('k', 'p1', 'p2'), keys().takeOver('k', 'p1', 'p3')]);
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await keys().takeOver('none', 'p1', 'p2')).toBe(false);
    });

    test('a process that another one has taken over from changes nothing any more', async () => {
      await keys().begin(aRequest('k'));
      await keys().takeOver('k', 'p1', 'p2');
      await keys().release('k', 'p1');
      await keys().finish('k', 'p1', { status: 500, headers: {} });
      expect(await keys().begin(aRequest('k'))).toMatchObject({ state: 'open', holder: 'p2' });
    });

    test('a key is forgotten after a day, answered or not', async () => {
      await keys().begin(aRequest('k'));
      await keys().begin(aRequest('l'));
      await keys().finish('l', 'p1', { status: 200, headers: {} });
      expect((await keys().begin(aRequest('k', { at: start + day - 1 }))).state).toBe('open');
      expect(await keys().begin(aRequest('k', { at: start + day }))).toEqual({ state: 'begun' });
      expect(await keys().begin(aRequest('l', { at: start + day }))).toEqual({ state: 'begun' });
    });

    test('no more than the limit are kept; those that are known are answered all the same', async () => {
      for (const key of ['a', 'b', 'c']) await keys().begin({ ...aRequest(key), limit: 3 });
      await expect(keys().begin({ ...aRequest('d'), limit: 3 })).rejects.toThrow(BusyError);
      expect((await keys().begin({ ...aRequest('a'), limit: 3 })).state).toBe('open');
      expect((await keys().begin({ ...aRequest('d', { at: start + day }), limit: 3 })).state).toBe('begun');
    });
  });
}

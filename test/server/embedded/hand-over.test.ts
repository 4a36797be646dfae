import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { Stores } from '../../../server/ports/stores.ts';

describe('entries of the log on their way to the thread of the database', () => {
  let path: string;
  let stores: Stores;

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'simyard-hand-over-'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    stores = await openEmbeddedStores({ path });
    vi.advanceTimersByTime(8);
    await append('first');
  });

  afterEach(async () => {
    vi.useRealTimers();
    await stores.close();
    await rm(path, { recursive: true, force: true });
  });

  function append(key: string, awaited = false): Promise<number> {
    return new Promise((resolve, reject) => {
      stores.log.append(
        { endpoint: 'a', key, receivedAt: 1, body: new Uint8Array([1]), awaited },
        (error, position) => (error === undefined ? resolve(position) : reject(error)),
      );
    });
  }

  async function stored(): Promise<number> {
    return (await stores.log.read(0, 100)).length;
  }

  test('go together where they come close behind one another, in their order', async () => {
    const entries = [append('second')];
    await turn();
    entries.push(append('third'));
    await turn();
    expect(await stored()).toBe(1);
    vi.advanceTimersByTime(8);
    expect(await Promise.all(entries)).toEqual([2, 3]);
  });

  test('go at once after a rest', async () => {
    vi.advanceTimersByTime(8);
    expect(await append('second')).toBe(2);
  });

  test('go at once with one for which somebody waits', async () => {
    const entries = [append('second')];
    await turn();
    entries.push(append('third', true));
    expect(await Promise.all(entries)).toEqual([2, 3]);
  });

  test('go along with whatever call is made', async () => {
    const entry = append('second');
    await turn();
    await stores.check();
    expect(await entry).toBe(2);
  });

  test('are stored before the store is closed', async () => {
    const entry = append('second');
    await turn();
    await stores.close();
    expect(await entry).toBe(2);
  });
});

describe('events on their way to the thread of the database', () => {
  let path: string;
  let stores: Stores;
  const event = { type: 'updated', at: 1, data: {} };

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'simyard-hand-over-'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    stores = await openEmbeddedStores({ path });
    vi.advanceTimersByTime(8);
    await stores.check();
  });

  afterEach(async () => {
    vi.useRealTimers();
    await stores.close();
    await rm(path, { recursive: true, force: true });
  });

  const stored = async (): Promise<number> => (await stores.events.read({ after: 0, limit: 10 })).length;

  test('wait for what is sent next', async () => {
    const appended = stores.events.append([event]);
    await turn();
    expect(await stored()).toBe(0);
    await stores.check();
    expect(await appended).toHaveLength(1);
    expect(await stored()).toBe(1);
  });

  test('wait for the end of the rest', async () => {
    const appended = stores.events.append([event]);
    await turn();
    vi.advanceTimersByTime(8);
    expect(await appended).toHaveLength(1);
  });

  test('go at once where somebody waits for one of them', async () => {
    expect(await stores.events.append([event], true)).toHaveLength(1);
  });

  test('go out behind a request that was under way when they came', async () => {
    const [first, second] = [stores.check(), stores.check()];
    await turn();
    const [third, appended] = [stores.check(), stores.events.append([event])];
    await Promise.all([first, second, third]);
    vi.advanceTimersByTime(8);
    expect(await appended).toHaveLength(1);
  });
});

import { expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { aDtlsSession } from '../../contract/session-store.ts';

test('sessions whose time is over are removed, so many at a time, and others stay', async () => {
  const stores = await openEmbeddedStores({ path: ':memory:' });
  try {
    const { sessions } = stores;
    const { at } = aDtlsSession(1);
    for (let mark = 1; mark <= 3; mark++) await sessions.create({ ...aDtlsSession(mark), keepFor: 100 });
    await sessions.create({ ...aDtlsSession(4), keepFor: 100 });
    expect(await sessions.reserve(aDtlsSession(4).id, 1, 1, { at: at + 50, keepFor: 100 })).toBe(true);
    expect(await sessions.trim(at + 99, 10)).toBe(0);
    expect(await sessions.trim(at + 100, 2)).toBe(2);
    expect(await sessions.trim(at + 100, 2)).toBe(1);
    expect((await sessions.of(aDtlsSession(1))).map(({ id }) => id)).toEqual([aDtlsSession(4).id]);
  } finally {
    await stores.close();
  }
});

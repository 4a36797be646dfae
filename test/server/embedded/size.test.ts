import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { registrationOf } from '../../support/api/api-harness.ts';

describe('the size of the embedded store', () => {
  test('is what it takes on disk, and grows with what is in it', async () => {
    const path = await mkdtemp(join(tmpdir(), 'simyard-size-'));
    const stores = await openEmbeddedStores({ path });
    try {
      expect(stores.durable).toBe(true);
      const before = (await stores.size()) ?? 0;
      expect(before).toBeGreaterThan(4096);
      for (let index = 0; index < 50; index++)
        await stores.registrations.register(registrationOf(`m-${index}`));
      expect(await stores.size()).toBeGreaterThan(before);
    } finally {
      await stores.close();
      await rm(path, { recursive: true, force: true });
    }
  });

  test('is none in memory, where nothing is durable', async () => {
    const stores = await openEmbeddedStores({ path: ':memory:' });
    expect([await stores.size(), stores.durable]).toEqual([undefined, false]);
    await stores.close();
  });
});

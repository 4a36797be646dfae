import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { PersistentStores } from '../../contract/engine.ts';

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'simyard-test-'));
}

/** Stores in a folder of their own, which goes when they are closed. */
export async function openOnDisk(): Promise<PersistentStores> {
  const path = await temporaryFolder();
  let stores = await openEmbeddedStores({ path });
  return {
    stores,
    restart: async () => {
      await stores.close();
      stores = await openEmbeddedStores({ path });
      return stores;
    },
    close: async () => {
      await stores.close();
      await rm(path, { recursive: true });
    },
  };
}

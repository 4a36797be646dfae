import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { describeRestart } from '../../contract/restart.ts';
import { describeStores, describeStoresTogether } from '../../contract/stores.ts';
import { openOnDisk } from './folder.ts';

// The same code runs in memory: that it opens there, and that all of it works together, is enough.
describeStoresTogether('embedded in memory', async () => {
  const stores = await openEmbeddedStores({ path: ':memory:' });
  return { stores, close: () => stores.close() };
});
describeStores('embedded on disk', openOnDisk);
describeRestart('embedded on disk', openOnDisk);

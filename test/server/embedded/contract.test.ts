import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { describeRestart } from '../../contract/restart.ts';
import { describeStores } from '../../contract/stores.ts';
import { openOnDisk } from './folder.ts';

// Without a thread: nothing is copied on its way there and back.
describeStores('embedded in memory', async () => {
  const stores = await openEmbeddedStores({ path: ':memory:' });
  return { stores, close: () => stores.close() };
});
describeStores('embedded on disk', openOnDisk);
describeRestart('embedded on disk', openOnDisk);

import { describe, expect, test } from 'vitest';
import type { StoredObjectModel } from '../../server/ports/object-model-store.ts';
import { type OpenStores, start, useStores } from './engine.ts';

export function aModel(objectId: number, version: string, xml = '<LWM2M/>'): StoredObjectModel {
  return { objectId, version, xml, uploadedAt: start };
}

export function describeObjectModelStore(name: string, open: OpenStores): void {
  describe(`ObjectModelStore, ${name}`, () => {
    const stores = useStores(open);

    test('models are given back as they were put, by object and version', async () => {
      const { objectModels } = stores();
      expect(await objectModels.list()).toEqual([]);
      const models = [aModel(65000, '1.0'), aModel(3303, '1.1', '<a>ünïcode-端\n</a>'), aModel(3303, '1.0')];
      await objectModels.put(models);
      expect(await objectModels.list()).toEqual([models[2], models[1], models[0]]);
    });

    test('one of the same object and version is replaced, others stay', async () => {
      const { objectModels } = stores();
      await objectModels.put([aModel(1, '1.0', 'old'), aModel(1, '1.1', 'other')]);
      await objectModels.put([aModel(1, '1.0', 'new')]);
      expect((await objectModels.list()).map(({ xml }) => xml)).toEqual(['new', 'other']);
    });

    test('removal tells whether there was one', async () => {
      const { objectModels } = stores();
      await objectModels.put([aModel(1, '1.0'), aModel(1, '1.1')]);
      expect(await objectModels.remove(1, '1.0')).toBe(true);
      expect(await objectModels.remove(1, '1.0')).toBe(false);
      expect(await objectModels.list()).toEqual([aModel(1, '1.1')]);
    });
  });
}

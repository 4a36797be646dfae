import { objectModelStore } from '../../redis/object-models.ts';
import { describeObjectModelStore } from '../contract/object-model-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeObjectModelStore, (redis) => ({ objectModels: objectModelStore(redis) }));

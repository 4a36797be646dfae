import { bootstrapStore } from '../../redis/bootstrap.ts';
import { describeBootstrapStore } from '../contract/bootstrap-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeBootstrapStore, (redis) => ({ bootstrap: bootstrapStore(redis) }));

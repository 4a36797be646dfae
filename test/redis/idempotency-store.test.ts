import { idempotencyStore } from '../../redis/idempotency-store.ts';
import { describeIdempotencyStore } from '../contract/idempotency-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeIdempotencyStore, (redis) => ({ idempotency: idempotencyStore(redis) }));

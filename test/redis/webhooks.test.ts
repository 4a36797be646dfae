import { webhookStore } from '../../redis/webhooks.ts';
import { describeWebhookStore } from '../contract/webhook-store.ts';
import { describeOnRedis } from './engines.ts';

describeOnRedis(describeWebhookStore, (redis) => ({ webhooks: webhookStore(redis) }));

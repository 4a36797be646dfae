import { decodeCursor, encodeCursor } from '../server/ports/cursor.ts';
import type { WebhookDelivery, WebhookStore } from '../server/ports/webhook-store.ts';
import type { RedisConnection } from './connection.ts';
import { loadScript } from './script.ts';

const addWebhook = loadScript('webhook-add');
const listWebhooks = loadScript('webhook-list');
const configureWebhook = loadScript('webhook-configure');
const removeWebhook = loadScript('webhook-remove');
const recordWebhook = loadScript('webhook-record');
const readDeliveries = loadScript('webhook-deliveries');

/** Deliveries that one look takes, where only some of their states are asked for. */
const stretch = 200;

/** Webhooks in one slot. */
export function webhookStore(redis: RedisConnection): WebhookStore {
  const key = (name: string): string => redis.keys.shared('webhooks', name);
  const order = key('webhooks');
  const settingsKey = key('webhook-settings');
  const progressKey = key('webhook-progress');
  const recordsOf = (id: string): string => key(`webhook-deliveries:${id}`);
  const numbersOf = (id: string): string => key(`webhook-delivery-numbers:${id}`);

  return {
    list: async () => {
      const found = (await redis.run(listWebhooks, [order, settingsKey, progressKey], [])) as string[];
      return Array.from({ length: found.length / 2 }, (_, index) => ({
        settings: JSON.parse(found[index * 2] as string),
        progress: JSON.parse(found[index * 2 + 1] as string),
      }));
    },
    add: async ({ settings, progress }) => {
      const made = await redis.run(
        addWebhook,
        [order, settingsKey, progressKey],
        [settings.id, JSON.stringify(settings), JSON.stringify(progress)],
      );
      if (made === 0) throw new Error(`there is a webhook '${settings.id}' already`);
    },
    configure: async (settings) =>
      (await redis.run(configureWebhook, [settingsKey], [settings.id, JSON.stringify(settings)])) === 1,
    remove: async (id) =>
      (await redis.run(
        removeWebhook,
        [order, settingsKey, progressKey, recordsOf(id), numbersOf(id)],
        [id],
      )) === 1,
    record: async (id, { progress, delivery, keep }) => {
      await redis.run(
        recordWebhook,
        [settingsKey, progressKey, recordsOf(id), numbersOf(id)],
        [
          ...[id, progress === undefined ? '' : JSON.stringify(progress), keep],
          ...(delivery === undefined ? [] : [delivery.id, JSON.stringify(delivery)]),
        ],
      );
    },
    deliveries: async ({ id, states, limit, cursor }) => {
      const kind = `deliveries ${id}`;
      let before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor(kind, cursor, 'number');
      const found: { readonly number: number; readonly delivery: WebhookDelivery }[] = [];
      const count = states === undefined ? limit + 1 : Math.max(limit + 1, stretch);
      for (let isAll = false; !isAll && found.length <= limit; ) {
        const rows = (await redis.run(
          readDeliveries,
          [recordsOf(id), numbersOf(id)],
          [before, count],
        )) as string[];
        for (let index = 0; index < rows.length; index += 2) {
          before = Number(rows[index]);
          const delivery: WebhookDelivery = JSON.parse(rows[index + 1] as string);
          if (states === undefined || states.includes(delivery.state))
            found.push({ number: before, delivery });
        }
        isAll = rows.length < count * 2;
      }
      const shown = found.slice(0, limit);
      const last = shown.at(-1)?.number;
      return {
        items: shown.map(({ delivery }) => delivery),
        ...(found.length > limit && last !== undefined ? { next: encodeCursor(kind, last) } : {}),
      };
    },
    delivery: async (id, delivery) => {
      const record = await redis.call((client) => client.hget(recordsOf(id), delivery));
      return record === null ? undefined : JSON.parse(record);
    },
  };
}

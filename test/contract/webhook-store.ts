import { describe, expect, test } from 'vitest';
import type { StoredWebhook, WebhookDelivery } from '../../server/ports/webhook-store.ts';
import { type OpenStores, start, useStores } from './engine.ts';

function aWebhook(id: string): StoredWebhook {
  return {
    settings: {
      id,
      name: `Hook ${id}`,
      url: 'https://hooks.example.org/in?a=b',
      types: ['command', 'readings'],
      endpoints: ['meter-*'],
      enabled: true,
      secret: 'whsec_c2VjcmV0',
      previousSecret: { secret: 'whsec_b2xk', until: start + 1000 },
      createdAt: start,
      updatedAt: start,
    },
    progress: { cursor: { event: 4, log: 2 ** 40 } },
  };
}

function aDelivery(id: string, change: Partial<WebhookDelivery> = {}): WebhookDelivery {
  return {
    id,
    type: 'command',
    endpoint: 'meter-1',
    source: { event: 5 },
    state: 'delivered',
    attempts: 1,
    createdAt: start,
    updatedAt: start + 10.5,
    status: 204,
    duration: 10.5,
    ...change,
  };
}

export function describeWebhookStore(name: string, open: OpenStores): void {
  describe(`WebhookStore, ${name}`, () => {
    const stores = useStores(open);

    test('webhooks are listed as they were given, in the order in which they were made', async () => {
      const { webhooks } = stores();
      expect(await webhooks.list()).toEqual([]);
      await webhooks.add(aWebhook('b'));
      await webhooks.add(aWebhook('a'));
      expect(await webhooks.list()).toEqual([aWebhook('b'), aWebhook('a')]);
    });

    test('settings and progress change without each other', async () => {
      const { webhooks } = stores();
      const { settings } = aWebhook('a');
      await webhooks.add(aWebhook('a'));
      const progress = {
        cursor: { event: 9, log: 8 },
        failure: { since: start, at: start + 1, attempts: 3, reason: 'answered 500', status: 500 },
        lastSuccessAt: start,
        disabled: { at: start, reason: 'gone' },
      };
      await webhooks.record('a', { progress, keep: 10 });
      expect(await webhooks.configure({ ...settings, enabled: false })).toBe(true);
      expect(await webhooks.list()).toEqual([{ settings: { ...settings, enabled: false }, progress }]);
      expect(await webhooks.configure({ ...settings, id: 'b' })).toBe(false);
    });

    test('a delivery is entered once, and changes in its place', async () => {
      const { webhooks } = stores();
      await webhooks.add(aWebhook('a'));
      await webhooks.record('a', { delivery: aDelivery('one', { state: 'retrying' }), keep: 10 });
      await webhooks.record('a', { delivery: aDelivery('two'), keep: 10 });
      await webhooks.record('a', { delivery: aDelivery('one', { attempts: 2 }), keep: 10 });
      const { items, next } = await webhooks.deliveries({ id: 'a', limit: 10 });
      expect(items).toEqual([aDelivery('two'), aDelivery('one', { attempts: 2 })]);
      expect(next).toBeUndefined();
      expect(await webhooks.delivery('a', 'one')).toEqual(aDelivery('one', { attempts: 2 }));
      expect(await webhooks.delivery('a', 'three')).toBeUndefined();
      expect(await webhooks.delivery('b', 'one')).toBeUndefined();
    });

    test('the newest deliveries are kept, of each webhook', async () => {
      const { webhooks } = stores();
      await webhooks.add(aWebhook('a'));
      await webhooks.add(aWebhook('b'));
      await webhooks.record('b', { delivery: aDelivery('other'), keep: 3 });
      for (let count = 0; count < 6; count++) {
        await webhooks.record('a', { delivery: aDelivery(`d${count}`), keep: 3 });
      }
      const ids = async (id: string) =>
        (await webhooks.deliveries({ id, limit: 10 })).items.map((delivery) => delivery.id);
      expect(await ids('a')).toEqual(['d5', 'd4', 'd3']);
      expect(await ids('b')).toEqual(['other']);
    });

    test('deliveries come in pages, by state where asked', async () => {
      const { webhooks } = stores();
      await webhooks.add(aWebhook('a'));
      for (let count = 0; count < 5; count++) {
        const state = count % 2 === 0 ? 'failed' : 'delivered';
        await webhooks.record('a', { delivery: aDelivery(`d${count}`, { state }), keep: 10 });
      }
      const first = await webhooks.deliveries({ id: 'a', states: ['failed'], limit: 2 });
      expect(first.items.map(({ id }) => id)).toEqual(['d4', 'd2']);
      const second = await webhooks.deliveries({
        id: 'a',
        states: ['failed'],
        limit: 2,
        cursor: first.next ?? '',
      });
      expect([second.items.map(({ id }) => id), second.next]).toEqual([['d0'], undefined]);
      await expect(webhooks.deliveries({ id: 'a', limit: 2, cursor: 'nonsense' })).rejects.toThrow('cursor');
    });

    test('a webhook goes with its deliveries, and what comes for it then is let go', async () => {
      const { webhooks } = stores();
      await webhooks.add(aWebhook('a'));
      await webhooks.record('a', { delivery: aDelivery('one'), keep: 10 });
      expect(await webhooks.remove('a')).toBe(true);
      expect(await webhooks.remove('a')).toBe(false);
      await webhooks.record('a', { progress: aWebhook('a').progress, delivery: aDelivery('two'), keep: 10 });
      expect(await webhooks.list()).toEqual([]);
      expect((await webhooks.deliveries({ id: 'a', limit: 10 })).items).toEqual([]);
    });
  });
}

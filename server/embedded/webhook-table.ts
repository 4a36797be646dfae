import type { DatabaseSync } from 'node:sqlite';
import { decodeCursor, encodeCursor } from '../ports/cursor.ts';
import type {
  StoredWebhook,
  WebhookDelivery,
  WebhookSettings,
  WebhookStore,
} from '../ports/webhook-store.ts';

type DeliveryQuery = Parameters<WebhookStore['deliveries']>[0];
type Step = Parameters<WebhookStore['record']>[1];

/** Webhooks and their deliveries on the worker's side. */
export class WebhookTable {
  readonly #list;
  readonly #add;
  readonly #configure;
  readonly #remove;
  readonly #removeDeliveries;
  readonly #progress;
  readonly #exists;
  readonly #enter;
  readonly #trim;
  readonly #deliveries;
  readonly #delivery;

  constructor(database: DatabaseSync) {
    this.#list = database.prepare('SELECT settings, progress FROM webhook ORDER BY sequence');
    this.#add = database.prepare('INSERT INTO webhook (id, settings, progress) VALUES (?, ?, ?)');
    this.#configure = database.prepare('UPDATE webhook SET settings = ? WHERE id = ?');
    this.#remove = database.prepare('DELETE FROM webhook WHERE id = ?');
    this.#removeDeliveries = database.prepare('DELETE FROM webhook_delivery WHERE webhook = ?');
    this.#progress = database.prepare('UPDATE webhook SET progress = ? WHERE id = ?');
    this.#exists = database.prepare('SELECT 1 FROM webhook WHERE id = ?');
    this.#enter = database.prepare(
      `INSERT INTO webhook_delivery (webhook, id, state, record) VALUES (?, ?, ?, ?)
       ON CONFLICT (webhook, id) DO UPDATE SET state = excluded.state, record = excluded.record`,
    );
    this.#trim = database.prepare(
      `DELETE FROM webhook_delivery WHERE webhook = ?1 AND sequence <=
         (SELECT sequence FROM webhook_delivery WHERE webhook = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)`,
    );
    this.#deliveries = database.prepare(
      `SELECT sequence, record FROM webhook_delivery WHERE webhook = ? AND sequence < ?
         AND state IN (SELECT value FROM json_each(?)) ORDER BY sequence DESC LIMIT ?`,
    );
    this.#delivery = database.prepare('SELECT record FROM webhook_delivery WHERE webhook = ? AND id = ?');
  }

  list(): readonly StoredWebhook[] {
    return this.#list.all().map((row) => ({
      settings: JSON.parse(row['settings'] as string),
      progress: JSON.parse(row['progress'] as string),
    }));
  }

  add({ settings, progress }: StoredWebhook): void {
    this.#add.run(settings.id, JSON.stringify(settings), JSON.stringify(progress));
  }

  configure(settings: WebhookSettings): boolean {
    return this.#configure.run(JSON.stringify(settings), settings.id).changes === 1;
  }

  remove(id: string): boolean {
    this.#removeDeliveries.run(id);
    return this.#remove.run(id).changes === 1;
  }

  record(id: string, { progress, delivery, keep }: Step): void {
    if (this.#exists.get(id) === undefined) return;
    if (progress !== undefined) this.#progress.run(JSON.stringify(progress), id);
    if (delivery === undefined) return;
    this.#enter.run(id, delivery.id, delivery.state, JSON.stringify(delivery));
    this.#trim.run(id, keep);
  }

  deliveries({ id, states = ['retrying', 'delivered', 'failed'], limit, cursor }: DeliveryQuery): {
    readonly items: readonly WebhookDelivery[];
    readonly next?: string;
  } {
    const kind = `deliveries ${id}`;
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : decodeCursor(kind, cursor, 'number');
    const rows = this.#deliveries.all(id, before, JSON.stringify(states), limit + 1);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1)?.['sequence'];
    return {
      items: shown.map((row) => JSON.parse(row['record'] as string)),
      ...(rows.length > limit && typeof last === 'number' ? { next: encodeCursor(kind, last) } : {}),
    };
  }

  delivery(id: string, delivery: string): WebhookDelivery | undefined {
    const row = this.#delivery.get(id, delivery);
    return row && JSON.parse(row['record'] as string);
  }
}

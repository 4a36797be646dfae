import type { LiveEntry, LivePosition, LiveReadings } from '../events.ts';
import type { StoredEvent } from '../ports/event-log.ts';
import type { WebhookDelivery } from '../ports/webhook-store.ts';

/** How the API shows what is sent, so that a receiver knows one form. */
export interface WebhookPresenters {
  readonly event: (event: StoredEvent) => object;
  readonly readings: (readings: LiveReadings) => object;
}

/** A message, made ready: its content is the same at each attempt. */
export interface Message {
  readonly id: string;
  readonly body: string;
  /** What the delivery log says of it. */
  readonly about: Pick<WebhookDelivery, 'type' | 'endpoint' | 'source'>;
}

export function eventMessage(event: StoredEvent, present: WebhookPresenters): Message {
  const { id, type, at, endpoint } = event;
  return {
    id: `evt_${id}`,
    body: bodyOf(type, at, present.event(event)),
    about: { type, ...(endpoint === undefined ? {} : { endpoint }), source: { event: id } },
  };
}

/** @param packs at least one, in the order of the log */
export function readingsMessage(
  packs: readonly LiveReadings[],
  at: number,
  present: WebhookPresenters,
): Message {
  const from = packs[0]?.position ?? 0;
  const through = packs.at(-1)?.position ?? from;
  const items = packs.map((pack) => ({ position: pack.position, ...present.readings(pack) }));
  const endpoint = packs.every((pack) => pack.endpoint === packs[0]?.endpoint)
    ? packs[0]?.endpoint
    : undefined;
  return {
    id: `log_${from}-${through}`,
    body: bodyOf('readings', at, { items }),
    about: {
      type: 'readings',
      ...(endpoint === undefined ? {} : { endpoint }),
      source: { from, through },
    },
  };
}

/** Something is no longer kept, and was not sent. */
export function gapMessage(before: LivePosition, at: number): Message {
  return {
    id: `gap_${before.event}-${before.log}`,
    body: bodyOf('gap', at, {}),
    about: { type: 'gap' },
  };
}

export function testMessage(
  id: string,
  webhook: { readonly id: string; readonly name: string },
  at: number,
): Message {
  return {
    id,
    body: bodyOf('test', at, { webhook: { id: webhook.id, name: webhook.name } }),
    about: { type: 'test' },
  };
}

/** The shape that Standard Webhooks recommends. */
function bodyOf(type: string, at: number, data: object): string {
  return JSON.stringify({ type, timestamp: new Date(Math.floor(at)).toISOString(), data });
}

/** What waits for a webhook: an item of the logs, or that some are gone. */
export type Waiting = LiveEntry | 'gap';

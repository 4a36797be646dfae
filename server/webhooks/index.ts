import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { LiveStream } from '../events.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { Tenancy } from '../people/tenancy.ts';
import type { Stores } from '../ports/stores.ts';
import { createAddressPolicy } from './address-policy.ts';
import type { WebhookPresenters } from './messages.ts';
import { createSender } from './sender.ts';
import { WebhookService } from './service.ts';

/** What webhooks are put together on. */
export interface WebhookFoundation {
  readonly stores: Stores;
  readonly live: LiveStream;
  readonly tenancy: Pick<Tenancy, 'of'>;
  readonly events: EventPublisher;
  readonly present: WebhookPresenters;
  readonly clock: Clock;
  readonly log: Logger;
  /** `SIMYARD_WEBHOOK_ALLOW` */
  readonly allow: readonly string[];
  readonly version: string;
  readonly onDuration?: (seconds: number) => void;
  readonly onClose: (step: () => Promise<unknown>) => void;
}

/** The webhooks, which are at work once they are started. */
export function composeWebhooks(foundation: WebhookFoundation): WebhookService {
  const { allow, version, onClose, ...rest } = foundation;
  const send = createSender({ policy: createAddressPolicy(allow), userAgent: `Simyard/${version}` });
  onClose(async () => send.close());
  return new WebhookService({ ...rest, send });
}

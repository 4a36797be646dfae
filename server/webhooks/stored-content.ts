import { DecodeError } from '../../protocol/errors.ts';
import type { LiveReadings } from '../events.ts';
import { liveReadings } from '../live/replay.ts';
import { globMatches } from '../lwm2m/glob.ts';
import { type ItemOfTenant, itemIsSeen, type Tenancy } from '../people/tenancy.ts';
import type { Stores } from '../ports/stores.ts';
import type { WebhookDelivery, WebhookSettings } from '../ports/webhook-store.ts';
import { decodePack } from '../telemetry/pack.ts';
import { eventMessage, type Message, readingsMessage, type WebhookPresenters } from './messages.ts';

/** A message holds at most a hundred packs that are wanted; between them may be others. */
const PACKS_AT_ONCE = 500;

/** The message of a delivery once more, from the logs; undefined where they do not have it any more. */
export async function storedMessage(
  { id, source, updatedAt }: WebhookDelivery,
  settings: WebhookSettings,
  stores: Pick<Stores, 'events' | 'log'>,
  present: WebhookPresenters,
  tenancy: Pick<Tenancy, 'of'>,
): Promise<Message | undefined> {
  if (source === undefined) return undefined;
  /** Whether it may still be told of that: a device may be another's by now. */
  const isTold = async (about: ItemOfTenant): Promise<boolean> => {
    if (settings.tenant === undefined) return true;
    const tenants = await tenancy.of(about.endpoint === undefined ? [] : [about.endpoint]);
    return itemIsSeen(settings.tenant, about, tenants) === true;
  };
  if ('event' in source) {
    const [event] = await stores.events.read({ after: source.event - 1, limit: 1 });
    if (event?.id !== source.event || !(await isTold(event))) return undefined;
    return eventMessage(event, present);
  }
  const packs: LiveReadings[] = [];
  for (let after = source.from - 1; after < source.through; ) {
    const entries = await stores.log.read(after, PACKS_AT_ONCE);
    if (entries.length === 0) break;
    for (const { position, endpoint, receivedAt, body } of entries) {
      after = position;
      if (position > source.through) break;
      if (!isWanted(settings, endpoint) || !(await isTold({ type: 'readings', endpoint }))) continue;
      try {
        packs.push(liveReadings(decodePack(endpoint, receivedAt, body), position));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  }
  if (packs[0]?.position !== source.from) return undefined;
  return { ...readingsMessage(packs, updatedAt, present), id };
}

function isWanted({ endpoints }: WebhookSettings, endpoint: string): boolean {
  return endpoints.length === 0 || endpoints.some((glob) => globMatches(glob, endpoint));
}

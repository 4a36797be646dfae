import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import type { Wire } from './managed-modem.ts';

const registry = createObjectRegistry(standardObjects());

/** What a message carries, read in the format that it says. SenML names its paths itself. */
export function recordsOf({ message, contentFormat }: Wire): LwM2mRecord[] {
  if (contentFormat === undefined) throw new Error('the message names no format');
  return decodeContent(contentFormat, '/', message.payload, registry);
}

import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { DeviceAttributes, DeviceStore } from '../ports/device-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DeviceRequests } from './device-requests.ts';

/** ms: sleepy radios are slow. */
const TIMEOUT = 60_000;

export interface DeviceIdentityParts {
  readonly requests: Pick<DeviceRequests, 'read'>;
  readonly devices: Pick<DeviceStore, 'setAttributes'>;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whether the device has a Device object to be read. */
export function tellsIdentity({ links }: Pick<Registration, 'links'>): boolean {
  return links.some(({ target }) => target === '/3/0');
}

/**
 * Reads the Device object and keeps what it says of the device.
 * @throws TimeoutError and what else may be otherwise the next time; not what the device refuses
 */
export async function identifyDevice(
  parts: DeviceIdentityParts,
  registration: Registration,
  signal?: AbortSignal,
): Promise<void> {
  if (!tellsIdentity(registration)) return;
  const { requests, devices, events, clock, log } = parts;
  const { endpoint } = registration;
  let attributes: DeviceAttributes;
  try {
    const limits = { timeout: TIMEOUT, ...(signal === undefined ? {} : { signal }) };
    const { records } = await requests.read(endpoint, '/3/0', limits);
    attributes = deviceAttributes(new Map(records.map(({ path, value }) => [path, value])));
  } catch (error) {
    if (!(error instanceof CoapResponseError || error instanceof DecodeError)) throw error;
    log.info({ endpoint, reason: error.message }, 'device does not tell what it is');
    return;
  }
  if (Object.keys(attributes).length === 0) return;
  await devices.setAttributes(endpoint, attributes);
  events.publish('device', endpoint, clock.wallTime(), { attributes });
}

/** Resources 0 to 3 of the Device object: manufacturer, model, serial number, firmware version. */
function deviceAttributes(values: ReadonlyMap<string, unknown>): DeviceAttributes {
  const attributes: Record<string, string> = {};
  const names = ['manufacturer', 'model', 'serialNumber', 'firmwareVersion'] as const;
  for (const [resource, name] of names.entries()) {
    const value = values.get(`/3/0/${resource}`);
    if (typeof value === 'string' && value !== '') attributes[name] = value.slice(0, 255);
  }
  return attributes;
}

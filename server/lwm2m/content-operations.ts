import type { IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { locationPath } from '../../protocol/coap/options.ts';
import { RequestError } from '../../protocol/errors.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { canonicalPath, isBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceTypeLookup, ResourceValue } from '../../protocol/lwm2m/value.ts';
import { DoneUnreadableError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import { expectSuccess, inFormats } from './answers.ts';
import { withContent, withoutRoot } from './coap-request.ts';
import { writeFormats } from './content-negotiation.ts';
import type { DeviceRequestOptions, WriteContent } from './device-requests.ts';
import { type DeviceSender, deviceRequest } from './device-sender.ts';

/** What is to be written, and where. */
export interface WriteRequest {
  /** Canonical. */
  readonly target: string;
  readonly records: readonly LwM2mRecord[];
  /** Of a resource or resource instance that is written alone: it may go bare. */
  readonly value: ResourceValue | undefined;
}

/** @throws RequestError a path that cannot be written, nothing to write, or what is not below the path */
export function writeRequest(path: string, content: WriteContent): WriteRequest {
  const target = canonicalPath(path);
  const depth = pathIds(target)?.length ?? 0;
  if (depth < 2) throw new RequestError('only an instance, a resource or a resource instance can be written');
  if ('value' in content) {
    if (depth < 3) throw new RequestError(`${target} is no resource: give values by resource id`);
    return { target, records: [{ path: target, value: content.value }], value: content.value };
  }
  if (content.records.length === 0) throw new RequestError('there is nothing to write');
  for (const record of content.records) {
    if (!isBelow(record.path, target)) throw new RequestError(`${record.path} is not below ${target}`);
  }
  return { target, records: content.records, value: undefined };
}

/** Write, §6.3.3: Replace by PUT, Partial Update by POST. */
export async function write(
  sender: DeviceSender,
  registration: Registration,
  { target, records, value }: WriteRequest,
  lookup: ResourceTypeLookup,
  options: DeviceRequestOptions & { readonly mode?: 'replace' | 'update' },
): Promise<void> {
  // One value has nothing beside it to keep, and POST with it would be Execute.
  const code = options.mode === 'update' && value === undefined ? Code.POST : Code.PUT;
  const formats = writeFormats(registration, value, options.contentFormat);
  // What a Partial Update appends it would append a second time (RFC 7252 §5.8.2).
  const once = code === Code.POST;
  await sendContent(sender, registration, code, target, records, lookup, formats, options, once);
}

/**
 * The object below which an instance is made, or the instance wanted; canonical.
 * @throws RequestError it is neither
 */
export function createTarget(path: string): string {
  const target = canonicalPath(path);
  const depth = pathIds(target)?.length;
  if (depth === 1 || depth === 2) return target;
  throw new RequestError(`an instance is made below an object, not at ${target}`);
}

/** Create, §6.3.6; the path of the new instance. @throws DoneUnreadableError the device does not say which it is */
export async function create(
  sender: DeviceSender,
  registration: Registration,
  target: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  options: DeviceRequestOptions,
): Promise<string> {
  const [object, instance] = pathIds(target) ?? [];
  const formats = writeFormats(registration, undefined, options.contentFormat);
  const response = await sendContent(
    sender,
    registration,
    Code.POST,
    `/${object}`,
    records,
    lookup,
    formats,
    options,
    true,
  );
  const location = locationPath(response.options);
  if (location.length === 0) {
    // Devices do not repeat an id that they were given (Leshan 2.0 is one): it is that of the records.
    const named = instance ?? pathIds(records[0]?.path ?? '')?.[1];
    if (named !== undefined) return `/${object}/${named}`;
    throw new DoneUnreadableError('the device made an instance and did not say which');
  }
  const ids = pathIds(withoutRoot(`/${location.join('/')}`, registration.rootPath));
  if (ids === undefined) throw new DoneUnreadableError('the device made an instance and gave no path for it');
  return `/${ids.join('/')}`;
}

/** Tries the formats in order until the device does not refuse the format itself (4.15). */
async function sendContent(
  sender: DeviceSender,
  registration: Registration,
  code: Code,
  target: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  formats: readonly number[],
  options: DeviceRequestOptions,
  once = false,
): Promise<IncomingResponse> {
  const request = deviceRequest(registration, code, target, options);
  const response = await inFormats(formats, (format) => {
    const payload = encodeContent(format, target, records, lookup, registration.rootPath);
    return sender.send(registration, withContent(request, format, payload), once);
  });
  return expectSuccess(response);
}

import { Code, OptionNumber } from '../../protocol/coap/message.ts';
import { queryOptions, uintOption } from '../../protocol/coap/options.ts';
import { RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { attributeQueries } from '../../protocol/lwm2m/notification-attributes.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { Registration } from '../ports/registration-store.ts';
import { expectSuccess, utf8 } from './answers.ts';
import { checkAttributes } from './attribute-check.ts';
import { withoutRoot } from './coap-request.ts';
import type { AttributeChanges, DeviceRequestOptions } from './device-requests.ts';
import { type DeviceSender, deviceRequest } from './device-sender.ts';
import { speaks } from './versions.ts';

/** @throws RequestError no depth of a Discover */
export function checkDepth(depth: number | undefined): void {
  if (depth === undefined || (Number.isInteger(depth) && depth >= 0 && depth <= 3)) return;
  throw new RequestError(`depth is 0 to 3, not ${depth}`);
}

/** Discover, §6.3.2. @throws RequestError a depth for a device that is older than 1.2 */
export async function discover(
  sender: DeviceSender,
  registration: Registration,
  target: string,
  options: DeviceRequestOptions & { readonly depth?: number },
): Promise<readonly Link[]> {
  const { endpoint, rootPath, version } = registration;
  const { depth } = options;
  if (depth !== undefined && !speaks(registration, '1.2')) {
    throw new RequestError(
      `'${endpoint}' registered with LwM2M ${version}: the depth of Discover came with 1.2`,
    );
  }
  const request = deviceRequest(registration, Code.GET, target, options);
  const response = await sender.send(registration, {
    ...request,
    options: [
      ...(request.options ?? []),
      ...(depth === undefined ? [] : queryOptions([`depth=${depth}`])),
      uintOption(OptionNumber.ACCEPT, ContentFormat.LINK_FORMAT),
    ],
  });
  return parseLinks(utf8(expectSuccess(response).payload)).map((link) => ({
    ...link,
    target: withoutRoot(link.target, rootPath),
  }));
}

/** Write-Attributes, §6.3.4. @throws RequestError none, or those that cannot be there */
export async function writeAttributes(
  sender: DeviceSender,
  registration: Registration,
  target: string,
  attributes: AttributeChanges,
  lookup: ResourceTypeLookup,
  options: DeviceRequestOptions,
): Promise<void> {
  checkAttributes(registration, target, attributes, lookup);
  const queries = queryOptions(attributeQueries(attributes));
  if (queries.length === 0) throw new RequestError('there is no attribute to write');
  const request = deviceRequest(registration, Code.PUT, target, options);
  const whole = { ...request, options: [...(request.options ?? []), ...queries] };
  expectSuccess(await sender.send(registration, whole));
}

import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { encodeChanges } from '../../protocol/lwm2m/changes.ts';
import { encodePaths } from '../../protocol/lwm2m/content.ts';
import { canonicalPath, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { Registration } from '../ports/registration-store.ts';
import { compositeResult, expectSuccess, inFormats } from './answers.ts';
import { withAccept, withContent } from './coap-request.ts';
import { compositeAccept, compositeFormats, pathListFormat } from './composite-formats.ts';
import type { CompositeResult, DeviceRequestOptions } from './device-requests.ts';
import { type DeviceSender, deviceRequest } from './device-sender.ts';
import { speaks } from './versions.ts';

/** The most paths of one composite operation: what a device answers grows with them. */
export const MAX_COMPOSITE_PATHS = 256;

/**
 * The paths of a composite operation: canonical, each once, in the order given.
 * @throws RequestError none, too many, one that is no path
 */
export function compositePaths(paths: readonly string[]): readonly string[] {
  if (paths.length > MAX_COMPOSITE_PATHS) {
    throw new RequestError(`a composite operation has at most ${MAX_COMPOSITE_PATHS} paths`);
  }
  const canonical = [...new Set(paths.map(canonicalPath))];
  if (canonical.length === 0) throw new RequestError('a composite operation needs a path');
  return canonical;
}

/** @throws RequestError the device speaks LwM2M 1.0, which has no composite operations. */
export function requireComposite(registration: Registration): void {
  if (speaks(registration, '1.1')) return;
  throw new RequestError(
    `'${registration.endpoint}' registered with LwM2M ${registration.version}: composite operations came with 1.1`,
  );
}

/** Read-Composite, §6.3.8: FETCH with the list of paths. */
export async function readComposite(
  sender: DeviceSender,
  registration: Registration,
  paths: readonly string[],
  lookup: ResourceTypeLookup,
  options: DeviceRequestOptions,
): Promise<CompositeResult> {
  requireComposite(registration);
  const { rootPath } = registration;
  const response = await inFormats(compositeFormats(registration, options.contentFormat), (format) => {
    const list = pathListFormat(format);
    const request = withContent(
      deviceRequest(registration, Code.FETCH, '/', options),
      list,
      encodePaths(list, paths, rootPath),
    );
    return sender.send(registration, withAccept(request, compositeAccept(format)));
  });
  return compositeResult(paths, response, lookup, rootPath);
}

/** Write-Composite, §6.3.9: iPATCH with the values; null removes a resource instance. */
export async function writeComposite(
  sender: DeviceSender,
  registration: Registration,
  changes: readonly LwM2mChange[],
  lookup: ResourceTypeLookup,
  options: DeviceRequestOptions,
): Promise<void> {
  if (changes.length === 0) throw new RequestError('there is nothing to write');
  const seen = new Set<string>();
  for (const { path } of changes) {
    if ((pathIds(path)?.length ?? 0) < 3) throw new RequestError(`${path} is no resource`);
    if (seen.has(path)) throw new RequestError(`${path} is there twice`);
    seen.add(path);
  }
  requireComposite(registration);
  const { rootPath } = registration;
  const removes = changes.some(({ value }) => value === null);
  if (removes && !speaks(registration, '1.2')) {
    throw new RequestError(
      `'${registration.endpoint}' registered with LwM2M ${registration.version}: removing in a composite write came with 1.2`,
    );
  }
  const formats = compositeFormats(registration, options.contentFormat, removes);
  const response = await inFormats(formats, (format) => {
    const payload = encodeChanges(format, changes, lookup, rootPath);
    return sender.send(
      registration,
      withContent(deviceRequest(registration, Code.IPATCH, '/', options), format, payload),
    );
  });
  expectSuccess(response);
}

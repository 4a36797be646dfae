import type { Clock } from '../../protocol/clock.ts';
import type { CoapEndpoint, IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code, isSuccess, OptionNumber } from '../../protocol/coap/message.ts';
import { locationPath, pathOptions, queryOptions, uintOption } from '../../protocol/coap/options.ts';
import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import {
  attributeQueries,
  type NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import { canonicalPath, fromIds, isBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { compositeResult, expectSuccess, readResult, utf8 } from './answers.ts';
import { checkAttributes, checkCompositeAttributes } from './attribute-check.ts';
import { devicePath, withAccept, withContent, withoutRoot } from './coap-request.ts';
import {
  compositePaths,
  inFormats,
  readComposite,
  requireComposite,
  writeComposite,
} from './composite-operations.ts';
import { readFormats, writeFormats } from './content-negotiation.ts';
import type { DeviceReach } from './device-reach.ts';
import type {
  AttributeChanges,
  CompositeResult,
  DeviceRequestOptions,
  DeviceRequests,
  ReadResult,
  WriteContent,
} from './device-requests.ts';
import { type DeviceRequest, DeviceSender } from './device-sender.ts';
import type { ObservationService } from './observation-service.ts';
import type { ObservationTarget } from './observation-target.ts';
import { speaks } from './versions.ts';

export interface DeviceOperationsOptions {
  readonly endpoint: CoapEndpoint;
  readonly stores: Pick<Stores, 'registrations' | 'devices'>;
  /** What the resources of a device are typed by. */
  readonly lookupFor: (registration: Registration) => ResourceTypeLookup;
  readonly observations: ObservationService;
  readonly reach: DeviceReach;
  readonly clock: Clock;
  /** What a device answered to a Read; done, or given up, when it resolves. */
  readonly onRead: (endpoint: string, records: readonly LwM2mRecord[]) => Promise<void>;
  /** A person observes a target, or ends an observation. Resolves with whether it was desired of the device before. */
  readonly onChosen: (
    registration: Registration,
    target: ObservationTarget,
    wanted: boolean,
  ) => Promise<boolean>;
  /** ms, where the caller gives none. */
  readonly timeout: number;
}

/** Operations on devices by CoAP requests to where they were last heard. */
export class DeviceOperations implements DeviceRequests {
  readonly #options: DeviceOperationsOptions;
  readonly #sender: DeviceSender;

  constructor(options: DeviceOperationsOptions) {
    this.#options = options;
    const { endpoint, reach, timeout } = options;
    this.#sender = new DeviceSender({ endpoint, reach, timeout });
  }

  async read(endpoint: string, path: string, options: DeviceRequestOptions = {}): Promise<ReadResult> {
    const target = canonicalPath(path);
    const depth = pathIds(target)?.length ?? 0;
    if (depth === 0) throw new RequestError('the root is read by a composite Read');
    const registration = await this.registration(endpoint);
    const request = this.#request(registration, Code.GET, target, options);
    const response = await inFormats(readFormats(registration, depth > 2, options.contentFormat), (format) =>
      this.#sender.send(registration, withAccept(request, format)),
    );
    const result = readResult(target, response, this.#lookup(registration), registration.rootPath);
    await this.#options.onRead(endpoint, result.records);
    return result;
  }

  async readComposite(
    endpoint: string,
    paths: readonly string[],
    options: DeviceRequestOptions = {},
  ): Promise<CompositeResult> {
    const wanted = compositePaths(paths);
    const registration = await this.registration(endpoint);
    const lookup = this.#lookup(registration);
    const result = await readComposite(this.#sender, registration, wanted, lookup, options);
    await this.#options.onRead(endpoint, result.records);
    return result;
  }

  async write(
    endpoint: string,
    path: string,
    content: WriteContent,
    options: DeviceRequestOptions & { readonly mode?: 'replace' | 'update' } = {},
  ): Promise<void> {
    const target = canonicalPath(path);
    const { instance, resource } = fromIds(pathIds(target) ?? []);
    if (instance === undefined)
      throw new RequestError('only an instance, a resource or a resource instance can be written');
    const records = recordsOf(target, content);
    const value = 'value' in content && resource !== undefined ? content.value : undefined;
    const registration = await this.registration(endpoint);
    // §6.3.3: PUT replaces; POST on an instance or a multiple resource updates what is named. One value has
    // nothing beside it to keep, and POST with it would be Execute.
    const code = options.mode === 'update' && value === undefined ? Code.POST : Code.PUT;
    const formats = writeFormats(registration, value, options.contentFormat);
    await this.#sendContent(registration, code, target, records, formats, options);
  }

  async writeComposite(
    endpoint: string,
    changes: readonly LwM2mChange[],
    options: DeviceRequestOptions = {},
  ): Promise<void> {
    const registration = await this.registration(endpoint);
    await writeComposite(this.#sender, registration, changes, this.#lookup(registration), options);
  }

  async execute(
    endpoint: string,
    path: string,
    args = '',
    options: DeviceRequestOptions = {},
  ): Promise<void> {
    const target = canonicalPath(path);
    if (pathIds(target)?.length !== 3)
      throw new RequestError(`only a resource can be executed, not ${target}`);
    const registration = await this.registration(endpoint);
    const request = this.#request(registration, Code.POST, target, options);
    const whole =
      args === '' ? request : withContent(request, ContentFormat.TEXT, new TextEncoder().encode(args));
    expectSuccess(await this.#sender.send(registration, whole, true));
  }

  async create(
    endpoint: string,
    path: string,
    records: readonly LwM2mRecord[],
    options: DeviceRequestOptions = {},
  ): Promise<string> {
    const target = canonicalPath(path);
    const ids = pathIds(target) ?? [];
    if (ids.length !== 1 && ids.length !== 2)
      throw new RequestError(`an instance is made below an object, not at ${target}`);
    const registration = await this.registration(endpoint);
    const formats = writeFormats(registration, undefined, options.contentFormat);
    const object = `/${ids[0]}`;
    const response = await this.#sendContent(
      registration,
      Code.POST,
      object,
      records,
      formats,
      options,
      true,
    );
    const location = locationPath(response.options);
    if (location.length === 0) {
      if (ids.length === 2) return target;
      throw new DecodeError('the device made an instance and did not say which');
    }
    const made = canonicalOrUndefined(withoutRoot(`/${location.join('/')}`, registration.rootPath));
    if (made === undefined) throw new DecodeError('the device made an instance and gave no path for it');
    return made;
  }

  async delete(endpoint: string, path: string, options: DeviceRequestOptions = {}): Promise<void> {
    const target = canonicalPath(path);
    const depth = pathIds(target)?.length ?? 0;
    if (depth !== 2 && depth !== 4)
      throw new RequestError(`an instance or a resource instance can be deleted, not ${target}`);
    const registration = await this.registration(endpoint);
    const request = this.#request(registration, Code.DELETE, target, options);
    expectSuccess(await this.#sender.send(registration, request));
  }

  async discover(
    endpoint: string,
    path: string,
    options: DeviceRequestOptions & { readonly depth?: number } = {},
  ): Promise<readonly Link[]> {
    const target = canonicalPath(path);
    const { depth } = options;
    if (depth !== undefined && !(Number.isInteger(depth) && depth >= 0 && depth <= 3)) {
      throw new RequestError(`depth is 0 to 3, not ${depth}`);
    }
    const registration = await this.registration(endpoint);
    if (depth !== undefined && !speaks(registration, '1.2')) {
      throw new RequestError(
        `'${endpoint}' registered with LwM2M ${registration.version}: the depth of Discover came with 1.2`,
      );
    }
    const request = this.#request(registration, Code.GET, target, options);
    const queries = depth === undefined ? [] : queryOptions([`depth=${depth}`]);
    const response = await this.#sender.send(registration, {
      ...request,
      options: [
        ...(request.options ?? []),
        ...queries,
        uintOption(OptionNumber.ACCEPT, ContentFormat.LINK_FORMAT),
      ],
    });
    return parseLinks(utf8(expectSuccess(response).payload)).map((link) => ({
      ...link,
      target: withoutRoot(link.target, registration.rootPath),
    }));
  }

  async writeAttributes(
    endpoint: string,
    path: string,
    attributes: AttributeChanges,
    options: DeviceRequestOptions = {},
  ): Promise<void> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    checkAttributes(registration, target, attributes, this.#lookup(registration));
    const queries = queryOptions(attributeQueries(attributes));
    if (queries.length === 0) throw new RequestError('there is no attribute to write');
    const request = this.#request(registration, Code.PUT, target, options);
    const whole = { ...request, options: [...(request.options ?? []), ...queries] };
    expectSuccess(await this.#sender.send(registration, whole));
  }

  async observe(
    endpoint: string,
    path: string,
    options: DeviceRequestOptions & { readonly attributes?: NotificationAttributes } = {},
  ): Promise<ReadResult> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    const response = await this.#observe(registration, { paths: [target] }, options);
    return readResult(target, response, this.#lookup(registration), registration.rootPath);
  }

  async observeComposite(
    endpoint: string,
    paths: readonly string[],
    options: DeviceRequestOptions & { readonly attributes?: NotificationAttributes } = {},
  ): Promise<CompositeResult> {
    const wanted = compositePaths(paths);
    const registration = await this.registration(endpoint);
    requireComposite(registration);
    const response = await this.#observe(registration, { paths: wanted, composite: true }, options);
    return compositeResult(wanted, response, this.#lookup(registration), registration.rootPath);
  }

  async #observe(
    registration: Registration,
    target: ObservationTarget,
    options: DeviceRequestOptions & { readonly attributes?: NotificationAttributes },
  ): Promise<IncomingResponse> {
    const { attributes, ...request } = options;
    const whole = attributes === undefined ? target : { ...target, attributes };
    if (attributes !== undefined) {
      if (target.composite === true) checkCompositeAttributes(registration, attributes);
      else checkAttributes(registration, target.paths[0] ?? '/', attributes, this.#lookup(registration));
    }
    const response = await this.#options.observations.observe(registration, whole, 'api', {
      timeout: this.#options.timeout,
      ...request,
    });
    if (isSuccess(response.code)) {
      const { contentFormat } = request;
      const chosen = contentFormat === undefined ? whole : { ...whole, contentFormat };
      await this.#options.onChosen(registration, chosen, true);
    }
    return response;
  }

  cancelObservation(
    endpoint: string,
    path: string,
    options: DeviceRequestOptions & { readonly active?: boolean } = {},
  ): Promise<boolean> {
    return this.#cancel(endpoint, { paths: [canonicalPath(path)] }, options);
  }

  cancelComposite(
    endpoint: string,
    paths: readonly string[],
    options: DeviceRequestOptions & { readonly active?: boolean } = {},
  ): Promise<boolean> {
    return this.#cancel(endpoint, { paths: compositePaths(paths), composite: true }, options);
  }

  async #cancel(
    endpoint: string,
    target: ObservationTarget,
    options: DeviceRequestOptions & { readonly active?: boolean },
  ): Promise<boolean> {
    const registration = await this.registration(endpoint);
    const wasDesired = await this.#options.onChosen(registration, target, false);
    const ended = await this.#options.observations.cancel(registration, target, {
      timeout: this.#options.timeout,
      ...options,
    });
    return ended || wasDesired;
  }

  /** @throws UnknownDeviceError, NotRegisteredError */
  async registration(endpoint: string): Promise<Registration> {
    const { registrations, devices } = this.#options.stores;
    const registration = await registrations.byEndpoint(endpoint);
    if (registration !== undefined) return registration;
    if ((await devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
    throw new NotRegisteredError(endpoint);
  }

  #lookup(registration: Registration): ResourceTypeLookup {
    return this.#options.lookupFor(registration);
  }

  #request(
    registration: Registration,
    code: Code,
    path: string,
    { timeout, signal, beforeSend }: DeviceRequestOptions,
  ): DeviceRequest {
    return {
      code,
      options: pathOptions(devicePath(registration.rootPath, path)),
      ...(timeout === undefined ? {} : { timeout }),
      ...(signal === undefined ? {} : { signal }),
      ...(beforeSend === undefined ? {} : { beforeSend }),
    };
  }

  /** Tries the formats in order until the device does not refuse the format itself (4.15). */
  async #sendContent(
    registration: Registration,
    code: Code,
    target: string,
    records: readonly LwM2mRecord[],
    formats: readonly number[],
    options: DeviceRequestOptions,
    once = false,
  ): Promise<IncomingResponse> {
    const base = this.#request(registration, code, target, options);
    const lookup = this.#lookup(registration);
    const response = await inFormats(formats, (format) => {
      const payload = encodeContent(format, target, records, lookup, registration.rootPath);
      return this.#sender.send(registration, withContent(base, format, payload), once);
    });
    return expectSuccess(response);
  }
}

function canonicalOrUndefined(path: string): string | undefined {
  const ids = pathIds(path);
  return ids === undefined ? undefined : `/${ids.join('/')}`;
}

function recordsOf(target: string, content: WriteContent): readonly LwM2mRecord[] {
  if ('value' in content) {
    if ((pathIds(target)?.length ?? 0) < 3)
      throw new RequestError(`${target} is no resource: give values by resource id`);
    return [{ path: target, value: content.value }];
  }
  if (content.records.length === 0) throw new RequestError('there is nothing to write');
  for (const { path } of content.records) {
    if (!isBelow(path, target)) throw new RequestError(`${path} is not below ${target}`);
  }
  return content.records;
}

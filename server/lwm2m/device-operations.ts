import type { Clock } from '../../protocol/clock.ts';
import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { CoapEndpoint, IncomingResponse, OutgoingRequest } from '../../protocol/coap/exchange.ts';
import { Code, isSuccess, OptionNumber } from '../../protocol/coap/message.ts';
import { contentFormat, locationPath, pathOptions, uintOption } from '../../protocol/coap/options.ts';
import { DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { decodeContent, encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { type Link, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { canonicalPath, fromIds, isBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { devicePath, withAccept, withoutRoot } from './coap-request.ts';
import { readFormat, writeFormats } from './content-negotiation.ts';
import type { DeviceRequestOptions, DeviceRequests, ReadResult, WriteContent } from './device-requests.ts';
import type { ObservationService } from './observation-service.ts';

/** The device is at another address now: what was under way goes on there. */
export class DeviceMovedError extends Error {
  override readonly name = 'DeviceMovedError';
  readonly to: PeerAddress;

  constructor(to: PeerAddress) {
    super(`the device moved to ${to}`);
    this.to = to;
  }
}

export interface DeviceOperationsOptions {
  readonly endpoint: CoapEndpoint;
  readonly stores: Pick<Stores, 'registrations' | 'devices'>;
  readonly registry: ResourceTypeLookup;
  readonly observations: ObservationService;
  readonly clock: Clock;
  /** What a device answered to a Read; done, or given up, when it resolves. */
  readonly onRead: (endpoint: string, records: readonly LwM2mRecord[]) => Promise<void>;
  /** A person observes a path, or has ended an observation. */
  readonly onChosen: (registrationId: string, path: string, wanted: boolean) => void;
  /** ms, where the caller gives none. */
  readonly timeout: number;
}

/** Operations on devices by CoAP requests to where they were last heard. */
export class DeviceOperations implements DeviceRequests {
  readonly #options: DeviceOperationsOptions;
  /** Requests under way, by registration. */
  readonly #underWay = new Map<string, Set<AbortController>>();

  constructor(options: DeviceOperationsOptions) {
    this.#options = options;
  }

  async read(endpoint: string, path: string, options: DeviceRequestOptions = {}): Promise<ReadResult> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    const accept = options.contentFormat ?? readFormat(registration);
    const request = this.#request(registration, Code.GET, target, options);
    let response = await this.#send(registration, withAccept(request, accept));
    // A device may list a format and yet not have it for this resource.
    if (
      response.code === Code.NOT_ACCEPTABLE &&
      options.contentFormat === undefined &&
      accept !== undefined
    ) {
      response = await this.#send(registration, request);
    }
    const result = this.#readResult(target, expect(response), registration);
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
    const single = 'value' in content && resource !== undefined;
    const registration = await this.registration(endpoint);
    // §6.3.3: PUT replaces; POST on an instance or a multiple resource updates what is named.
    const code = options.mode === 'update' ? Code.POST : Code.PUT;
    const formats =
      options.contentFormat === undefined ? writeFormats(registration, single) : [options.contentFormat];
    await this.#sendContent(registration, code, target, records, formats, options);
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
    expect(await this.#send(registration, this.#execute(registration, target, args, options), true));
  }

  #execute(
    registration: Registration,
    target: string,
    args: string,
    options: DeviceRequestOptions,
  ): OutgoingRequest {
    const request = this.#request(registration, Code.POST, target, options);
    if (args === '') return request;
    return {
      ...request,
      options: [...(request.options ?? []), uintOption(OptionNumber.CONTENT_FORMAT, ContentFormat.TEXT)],
      payload: new TextEncoder().encode(args),
    };
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
    const formats =
      options.contentFormat === undefined ? writeFormats(registration, false) : [options.contentFormat];
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
    expect(await this.#send(registration, this.#request(registration, Code.DELETE, target, options)));
  }

  async discover(
    endpoint: string,
    path: string,
    options: DeviceRequestOptions = {},
  ): Promise<readonly Link[]> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    const request = withAccept(
      this.#request(registration, Code.GET, target, options),
      ContentFormat.LINK_FORMAT,
    );
    const response = expect(await this.#send(registration, request));
    return parseLinks(utf8(response.payload)).map((link) => ({
      ...link,
      target: withoutRoot(link.target, registration.rootPath),
    }));
  }

  async observe(endpoint: string, path: string, options: DeviceRequestOptions = {}): Promise<ReadResult> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    const response = await this.#options.observations.observe(registration, target, 'api', {
      timeout: this.#options.timeout,
      ...options,
    });
    this.#options.onChosen(registration.id, target, true);
    return this.#readResult(target, expect(response), registration);
  }

  async cancelObservation(
    endpoint: string,
    path: string,
    options: DeviceRequestOptions & { readonly active?: boolean } = {},
  ): Promise<boolean> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    this.#options.onChosen(registration.id, target, false);
    return this.#options.observations.cancel(registration, target, {
      timeout: this.#options.timeout,
      ...options,
    });
  }

  /** @throws UnknownDeviceError, NotRegisteredError */
  async registration(endpoint: string): Promise<Registration> {
    const { registrations, devices } = this.#options.stores;
    const registration = await registrations.byEndpoint(endpoint);
    if (registration !== undefined) return registration;
    if ((await devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
    throw new NotRegisteredError(endpoint);
  }

  #request(
    registration: Registration,
    code: Code,
    path: string,
    options: DeviceRequestOptions,
  ): OutgoingRequest {
    return {
      code,
      options: pathOptions(devicePath(registration.rootPath, path)),
      timeout: options.timeout ?? this.#options.timeout,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
  }

  /** The device of that registration is elsewhere: its requests under way are sent again to where it is. */
  moved(registrationId: string, to: PeerAddress): void {
    for (const request of this.#underWay.get(registrationId) ?? []) request.abort(new DeviceMovedError(to));
  }

  /**
   * Sends a request to where the device is, and again to where it moves meanwhile. `once`: not again, for
   * it may have been carried out where nobody heard the answer.
   * @throws TimeoutError
   */
  async #send(registration: Registration, request: OutgoingRequest, once = false): Promise<IncomingResponse> {
    const { endpoint, clock, timeout } = this.#options;
    const deadline = clock.now() + (request.timeout ?? timeout);
    let address = registration.address;
    for (;;) {
      const move = new AbortController();
      this.#begin(registration.id, move);
      const signal =
        request.signal === undefined ? move.signal : AbortSignal.any([move.signal, request.signal]);
      try {
        return await endpoint.request(address, {
          ...request,
          timeout: Math.max(1, deadline - clock.now()),
          signal,
        });
      } catch (error) {
        if (!(error instanceof DeviceMovedError)) throw error;
        if (once)
          throw new TimeoutError('the device moved while it was asked, and may have done it', {
            cause: error,
          });
        address = error.to;
      } finally {
        this.#end(registration.id, move);
      }
    }
  }

  #begin(registrationId: string, request: AbortController): void {
    const requests = this.#underWay.get(registrationId);
    if (requests === undefined) this.#underWay.set(registrationId, new Set([request]));
    else requests.add(request);
  }

  #end(registrationId: string, request: AbortController): void {
    const requests = this.#underWay.get(registrationId);
    requests?.delete(request);
    if (requests?.size === 0) this.#underWay.delete(registrationId);
  }

  /** @throws DecodeError the answer cannot be read */
  #readResult(path: string, response: IncomingResponse, { rootPath }: Registration): ReadResult {
    const format = contentFormat(response.options) ?? ContentFormat.TEXT;
    const records = decodeContent(format, path, response.payload, this.#options.registry, rootPath);
    return { path, contentFormat: format, records };
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
    for (const [index, format] of formats.entries()) {
      const response = await this.#send(
        registration,
        {
          ...base,
          options: [...(base.options ?? []), uintOption(OptionNumber.CONTENT_FORMAT, format)],
          payload: encodeContent(format, target, records, this.#options.registry, registration.rootPath),
        },
        once,
      );
      if (response.code !== Code.UNSUPPORTED_CONTENT_FORMAT || index === formats.length - 1)
        return expect(response);
    }
    throw new RequestError('there is no content format to write in');
  }
}

/** @throws CoapResponseError where the answer is no success. */
function expect(response: IncomingResponse): IncomingResponse {
  if (isSuccess(response.code)) return response;
  throw new CoapResponseError(response.code, utf8(response.payload.subarray(0, 500)));
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

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

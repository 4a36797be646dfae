import type { Clock } from '../../protocol/clock.ts';
import type { CoapEndpoint, IncomingResponse } from '../../protocol/coap/exchange.ts';
import { Code, isSuccess } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import { canonicalPath, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { DeviceElsewhereError, NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { compositeResult, expectSuccess, inFormats, readResult } from './answers.ts';
import { checkAttributes, checkCompositeAttributes } from './attribute-check.ts';
import { checkDepth, discover, writeAttributes } from './attribute-operations.ts';
import { withAccept, withContent } from './coap-request.ts';
import { compositePaths, readComposite, requireComposite, writeComposite } from './composite-operations.ts';
import { readFormats } from './content-negotiation.ts';
import { create, createTarget, write, writeRequest } from './content-operations.ts';
import type { DeviceReach } from './device-reach.ts';
import type {
  AttributeChanges,
  CancelOptions,
  CompositeResult,
  DeviceRequestOptions,
  DeviceRequests,
  ReadResult,
  WriteContent,
} from './device-requests.ts';
import { DeviceSender, deviceRequest } from './device-sender.ts';
import type { ObservationService } from './observation-service.ts';
import type { ObservationTarget } from './observation-target.ts';
import { speaks } from './versions.ts';

export interface DeviceOperationsOptions {
  readonly endpoint: Pick<CoapEndpoint, 'request' | 'ping'>;
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
  /** Name of this node, where there are others: of a device that another one has, DeviceElsewhereError. */
  readonly node?: string | undefined;
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
    const request = deviceRequest(registration, Code.GET, target, options);
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
    const checked = writeRequest(path, content);
    const registration = await this.registration(endpoint);
    await write(this.#sender, registration, checked, this.#lookup(registration), options);
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
    const registration = options.registration ?? (await this.registration(endpoint));
    const request = deviceRequest(registration, Code.POST, target, options);
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
    const target = createTarget(path);
    const registration = await this.registration(endpoint);
    return create(this.#sender, registration, target, records, this.#lookup(registration), options);
  }

  async delete(endpoint: string, path: string, options: DeviceRequestOptions = {}): Promise<void> {
    const target = canonicalPath(path);
    const depth = pathIds(target)?.length ?? 0;
    if (depth !== 2 && depth !== 4)
      throw new RequestError(`an instance or a resource instance can be deleted, not ${target}`);
    const registration = await this.registration(endpoint);
    if (depth === 4 && !speaks(registration, '1.2')) {
      throw new RequestError(
        `'${endpoint}' registered with LwM2M ${registration.version}: removing an instance of a resource came with 1.2`,
      );
    }
    const request = deviceRequest(registration, Code.DELETE, target, options);
    expectSuccess(await this.#sender.send(registration, request));
  }

  async discover(
    endpoint: string,
    path: string,
    options: DeviceRequestOptions & { readonly depth?: number } = {},
  ): Promise<readonly Link[]> {
    const target = canonicalPath(path);
    checkDepth(options.depth);
    return discover(this.#sender, await this.registration(endpoint), target, options);
  }

  async writeAttributes(
    endpoint: string,
    path: string,
    attributes: AttributeChanges,
    options: DeviceRequestOptions = {},
  ): Promise<void> {
    const target = canonicalPath(path);
    const registration = await this.registration(endpoint);
    await writeAttributes(
      this.#sender,
      registration,
      target,
      attributes,
      this.#lookup(registration),
      options,
    );
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
    options: DeviceRequestOptions & CancelOptions<ReadResult> = {},
  ): Promise<boolean> {
    const target = canonicalPath(path);
    return this.#cancel(endpoint, { paths: [target] }, options, (response, { lookup, rootPath }) =>
      readResult(target, response, lookup, rootPath),
    );
  }

  cancelComposite(
    endpoint: string,
    paths: readonly string[],
    options: DeviceRequestOptions & CancelOptions<CompositeResult> = {},
  ): Promise<boolean> {
    const wanted = compositePaths(paths);
    return this.#cancel(
      endpoint,
      { paths: wanted, composite: true },
      options,
      (response, { lookup, rootPath }) => compositeResult(wanted, response, lookup, rootPath),
    );
  }

  async #cancel<Result>(
    endpoint: string,
    target: ObservationTarget,
    { onAnswer, ...options }: DeviceRequestOptions & CancelOptions<Result>,
    read: (
      response: IncomingResponse,
      device: { readonly lookup: ResourceTypeLookup; readonly rootPath: string },
    ) => Result,
  ): Promise<boolean> {
    const registration = await this.registration(endpoint);
    const wasDesired = await this.#options.onChosen(registration, target, false);
    const device = { lookup: this.#lookup(registration), rootPath: registration.rootPath };
    const ended = await this.#options.observations.cancel(registration, target, {
      timeout: this.#options.timeout,
      ...options,
      ...(onAnswer === undefined ? {} : { onAnswer: (response) => onAnswer(read(response, device)) }),
    });
    return ended || wasDesired;
  }

  /** @throws UnknownDeviceError, NotRegisteredError, DeviceElsewhereError */
  async registration(endpoint: string): Promise<Registration> {
    const { stores, node } = this.#options;
    const { registrations, devices } = stores;
    const registration = await registrations.byEndpoint(endpoint);
    if (registration !== undefined) {
      if (node === undefined || registration.node === node) return registration;
      throw new DeviceElsewhereError(endpoint, registration.node);
    }
    if ((await devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
    throw new NotRegisteredError(endpoint);
  }

  #lookup(registration: Registration): ResourceTypeLookup {
    return this.#options.lookupFor(registration);
  }
}

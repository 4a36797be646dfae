import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type {
  AttributeChanges,
  NotificationAttributes,
} from '../../protocol/lwm2m/notification-attributes.ts';
import type { LwM2mChange, LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';
import type { Registration } from '../ports/registration-store.ts';

export type { AttributeChanges } from '../../protocol/lwm2m/notification-attributes.ts';

/** The longest that a caller may wait for a device, ms. */
export const LONGEST_TIMEOUT = 300_000;

export interface DeviceRequestOptions {
  /** Content-Format id to ask for, or to write in; without it the best that the device speaks. */
  readonly contentFormat?: number;
  /** Milliseconds; without it the server's default (10 s). */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /**
   * Called right before a request goes out, when the device listens, and again before a further one of the same
   * operation. What it rejects with ends the operation, and nothing is sent.
   */
  readonly beforeSend?: () => Promise<void>;
  /** Where the caller has looked the device up right before, and it is this node's. */
  readonly registration?: Registration;
}

/** What a device answered to a Read. */
export interface ReadResult {
  /** Canonical path that was asked for. */
  readonly path: string;
  readonly contentFormat: number;
  readonly records: readonly LwM2mRecord[];
}

/** What a device answered to a composite Read or Observe. */
export interface CompositeResult {
  /** Canonical paths that were asked for. */
  readonly paths: readonly string[];
  readonly contentFormat: number;
  /** Of what is there; what is missing is left out (§6.3.8). */
  readonly records: readonly LwM2mRecord[];
}

export interface CancelOptions<Result> {
  readonly active?: boolean;
  /** Called with the value that the device answers, where it is told. */
  readonly onAnswer?: (result: Result) => void;
}

/**
 * What to write at a path: one value (a resource or resource instance), or records below it (paths
 * absolute). Values must fit the resource's type where the registry knows it: RequestError.
 */
export type WriteContent = { readonly value: ResourceValue } | { readonly records: readonly LwM2mRecord[] };

/**
 * Operations on one device by its endpoint name, OMA-TS-LightweightM2M_Core §6.3 and §6.4.
 *
 * @throws UnknownDeviceError never seen; NotRegisteredError not registered now; CoapResponseError the
 *   device's own no; TimeoutError; RequestError bad path or value; DecodeError what the device sent
 *   cannot be read; StoreUnavailableError.
 */
export interface DeviceRequests {
  read(endpoint: string, path: string, options?: DeviceRequestOptions): Promise<ReadResult>;
  /** `update` keeps what is not named (Write partial, §6.3.3); `replace` is the default. */
  write(
    endpoint: string,
    path: string,
    content: WriteContent,
    options?: DeviceRequestOptions & { readonly mode?: 'replace' | 'update' },
  ): Promise<void>;
  /** `args` as §6.3.5: `0='1',1='7'`. */
  execute(endpoint: string, path: string, args?: string, options?: DeviceRequestOptions): Promise<void>;
  /** Resolves with the path of the new instance. `path` names the object, or the instance wanted. */
  create(
    endpoint: string,
    path: string,
    records: readonly LwM2mRecord[],
    options?: DeviceRequestOptions,
  ): Promise<string>;
  delete(endpoint: string, path: string, options?: DeviceRequestOptions): Promise<void>;
  /** `depth` 0 to 3 (1.2, §6.3.2): how many levels below the path; the device's choice without it. */
  discover(
    endpoint: string,
    path: string,
    options?: DeviceRequestOptions & { readonly depth?: number },
  ): Promise<readonly Link[]>;
  /** Write-Attributes, §6.3.4; `null` removes one. */
  writeAttributes(
    endpoint: string,
    path: string,
    attributes: AttributeChanges,
    options?: DeviceRequestOptions,
  ): Promise<void>;
  /** Resolves with the first value. An observation of the same path is replaced. `attributes` go in the request (1.2). */
  observe(
    endpoint: string,
    path: string,
    options?: DeviceRequestOptions & { readonly attributes?: NotificationAttributes },
  ): Promise<ReadResult>;
  /** Read-Composite, §6.3.8. `contentFormat` is that of the answer and of the list of paths; SenML-ETCH that of the list. */
  readComposite(
    endpoint: string,
    paths: readonly string[],
    options?: DeviceRequestOptions,
  ): Promise<CompositeResult>;
  /** Write-Composite, §6.3.9: all or nothing; null removes a resource instance (1.2, §7.5.6). */
  writeComposite(
    endpoint: string,
    changes: readonly LwM2mChange[],
    options?: DeviceRequestOptions,
  ): Promise<void>;
  /** Observe-Composite, §6.4.4. One of the same paths is replaced. */
  observeComposite(
    endpoint: string,
    paths: readonly string[],
    options?: DeviceRequestOptions & { readonly attributes?: NotificationAttributes },
  ): Promise<CompositeResult>;
  /** Cancel-Composite, §6.4.5; as cancelObservation. */
  cancelComposite(
    endpoint: string,
    paths: readonly string[],
    options?: DeviceRequestOptions & CancelOptions<CompositeResult>,
  ): Promise<boolean>;
  /** False where nothing was observed there. `active` tells the device at once (Observe 1). Default: passive. */
  cancelObservation(
    endpoint: string,
    path: string,
    options?: DeviceRequestOptions & CancelOptions<ReadResult>,
  ): Promise<boolean>;
}

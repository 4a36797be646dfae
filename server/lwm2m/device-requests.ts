import type { Link } from '../../protocol/lwm2m/link-format.ts';
import type { LwM2mRecord, ResourceValue } from '../../protocol/lwm2m/value.ts';

export interface DeviceRequestOptions {
  /** Content-Format id to ask for, or to write in; without it the best that the device speaks. */
  readonly contentFormat?: number;
  /** Milliseconds; without it the server's default (10 s). */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** What a device answered to a Read. */
export interface ReadResult {
  /** Canonical path that was asked for. */
  readonly path: string;
  readonly contentFormat: number;
  readonly records: readonly LwM2mRecord[];
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
  discover(endpoint: string, path: string, options?: DeviceRequestOptions): Promise<readonly Link[]>;
  /** Resolves with the first value. An observation of the same path is replaced. */
  observe(endpoint: string, path: string, options?: DeviceRequestOptions): Promise<ReadResult>;
  /** False where nothing was observed there. `active` tells the device at once (Observe 1). Default: passive. */
  cancelObservation(
    endpoint: string,
    path: string,
    options?: DeviceRequestOptions & { readonly active?: boolean },
  ): Promise<boolean>;
}

import { CoapResponseError, ResetError } from '../../protocol/coap/errors.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import type { NotificationAttributes } from '../../protocol/lwm2m/notification-attributes.ts';
import type { CommandService } from '../commands/carrier-commands.ts';
import type { HeldRequests } from '../commands/request-service.ts';
import { ConflictError, NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { ObservationPolicies } from '../lwm2m/policy-service.ts';
import type { DeviceEntries } from '../people/device-entries.ts';
import type { Tenancy } from '../people/tenancy.ts';
import type { Command } from '../ports/command-queue.ts';
import type { DeviceStore } from '../ports/device-store.ts';

/** What a job does to each of its devices; JSON. */
export type JobOperation =
  | { readonly kind: 'carrier-switch'; readonly carrier: string | number; readonly slot?: number }
  | { readonly kind: 'request'; readonly request: Readonly<Record<string, unknown>> }
  | { readonly kind: 'forget' }
  /** Null: the operator's own. */
  | { readonly kind: 'tenant'; readonly tenant: string | null }
  | {
      readonly kind: 'observe';
      /** Canonical. */
      readonly paths: readonly string[];
      readonly attributes?: NotificationAttributes;
      readonly wanted: boolean;
    };

/** A job's attempt at one device. */
export interface JobAttempt {
  readonly job: string;
  readonly attempt: number;
  /** Whose the job is: it touches no other devices, though they were that tenant's when it was made. */
  readonly tenant?: string;
  /** ms that are left. */
  readonly timeToLive: number;
}

/** What came of it at once: a command that goes on by itself, or all that there is to do. */
export type JobOutcome =
  | { readonly command: Command; readonly created: boolean }
  | { readonly done: true; readonly reason?: string };

/** Carries out the operation of a job on one device. Throws as the services that it calls. */
export type PerformOperation = (
  endpoint: string,
  operation: JobOperation,
  attempt: JobAttempt,
) => Promise<JobOutcome>;

export interface JobOperationParts {
  readonly commands: Pick<CommandService, 'switchCarrier'>;
  readonly requests: HeldRequests;
  readonly devices: Pick<DeviceStore, 'get'>;
  readonly entries: Pick<DeviceEntries, 'remove' | 'setTenant'>;
  readonly tenancy: Pick<Tenancy, 'check'>;
  readonly policies: Pick<ObservationPolicies, 'choose'>;
  /** @throws RequestError the request could never be carried out on this device */
  readonly checkRequest: (endpoint: string, request: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** The operations of jobs by what does the same for a single device. */
export function jobOperations(parts: JobOperationParts): PerformOperation {
  return async (endpoint, operation, { job: id, attempt, timeToLive, tenant }) => {
    await parts.tenancy.check({ tenant }, endpoint);
    const job = { id, attempt };
    switch (operation.kind) {
      case 'carrier-switch': {
        const { carrier, slot } = operation;
        const given = slot === undefined ? { carrier } : { carrier, slot };
        return parts.commands.switchCarrier(endpoint, { ...given, job, timeToLive });
      }
      case 'request':
        if ((await parts.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
        await parts.checkRequest(endpoint, operation.request);
        return parts.requests.hold(endpoint, { parameters: operation.request, job, timeToLive });
      case 'forget':
        if (await parts.entries.remove(endpoint)) return { done: true };
        if ((await parts.devices.get(endpoint)) === undefined) {
          return { done: true, reason: 'it is not known any more' };
        }
        throw new ConflictError(`'${endpoint}' is registered: it would come back at once`);
      case 'tenant':
        if (!(await parts.entries.setTenant(endpoint, operation.tenant)))
          throw new UnknownDeviceError(endpoint);
        return { done: true };
      case 'observe': {
        const { paths, attributes, wanted } = operation;
        const target = {
          paths,
          ...(paths.length > 1 ? { composite: true } : {}),
          ...(attributes === undefined ? {} : { attributes }),
        };
        await parts.policies.choose(endpoint, target, wanted);
        return { done: true };
      }
    }
  };
}

/** Of these the message says why an operation cannot be begun on a device, and another device is another matter. */
const refusals: readonly (abstract new (...args: never[]) => Error)[] = [
  UnknownDeviceError,
  NotRegisteredError,
  ConflictError,
  BusyError,
  RequestError,
  TimeoutError,
  ResetError,
  DecodeError,
  CoapResponseError,
];

/** Why the device has failed before it had a command; undefined: that is no fault of the device, or of who asked. */
export function refusalOf(error: unknown): string | undefined {
  return refusals.some((refusal) => error instanceof refusal) ? (error as Error).message : undefined;
}

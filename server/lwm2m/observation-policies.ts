import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { defaultPolicies } from './default-policies.ts';
import { identifyDevice, tellsIdentity } from './device-identity.ts';
import type { DeviceRequests } from './device-requests.ts';
import type { ObservationService } from './observation-service.ts';
import { PolicyBook } from './policy-book.ts';
import { PolicyReconciler } from './policy-reconciler.ts';
import { PolicyService } from './policy-service.ts';
import { PolicySweep } from './policy-sweep.ts';
import type { DevicePresence } from './presence.ts';

export interface ObservationPoliciesOptions {
  readonly stores: Pick<Stores, 'devices' | 'registrations'>;
  readonly book: PolicyBook;
  /** What the resources of a device are typed by. */
  readonly lookupFor: (registration: Registration) => ResourceTypeLookup;
  readonly requests: DeviceRequests;
  readonly observations: Pick<
    ObservationService,
    'observe' | 'cancel' | 'stored' | 'liveSince' | 'adopt' | 'abandon'
  >;
  readonly presence?: DevicePresence;
  /** Name of this node, where there are others: it looks after the devices that it has. */
  readonly node?: string | undefined;
  readonly events: EventPublisher;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What keeps devices in line with the observations that are wanted of them. */
export interface OpenedPolicies {
  readonly reconciler: PolicyReconciler;
  readonly service: PolicyService;
  /** Brings registered devices in line with what changed while this server was away. */
  start(): void;
  /** Policies were changed by another node: this one takes them from the store. @throws StoreUnavailableError */
  changed(): Promise<void>;
  close(): void;
}

/**
 * The policies as the store has them, with those that the server brings along for its own objects.
 * @throws StoreUnavailableError
 */
export function openPolicyBook(
  stores: Pick<Stores, 'devices' | 'observationPolicies'>,
  own: { readonly carrierObject: number; readonly sensorObject: number },
): Promise<PolicyBook> {
  const builtIn = defaultPolicies(own.carrierObject, own.sensorObject);
  return PolicyBook.open(stores.observationPolicies, stores.devices, builtIn);
}

export function composePolicies(options: ObservationPoliciesOptions): OpenedPolicies {
  const { stores, book, requests, observations, events, clock, log, presence, lookupFor, node } = options;
  const identity = { requests, devices: stores.devices, events, clock, log };
  const reconciler = new PolicyReconciler({
    requests,
    observations,
    book,
    lookupFor,
    events,
    clock,
    log,
    findRegistration: (id) => stores.registrations.byId(id),
    tellsIdentity,
    ...(node === undefined
      ? {}
      : {
          isElsewhere: async ({ id }) => {
            const now = await stores.registrations.byId(id);
            return now !== undefined && now.node !== node;
          },
        }),
    identify: (registration, signal) => identifyDevice(identity, registration, signal),
    ...(presence === undefined ? {} : { presence }),
  });
  const sweep = new PolicySweep({
    node,
    devices: stores.devices,
    observations,
    book,
    reconciler,
    log,
    pause: (milliseconds) => new Promise((resolve) => clock.setTimer(milliseconds, resolve)),
  });
  const parts = { stores, book, reconciler, sweep, observations, requests, events, clock, lookupFor };
  return {
    reconciler,
    service: new PolicyService(parts),
    start: () => sweep.start(),
    changed: async () => {
      if (await book.reload()) sweep.start();
    },
    close: () => {
      sweep.close();
      reconciler.close();
    },
  };
}

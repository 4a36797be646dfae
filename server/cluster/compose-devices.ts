import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { CommandDispatcher, CommandPlace, OtherDispatchers } from '../commands/dispatcher.ts';
import type { DeviceLifecycle } from '../lwm2m/device-lifecycle.ts';
import type { DeviceReach } from '../lwm2m/device-reach.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { ObservationService } from '../lwm2m/observation-service.ts';
import type { PolicyReconciler } from '../lwm2m/policy-reconciler.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import type { Command } from '../ports/command-queue.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { Ownership, type ReleaseReason } from './ownership.ts';
import { routedRequests } from './routed-requests.ts';
import type { Others, Seat } from './seat.ts';

/** How long another node may take to say what it is at, ms. */
const ASK_TIME = 1_000;

/** What looks after the devices that this node has. */
export interface DeviceParts {
  readonly dispatcher: Pick<CommandDispatcher, 'reachable' | 'isUnderWay' | 'nodeGone'>;
  readonly lifecycle: Pick<DeviceLifecycle, 'forgotten' | 'released'>;
  readonly reconciler: Pick<PolicyReconciler, 'takenOver' | 'released'>;
  readonly observations: Pick<ObservationService, 'released'>;
  readonly reach: Pick<DeviceReach, 'released' | 'ended'>;
}

export interface ComposeDevicesOptions {
  readonly seat: Seat;
  readonly stores: Pick<Stores, 'registrations'>;
  /** Of devices that this node has. */
  readonly requests: DeviceRequests;
  readonly requestTimeout: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Once the server is put together. */
  readonly parts: () => DeviceParts;
  /** Another node has the device now, or its registration has ended. */
  readonly onReleased?: (endpoint: string) => void;
  /** Whether a registered device listens. */
  readonly isAwake: (registration: Registration) => boolean;
}

/** Devices, whichever node has them. */
export interface Devices {
  /** Wherever the device is. */
  readonly requests: DeviceRequests;
  readonly place: (endpoint: string) => Promise<CommandPlace>;
  readonly others: OtherDispatchers | undefined;
  /** Takes a device over from a node that does not listen, where it is gone and devices know both by one address. */
  readonly takeFromGone: (registration: Registration) => Promise<boolean>;
  /** Another node had the device until it registered, or updated, here. */
  readonly onTakenOver: ((former: Registration, registration: Registration) => Promise<void>) | undefined;
  readonly onMovedHere:
    | ((device: Pick<Registration, 'id' | 'endpoint' | 'address'>, formerNode: string) => void)
    | undefined;
  readonly onElsewhere: ((heard: ReadonlyMap<string, number>) => void) | undefined;
  /** A registration has ended, and this node was told so, which may not be the one that had the device. */
  readonly ended: (registration: Registration) => void;
}

export function composeDevices(options: ComposeDevicesOptions): Devices {
  const { seat, stores, requests, isAwake } = options;
  const { registrations } = stores;
  const placeOf = (registration: Registration): CommandPlace => ({
    // One that has lost its address is looked at, as one that sleeps, when it speaks.
    reachability: registration.addressLost !== true && isAwake(registration) ? 'awake' : 'asleep',
    registration,
    ...(registration.fence === undefined
      ? {}
      : { owner: { node: registration.node, fence: registration.fence } }),
  });
  if (seat.others === undefined) {
    return {
      requests,
      place: async (endpoint) => {
        const registration = await registrations.byEndpoint(endpoint);
        return registration === undefined ? { reachability: 'unregistered' } : placeOf(registration);
      },
      others: undefined,
      takeFromGone: async () => false,
      onTakenOver: undefined,
      onMovedHere: undefined,
      onElsewhere: undefined,
      ended: () => undefined,
    };
  }
  return sharedDevices(options, seat.others, placeOf);
}

function sharedDevices(
  { seat, stores, requests, requestTimeout, clock, log, parts, onReleased }: ComposeDevicesOptions,
  { rpc, members }: Others,
  placeOf: (registration: Registration) => CommandPlace,
): Devices {
  const { registrations } = stores;
  const { node } = seat;
  const ownership = new Ownership({
    node,
    members,
    rpc,
    registrations,
    log,
    onReleased: (device, reason) => {
      onReleased?.(device.endpoint);
      return letGo(parts(), device, reason, (at) => members.sharesAddress(at));
    },
    onOwned: ({ endpoint }) => parts().dispatcher.reachable(endpoint, false),
    onHandedOver: (registration) => parts().reconciler.takenOver(registration),
  });
  rpc.serve('commands', { isUnderWay: ([id]) => parts().dispatcher.isUnderWay(id as string) });
  // One node looks; the others come to it when a device speaks to them.
  const lookAnew = (): void => {
    if (seat.leadership.leads) parts().dispatcher.nodeGone();
  };
  seat.onGone(lookAnew);
  seat.onSilent(lookAnew);
  seat.leadership.onChanged(lookAnew);
  const inBackground = (work: Promise<unknown>, what: string): void => {
    work.catch((error: unknown) => {
      if (error instanceof StoreUnavailableError) log.warn({ error }, `${what}: the store is away`);
      else log.error({ error }, `${what} met a bug`);
    });
  };
  return {
    requests: routedRequests({
      local: requests,
      node,
      rpc,
      members,
      ownership,
      registrations,
      clock,
      timeout: requestTimeout,
    }),
    place: async (endpoint) => {
      const registration = await registrations.byEndpoint(endpoint);
      if (registration === undefined) return { reachability: 'unregistered' };
      if (registration.node === node) return placeOf(registration);
      const claimed = await ownership.claimFromGone(registration);
      return claimed === undefined ? { reachability: 'elsewhere' } : placeOf(claimed);
    },
    others: {
      isUnderWay: async ({ id }: Command) => {
        const asked = members.list().filter(({ name }) => name !== node);
        return (await Promise.all(asked.map(({ name }) => isUnderWayAt(name, id)))).includes(true);
      },
    },
    takeFromGone: async (registration) =>
      (await members.isGone(registration.node)) &&
      (await ownership.claimFromGone(registration)) !== undefined,
    onTakenOver: (former, registration) => {
      const reason: ReleaseReason =
        former.id === registration.id
          ? { kind: 'moved', address: registration.address, to: node }
          : { kind: 'anew' };
      return ownership.release(former.node, former, reason);
    },
    onMovedHere: (device, from) => inBackground(ownership.movedHere(device, from), 'taking a device over'),
    onElsewhere: (heard) => inBackground(ownership.claimHeard(heard), 'claiming devices'),
    ended: (registration) =>
      inBackground(
        ownership.release(registration.node, registration, { kind: 'ended' }),
        'ending a registration',
      ),
  };

  /** A node that does not answer is waited for as long as it counts as one. */
  async function isUnderWayAt(name: string, id: string): Promise<boolean> {
    try {
      return (await rpc.call(name, 'commands', 'isUnderWay', [id], { timeout: ASK_TIME })) === true;
    } catch (error) {
      // It may be at it although it is not connected for a moment.
      if (error instanceof NodeUnreachableError) return !error.gone || !(await members.isGone(name));
      throw error;
    }
  }
}

/** What this process knows of a device that another node has goes, and what is under way ends or goes on from here. */
async function letGo(
  { dispatcher, lifecycle, reconciler, observations, reach }: DeviceParts,
  device: Pick<Registration, 'id' | 'endpoint'>,
  reason: ReleaseReason,
  sharesAddress: (node: string) => boolean,
): Promise<void> {
  switch (reason.kind) {
    case 'moved':
      reach.released(device, { at: sharesAddress(reason.to) ? reason.address : undefined, anew: false });
      observations.released(device.id);
      lifecycle.released(device.endpoint);
      await reconciler.released(device);
      return;
    case 'anew':
      reach.released(device, { at: undefined, anew: true });
      dispatcher.reachable(device.endpoint, true);
      lifecycle.forgotten(device);
      return;
    case 'ended':
      reach.ended(device.id);
      lifecycle.forgotten(device);
  }
}

import type { Clock } from '../../protocol/clock.ts';
import type { TraceContents } from '../api/device-trace.ts';
import { DeviceNodeGoneError } from '../errors.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';
import type { ListeningTimes } from '../lwm2m/listening-times.ts';
import type { PolicyBook } from '../lwm2m/policy-book.ts';
import type { ObservationPolicies } from '../lwm2m/policy-service.ts';
import type { PresenceState } from '../lwm2m/presence.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import type { Device } from '../ports/device-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { Clustering } from './compose-cluster.ts';
import type { Devices } from './compose-devices.ts';

/** How long the node that has a device may take, ms, where the caller does not say. */
const TIMEOUT = 15_000;

type OwnedPolicies = Pick<ObservationPolicies, 'statusOf' | 'check' | 'renew' | 'choose' | 'unchoose'>;
type Listening = Pick<ListeningTimes, 'state' | 'powerSaving' | 'configure'>;

export interface OwnedServicesOptions {
  readonly clustering: Clustering;
  readonly stores: Pick<Stores, 'registrations'>;
  readonly takeFromGone: Devices['takeFromGone'];
  readonly policies: ObservationPolicies;
  readonly book: PolicyBook;
  readonly listening: Listening;
  readonly clock: Clock;
}

/** What the node that has a device knows of it, and does with it, asked for at any node. */
export function ownedServices(options: OwnedServicesOptions): {
  readonly policies: ObservationPolicies;
  readonly listening: Listening;
} {
  const { clustering, policies, book, listening, clock } = options;
  const { others, node } = clustering.seat;
  if (others === undefined) return { policies, listening };
  const owned: OwnedPolicies = {
    statusOf: (endpoint) => policies.statusOf(endpoint),
    check: (endpoint, given) => policies.check(endpoint, given),
    renew: (endpoint) => policies.renew(endpoint),
    choose: (endpoint, target, wanted) => policies.choose(endpoint, target, wanted),
    unchoose: (endpoint, target) => policies.unchoose(endpoint, target),
  };
  const here = atOwner(options, 'observation-policies', owned);
  const listens = atOwner(options, 'listening', {
    configure: (endpoint: string, window: number | null) => listening.configure(endpoint, window),
  });
  others.rpc.serve('policy-book', { recorded: ([endpoint]) => book.noteRecord(endpoint as string) });
  book.share((endpoint) => {
    // Best effort: whoever does not hear of it reads it with the next change of a policy, or when it starts.
    others.rpc.tellAll('policy-book', 'recorded', [endpoint]).catch(() => undefined);
  });
  return {
    policies: {
      list: () => policies.list(),
      get: (id) => policies.get(id),
      put: (id, input) => policies.put(id, input),
      remove: (id) => policies.remove(id),
      restore: (id) => policies.restore(id),
      statusOf: here.statusOf,
      check: (endpoint, { signal: _, ...given }: DeviceRequestOptions = {}) => here.check(endpoint, given),
      renew: here.renew,
      choose: here.choose,
      unchoose: here.unchoose,
    },
    listening: {
      powerSaving: (endpoint) => listening.powerSaving(endpoint),
      configure: listens.configure,
      state: (registration, device, saving) => {
        const state = listening.state(registration, device, saving);
        const { node: owner } = registration as { readonly node?: string };
        // The node that has it says in the store until when it listens.
        if (!state.queueMode || owner === undefined || owner === node) return state;
        return asStored(state, (device as Partial<Device>).awakeUntil, clock.wallTime());
      },
    },
  };
}

function asStored(state: PresenceState, until: number | undefined, now: number): PresenceState {
  if (until === undefined) return state;
  const { awakeUntil: _, ...rest } = state;
  return until > now ? { ...rest, awake: true, awakeUntil: until } : { ...rest, awake: false };
}

/**
 * The messages of a device as the node that has it has recorded them. Where that node is gone, so is what it has
 * recorded, and there is what this one has.
 */
export function ownedTraces(
  options: Pick<OwnedServicesOptions, 'clustering' | 'stores' | 'takeFromGone'>,
  traces: TraceContents,
): TraceContents {
  const local = {
    json: (endpoint: string, query: Parameters<TraceContents['json']>[1]) => traces.json(endpoint, query),
    pcapng: (endpoint: string) => traces.pcapng(endpoint),
    text: (endpoint: string) => traces.text(endpoint),
  };
  const owned = atOwner(options, 'trace', local);
  const orHere = async <T>(there: Promise<T>, here: () => Promise<T>): Promise<T> => {
    try {
      return await there;
    } catch (error) {
      if (!(error instanceof DeviceNodeGoneError)) throw error;
      return here();
    }
  };
  return {
    json: (endpoint, query) => orHere(owned.json(endpoint, query), () => traces.json(endpoint, query)),
    pcapng: (endpoint) => orHere(owned.pcapng(endpoint), () => traces.pcapng(endpoint)),
    text: (endpoint) => orHere(owned.text(endpoint), () => traces.text(endpoint)),
  };
}

/** The same methods, whose first argument is an endpoint, carried out by the node that has that device. */
function atOwner<T extends { readonly [name: string]: unknown }>(
  { clustering, stores, takeFromGone }: Pick<OwnedServicesOptions, 'clustering' | 'stores' | 'takeFromGone'>,
  service: string,
  local: { readonly [Name in keyof T]: T[Name] },
): T {
  const { others, node } = clustering.seat;
  if (others === undefined) return local as T;
  const { rpc } = others;
  const names = Object.keys(local);
  const here = (name: string, args: readonly unknown[]): unknown =>
    (local[name] as (...all: readonly unknown[]) => unknown)(...args);
  rpc.serve(
    service,
    Object.fromEntries(names.map((name) => [name, (args: readonly unknown[]) => here(name, args)])),
  );
  const ask = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    const endpoint = args[0] as string;
    const registration = await stores.registrations.byEndpoint(endpoint);
    if (registration === undefined || registration.node === node) return here(name, args);
    const owner = registration.node;
    try {
      return await rpc.call(owner, service, name, args, { timeout: TIMEOUT });
    } catch (error) {
      if (!(error instanceof NodeUnreachableError) || !error.gone) throw error;
      if (await takeFromGone(registration)) return here(name, args);
      if (others.members.isThere(owner)) throw error;
      throw new DeviceNodeGoneError(endpoint, owner);
    }
  };
  return Object.fromEntries(
    names.map((name) => [name, (...args: unknown[]) => ask(name, args)]),
  ) as unknown as T;
}

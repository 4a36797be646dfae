import type { Clock } from '../../protocol/clock.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import { DeviceElsewhereError, DeviceNodeGoneError } from '../errors.ts';
import type { CancelOptions, DeviceRequestOptions, DeviceRequests } from '../lwm2m/device-requests.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import type { RegistrationStore } from '../ports/registration-store.ts';
import type { ClusterMembers } from './members.ts';
import type { Ownership } from './ownership.ts';
import type { Rpc } from './rpc.ts';

const SERVICE = 'devices';
/** Pause before the owner is looked up again, where two nodes do not agree yet, ms. */
const AGAIN = 20;

type Method = keyof DeviceRequests;

/** By method: where in its arguments the options are. */
const optionsAt: Readonly<Record<Method, number>> = {
  read: 2,
  write: 3,
  execute: 3,
  create: 3,
  delete: 2,
  discover: 2,
  writeAttributes: 3,
  observe: 2,
  readComposite: 2,
  writeComposite: 2,
  observeComposite: 2,
  cancelComposite: 2,
  cancelObservation: 2,
};

export interface RoutedRequestsOptions {
  /** Throws DeviceElsewhereError for devices that another node has. */
  readonly local: DeviceRequests;
  readonly node: string;
  readonly rpc: Pick<Rpc, 'call' | 'serve'>;
  readonly members: Pick<ClusterMembers, 'isGone'>;
  readonly ownership: Pick<Ownership, 'claimFromGone'>;
  readonly registrations: Pick<RegistrationStore, 'byEndpoint'>;
  readonly clock: Clock;
  /** ms, where the caller gives none. */
  readonly timeout: number;
}

type Run = (args: readonly unknown[]) => Promise<unknown>;

/**
 * Requests to devices, wherever they are: the node that has the device carries them out, within the time that the
 * caller gives. While a device changes hands they go after it; nothing that must not be done twice is sent again.
 */
export function routedRequests(options: RoutedRequestsOptions): DeviceRequests {
  const route = new Route(options);
  const method =
    (name: Method) =>
    (...args: unknown[]): Promise<unknown> =>
      route.run(name, args);
  return Object.fromEntries(
    (Object.keys(optionsAt) as Method[]).map((name) => [name, method(name)]),
  ) as unknown as DeviceRequests;
}

class Route {
  readonly #options: RoutedRequestsOptions;

  constructor(options: RoutedRequestsOptions) {
    this.#options = options;
    options.rpc.serve(
      SERVICE,
      Object.fromEntries(
        (Object.keys(optionsAt) as Method[]).map((name) => [
          name,
          (args: readonly unknown[], { timeout, signal }: { timeout: number; signal: AbortSignal }) =>
            this.#serve(name, args, { timeout, signal }),
        ]),
      ),
    );
  }

  async run(name: Method, args: readonly unknown[]): Promise<unknown> {
    const { clock, node } = this.#options;
    const endpoint = args[0] as string;
    const given = (args[optionsAt[name]] ?? {}) as DeviceRequestOptions & CancelOptions<unknown>;
    const { timeout = this.#options.timeout, signal, onAnswer, ...plain } = given;
    const deadline = clock.now() + timeout;
    const local: Run = (whole) => this.#local(name, whole);
    const left = (): number => Math.round(deadline - clock.now());
    for (let owner: string | undefined = node; ; ) {
      if (left() <= 0) {
        throw new TimeoutError(`'${endpoint}' went from node to node, and none could ask it in time`);
      }
      try {
        if (owner === node) {
          const limits = { ...given, timeout: left() };
          return await local(withOptions(name, args, limits));
        }
        const sent = withOptions(name, args, {
          ...plain,
          ...(onAnswer === undefined ? {} : { tellAnswer: true }),
        });
        const answer = await this.#options.rpc.call(owner, SERVICE, name, sent, { timeout: left(), signal });
        const { value, told } = answer as { readonly value: unknown; readonly told?: readonly unknown[] };
        for (const one of told ?? []) onAnswer?.(one);
        return value;
      } catch (error) {
        if (error instanceof NodeUnreachableError) owner = await this.#withoutOwner(endpoint, owner, error);
        else if (error instanceof DeviceElsewhereError) {
          // Who has been told by the store of an owner asks that one; else the store is asked once more.
          const next: string | undefined =
            error.node ?? (await this.#options.registrations.byEndpoint(endpoint))?.node;
          if (next === owner) await this.#pause(Math.min(AGAIN, Math.max(1, left())));
          // Where nobody has it, this node says in which way.
          owner = next ?? node;
        } else throw error;
      }
    }
  }

  /** The owner does not listen, or did not answer: who is to be asked instead. */
  async #withoutOwner(endpoint: string, owner: string, error: NodeUnreachableError): Promise<string> {
    const { ownership, registrations, members, node } = this.#options;
    const registration = await registrations.byEndpoint(endpoint);
    if (registration === undefined) return node;
    if (registration.node !== owner) return registration.node;
    // It listens, and was too slow: it may be at it still.
    if (!error.gone) throw error;
    // It was not connected for a moment: it is asked again.
    if (!(await members.isGone(owner))) return owner;
    if ((await ownership.claimFromGone(registration)) !== undefined) return node;
    const now = await registrations.byEndpoint(endpoint);
    if (now !== undefined && now.node !== owner) return now.node;
    throw new DeviceNodeGoneError(endpoint, owner);
  }

  async #serve(
    name: Method,
    args: readonly unknown[],
    limits: { readonly timeout: number; readonly signal: AbortSignal },
  ): Promise<unknown> {
    const { tellAnswer, ...options } = (args[optionsAt[name]] ?? {}) as { readonly tellAnswer?: true };
    const told: unknown[] = [];
    const onAnswer = tellAnswer === true ? { onAnswer: (answer: unknown) => told.push(answer) } : {};
    const value = await this.#local(name, withOptions(name, args, { ...options, ...limits, ...onAnswer }));
    return { value, ...(told.length === 0 ? {} : { told }) };
  }

  #local(name: Method, args: readonly unknown[]): Promise<unknown> {
    const { local } = this.#options;
    return (local[name] as (...all: readonly unknown[]) => Promise<unknown>).apply(local, [...args]);
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(milliseconds, resolve));
  }
}

function withOptions(name: Method, args: readonly unknown[], options: object): readonly unknown[] {
  const at = optionsAt[name];
  const whole = Array.from({ length: at }, (_, index) => args[index]);
  return [...whole, options];
}

import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { RegistrationStore } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { Rpc } from './rpc.ts';
import type { Seat } from './seat.ts';

const SERVICE = 'live-trace';
/** How often the node that has a device is told that somebody looks, ms: within that the look follows the device. */
const RENEW = 5_000;
/** How long what another node has told counts, ms. */
const KEPT = 3 * RENEW;

export interface SharedTracesOptions {
  readonly node: string;
  readonly rpc: Pick<Rpc, 'tell' | 'serve'>;
  readonly registrations: Pick<RegistrationStore, 'byEndpoint'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Follows a device's messages here, or does not any more. False where too many are followed already. */
  readonly watch: (endpoint: string, wanted: boolean) => boolean;
  /** To those who look by way of this node. */
  readonly publish: (endpoint: string, message: object) => void;
}

/**
 * The messages of a device are recorded by the node that has it, and may be looked at live by way of any: that one asks
 * the owner again and again for as long as somebody looks, and the owner tells it what comes.
 */
export class SharedTraces {
  readonly #options: SharedTracesOptions;
  /** Devices that somebody looks at by way of this node. */
  readonly #wanted = new Set<string>();
  /** By device: nodes that want its messages, and until when (`Clock.now`). */
  readonly #asked = new Map<string, Map<string, number>>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: SharedTracesOptions) {
    this.#options = options;
    options.rpc.serve(SERVICE, {
      watch: ([endpoint], { from }) => this.#watchedBy(endpoint as string, from),
      messages: ([endpoint, message]) => options.publish(endpoint as string, message as object),
    });
  }

  /** Somebody looks by way of this node, or nobody any more. */
  wanted(endpoint: string, wanted: boolean): void {
    if (wanted) {
      this.#wanted.add(endpoint);
      this.#ask(endpoint);
    } else this.#wanted.delete(endpoint);
    if (!this.#follow(endpoint)) this.#options.publish(endpoint, refusal(endpoint));
    this.#schedule();
  }

  /** Messages of a device that is followed here. */
  live(endpoint: string, message: object): void {
    this.#options.publish(endpoint, message);
    for (const node of this.#asked.get(endpoint)?.keys() ?? [])
      this.#tell(node, 'messages', endpoint, message);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #watchedBy(endpoint: string, node: string): void {
    const nodes = this.#asked.get(endpoint) ?? new Map<string, number>();
    nodes.set(node, this.#options.clock.now() + KEPT);
    this.#asked.set(endpoint, nodes);
    if (!this.#follow(endpoint)) {
      this.#asked.delete(endpoint);
      this.#tell(node, 'messages', endpoint, refusal(endpoint));
    }
    this.#schedule();
  }

  #follow(endpoint: string): boolean {
    return this.#options.watch(endpoint, this.#wanted.has(endpoint) || this.#asked.has(endpoint));
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#closed || this.#wanted.size + this.#asked.size === 0) return;
    this.#timer = this.#options.clock.setTimer(RENEW, () => {
      this.#timer = undefined;
      for (const endpoint of this.#wanted) this.#ask(endpoint);
      const now = this.#options.clock.now();
      for (const [endpoint, nodes] of this.#asked) {
        for (const [node, until] of nodes) if (until <= now) nodes.delete(node);
        if (nodes.size > 0) continue;
        this.#asked.delete(endpoint);
        this.#follow(endpoint);
      }
      this.#schedule();
    });
  }

  #ask(endpoint: string): void {
    const { registrations, node, log } = this.#options;
    registrations.byEndpoint(endpoint).then(
      (registration) => {
        const owner = registration?.node;
        if (owner === undefined || owner === node || this.#closed) return;
        this.#tell(owner, 'watch', endpoint);
      },
      (error: unknown) => log.debug({ endpoint, error }, 'who has a device was not found; asked again'),
    );
  }

  #tell(node: string, method: string, ...args: readonly unknown[]): void {
    const { rpc, log } = this.#options;
    rpc
      .tell(node, SERVICE, method, args)
      .catch((error: unknown) =>
        log.debug({ other: node, error }, 'messages of a device were not passed on'),
      );
  }
}

function refusal(endpoint: string): object {
  return { endpoint, messages: [], refused: true };
}

/** What a trace is composed with, where devices may be at other nodes. */
export function sharedTraces(
  { seat }: { readonly seat: Pick<Seat, 'others' | 'node'> },
  parts: { readonly stores: Pick<Stores, 'registrations'>; readonly clock: Clock; readonly log: Logger },
): { readonly share?: (own: Pick<SharedTracesOptions, 'watch' | 'publish'>) => SharedTraces } {
  const { others, node } = seat;
  if (others === undefined) return {};
  const { stores, clock, log } = parts;
  const { registrations } = stores;
  return { share: (own) => new SharedTraces({ ...own, node, rpc: others.rpc, registrations, clock, log }) };
}

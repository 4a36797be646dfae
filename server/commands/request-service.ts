import type { Clock } from '../../protocol/clock.ts';
import { ConflictError, UnknownDeviceError } from '../errors.ts';
import type { Command, WaitingBounds } from '../ports/command-queue.ts';
import type { Stores } from '../ports/stores.ts';

/** How long a request waits for its device, ms, where the caller does not say: one day. */
const TIME_TO_LIVE = 86_400_000;

/** Requests that are held for devices that sleep, or are away. */
export interface HeldRequests {
  /**
   * Queues a request; it goes out when the device can be asked, in the order of the device's commands.
   * @throws UnknownDeviceError; BusyError too much waits for it; ConflictError idempotency key used for something else; StoreUnavailableError
   */
  hold(
    endpoint: string,
    request: {
      /** `operation` and what it needs; JSON. */
      readonly parameters: Readonly<Record<string, unknown>>;
      readonly idempotencyKey?: string;
      /** ms; default one day. */
      readonly timeToLive?: number;
      /** The job that it is for. */
      readonly job?: { readonly id: string; readonly attempt: number };
    },
  ): Promise<{ readonly command: Command; readonly created: boolean }>;
}

export interface RequestServiceOptions {
  readonly stores: Pick<Stores, 'commands' | 'devices'>;
  readonly clock: Clock;
  /** A command was queued. */
  readonly onStep: (command: Command) => void;
  readonly onQueued: (endpoint: string) => void;
  /** How much may wait for one device; without bounds where absent. */
  readonly bounds?: WaitingBounds;
}

/** Requests to devices as durable commands of the kind `request`. */
export class RequestService implements HeldRequests {
  readonly #options: RequestServiceOptions;

  constructor(options: RequestServiceOptions) {
    this.#options = options;
  }

  async hold(
    endpoint: string,
    { parameters, idempotencyKey, timeToLive = TIME_TO_LIVE, job }: Parameters<HeldRequests['hold']>[1],
  ): Promise<{ readonly command: Command; readonly created: boolean }> {
    const { stores, clock, onStep, onQueued, bounds } = this.#options;
    if ((await stores.devices.get(endpoint)) === undefined) throw new UnknownDeviceError(endpoint);
    const now = Math.floor(clock.wallTime());
    const { command, created, conflict } = await stores.commands.enqueue({
      endpoint,
      kind: 'request',
      parameters,
      createdAt: now,
      expiresAt: now + timeToLive,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(job === undefined ? {} : { job }),
      ...(bounds === undefined ? {} : { bounds }),
    });
    if (conflict) throw new ConflictError('this Idempotency-Key was used for another command');
    if (created) {
      onStep(command);
      onQueued(endpoint);
    }
    return { command, created };
  }
}

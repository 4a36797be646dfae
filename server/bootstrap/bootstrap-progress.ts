import type { Clock } from '../../protocol/clock.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { formatCode } from '../../protocol/coap/message.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type {
  BootstrapOperation,
  BootstrapSession,
  BootstrapStep,
  BootstrapStore,
} from '../ports/bootstrap-store.ts';

/** Steps of one bootstrap that are kept: a profile that is written again and again does not fill the store. */
const mostSteps = 200;
/** What a device says of an error, and what else a step tells: so many characters. */
const mostDetail = 200;

/** The device has begun anew meanwhile, here or at another node: this bootstrap goes no further. */
export class ReplacedError extends Error {
  override readonly name = 'ReplacedError';
}

/** What a step came to that failed. */
function failureOf(error: unknown): StepOutcome {
  if (error instanceof CoapResponseError) return { code: formatCode(error.code), detail: error.diagnostic };
  return { detail: error instanceof Error ? error.message : String(error) };
}

/** What a step came to. */
export interface StepOutcome {
  /** As text: `2.04`. */
  readonly code?: string;
  readonly detail?: string;
}

/** One bootstrap as it goes on: in the store, and told to whoever listens, step by step. */
export class BootstrapProgress {
  readonly #store: BootstrapStore;
  readonly #events: Pick<EventPublisher, 'publish'>;
  readonly #clock: Clock;
  #session: BootstrapSession;

  constructor(
    session: BootstrapSession,
    parts: {
      readonly store: BootstrapStore;
      readonly events: Pick<EventPublisher, 'publish'>;
      readonly clock: Clock;
    },
  ) {
    this.#session = session;
    this.#store = parts.store;
    this.#events = parts.events;
    this.#clock = parts.clock;
  }

  get session(): BootstrapSession {
    return this.#session;
  }

  /** Tells that it has begun. */
  begun(): void {
    this.#tell('started');
  }

  /**
   * Does one step. It is in the store before it is done, so that all see what a device keeps waiting for.
   * @throws ReplacedError before it is done; what the work throws, noted at the step
   */
  async step<T extends StepOutcome>(
    operation: BootstrapOperation,
    path: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const begun: BootstrapStep = {
      operation,
      ...(path === undefined ? {} : { path }),
      startedAt: this.#now(),
    };
    const steps = [...this.#session.steps, begun].slice(-mostSteps);
    await this.#record({ ...this.#session, updatedAt: begun.startedAt, steps });
    try {
      const outcome = await work();
      this.#end(begun, outcome);
      return outcome;
    } catch (error) {
      this.#end(begun, failureOf(error));
      throw error;
    }
  }

  /** It has come to its end; what the last step came to goes with it. @throws ReplacedError */
  async end(state: 'finished' | 'failed', reason?: string): Promise<void> {
    const session: BootstrapSession = {
      ...this.#session,
      state,
      updatedAt: this.#now(),
      ...(reason === undefined ? {} : { reason: reason.slice(0, mostDetail) }),
    };
    await this.#record(session);
    this.#tell(state);
  }

  #end(begun: BootstrapStep, { code, detail }: StepOutcome): void {
    const ended: BootstrapStep = {
      ...begun,
      endedAt: this.#now(),
      ...(code === undefined ? {} : { code }),
      ...(detail === undefined || detail === '' ? {} : { detail: detail.slice(0, mostDetail) }),
    };
    const { steps } = this.#session;
    this.#session = {
      ...this.#session,
      updatedAt: this.#now(),
      steps: steps.map((step) => (step === begun ? ended : step)),
    };
    this.#tell('step', ended);
  }

  async #record(session: BootstrapSession): Promise<void> {
    if (!(await this.#store.record(session))) {
      throw new ReplacedError(`'${session.endpoint}' has begun another bootstrap`);
    }
    this.#session = session;
  }

  /** Whole ms. */
  #now(): number {
    return Math.floor(this.#clock.wallTime());
  }

  #tell(change: 'started' | 'step' | 'finished' | 'failed', step?: BootstrapStep): void {
    const { id, endpoint, kind, profile, reason } = this.#session;
    this.#events.publish('bootstrap', endpoint, this.#now(), {
      change,
      session: id,
      kind,
      ...(profile === undefined ? {} : { profile: profile.id }),
      ...(step === undefined ? {} : { step }),
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

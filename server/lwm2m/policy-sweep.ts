import type { Logger } from 'pino';
import type { DeviceStore } from '../ports/device-store.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import { attributesOfNodes } from './attributes-at-device.ts';
import { targetKey } from './observation-target.ts';
import type { PolicyBook } from './policy-book.ts';
import type { PolicyReconciler } from './policy-reconciler.ts';
import { isAsWanted } from './reconcile-device.ts';

/** Devices that are brought in line at the same time: a change of policy must not burst on 100 000 of them. */
const AT_ONCE = 64;
/** Devices that are read from the store at once. */
const PAGE = 200;
/** A device that does not answer gives its place to the next one after this time, ms. */
const PLACE = 10_000;
/** Pause before a sweep that met a store in trouble goes on, ms. */
const RETRY = 5_000;

export interface PolicySweepOptions {
  /** Name of this node, where there are others: only its devices are looked at. */
  readonly node?: string | undefined;
  readonly devices: Pick<DeviceStore, 'list'>;
  readonly observations: { stored(registrationId: string): Promise<readonly StoredObservation[]> };
  readonly book: Pick<PolicyBook, 'desired'>;
  readonly reconciler: Pick<PolicyReconciler, 'isReachable' | 'session' | 'reconcile'>;
  readonly log: Logger;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/**
 * Goes through all registered devices when policies have changed, and once at the start, and has those
 * brought in line that are not. Devices that sleep are left until they speak.
 */
export class PolicySweep {
  readonly #options: PolicySweepOptions;
  readonly #underWay = new Set<Promise<void>>();
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: PolicySweepOptions) {
    this.#options = options;
  }

  /** Whether a change is still on its way to the devices. */
  get running(): boolean {
    return this.#running !== undefined;
  }

  /** A sweep under way begins anew: what it has seen may have changed. */
  start(): void {
    this.#again = true;
    this.#running ??= this.#sweep()
      .catch((error: unknown) => {
        this.#options.log.error({ error }, 'going through the devices after a change of policy met a bug');
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#again && !this.#closed) this.start();
      });
  }

  /** Resolves when no sweep is under way. */
  async done(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  close(): void {
    this.#closed = true;
  }

  async #sweep(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#pass();
    }
  }

  async #pass(): Promise<void> {
    const { devices, log, pause, node } = this.#options;
    let cursor: string | undefined;
    for (let last = false; !last; ) {
      if (this.#closed || this.#again) return;
      try {
        const page = await devices.list({
          limit: PAGE,
          now: 0,
          filter: { states: ['registered'], ...(node === undefined ? {} : { node: [node] }) },
          ...(cursor === undefined ? {} : { cursor }),
        });
        for (const { registration } of page.items)
          if (registration !== undefined) await this.#visit(registration);
        cursor = page.next;
        last = cursor === undefined;
      } catch (error) {
        if (this.#closed) return;
        if (!(error instanceof StoreUnavailableError)) throw error;
        log.warn({ error }, 'devices are not brought in line with their policies now; tried again');
        await pause(RETRY);
      }
    }
    await Promise.all(this.#underWay);
  }

  async #visit(registration: Registration): Promise<void> {
    const { reconciler } = this.#options;
    if (!reconciler.isReachable(registration)) return;
    if (reconciler.session(registration.id) === undefined && (await this.#isInLine(registration))) return;
    while (this.#underWay.size >= AT_ONCE) await Promise.race(this.#underWay);
    if (this.#closed) return;
    const place: Promise<void> = Promise.race([
      reconciler.reconcile(registration),
      this.#options.pause(PLACE),
    ]).finally(() => this.#underWay.delete(place));
    this.#underWay.add(place);
  }

  /** By what the store says: whether the device still observes is seen when it speaks. */
  async #isInLine(registration: Registration): Promise<boolean> {
    const { book, observations } = this.#options;
    const { desired, record } = await book.desired(registration);
    const stored = new Map((await observations.stored(registration.id)).map((one) => [targetKey(one), one]));
    const nodes = attributesOfNodes(registration, desired.wanted);
    return (
      stored.size === desired.wanted.length &&
      [...record.written.keys()].every((path) => nodes.has(path)) &&
      desired.wanted.every((wanted) => {
        const real = stored.get(wanted.key);
        return real !== undefined && isAsWanted(real, wanted);
      })
    );
  }
}

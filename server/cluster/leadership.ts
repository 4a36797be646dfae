import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { Leases } from '../ports/cluster-ports.ts';

/** How long the lead is taken for, and how often that is prolonged, ms. */
const LEASE = 8_000;
const CAMPAIGN = 2_000;
/** So much earlier than the lease runs out it is taken for lost, ms. */
const MARGIN = 1_000;
export const leaseName = 'leader';

/** Work that one node does for all of them. */
export interface LeaderTask {
  /** For the log. */
  readonly name: string;
  /** This node leads from now on. What it rejects with gives the lead back. */
  begin(): Promise<void>;
  /** It leads no more; idempotent. Another node may be at the same work already: the stores stand that. */
  end(): Promise<void>;
}

export interface LeadershipOptions {
  /** Undefined: this node is alone, and leads. */
  readonly leases: Leases | undefined;
  /** Unique to this process; begins with the node's name and a space. */
  readonly holder: string;
  /** Whether the process that holds the lease is there. @throws StoreUnavailableError */
  readonly isThere: (holder: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The node of a holder: `name incarnation`; a name may have spaces. */
export function nameOfHolder(holder: string): string {
  return holder.slice(0, holder.lastIndexOf(' '));
}

/**
 * One node leads. Its work is begun where it is gained and ended where it is lost; each piece of it is such that two
 * nodes that are at it for a moment do no harm, for a lease cannot rule that out: a leader that is held up does not
 * notice that it leads no more.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #tasks: LeaderTask[] = [];
  readonly #listeners: ((leads: boolean) => void)[] = [];
  #timer: Timer | undefined;
  #campaigning: Promise<void> | undefined;
  /** Whether it is to lead; what is begun follows. */
  #wanted = false;
  #settling: Promise<void> | undefined;
  /** How many of the tasks are begun. */
  #begun = 0;
  #leads = false;
  /** `Clock.now` until which the lease is certainly this node's. */
  #until = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** Its work is begun in this order and ended in the reverse one. Before `start`. */
  add(task: LeaderTask): void {
    this.#tasks.push(task);
  }

  /** Hears from then on when this node gains and loses the lead. */
  onChanged(listener: (leads: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** All of its work is begun. */
  get leads(): boolean {
    return this.#leads;
  }

  /** Alone, or first, it leads when that resolves. @throws what a task rejects with, where it is alone */
  async start(): Promise<void> {
    if (this.#options.leases === undefined) {
      await this.#want(true);
      return;
    }
    await this.#campaign().catch((error: unknown) => this.#tell(error));
    this.#schedule();
    // Its failure was told where it happened.
    await this.#settling?.catch(() => undefined);
  }

  /** Gives the lead up; another node takes it at once. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#campaigning;
    await this.#want(false);
    await this.#options.leases?.release(leaseName, this.#options.holder);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(CAMPAIGN, () => {
      this.#campaigning = this.#campaign()
        .catch((error: unknown) => this.#tell(error))
        .finally(() => {
          this.#campaigning = undefined;
          this.#schedule();
        });
    });
  }

  #tell(error: unknown): void {
    this.#options.log.warn({ error }, 'the lead could not be taken or held; tried again');
  }

  async #campaign(): Promise<void> {
    const { leases, holder, clock } = this.#options;
    const asked = clock.now();
    // Held up for longer than the lease lasts: somebody else leads by now, or may.
    if (asked >= this.#until) this.#follow(false);
    let fence: number | undefined;
    try {
      fence = await leases?.take(leaseName, holder, LEASE);
      // One that was killed does not give it back.
      const other = fence === undefined ? await leases?.holder(leaseName) : undefined;
      if (other !== undefined && other !== holder && !(await this.#options.isThere(other))) {
        await leases?.release(leaseName, other);
        fence = await leases?.take(leaseName, holder, LEASE);
      }
    } catch (error) {
      if (clock.now() >= this.#until) this.#follow(false);
      throw error;
    }
    if (this.#closed) return;
    if (fence !== undefined) this.#until = asked + LEASE - MARGIN;
    this.#follow(fence !== undefined);
  }

  #follow(leads: boolean): void {
    this.#want(leads).catch((error: unknown) => {
      this.#options.log.warn({ error }, 'the work of the leader could not be begun; another node may');
    });
  }

  /** Resolves when it is so; rejects where a task could not be begun, and then this node does not lead. */
  #want(leads: boolean): Promise<void> {
    this.#wanted = leads;
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #settle(): Promise<void> {
    for (;;) {
      if (this.#wanted && this.#begun < this.#tasks.length) {
        const task = this.#tasks[this.#begun];
        // Counted before: what was begun by half is ended as well.
        this.#begun++;
        try {
          await task?.begin();
        } catch (error) {
          this.#wanted = false;
          await this.#endAll();
          await this.#options.leases?.release(leaseName, this.#options.holder);
          throw error;
        }
      } else if (!this.#wanted && this.#begun > 0) await this.#endAll();
      else break;
    }
    if (this.#wanted) this.#tellChange(true);
  }

  async #endAll(): Promise<void> {
    this.#tellChange(false);
    while (this.#begun > 0) {
      const task = this.#tasks[--this.#begun];
      try {
        await task?.end();
      } catch (error) {
        this.#options.log.warn({ error, task: task?.name }, 'work of the leader did not end well');
      }
    }
  }

  #tellChange(leads: boolean): void {
    if (this.#leads === leads) return;
    this.#leads = leads;
    if (this.#options.leases !== undefined) {
      this.#options.log.info(leads ? 'this node leads' : 'this node leads no more');
    }
    for (const listener of this.#listeners) listener(leads);
  }
}

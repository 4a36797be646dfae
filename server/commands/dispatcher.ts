import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { DeviceElsewhereError } from '../errors.ts';
import {
  type Command,
  type CommandQueue,
  type CommandTransition,
  finalCommandStates,
} from '../ports/command-queue.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Owner } from '../ports/registration-store.ts';
import type { Pack } from '../telemetry/pack.ts';
import { type CommandKind, type CommandStep, type CommandTurn, SessionEndedError } from './command-kind.ts';
import { asleep, elsewhere, notRegistered, RETRY_AFTER, underWay, type Wait } from './waits.ts';

/** How often commands that wait are looked at, ms. */
const SWEEP_INTERVAL = 5_000;
/** How often the queue is asked for commands that no node has told of, ms: of one that died right behind their making. */
const RESYNC_INTERVAL = 30_000;

/** How long after a step that the store did not answer it is looked at whether it took place, ms. */
const SETTLE_AFTER = 1_000;

/** Where a device is, for what waits for it. */
export interface CommandPlace {
  readonly reachability: 'unregistered' | 'elsewhere' | 'asleep' | 'awake';
  /** By what this node acts on the device; absent where there is no registration. */
  readonly owner?: Owner;
}

/** What a dispatcher needs to know of the others, where several nodes share the queue. */
export interface OtherDispatchers {
  /** Whether another node is carrying the command out now. */
  isUnderWay(command: Command): Promise<boolean>;
}

export interface DispatcherOptions {
  readonly queue: CommandQueue;
  /** How each kind of commands is carried out. */
  readonly kinds: Readonly<Record<string, CommandKind>>;
  /** Whether the device can be spoken to now, and by whom. */
  readonly place: (endpoint: string) => Promise<CommandPlace>;
  /** Absent where this node is alone. */
  readonly others?: OtherDispatchers | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** A command has taken a step. */
  readonly onStep: (command: Command) => void;
  /** What waits for the device waits until it speaks. */
  readonly onUnreachable?: (endpoint: string) => void;
}

/** What is remembered of a device that has a command which is not final. */
interface Pending {
  /** A worker is busy with it. */
  busy: boolean;
  /** Something happened while it was busy: look again. */
  again: boolean;
  /** When it may be looked at without the device having spoken: `Clock.now`. */
  notBefore: number;
  /** It waits for the device to speak, no matter what it says. */
  unreachable: boolean;
  /** Ends the request under way when the device registers anew: it has forgotten the request. */
  session: AbortController | undefined;
  /** Who acts on the device, as it was looked up last. */
  owner: Owner | undefined;
}

function newPending(): Pending {
  return {
    busy: false,
    again: false,
    notBefore: 0,
    unreachable: false,
    session: undefined,
    owner: undefined,
  };
}

/**
 * Brings durable commands to devices, in their order and one per device at a time, and follows them to their
 * end. What a command is, and how it is carried out, its kind knows.
 */
export class CommandDispatcher {
  readonly #options: DispatcherOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #working = new Set<Promise<void>>();
  /** Commands that are being carried out here. */
  readonly #underWay = new Set<string>();
  /** Steps of which nobody knows whether they took place, for the store did not answer; the last of each command. */
  readonly #doubtful = new Map<string, Pick<CommandTransition, 'to' | 'at'> & { readonly since: number }>();
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #resyncedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Takes up the commands that an earlier process left. */
  async start(): Promise<void> {
    await this.#takeUp();
    this.#schedule();
  }

  async #takeUp(): Promise<void> {
    const { queue, clock } = this.#options;
    this.#resyncedAt = clock.now();
    for (const endpoint of await queue.pendingEndpoints())
      if (!this.#pending.has(endpoint)) this.kick(endpoint);
  }

  /** Whether a command is being carried out here now. */
  isUnderWay(id: string): boolean {
    return this.#underWay.has(id);
  }

  /** A command has taken a step, at whichever node. */
  heardOf({ id, endpoint, state }: Pick<Command, 'id' | 'endpoint' | 'state'>): void {
    const pending = this.#pending.get(endpoint);
    if (pending === undefined) {
      if (state === 'queued') this.kick(endpoint);
      return;
    }
    if (pending.busy || this.#underWay.has(id)) return;
    // There may be nothing left that waits, or another one has its turn: looked at with the next sweep.
    if ((finalCommandStates as readonly string[]).includes(state)) {
      pending.notBefore = Math.min(pending.notBefore, this.#options.clock.now());
    }
  }

  /** A node is gone: what waits for devices that it had is looked at anew. */
  nodeGone(): void {
    for (const [endpoint, { unreachable, busy }] of this.#pending)
      if (unreachable && !busy) this.kick(endpoint);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#abort.abort(new Error('the server is closing'));
    await Promise.all(this.#working);
  }

  /** A command was queued, or the device can be reached now. */
  kick(endpoint: string): void {
    const pending = this.#pending.get(endpoint);
    if (pending === undefined) {
      this.#work(endpoint, newPending());
      return;
    }
    pending.notBefore = 0;
    if (pending.busy) pending.again = true;
    else this.#work(endpoint, pending);
  }

  /**
   * The device has registered (`anew`) or updated: something may wait for it. Costs nothing where
   * nothing does.
   */
  reachable(endpoint: string, anew: boolean): void {
    const pending = this.#pending.get(endpoint);
    if (pending === undefined) return;
    if (anew) {
      pending.session?.abort(new SessionEndedError('the device registered anew'));
      pending.session = undefined;
    }
    this.kick(endpoint);
  }

  /** Readings of a device that are in the log now: the outcome of a switch may be among them. */
  observed(pack: Pack): void {
    const pending = this.#pending.get(pack.endpoint);
    if (pending === undefined) return;
    if (pending.unreachable && !pending.busy) this.kick(pack.endpoint);
    if (!Object.values(this.#options.kinds).some((kind) => kind.concerns?.(pack) === true)) return;
    this.#track(
      this.#concludeFrom(pack).catch((error: unknown) => {
        this.#options.log.warn(
          { error, endpoint: pack.endpoint },
          'the outcome of a command was not stored yet',
        );
        this.#retryLater(pack.endpoint);
      }),
    );
  }

  #schedule(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = this.#options.clock.setTimer(SWEEP_INTERVAL, () => {
      this.#track(
        this.#sweep()
          .catch((error: unknown) => this.#options.log.warn({ error }, 'commands could not be looked at'))
          .finally(() => this.#schedule()),
      );
    });
  }

  async #sweep(): Promise<void> {
    const { queue, clock, others } = this.#options;
    if (others !== undefined && clock.now() - this.#resyncedAt >= RESYNC_INTERVAL) await this.#takeUp();
    await this.#settle();
    for (const command of await queue.expire(clock.wallTime(), 500)) {
      this.#options.onStep(command);
      this.kick(command.endpoint);
    }
    const now = clock.now();
    for (const [endpoint, pending] of this.#pending) {
      if (!pending.busy && pending.notBefore <= now) this.#work(endpoint, pending);
    }
  }

  #track(work: Promise<void>): void {
    this.#working.add(work);
    work.finally(() => this.#working.delete(work));
  }

  #work(endpoint: string, pending: Pending): void {
    if (this.#abort.signal.aborted) return;
    pending.busy = true;
    this.#pending.set(endpoint, pending);
    this.#track(
      this.#run(endpoint, pending)
        .catch((error: unknown) => {
          if (this.#abort.signal.aborted) return;
          this.#options.log.warn({ error, endpoint }, 'a command does not get on; tried again');
          pending.notBefore = this.#options.clock.now() + RETRY_AFTER;
          pending.unreachable = false;
        })
        .finally(() => {
          pending.busy = false;
          // Something happened while the last step was wound up.
          if (pending.again && this.#pending.get(endpoint) === pending) this.#work(endpoint, pending);
        }),
    );
  }

  /** Works on the device's commands until there is none, or one that has to wait. */
  async #run(endpoint: string, pending: Pending): Promise<void> {
    for (;;) {
      pending.again = false;
      const command = await this.#options.queue.head(endpoint);
      if (this.#abort.signal.aborted) return;
      if (command === undefined) {
        if (pending.again) continue;
        this.#pending.delete(endpoint);
        return;
      }
      const wait = await this.#advance(command, pending);
      if (this.#abort.signal.aborted) return;
      if (wait === undefined || pending.again) continue;
      pending.notBefore = this.#options.clock.now() + wait.delay;
      pending.unreachable = wait.unreachable;
      if (wait.unreachable && wait !== elsewhere) this.#options.onUnreachable?.(endpoint);
      return;
    }
  }

  /** Takes the next step with a command. Returns how long to wait, or undefined to look again at once. */
  async #advance(command: Command, pending: Pending): Promise<Wait | undefined> {
    const { others } = this.#options;
    const kind = this.#kindOf(command);
    const isQueued = command.state === 'queued';
    if (isQueued && (await this.#expire(command))) return undefined;
    if (isQueued || others !== undefined) {
      const { reachability, owner } = await this.#options.place(command.endpoint);
      pending.owner = owner;
      if (reachability === 'elsewhere') return elsewhere;
      if (isQueued && reachability === 'unregistered') return notRegistered;
      if (isQueued && reachability === 'asleep') return asleep;
    }
    // Who has sent it may be about to learn how it went.
    if (command.state === 'sent' && (await others?.isUnderWay(command)) === true) return underWay;
    pending.session ??= new AbortController();
    const turn: CommandTurn = {
      step: (at, step) => this.#step(at, step, pending.owner),
      signal: AbortSignal.any([this.#abort.signal, pending.session.signal]),
      closing: () => this.#abort.signal.aborted,
    };
    this.#underWay.add(command.id);
    try {
      return await kind.advance(command, turn);
    } catch (error) {
      // It went to another node before anything was sent, or what was sent is that one's to follow up.
      if (error instanceof DeviceElsewhereError) return elsewhere;
      throw error;
    } finally {
      this.#underWay.delete(command.id);
    }
  }

  /** @throws Error a kind that this version does not know, as after going back to an older one */
  #kindOf({ id, kind }: Command): CommandKind {
    const known = this.#options.kinds[kind];
    if (known === undefined)
      throw new Error(`command ${id} is of a kind that this version does not know: ${kind}`);
    return known;
  }

  /** The queue is swept now and then only: what is past its time is not sent meanwhile. True where it has expired. */
  async #expire({ id, expiresAt }: Command): Promise<boolean> {
    const at = Math.floor(this.#options.clock.wallTime());
    if (at < expiresAt) return false;
    await this.#take({ id, from: ['queued'], to: 'expired', at });
    return true;
  }

  async #concludeFrom(pack: Pack): Promise<void> {
    const command = await this.#options.queue.head(pack.endpoint);
    if (command === undefined || (command.state !== 'accepted' && command.state !== 'sent')) return;
    const turn = { step: (at: Command, step: CommandStep) => this.#step(at, step) };
    if ((await this.#kindOf(command).observed?.(command, pack, turn)) === true) this.kick(pack.endpoint);
  }

  #retryLater(endpoint: string): void {
    const pending = this.#pending.get(endpoint);
    if (pending !== undefined) pending.notBefore = this.#options.clock.now() + SWEEP_INTERVAL;
  }

  async #step(command: Command, step: CommandStep, owner?: Owner): Promise<Command | undefined> {
    const goesOut = step.to === 'sent' && step.attempt === true;
    // It waited for its turn at the device, and its time is over.
    if (goesOut && (await this.#expire(command))) return undefined;
    const at = Math.floor(this.#options.clock.wallTime());
    // A node that was held up must not send to a device that another one has by now.
    const by = goesOut && owner !== undefined ? { owner } : {};
    return this.#take({ id: command.id, at, ...step, ...by });
  }

  /** Takes a step, and tells it. */
  async #take(step: CommandTransition): Promise<Command | undefined> {
    const { queue, clock, onStep } = this.#options;
    let after: Command | undefined;
    try {
      after = await queue.transition(step);
    } catch (error) {
      const { id, to, at } = step;
      if (error instanceof StoreUnavailableError) this.#doubtful.set(id, { to, at, since: clock.now() });
      throw error;
    }
    if (after !== undefined) onStep(after);
    return after;
  }

  /** Tells the steps that took place although the store could not say so: nobody else will. */
  async #settle(): Promise<void> {
    const { queue, clock, onStep } = this.#options;
    for (const [id, doubt] of this.#doubtful) {
      // What was asked last may still be carried out.
      if (clock.now() - doubt.since < SETTLE_AFTER) continue;
      const command = await queue.get(id);
      if (this.#doubtful.get(id) !== doubt) continue;
      this.#doubtful.delete(id);
      if (command?.state !== doubt.to || command.updatedAt !== doubt.at) continue;
      onStep(command);
      this.kick(command.endpoint);
    }
  }
}

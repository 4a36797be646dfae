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
import type { Owner, Registration } from '../ports/registration-store.ts';
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
  /** As the device is registered here; absent where it is not. */
  readonly registration?: Registration;
}

/** Where the commands of a device stand. */
export interface CommandsLookedUp {
  /** The oldest that is not final. */
  readonly command: Command | undefined;
  /** Where the device is, where that was looked up with it. */
  readonly place: CommandPlace | undefined;
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
  /** The oldest command that is not final, as far as this node knows. */
  head: Command | undefined;
}

function newPending(): Pending {
  return {
    busy: false,
    again: false,
    notBefore: 0,
    unreachable: false,
    session: undefined,
    owner: undefined,
    head: undefined,
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

  /**
   * Looks up a device that has no command here, to be called in the turn in which one is given to the queue: a store that
   * answers both at once has the command sent by so much sooner. For `kick`, when it is there; undefined where that one
   * is to look itself.
   */
  lookAhead(endpoint: string): Promise<CommandsLookedUp> | undefined {
    if (this.#options.others !== undefined || this.#pending.has(endpoint)) return undefined;
    const looked = this.#lookUp(endpoint, true);
    // Where no command was queued nobody asks for it; who does hears of the failure.
    looked.catch(() => undefined);
    return looked;
  }

  /** A command was queued, or the device can be reached now. */
  kick(endpoint: string, looked?: Promise<CommandsLookedUp>): void {
    const pending = this.#pending.get(endpoint);
    if (pending === undefined) {
      this.#work(endpoint, newPending(), looked);
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

  /**
   * Whether somebody waits for readings of this device: they may tell how a command of its own went, or have to be
   * acknowledged before it can tell. Those of jobs come by the thousand, and can wait.
   */
  isAwaited({ endpoint }: Pick<Pack, 'endpoint'>): boolean {
    const head = this.#pending.get(endpoint)?.head;
    return isOut(head) && head.job === undefined;
  }

  /**
   * Readings of a device are given to the log in this turn: the outcome of a switch may be among them. It is stored with
   * them, in the same step where the store takes both at once, and told behind them: what is returned is to be called
   * with whether they are in the log.
   */
  arriving(pack: Pack): ((isKept: boolean) => void) | undefined {
    const pending = this.#pending.get(pack.endpoint);
    if (pending === undefined) return undefined;
    if (pending.unreachable && !pending.busy) this.kick(pack.endpoint);
    if (!Object.values(this.#options.kinds).some((kind) => kind.concerns?.(pack) === true)) return undefined;
    const { promise: settled, resolve } = Promise.withResolvers<boolean>();
    this.#track(
      this.#concludeFrom(pack, pending.head, settled).catch((error: unknown) => {
        this.#options.log.warn(
          { error, endpoint: pack.endpoint },
          'the outcome of a command was not stored yet',
        );
        this.#retryLater(pack.endpoint);
      }),
    );
    return resolve;
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

  #work(endpoint: string, pending: Pending, looked?: Promise<CommandsLookedUp>): void {
    if (this.#abort.signal.aborted) return;
    pending.busy = true;
    this.#pending.set(endpoint, pending);
    this.#track(
      this.#run(endpoint, pending, looked)
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
  async #run(endpoint: string, pending: Pending, ahead?: Promise<CommandsLookedUp>): Promise<void> {
    let looked = await ahead;
    // A store may answer what was asked behind a command without having it.
    if (looked?.command === undefined) looked = undefined;
    for (let isFirst = true; ; isFirst = false) {
      pending.again = false;
      const { command, place } = looked ?? (await this.#lookUp(endpoint, isFirst));
      looked = undefined;
      if (this.#abort.signal.aborted) return;
      pending.head = command;
      if (command === undefined) {
        if (pending.again) continue;
        this.#pending.delete(endpoint);
        return;
      }
      const wait = await this.#advance(command, pending, place);
      if (this.#abort.signal.aborted) return;
      if (wait === undefined || pending.again) continue;
      pending.notBefore = this.#options.clock.now() + wait.delay;
      pending.unreachable = wait.unreachable;
      if (wait.unreachable && wait !== elsewhere) this.#options.onUnreachable?.(endpoint);
      return;
    }
  }

  /**
   * The device's oldest command that is not final, and with it where the device is, where that is likely to be asked
   * next. Where a device may be with another node, asking may take it over, and waits until something is to be sent.
   */
  async #lookUp(endpoint: string, isFirst: boolean): Promise<CommandsLookedUp> {
    const { queue, place, others } = this.#options;
    const head = queue.head(endpoint);
    if (!isFirst || others !== undefined) return { command: await head, place: undefined };
    const [command, found] = await Promise.all([head, place(endpoint)]);
    return { command, place: found };
  }

  /**
   * Takes the next step with a command. Returns how long to wait, or undefined to look again at once.
   * @param looked where the device is, where that was looked up with the command
   */
  async #advance(
    command: Command,
    pending: Pending,
    looked: CommandPlace | undefined,
  ): Promise<Wait | undefined> {
    const { others } = this.#options;
    const kind = this.#kindOf(command);
    const isQueued = command.state === 'queued';
    let registration: Registration | undefined;
    if (isQueued && (await this.#expire(command))) return undefined;
    if (isQueued || others !== undefined) {
      const place = looked ?? (await this.#options.place(command.endpoint));
      const { reachability, owner } = place;
      registration = place.registration;
      pending.owner = owner;
      if (reachability === 'elsewhere') return elsewhere;
      if (isQueued && reachability === 'unregistered') return notRegistered;
      if (isQueued && reachability === 'asleep') return asleep;
    }
    // Who has sent it may be about to learn how it went.
    if (command.state === 'sent' && (await others?.isUnderWay(command)) === true) return underWay;
    pending.session ??= new AbortController();
    const turn: CommandTurn = {
      step: (at, step) => this.#step(at, step, { owner: pending.owner }),
      ...(registration === undefined ? {} : { registration }),
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

  /**
   * @param known the command that the device works on; looked up where this node does not know that it was sent
   * @param settled whether the readings are in the log, when that is known
   */
  async #concludeFrom(pack: Pack, known: Command | undefined, settled: Promise<boolean>): Promise<void> {
    let command = known;
    if (!isOut(command)) {
      // Readings that the log did not take come again.
      if (!(await settled)) return;
      command = await this.#options.queue.head(pack.endpoint);
      if (!isOut(command)) return;
    }
    const turn = { step: (at: Command, step: CommandStep) => this.#step(at, step, { told: settled }) };
    if ((await this.#kindOf(command).observed?.(command, pack, turn)) === true) this.kick(pack.endpoint);
  }

  #retryLater(endpoint: string): void {
    const pending = this.#pending.get(endpoint);
    if (pending !== undefined) pending.notBefore = this.#options.clock.now() + SWEEP_INTERVAL;
  }

  /** `owner`: by what it is sent. `told`: what others hear of first. */
  async #step(
    command: Command,
    step: CommandStep,
    { owner, told }: { readonly owner?: Owner | undefined; readonly told?: Promise<unknown> } = {},
  ): Promise<Command | undefined> {
    const goesOut = step.to === 'sent' && step.attempt === true;
    // It waited for its turn at the device, and its time is over.
    if (goesOut && (await this.#expire(command))) return undefined;
    const at = Math.floor(this.#options.clock.wallTime());
    // A node that was held up must not send to a device that another one has by now.
    const by = goesOut && owner !== undefined ? { owner } : {};
    return this.#take({ id: command.id, at, ...step, ...by }, told);
  }

  /** Takes a step, and tells it, behind what is to be told first. */
  async #take(step: CommandTransition, told?: Promise<unknown>): Promise<Command | undefined> {
    const { queue, clock, onStep } = this.#options;
    let after: Command | undefined;
    try {
      after = await queue.transition(step);
    } catch (error) {
      const { id, to, at } = step;
      if (error instanceof StoreUnavailableError) this.#doubtful.set(id, { to, at, since: clock.now() });
      throw error;
    }
    if (after === undefined) return undefined;
    const pending = this.#pending.get(after.endpoint);
    if (pending?.head?.id === after.id) pending.head = after;
    await told;
    onStep(after);
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

/** Whether the device has the command, or may have it, and has not told how it went. */
function isOut(command: Command | undefined): command is Command {
  return command?.state === 'sent' || command?.state === 'accepted';
}

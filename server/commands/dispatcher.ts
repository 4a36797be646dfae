import type { Logger } from 'pino';
import { carrierObject as definition } from '../../objects/carrier.ts';
import { toApiValue } from '../../objects/values.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { CoapResponseError, ResetError } from '../../protocol/coap/errors.ts';
import { Code } from '../../protocol/coap/message.ts';
import { DecodeError, TimeoutError } from '../../protocol/errors.ts';
import { NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { Command, CommandQueue, CommandState, CommandTransition } from '../ports/command-queue.ts';
import type { Pack } from '../telemetry/pack.ts';
import { type CarrierValues, carrierValues, judge, type SwitchOutcome } from './carrier-object.ts';
import { askLater, noAnswer, notRegistered, RETRY_AFTER, sendLater, type Wait } from './waits.ts';

/** Time for the device to take a command, ms: past MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2). */
const EXECUTE_TIMEOUT = 95_000;
const READ_TIMEOUT = 30_000;
/** How often commands that wait are looked at, ms. */
const SWEEP_INTERVAL = 5_000;
/** After that long without an outcome nobody can tell any more, ms. */
const GIVE_UP_AFTER = 30 * 60_000;
export interface DispatcherOptions {
  readonly queue: CommandQueue;
  readonly requests: DeviceRequests;
  readonly isRegistered: (endpoint: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly carrierObject: number;
  /** A command has taken a step. */
  readonly onStep: (command: Command) => void;
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
  session: AbortController;
}

/** The device registered anew while it was asked. */
class SessionEndedError extends Error {}

/**
 * Brings durable commands to devices, one per device at a time, and follows them to their end.
 *
 * A carrier switch is Execute on the Carrier object with the command's number. Devices that have the
 * resource Last Command keep that number on disk and execute each at most once, so for them an
 * Execute without an answer is sent again; for others it is sent once, and `unknown` says honestly
 * that nobody can tell.
 */
export class CommandDispatcher {
  readonly #options: DispatcherOptions;
  readonly #pending = new Map<string, Pending>();
  readonly #working = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #timer: Timer | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Takes up the commands that an earlier process left. */
  async start(): Promise<void> {
    for (const endpoint of await this.#options.queue.pendingEndpoints()) this.kick(endpoint);
    this.#schedule();
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
      this.#work(endpoint, {
        busy: false,
        again: false,
        notBefore: 0,
        unreachable: false,
        session: new AbortController(),
      });
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
      pending.session.abort(new SessionEndedError('the device registered anew'));
      pending.session = new AbortController();
    }
    this.kick(endpoint);
  }

  /** Readings of a device that are in the log now: the outcome of a switch may be among them. */
  observed(pack: Pack): void {
    const pending = this.#pending.get(pack.endpoint);
    if (pending === undefined) return;
    if (pending.unreachable && !pending.busy) this.kick(pack.endpoint);
    const prefix = `/${this.#options.carrierObject}/`;
    if (!pack.series.some(({ path }) => path.startsWith(prefix))) return;
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
    const { queue, clock } = this.#options;
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
      return;
    }
  }

  /** Takes the next step with a command. Returns how long to wait, or undefined to look again at once. */
  async #advance(command: Command, pending: Pending): Promise<Wait | undefined> {
    if (command.state === 'queued') return this.#send(command, pending);
    if (command.state === 'sent') return this.#unanswered(command, pending);
    return this.#ask(command, pending);
  }

  async #send(command: Command, pending: Pending): Promise<Wait | undefined> {
    const { requests, clock, carrierObject, isRegistered } = this.#options;
    const { endpoint, number } = command;
    if (!(await isRegistered(endpoint))) return notRegistered;
    const { carrier, slot } = switchParameters(command);
    const sent = await this.#step(command, { from: ['queued'], to: 'sent', attempt: true });
    if (sent === undefined) return undefined;
    try {
      await requests.execute(
        endpoint,
        `/${carrierObject}/${slot}/${definition.resources.switch.id}`,
        `0='${carrier}',1='${number}'`,
        {
          timeout: Math.min(EXECUTE_TIMEOUT, Math.max(1_000, command.expiresAt - clock.wallTime())),
          signal: AbortSignal.any([this.#abort.signal, pending.session.signal]),
        },
      );
    } catch (error) {
      if (this.#abort.signal.aborted) return undefined;
      return this.#notTaken(sent, pending, error);
    }
    await this.#step(command, { from: ['sent'], to: 'accepted' });
    return askLater;
  }

  async #notTaken(command: Command, pending: Pending, error: unknown): Promise<Wait | undefined> {
    if (error instanceof NotRegisteredError || error instanceof UnknownDeviceError) {
      await this.#step(command, { from: ['sent'], to: 'queued', reason: 'waits for the device to register' });
      return notRegistered;
    }
    if (error instanceof CoapResponseError) {
      if (error.code === Code.SERVICE_UNAVAILABLE || error.code === Code.TOO_MANY_REQUESTS) {
        await this.#step(command, {
          from: ['sent'],
          to: 'queued',
          reason: `the device is busy: ${error.message}`,
        });
        return sendLater(command);
      }
      await this.#step(command, {
        from: ['sent'],
        to: 'failed',
        reason: `the device refused: ${error.message}`,
      });
      return undefined;
    }
    // A RST comes at once, so the next attempt waits; after silence enough time has passed.
    if (error instanceof ResetError) return this.#unanswered(command, pending, sendLater(command));
    if (error instanceof TimeoutError || error instanceof SessionEndedError) {
      return this.#unanswered(command, pending);
    }
    throw error;
  }

  /**
   * It may or may not have reached the device: silence, or the process that sent it died. `pause`: before it is sent
   * again, where it had not.
   */
  async #unanswered(command: Command, pending: Pending, pause?: Wait): Promise<Wait | undefined> {
    const values = await this.#readSlot(command, pending);
    if (typeof values === 'string') {
      const patience = Math.max(command.expiresAt, command.updatedAt + GIVE_UP_AFTER);
      if (this.#options.clock.wallTime() < patience) return noAnswer;
      const reason = 'the device has not answered, and has not been heard since';
      await this.#step(command, { from: ['sent'], to: 'unknown', reason });
      return undefined;
    }
    if (values.lastCommand === undefined) {
      const reason = 'the device did not answer, and cannot tell whether it took the command';
      await this.#step(command, { from: ['sent'], to: 'unknown', reason });
      return undefined;
    }
    if (values.lastCommand < command.number) {
      await this.#step(command, {
        from: ['sent'],
        to: 'queued',
        reason: 'the device had not taken it; sent again',
      });
      return pause;
    }
    const accepted = await this.#step(command, { from: ['sent'], to: 'accepted' });
    if (accepted !== undefined && (await this.#conclude(accepted, judge(values, command.number)))) {
      return undefined;
    }
    return askLater;
  }

  /** The device has taken it, and has not told how it went. */
  async #ask(command: Command, pending: Pending): Promise<Wait | undefined> {
    const values = await this.#readSlot(command, pending);
    const answered = typeof values !== 'string';
    if (answered && (await this.#conclude(command, judge(values, command.number)))) return undefined;
    // A device that is away may still tell, so it has as long as the command; one that can be asked has not.
    const patience = Math.max(
      command.updatedAt + GIVE_UP_AFTER,
      values === 'unreachable' ? command.expiresAt : 0,
    );
    if (this.#options.clock.wallTime() > patience) {
      await this.#step(command, {
        from: ['accepted'],
        to: 'unknown',
        reason: 'the device never told how it went',
      });
      return undefined;
    }
    return answered ? askLater : noAnswer;
  }

  /** Why there are no values: nobody answers, or what is answered is of no use. */
  async #readSlot(command: Command, pending: Pending): Promise<CarrierValues | 'unreachable' | 'unreadable'> {
    const { carrierObject, requests } = this.#options;
    const { endpoint } = command;
    const { slot } = switchParameters(command);
    try {
      const { records } = await requests.read(endpoint, `/${carrierObject}/${slot}`, {
        timeout: READ_TIMEOUT,
        signal: AbortSignal.any([this.#abort.signal, pending.session.signal]),
      });
      return carrierValues(
        { object: carrierObject, instance: slot },
        records.map((record) => ({ path: record.path, value: toApiValue(record.value) })),
      );
    } catch (error) {
      const unreadable =
        error instanceof CoapResponseError ||
        error instanceof DecodeError ||
        error instanceof UnknownDeviceError;
      const unreachable =
        error instanceof NotRegisteredError ||
        error instanceof TimeoutError ||
        error instanceof ResetError ||
        // It is asked again at once: a registration is a kick.
        error instanceof SessionEndedError ||
        this.#abort.signal.aborted;
      if (!unreadable && !unreachable) throw error;
      this.#options.log.debug({ endpoint, error }, 'the device cannot be asked for an outcome now');
      return unreadable ? 'unreadable' : 'unreachable';
    }
  }

  async #concludeFrom(pack: Pack): Promise<void> {
    const command = await this.#options.queue.head(pack.endpoint);
    if (command === undefined || (command.state !== 'accepted' && command.state !== 'sent')) return;
    const { slot } = switchParameters(command);
    const values = carrierValues(
      { object: this.#options.carrierObject, instance: slot },
      pack.series.flatMap(({ path, values: readings }) => {
        const value = readings.at(-1);
        return value === undefined ? [] : [{ path, value }];
      }),
    );
    // A notification may have been under way before the command: only the command's own outcome counts.
    if (values.lastCommand !== command.number) return;
    if (await this.#conclude(command, judge(values, command.number))) this.kick(pack.endpoint);
  }

  /** True when the command is final now. */
  async #conclude(command: Command, outcome: SwitchOutcome): Promise<boolean> {
    if (outcome.kind === 'pending') return false;
    if (outcome.kind === 'lost') {
      await this.#step(command, { from: ['sent', 'accepted'], to: 'unknown', reason: outcome.reason });
      return true;
    }
    const { current, iccid, imsi, lastResult } = outcome.values;
    await this.#step(command, {
      // The card's word may overtake the device's 2.04.
      from: ['sent', 'accepted'],
      to: outcome.kind,
      reason: outcome.reason,
      result: {
        ...(lastResult === undefined ? {} : { answer: lastResult }),
        ...(current === undefined ? {} : { carrier: current }),
        ...(iccid === undefined ? {} : { iccid }),
        ...(imsi === undefined ? {} : { imsi }),
      },
    });
    return true;
  }

  #retryLater(endpoint: string): void {
    const pending = this.#pending.get(endpoint);
    if (pending !== undefined) pending.notBefore = this.#options.clock.now() + SWEEP_INTERVAL;
  }

  async #step(
    command: Command,
    step: Omit<CommandTransition, 'id' | 'at'> & { readonly from: readonly CommandState[] },
  ): Promise<Command | undefined> {
    const { queue, clock, onStep } = this.#options;
    const after = await queue.transition({ id: command.id, at: Math.floor(clock.wallTime()), ...step });
    if (after !== undefined) onStep(after);
    return after;
  }
}

/** Parameters of a `carrier-switch`, as CarrierService made them. */
function switchParameters(command: Command): { readonly carrier: number; readonly slot: number } {
  const { carrier, slot } = command.parameters;
  if (command.kind !== 'carrier-switch' || typeof carrier !== 'number' || typeof slot !== 'number') {
    throw new Error(`command ${command.id} is no carrier switch that this version knows`);
  }
  return { carrier, slot };
}

import type { Logger } from 'pino';
import { carrierObject as definition } from '../../objects/carrier.ts';
import { toApiValue } from '../../objects/values.ts';
import type { Clock } from '../../protocol/clock.ts';
import { CoapResponseError, ResetError } from '../../protocol/coap/errors.ts';
import { Code } from '../../protocol/coap/message.ts';
import { BusyError, DecodeError, TimeoutError } from '../../protocol/errors.ts';
import { NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import { NotSentError } from '../lwm2m/device-reach.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { Command } from '../ports/command-queue.ts';
import type { Pack } from '../telemetry/pack.ts';
import { type CarrierValues, carrierValues, judge, type SwitchOutcome } from './carrier-object.ts';
import { type CommandKind, type CommandTurn, SessionEndedError } from './command-kind.ts';
import { Sending, WithdrawnError } from './sending.ts';
import { askLater, noAnswer, notRegistered, sendLater, type Wait } from './waits.ts';

/** Time for the device to take a command, ms: past MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2). */
const EXECUTE_TIMEOUT = 95_000;
const READ_TIMEOUT = 30_000;
/** After that long without an outcome nobody can tell any more, ms. */
const GIVE_UP_AFTER = 30 * 60_000;

export interface CarrierSwitchOptions {
  readonly requests: Pick<DeviceRequests, 'execute' | 'read'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly carrierObject: number;
}

/**
 * A carrier switch is Execute on the Carrier object with the command's number. Devices that have the
 * resource Last Command keep that number on disk and execute each at most once, so for them an
 * Execute without an answer is sent again; for others it is sent once, and `unknown` says honestly
 * that nobody can tell.
 */
export class CarrierSwitch implements CommandKind {
  readonly #options: CarrierSwitchOptions;

  constructor(options: CarrierSwitchOptions) {
    this.#options = options;
  }

  async advance(command: Command, turn: CommandTurn): Promise<Wait | undefined> {
    if (command.state === 'queued') return this.#send(command, turn);
    if (command.state === 'sent') return this.#unanswered(command, turn);
    return this.#ask(command, turn);
  }

  concerns(pack: Pack): boolean {
    const prefix = `/${this.#options.carrierObject}/`;
    return pack.series.some(({ path }) => path.startsWith(prefix));
  }

  observed(command: Command, pack: Pack, turn: Pick<CommandTurn, 'step'>): Promise<boolean> {
    const { slot } = switchParameters(command);
    const values = carrierValues(
      { object: this.#options.carrierObject, instance: slot },
      pack.series.flatMap(({ path, values: readings }) => {
        const value = readings.at(-1);
        return value === undefined ? [] : [{ path, value }];
      }),
    );
    // A notification may have been under way before the command: only the command's own outcome counts.
    if (values.lastCommand !== command.number) return Promise.resolve(false);
    return this.#conclude(command, judge(values, command.number), turn);
  }

  async #send(command: Command, turn: CommandTurn): Promise<Wait | undefined> {
    const { requests, clock, carrierObject } = this.#options;
    const { endpoint, number } = command;
    const { carrier, slot } = switchParameters(command);
    const sending = new Sending(command, turn);
    try {
      await requests.execute(
        endpoint,
        `/${carrierObject}/${slot}/${definition.resources.switch.id}`,
        `0='${carrier}',1='${number}'`,
        {
          timeout: Math.min(EXECUTE_TIMEOUT, Math.max(1_000, command.expiresAt - clock.wallTime())),
          signal: turn.signal,
          beforeSend: sending.begin,
          ...(turn.registration === undefined ? {} : { registration: turn.registration }),
        },
      );
    } catch (error) {
      if (error instanceof NotSentError) return sending.notSent(error);
      if (turn.closing() || error instanceof WithdrawnError) return undefined;
      return this.#notTaken(sending, turn, error);
    }
    await turn.step(command, { from: ['sent'], to: 'accepted' });
    return askLater;
  }

  async #notTaken(sending: Sending, turn: CommandTurn, error: unknown): Promise<Wait | undefined> {
    if (error instanceof NotRegisteredError || error instanceof UnknownDeviceError) {
      await sending.takeBack('waits for the device to register');
      return notRegistered;
    }
    const { command } = sending;
    if (error instanceof BusyError) {
      await sending.takeBack(error.message);
      return sendLater(command);
    }
    if (!sending.begun && (error instanceof TimeoutError || error instanceof SessionEndedError))
      return noAnswer;
    if (error instanceof CoapResponseError) {
      if (error.code === Code.SERVICE_UNAVAILABLE || error.code === Code.TOO_MANY_REQUESTS) {
        await turn.step(command, {
          from: ['sent'],
          to: 'queued',
          reason: `the device is busy: ${error.message}`,
        });
        return sendLater(command);
      }
      await turn.step(command, {
        from: ['sent'],
        to: 'failed',
        reason: `the device refused: ${error.message}`,
      });
      return undefined;
    }
    // A RST comes at once, so the next attempt waits; after silence enough time has passed.
    if (error instanceof ResetError) return this.#unanswered(command, turn, sendLater(command));
    if (error instanceof TimeoutError || error instanceof SessionEndedError) {
      return this.#unanswered(command, turn);
    }
    throw error;
  }

  /**
   * It may or may not have reached the device: silence, or the process that sent it died. `pause`: before it is sent
   * again, where it had not.
   */
  async #unanswered(command: Command, turn: CommandTurn, pause?: Wait): Promise<Wait | undefined> {
    const values = await this.#readSlot(command, turn);
    if (typeof values === 'string') {
      const patience = Math.max(command.expiresAt, command.updatedAt + GIVE_UP_AFTER);
      if (this.#options.clock.wallTime() < patience) return noAnswer;
      const reason = 'the device has not answered, and has not been heard since';
      await turn.step(command, { from: ['sent'], to: 'unknown', reason });
      return undefined;
    }
    if (values.lastCommand === undefined) {
      const reason = 'the device did not answer, and cannot tell whether it took the command';
      await turn.step(command, { from: ['sent'], to: 'unknown', reason });
      return undefined;
    }
    if (values.lastCommand < command.number) {
      await turn.step(command, {
        from: ['sent'],
        to: 'queued',
        reason: 'the device had not taken it; sent again',
      });
      return pause;
    }
    const accepted = await turn.step(command, { from: ['sent'], to: 'accepted' });
    if (accepted !== undefined && (await this.#conclude(accepted, judge(values, command.number), turn))) {
      return undefined;
    }
    return askLater;
  }

  /** The device has taken it, and has not told how it went. */
  async #ask(command: Command, turn: CommandTurn): Promise<Wait | undefined> {
    const values = await this.#readSlot(command, turn);
    const answered = typeof values !== 'string';
    if (answered && (await this.#conclude(command, judge(values, command.number), turn))) return undefined;
    // A device that is away may still tell, so it has as long as the command; one that can be asked has not.
    const patience = Math.max(
      command.updatedAt + GIVE_UP_AFTER,
      values === 'unreachable' ? command.expiresAt : 0,
    );
    if (this.#options.clock.wallTime() > patience) {
      await turn.step(command, {
        from: ['accepted'],
        to: 'unknown',
        reason: 'the device never told how it went',
      });
      return undefined;
    }
    return answered ? askLater : noAnswer;
  }

  /** Why there are no values: nobody answers, or what is answered is of no use. */
  async #readSlot(
    command: Command,
    turn: CommandTurn,
  ): Promise<CarrierValues | 'unreachable' | 'unreadable'> {
    const { carrierObject, requests } = this.#options;
    const { endpoint } = command;
    const { slot } = switchParameters(command);
    try {
      const { records } = await requests.read(endpoint, `/${carrierObject}/${slot}`, {
        timeout: READ_TIMEOUT,
        signal: turn.signal,
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
        turn.closing();
      if (!unreadable && !unreachable) throw error;
      this.#options.log.debug({ endpoint, error }, 'the device cannot be asked for an outcome now');
      return unreadable ? 'unreadable' : 'unreachable';
    }
  }

  /** True when the command is final now. */
  async #conclude(
    command: Command,
    outcome: SwitchOutcome,
    turn: Pick<CommandTurn, 'step'>,
  ): Promise<boolean> {
    if (outcome.kind === 'pending') return false;
    if (outcome.kind === 'lost') {
      await turn.step(command, { from: ['sent', 'accepted'], to: 'unknown', reason: outcome.reason });
      return true;
    }
    const { current, iccid, imsi, lastResult } = outcome.values;
    await turn.step(command, {
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
}

/** Parameters of a `carrier-switch`, as CarrierService made them. */
function switchParameters(command: Command): { readonly carrier: number; readonly slot: number } {
  const { carrier, slot } = command.parameters;
  if (command.kind !== 'carrier-switch' || typeof carrier !== 'number' || typeof slot !== 'number') {
    throw new Error(`command ${command.id} is no carrier switch that this version knows`);
  }
  return { carrier, slot };
}

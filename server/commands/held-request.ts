import { CoapResponseError, ResetError } from '../../protocol/coap/errors.ts';
import { Code, formatCode } from '../../protocol/coap/message.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { DoneUnreadableError, NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import { NotSentError } from '../lwm2m/device-reach.ts';
import type { DeviceRequestOptions } from '../lwm2m/device-requests.ts';
import type { Command } from '../ports/command-queue.ts';
import { type CommandKind, type CommandStep, type CommandTurn, SessionEndedError } from './command-kind.ts';
import { Sending, WithdrawnError } from './sending.ts';
import { noAnswer, notRegistered, sendLater, type Wait } from './waits.ts';

/** Of one attempt, all its blocks together, ms. Silence ends it earlier: MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2). */
const ATTEMPT_TIMEOUT = 15 * 60_000;
/** A device that rejects a message so often will not take it. */
const MAX_RESETS = 5;
/** Characters of a result as JSON that are kept with the command. */
const MAX_RESULT = 262_144;

/** Operations of which a second time changes nothing. */
const idempotent = new Set([
  'read',
  'discover',
  'write-attributes',
  'observe',
  'cancel',
  'delete',
  'read-composite',
  'write-composite',
  'observe-composite',
  'cancel-composite',
]);

/** Operations that change something at the device. */
const changing = new Set(['write', 'execute', 'create', 'delete', 'write-attributes', 'write-composite']);

/** Whether the device may be asked a second time by such a request: Write by PUT is, by POST it is not (RFC 7252 §5.8). */
export function isIdempotent({ parameters }: Pick<Command, 'parameters'>): boolean {
  const { operation, mode, value } = parameters;
  // One value is written by PUT whatever the mode.
  const put = mode !== 'update' || value !== undefined;
  return idempotent.has(String(operation)) || (operation === 'write' && put);
}

export interface HeldRequestOptions {
  /** Carries the operation out on the device; what it resolves with is the result, as JSON. Throws as DeviceRequests. */
  readonly perform: (
    command: Command,
    options: DeviceRequestOptions,
  ) => Promise<Readonly<Record<string, unknown>>>;
}

/**
 * A request to a device that is held until the device can be asked. What is idempotent is sent again after
 * silence, when the device next speaks; what is not goes out at most once, beyond CoAP's own retransmissions,
 * and where nobody can tell whether it was carried out, its state is `unknown`.
 */
export class HeldRequest implements CommandKind {
  readonly #options: HeldRequestOptions;
  /** What became of commands that were sent, where the store has not taken it yet. */
  readonly #steps = new Map<string, CommandStep>();

  constructor(options: HeldRequestOptions) {
    this.#options = options;
  }

  async advance(command: Command, turn: CommandTurn): Promise<Wait | undefined> {
    const known = this.#steps.get(command.id);
    if (known !== undefined) return this.#end(command, turn, known);
    if (command.state !== 'queued') {
      // The process that sent it is gone.
      return this.#lost(command, turn, 'the server stopped while it was under way', undefined);
    }
    const sending = new Sending(command, turn);
    try {
      const result = await this.#options.perform(command, {
        timeout: ATTEMPT_TIMEOUT,
        signal: turn.signal,
        beforeSend: sending.begin,
      });
      return await this.#end(command, turn, {
        from: ['queued', 'sent'],
        to: 'done',
        result: bounded(result),
      });
    } catch (error) {
      if (error instanceof NotSentError) return sending.notSent(error);
      if (turn.closing() || error instanceof WithdrawnError) return undefined;
      return this.#notDone(sending, turn, error);
    }
  }

  async #notDone(sending: Sending, turn: CommandTurn, error: unknown): Promise<Wait | undefined> {
    const { command, begun } = sending;
    if (error instanceof CoapResponseError) return this.#refused(sending, turn, error);
    if (error instanceof NotRegisteredError || error instanceof UnknownDeviceError) {
      if (!begun) return notRegistered;
      return this.#lost(command, turn, 'the registration ended meanwhile', notRegistered);
    }
    if (error instanceof ResetError) {
      if (command.attempts >= MAX_RESETS)
        return this.#fail(command, turn, `the device rejects it: ${error.message}`);
      return this.#later(sending, turn, `the device rejected the message: ${error.message}`);
    }
    if (error instanceof TimeoutError || error instanceof SessionEndedError) {
      if (!begun) return noAnswer;
      return this.#lost(command, turn, error.message, noAnswer);
    }
    if (error instanceof DecodeError) return this.#unreadable(command, turn, error);
    if (error instanceof BusyError) return this.#later(sending, turn, error.message);
    if (error instanceof RequestError) return this.#fail(command, turn, error.message);
    throw error;
  }

  async #refused(sending: Sending, turn: CommandTurn, error: CoapResponseError): Promise<Wait | undefined> {
    const { command } = sending;
    if (error.code === Code.SERVICE_UNAVAILABLE || error.code === Code.TOO_MANY_REQUESTS) {
      return this.#later(sending, turn, `the device is busy: ${error.message}`);
    }
    if (
      error.code === Code.NOT_FOUND &&
      command.parameters['operation'] === 'delete' &&
      command.attempts > 1
    ) {
      const reason = 'it was gone already: an earlier attempt, whose answer was lost, has deleted it';
      return this.#end(command, turn, { from: ['queued', 'sent'], to: 'done', reason, result: {} });
    }
    const reason = `the device refused: ${error.message}`;
    return this.#fail(command, turn, reason, { coapCode: formatCode(error.code) });
  }

  /** The device answered, and its answer cannot be read: of what changes something that is no failure. */
  #unreadable(command: Command, turn: CommandTurn, error: DecodeError): Promise<undefined> {
    const reason = `the answer cannot be read: ${error.message}`;
    if (error instanceof DoneUnreadableError) {
      return this.#end(command, turn, { from: ['queued', 'sent'], to: 'done', reason, result: {} });
    }
    if (!changing.has(String(command.parameters['operation']))) return this.#fail(command, turn, reason);
    const doubt = `${reason}; nobody can tell whether the device has carried it out`;
    return this.#end(command, turn, { from: ['queued', 'sent'], to: 'unknown', reason: doubt });
  }

  /** It may or may not have been carried out. */
  async #lost(
    command: Command,
    turn: CommandTurn,
    why: string,
    wait: Wait | undefined,
  ): Promise<Wait | undefined> {
    if (isIdempotent(command)) {
      await turn.step(command, { from: ['sent'], to: 'queued', reason: `${why}; it is sent again` });
      return wait;
    }
    const reason = `${why}: nobody can tell whether the device has carried it out`;
    return this.#end(command, turn, { from: ['sent'], to: 'unknown', reason });
  }

  #fail(
    command: Command,
    turn: CommandTurn,
    reason: string,
    result?: Readonly<Record<string, unknown>>,
  ): Promise<undefined> {
    return this.#end(command, turn, {
      from: ['queued', 'sent'],
      to: 'failed',
      reason,
      ...(result === undefined ? {} : { result }),
    });
  }

  /** It was not carried out, and is sent again later. */
  async #later({ command, begun }: Sending, turn: CommandTurn, reason: string): Promise<Wait> {
    if (begun) await this.#end(command, turn, { from: ['sent'], to: 'queued', reason });
    return sendLater(command);
  }

  /** What has happened is not forgotten where the store does not take it at once. */
  async #end(command: Command, turn: CommandTurn, step: CommandStep): Promise<undefined> {
    this.#steps.set(command.id, step);
    await turn.step(command, step);
    this.#steps.delete(command.id);
    return undefined;
  }
}

/** Beyond what is kept with a command only its outline is. */
function bounded(result: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const size = JSON.stringify(result).length;
  if (size <= MAX_RESULT) return result;
  const { path, paths, contentFormat } = result;
  return JSON.parse(JSON.stringify({ path, paths, contentFormat, omitted: size }));
}

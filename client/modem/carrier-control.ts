import { CarrierResult, CarrierState, DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { Code } from '../../protocol/coap/message.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { longestTimer } from '../lwm2m/observations.ts';
import { OperationError } from '../lwm2m/operation-error.ts';
import { CardStatusError, CardTransportError } from '../sim/card-transport.ts';
import {
  type CardCarrier,
  CardRefusalError,
  type CarrierCard,
  type CurrentCarrier,
} from '../sim/carrier-card.ts';
import type { CommandJournal, JournalOutcome } from './command-journal.ts';

/** All that the Carrier object shows, at one moment: replaced as a whole, so that no observer sees half of a switch. */
export interface CarrierSnapshot {
  /** Empty when disconnected. */
  readonly current: string;
  readonly identity: CurrentCarrier | undefined;
  readonly state: CarrierState;
  readonly lastResult: CarrierResult | undefined;
  readonly lastReason: string;
  /** Seconds since the epoch. */
  readonly lastSwitch: number | undefined;
  readonly lastCommand: number;
}

/** The moments of a switch at which a test may end the process. */
export const switchSteps = [
  'journal-written',
  'answered',
  'before-apdu',
  'after-apdu',
  'before-notify',
  'after-notify',
] as const;
export type SwitchStep = (typeof switchSteps)[number];

/** What a switch does to the rest of the modem. */
export interface CarrierActions {
  /** The snapshot is another: observers are to be told. */
  changed(): void;
  /** Tells the observers now; resolves when they have acknowledged, or are given up. */
  deliver(): Promise<void>;
  /** The radio leaves the network, after what is under way; resolves when it is silent. */
  detach(): Promise<void>;
  /** The radio is on the network of the card's carrier again, and the server is told. */
  attach(): void;
  /** For people. */
  log(message: string): void;
  /** A step is reached; in a test that asked for it, it never comes back. */
  reach(step: SwitchStep): Promise<void>;
  /** A bug. */
  fault(error: unknown): void;
}

export interface CarrierControlOptions {
  readonly card: CarrierCard;
  readonly journal: CommandJournal;
  readonly clock: Clock;
  /** Milliseconds without network when the carrier changes. */
  readonly attachTime: number;
  readonly actions: CarrierActions;
}

/** A modem that is busy asks to be tried again after this, s. */
const busyRetry = 5;
/** After a re-attachment that the card refused, the next attempt comes after this at least, s. */
const reconnectRetry = 10;

/**
 * The carrier switch, as the modem's half of a durable command: id and target are on disk before the
 * answer and before the first APDU; an id that was had is answered with what was stored; after a crash
 * the card says how it ended.
 */
export class CarrierControl {
  readonly #options: CarrierControlOptions;
  #snapshot: CarrierSnapshot;
  #carriers: readonly CardCarrier[] = [];
  #busy = false;
  #reconnect: Timer | undefined;
  #closed = false;

  constructor(options: CarrierControlOptions) {
    this.#options = options;
    this.#snapshot = {
      current: '',
      identity: undefined,
      state: CarrierState.IDLE,
      lastResult: undefined,
      lastReason: '',
      lastSwitch: undefined,
      lastCommand: options.journal.contents.lastCommand,
    };
  }

  get snapshot(): CarrierSnapshot {
    return this.#snapshot;
  }

  get carriers(): readonly CardCarrier[] {
    return this.#carriers;
  }

  get isConnected(): boolean {
    return this.#snapshot.identity !== undefined;
  }

  get reconnectAfter(): number {
    return this.#options.journal.contents.reconnectAfter;
  }

  set reconnectAfter(seconds: number) {
    this.#options.journal.set({ reconnectAfter: seconds });
  }

  /**
   * Reads the card, and settles a switch that a crash interrupted: by what the card says, never by doing
   * it again. A card without an enabled profile stays disconnected for what is left of its time.
   * @throws CardTransportError, CardStatusError, DecodeError
   */
  async start(): Promise<void> {
    const { card, journal, clock, actions } = this.#options;
    await card.connect();
    this.#carriers = await card.carriers();
    const identity = await card.current();
    const { entry } = journal.contents;
    if (entry !== undefined && entry.outcome === undefined) {
      const outcome = this.#judgeInterrupted(entry.target, identity);
      journal.finish(outcome);
      actions.log(
        `the switch to ${this.#nameOf(entry.target)} was interrupted: ${outcome.reason || 'the card had done it'}`,
      );
    }
    this.#show(identity);
    if (identity !== undefined) {
      if (journal.contents.disconnectedAt !== undefined) journal.set({ disconnectedAt: undefined });
      return;
    }
    const since = journal.contents.disconnectedAt ?? clock.wallTime();
    if (journal.contents.disconnectedAt === undefined) journal.set({ disconnectedAt: since });
    const left = since + this.reconnectAfter * 1_000 - clock.wallTime();
    this.#scheduleReconnect(Math.min(left, this.reconnectAfter * 1_000));
  }

  close(): void {
    this.#closed = true;
    this.#reconnect?.cancel();
  }

  /**
   * Takes a switch: when it returns it is in the journal, and the answer may go out; `begin` then does it.
   * @throws OperationError 4.00 no such carrier; 4.09 an id lower than one that was had; 5.03 busy
   */
  async take(target: number, id: number | undefined): Promise<{ readonly begin: () => void }> {
    const { journal, clock, actions } = this.#options;
    const { entry, lastCommand } = journal.contents;
    if (id !== undefined && id === lastCommand && entry?.id === id) {
      if (entry.target !== target) {
        throw new OperationError(Code.CONFLICT, `command ${id} was a switch to carrier ${entry.target}`);
      }
      actions.log(`command ${id} came again: it is not executed again`);
      return { begin: () => actions.changed() };
    }
    if (id !== undefined && id <= lastCommand) {
      throw new OperationError(Code.CONFLICT, `command ${id} is older than command ${lastCommand}`);
    }
    if (target !== DISCONNECT_CARRIER_ID && !this.#carriers.some((carrier) => carrier.id === target)) {
      const offered = this.#carriers.map((carrier) => `${carrier.id} ${carrier.name}`).join(', ');
      throw new OperationError(
        Code.BAD_REQUEST,
        `no carrier ${target} on this card: ${offered}, ${DISCONNECT_CARRIER_ID} Disconnect`,
      );
    }
    if (this.#busy) throw new OperationError(Code.SERVICE_UNAVAILABLE, 'a switch is under way', busyRetry);
    journal.take(id, target, clock.wallTime());
    this.#busy = true;
    await actions.reach('journal-written');
    return { begin: () => void this.#run(target).catch((error) => actions.fault(error)) };
  }

  async #run(target: number): Promise<void> {
    const { journal, clock, actions, attachTime } = this.#options;
    await actions.reach('answered');
    const name = this.#nameOf(target);
    const before = this.#snapshot.identity;
    actions.log(`${this.#snapshot.current || 'disconnected'} → ${name}: switching`);
    this.#snapshot = {
      ...this.#snapshot,
      state: CarrierState.SWITCHING,
      lastResult: undefined,
      lastReason: '',
      lastCommand: journal.contents.lastCommand,
    };
    actions.changed();
    await actions.reach('before-apdu');
    const { reason, identity } = await this.#drive(target);
    await actions.reach('after-apdu');
    const succeeded = reason === '';
    if (identity === undefined && before !== undefined) journal.set({ lastCarrier: before.carrierId });
    journal.finish({ succeeded, reason, at: clock.wallTime() });
    this.#show(identity);
    this.#busy = false;
    actions.log(
      succeeded
        ? `ACK: the card is ${identity === undefined ? 'disconnected' : `on ${name}, ICCID ${identity.iccid ?? 'unknown'}`}`
        : `NACK: ${reason}`,
    );
    await actions.reach('before-notify');
    if (identity === undefined) {
      if (before === undefined) actions.changed();
      else await this.#disconnect();
    } else if (before === undefined || identity.carrierId !== before.carrierId) {
      await this.#reattach(attachTime);
    } else {
      actions.changed();
    }
    await actions.reach('after-notify');
  }

  /** Has the card do it, and asks it where it is then: an empty reason is its ACK. */
  async #drive(
    target: number,
  ): Promise<{ readonly reason: string; readonly identity: CurrentCarrier | undefined }> {
    const { card } = this.#options;
    const wanted = this.#carriers.find((carrier) => carrier.id === target);
    let reason = '';
    let identity = this.#snapshot.identity;
    try {
      if (wanted !== undefined) {
        if (identity?.carrierId !== target) await card.enable(wanted);
      } else if (identity !== undefined) {
        await card.disable();
      }
    } catch (error) {
      reason = cardReason(error);
    }
    try {
      identity = await card.current();
    } catch (error) {
      reason ||= cardReason(error);
    }
    if (reason === '' && identity?.carrierId !== wanted?.id) {
      reason = `the card stayed on ${this.#carrierOf(identity)}`;
    }
    return { reason, identity };
  }

  /** The ACK goes first; then the modem is gone for a while. */
  async #disconnect(): Promise<void> {
    const { journal, clock, actions } = this.#options;
    await actions.deliver();
    journal.set({ disconnectedAt: clock.wallTime() });
    await actions.detach();
    actions.log(`off the network, back in ${this.reconnectAfter} s`);
    this.#scheduleReconnect(this.reconnectAfter * 1_000);
  }

  async #reattach(attachTime: number): Promise<void> {
    const { actions, clock } = this.#options;
    if (attachTime > 0) {
      await actions.detach();
      await new Promise<void>((resolve) => clock.setTimer(attachTime, resolve));
    }
    if (this.#closed) return;
    actions.attach();
    actions.changed();
  }

  #scheduleReconnect(delay: number): void {
    const { clock, actions } = this.#options;
    if (this.#closed) return;
    this.#reconnect = clock.setTimer(Math.min(Math.max(1, delay), longestTimer), () => {
      this.#comeBack().catch((error) => actions.fault(error));
    });
  }

  /** After a Disconnect: the last carrier's profile again, and the network. */
  async #comeBack(): Promise<void> {
    const { card, journal, actions } = this.#options;
    if (this.#busy) return;
    const carrier = this.#lastCarrier();
    if (carrier === undefined) throw new CardStatusError('the card has no profile to come back to', 0x6a88);
    this.#busy = true;
    let reason = '';
    let identity: CurrentCarrier | undefined;
    try {
      await card.enable(carrier);
      identity = await card.current();
    } catch (error) {
      reason = cardReason(error);
    } finally {
      this.#busy = false;
    }
    if (this.#closed) return;
    if (identity === undefined) {
      actions.log(`cannot come back to the network: ${reason || 'the card enabled no profile'}`);
      this.#scheduleReconnect(Math.max(reconnectRetry, this.reconnectAfter) * 1_000);
      return;
    }
    journal.set({ disconnectedAt: undefined });
    this.#show(identity);
    actions.log(`back on ${this.#snapshot.current}`);
    actions.attach();
    actions.changed();
  }

  /** What the card is now, beside how the newest switch ended. */
  #show(identity: CurrentCarrier | undefined): void {
    const { entry, lastCommand } = this.#options.journal.contents;
    const outcome = entry?.outcome;
    const ended = outcome?.succeeded === true ? CarrierState.SUCCEEDED : CarrierState.FAILED;
    this.#snapshot = {
      current: identity === undefined ? '' : this.#carrierOf(identity),
      identity,
      state: outcome === undefined ? CarrierState.IDLE : ended,
      lastResult:
        outcome === undefined ? undefined : outcome.succeeded ? CarrierResult.ACK : CarrierResult.NACK,
      lastReason: outcome?.reason ?? '',
      lastSwitch: outcome === undefined ? undefined : Math.floor(outcome.at / 1_000),
      lastCommand,
    };
  }

  #judgeInterrupted(target: number, identity: CurrentCarrier | undefined): JournalOutcome {
    const succeeded = identity?.carrierId === (target === DISCONNECT_CARRIER_ID ? undefined : target);
    return {
      succeeded,
      reason: succeeded ? '' : `interrupted: the card stayed on ${this.#carrierOf(identity)}`,
      at: this.#options.clock.wallTime(),
    };
  }

  #carrierOf(identity: CurrentCarrier | undefined): string {
    if (identity === undefined) return 'no carrier';
    const { carrierId, iccid } = identity;
    return this.#carriers.find(({ id }) => id === carrierId)?.name ?? iccid ?? 'an unknown carrier';
  }

  /** To which the modem comes back after a Disconnect. */
  #lastCarrier(): CardCarrier | undefined {
    const { lastCarrier, lastIccid } = this.#options.journal.contents;
    return (
      this.#carriers.find(({ id, iccid }) =>
        lastCarrier === undefined ? iccid === lastIccid : id === lastCarrier,
      ) ?? this.#carriers[0]
    );
  }

  #nameOf(target: number): string {
    if (target === DISCONNECT_CARRIER_ID) return 'Disconnect';
    return this.#carriers.find((carrier) => carrier.id === target)?.name ?? `carrier ${target}`;
  }
}

/** Why the card did not do it, in words. @throws what is no card's answer: a bug */
function cardReason(error: unknown): string {
  const known =
    error instanceof CardRefusalError ||
    error instanceof CardStatusError ||
    error instanceof CardTransportError ||
    error instanceof DecodeError;
  if (!known) throw error;
  return error.message;
}

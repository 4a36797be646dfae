import { CarrierResult, CarrierState, carrierObject as definition } from '../../objects/carrier.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { CoapResponseError } from '../../protocol/coap/errors.ts';
import { Code } from '../../protocol/coap/message.ts';
import { BusyError } from '../../protocol/errors.ts';
import { FlowCarrier, SwitchStatus } from '../../protocol/flow/names.ts';
import type { CarrierSwitchAckPacket } from '../../protocol/flow/packet.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import type { SwitchRules } from './device-file.ts';

const { resources } = definition;
/** Before a store that did not answer is asked again, ms. */
const STORE_PAUSE = 1_000;

/** What the Carrier object says of a device's one slot. Absent: nobody knows. */
export interface SlotValues {
  readonly current?: string;
  readonly requested?: number;
  readonly state: CarrierState;
  readonly lastResult?: CarrierResult;
  readonly lastReason: string;
  /** Seconds since the epoch. */
  readonly lastSwitch?: number;
  /** Number of the newest command; 0: there was none. */
  readonly lastCommand: number;
}

export const noSwitchYet: SlotValues = { state: CarrierState.IDLE, lastReason: '', lastCommand: 0 };

export interface CarrierSlotOptions {
  readonly carrierObject: number;
  readonly carriers: ReadonlyMap<number, string>;
  readonly rules: SwitchRules;
  readonly clock: Clock;
  /** Resolves when it is durable. @throws StoreUnavailableError */
  readonly record: (records: readonly LwM2mRecord[]) => Promise<void>;
  /** Is tried until it is durable. */
  readonly report: (records: readonly LwM2mRecord[]) => void;
  /** Asks the device for the carrier, where it was heard last. */
  readonly send: (carrier: number) => void;
  /** Whether this node has the device still, as the store says. @throws StoreUnavailableError */
  readonly isOwn: () => Promise<boolean>;
  /** A switch has ended. */
  readonly onEnded: (outcome: SwitchOutcomeName) => void;
  /** What a timer does met an error. */
  readonly onFault: (error: unknown) => void;
}

export type SwitchOutcomeName = 'acknowledged' | 'refused' | 'elsewhere' | 'unanswered';

/** A switch that was asked for, and has not ended. */
interface Pending {
  readonly command: number | undefined;
  readonly target: number;
  /** `Clock.now` of the first request, as far as this process knows. */
  readonly begun: number;
  sends: number;
  /** Where the device said it is, when it acknowledged something else than what is asked for. */
  elsewhere: number | undefined;
  timer: Timer | undefined;
}

/** What a switch that has ended leaves behind: repetitions that are not answered yet. */
interface Former {
  readonly target: number;
  unanswered: number;
  readonly until: number;
}

/**
 * The Carrier object of a device whose protocol has a request, which names a carrier, and an answer, which names the
 * carrier that is connected, and nothing by which the two belong together. The rules, and why: docs/decisions/0037.
 */
export class CarrierSlot {
  readonly #options: CarrierSlotOptions;
  #values: SlotValues = noSwitchYet;
  #pending: Pending | undefined;
  #former: Former | undefined;
  #closed = false;

  constructor(options: CarrierSlotOptions) {
    this.#options = options;
  }

  /**
   * What is known of it by the store. While a switch is being begun this knows more than that.
   * @param age ms since the state came about
   */
  load(values: SlotValues, age: number): void {
    if (this.#pending?.sends === 0) return;
    this.#pending?.timer?.cancel();
    this.#pending = undefined;
    this.#values = values;
    const { requested, state, lastCommand } = values;
    if (state !== CarrierState.SWITCHING || requested === undefined) return;
    const { clock, rules } = this.#options;
    // Whoever asked for it is gone: the answer may be under way, and nothing is sent again.
    const pending: Pending = {
      command: lastCommand,
      target: requested,
      begun: clock.now() - Math.max(0, age),
      sends: rules.repeatAfter.length + 1,
      elsewhere: undefined,
      timer: undefined,
    };
    this.#pending = pending;
    this.#wait(pending);
  }

  /** As records, to be read. */
  records(): readonly LwM2mRecord[] {
    const { carriers } = this.#options;
    return [
      ...[...carriers].map(([id, name]) => this.#record(resources.availableCarriers.id, name, id)),
      ...this.#recordsOf(this.#values),
    ];
  }

  /**
   * Asks for a carrier. Resolves when the request has gone out: how it ends, the object tells.
   * @param command its number; undefined: somebody executes Switch by hand
   * @throws BusyError another one has not ended; CoapResponseError no such carrier, or an older command;
   *   StoreUnavailableError; what `beforeSend` throws
   */
  async begin(
    target: number,
    command: number | undefined,
    beforeSend: (() => Promise<void>) | undefined,
  ): Promise<void> {
    const { carriers, record, clock } = this.#options;
    if (target !== FlowCarrier.DISCONNECT && !carriers.has(target)) {
      throw new CoapResponseError(Code.BAD_REQUEST, `there is no carrier ${target}`);
    }
    const { lastCommand } = this.#values;
    // It was had: what became of it is there to be read.
    if (command !== undefined && command === lastCommand) return;
    if (command !== undefined && command < lastCommand) {
      throw new CoapResponseError(Code.CONFLICT, `command ${lastCommand} was given since`);
    }
    if (this.#pending !== undefined) throw new BusyError('another switch has not ended');
    const pending: Pending = {
      command,
      target,
      begun: clock.now(),
      sends: 0,
      elsewhere: undefined,
      timer: undefined,
    };
    this.#pending = pending;
    try {
      await beforeSend?.();
      const values: SlotValues = {
        ...this.#values,
        requested: target,
        state: CarrierState.SWITCHING,
        lastReason: '',
        ...(command === undefined ? {} : { lastCommand: command }),
      };
      // On disk before it goes out: what is not there was never sent, and may be sent again.
      await record(this.#recordsOf(values));
      this.#values = values;
    } catch (error) {
      if (this.#pending === pending) this.#pending = undefined;
      throw error;
    }
    if (this.#pending === pending && !this.#closed) this.#transmit(pending);
  }

  /** An ACK or NACK came. */
  answered({ status, carrier }: CarrierSwitchAckPacket): void {
    const pending = this.#pending;
    const current = this.#nameOf(carrier);
    if (pending === undefined || pending.sends === 0 || this.#isOfFormer(carrier, pending)) {
      this.#heardOf(current, status, carrier);
      return;
    }
    if (carrier === pending.target) {
      // A NACK too: a card refuses the carrier that it is on already, as when the first of two requests was answered in vain.
      const reason = status === SwitchStatus.NACK ? 'the card refused, and is on this carrier' : '';
      this.#end(pending, 'acknowledged', { state: CarrierState.SUCCEEDED, current, reason, status });
    } else if (status === SwitchStatus.NACK) {
      const reason = `the card refused; it is ${whereText(current)}`;
      this.#end(pending, 'refused', { state: CarrierState.FAILED, current, reason, status });
    } else {
      // It may be the answer to an earlier request, overtaken; that of this one may be under way.
      pending.elsewhere = carrier;
      this.#heardOf(current, status, carrier);
    }
  }

  close(): void {
    this.#closed = true;
    this.#pending?.timer?.cancel();
  }

  /** Repetitions of the switch before may be answered yet. */
  #isOfFormer(carrier: number, pending: Pending): boolean {
    const former = this.#former;
    if (former === undefined || carrier !== former.target || carrier === pending.target) return false;
    if (former.unanswered === 0 || this.#options.clock.now() > former.until) return false;
    former.unanswered--;
    return true;
  }

  /** Where the device is, without a switch that it would end. */
  #heardOf(current: string, status: number, carrier: number): void {
    const { state, requested } = this.#values;
    const isLate = this.#pending === undefined && state === CarrierState.UNKNOWN && carrier === requested;
    if (isLate && status === SwitchStatus.ACK) {
      // Too late for the command; what the card says holds all the same.
      this.#tell({
        current,
        state: CarrierState.SUCCEEDED,
        lastResult: CarrierResult.ACK,
        lastReason: '',
        lastSwitch: this.#now(),
      });
    } else if (current !== this.#values.current) this.#tell({ current });
  }

  #transmit(pending: Pending): void {
    pending.sends++;
    this.#options.send(pending.target);
    this.#wait(pending);
  }

  /** For the next request, or the end of the patience. */
  #wait(pending: Pending): void {
    const { rules, clock } = this.#options;
    const next = rules.repeatAfter[pending.sends - 1] ?? rules.patience;
    this.#lookAgain(pending, Math.max(0, pending.begun + next - clock.now()));
  }

  #lookAgain(pending: Pending, delay: number): void {
    if (this.#closed) return;
    pending.timer = this.#options.clock.setTimer(delay, () => {
      this.#due(pending).catch((error: unknown) => {
        this.#options.onFault(error);
        if (this.#pending === pending) this.#lookAgain(pending, STORE_PAUSE);
      });
    });
  }

  async #due(pending: Pending): Promise<void> {
    const { rules, isOwn } = this.#options;
    const isOwned = await isOwn();
    if (this.#pending !== pending || this.#closed) return;
    if (!isOwned) {
      // The answer comes to the node that has the device now, which has read of the switch in the log.
      this.#pending = undefined;
      return;
    }
    if (pending.sends <= rules.repeatAfter.length) {
      this.#transmit(pending);
      return;
    }
    if (pending.elsewhere !== undefined) {
      const current = this.#nameOf(pending.elsewhere);
      const reason = `the card acknowledged, and is ${whereText(current)}`;
      const status = SwitchStatus.ACK;
      this.#end(pending, 'elsewhere', { state: CarrierState.FAILED, current, reason, status });
      return;
    }
    this.#settle(pending);
    const reason = `neither ACK nor NACK came within ${rules.patience / 1000} s`;
    this.#tell({ state: CarrierState.UNKNOWN, lastReason: reason, lastSwitch: this.#now() }, pending.command);
    this.#options.onEnded('unanswered');
  }

  #end(
    pending: Pending,
    outcome: SwitchOutcomeName,
    end: {
      readonly state: CarrierState;
      readonly current: string;
      readonly reason: string;
      readonly status: number;
    },
  ): void {
    this.#settle(pending);
    this.#tell(
      {
        current: end.current,
        state: end.state,
        lastResult: end.status === SwitchStatus.ACK ? CarrierResult.ACK : CarrierResult.NACK,
        lastReason: end.reason,
        lastSwitch: this.#now(),
      },
      pending.command,
    );
    this.#options.onEnded(outcome);
  }

  #settle(pending: Pending): void {
    const { clock, rules } = this.#options;
    pending.timer?.cancel();
    this.#pending = undefined;
    this.#former = {
      target: pending.target,
      unanswered: pending.sends - 1,
      until: clock.now() + rules.patience,
    };
  }

  /** @param command the one that this is the end of: its number goes with it */
  #tell(changes: Partial<SlotValues>, command?: number): void {
    this.#values = { ...this.#values, ...changes };
    const { lastCommand } = this.#values;
    this.#options.report(this.#recordsOf({ ...changes, ...(command === undefined ? {} : { lastCommand }) }));
  }

  #recordsOf(values: Partial<SlotValues>): LwM2mRecord[] {
    const records: LwM2mRecord[] = [];
    const add = (resource: { readonly id: number }, value: string | number | undefined): void => {
      if (value !== undefined) records.push(this.#record(resource.id, value));
    };
    add(resources.currentCarrier, values.current);
    add(resources.requestedCarrier, values.requested);
    add(resources.state, values.state);
    add(resources.lastResult, values.lastResult);
    add(resources.lastReason, values.lastReason);
    add(resources.lastSwitch, values.lastSwitch);
    add(resources.lastCommand, values.lastCommand);
    return records;
  }

  #record(resource: number, value: string | number, instance?: number): LwM2mRecord {
    const path = `/${this.#options.carrierObject}/0/${resource}`;
    return { path: instance === undefined ? path : `${path}/${instance}`, value };
  }

  #nameOf(carrier: number): string {
    if (carrier === FlowCarrier.DISCONNECT) return '';
    return this.#options.carriers.get(carrier) ?? `Carrier ${carrier}`;
  }

  #now(): number {
    return Math.floor(this.#options.clock.wallTime() / 1000);
  }
}

function whereText(current: string): string {
  return current === '' ? 'disconnected' : `on ${current}`;
}

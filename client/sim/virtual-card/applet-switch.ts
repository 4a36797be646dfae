import { FlowCarrier, SwitchStatus } from '../../../protocol/flow/names.ts';
import type { CarrierSwitchAckPacket } from '../../../protocol/flow/packet.ts';

/** Where an order to switch came from: over the network, from the terminal by APDU, or from the applet's own fall-back. */
export type OrderOrigin = 'network' | 'terminal' | 'fall-back';

/** How a switch ended, and the carrier that the card is on: 15 for none. */
export type SwitchReport = Pick<CarrierSwitchAckPacket, 'status' | 'carrier'>;

interface PendingSwitch {
  readonly target: number;
  readonly previous: number;
  readonly origin: OrderOrigin;
  /** `farewell`: the network is told first, for afterwards there is none; `switched`: the terminal has to hear of it. */
  readonly stage: 'farewell' | 'switched';
}

/** What the applet remembers without power. */
export interface AppletRecord {
  /** A switch that was begun and of which nobody knows yet how it ended. */
  readonly pending: PendingSwitch | undefined;
  /** What the network is to be told, and was not yet. */
  readonly report: SwitchReport | undefined;
  /** How the newest order ended. */
  readonly outcome: SwitchReport | undefined;
  /** The carrier to go back to unless the new one turns out to have a network. */
  readonly trial: number | undefined;
}

export const newAppletRecord: AppletRecord = {
  pending: undefined,
  report: undefined,
  outcome: undefined,
  trial: undefined,
};

/** What the applet has of the card. */
export interface AppletCarriers {
  /** Carrier id that is enabled; 15: none. */
  current(): number;
  has(carrier: number): boolean;
  /** Enables that carrier, or none, at once. False: the card refuses. */
  switchTo(carrier: number): boolean;
}

export interface AppletSwitchOptions {
  readonly carriers: AppletCarriers;
  readonly record: AppletRecord;
  /** When it returns, the record is kept. */
  readonly keep: (record: AppletRecord) => void;
}

/**
 * The applet's switches. One is on record before the card changes and settled by what the card is at its next start,
 * so that power may fail at any moment; its report stays on record until the terminal has taken it for sending.
 */
export class AppletSwitch {
  readonly #options: AppletSwitchOptions;
  #record: AppletRecord;

  constructor(options: AppletSwitchOptions) {
    this.#options = options;
    this.#record = options.record;
  }

  get record(): AppletRecord {
    return this.#record;
  }

  /** On which carrier it is, unasked: an ACK, as the protocol has nothing else for it. */
  get whereabouts(): SwitchReport {
    return { status: SwitchStatus.ACK, carrier: this.#options.carriers.current() };
  }

  get isConnected(): boolean {
    return this.#options.carriers.current() !== FlowCarrier.DISCONNECT;
  }

  /**
   * An order to switch. Undefined: it was begun, and the record tells how it ended once the card was reset.
   * Else it ended at once.
   * @param farewell whether the network can be told before the card leaves it
   */
  order(target: number, origin: OrderOrigin, farewell: boolean): SwitchReport | undefined {
    const { carriers } = this.#options;
    const current = carriers.current();
    const refusal: SwitchReport = { status: SwitchStatus.NACK, carrier: current };
    if (this.#record.pending !== undefined) return refusal;
    if (target === current) return this.#end({ status: SwitchStatus.ACK, carrier: current }, origin);
    if (target !== FlowCarrier.DISCONNECT && !carriers.has(target)) return this.#end(refusal, origin);
    if (origin === 'network' && target === FlowCarrier.DISCONNECT && farewell) {
      this.#write({ pending: { target, previous: current, origin, stage: 'farewell' }, report: undefined });
      return undefined;
    }
    return this.#switch({ target, previous: current, origin }) ? undefined : this.#end(refusal, origin);
  }

  /** A Disconnect whose farewell is said, or cannot be. */
  depart(): void {
    const { pending } = this.#record;
    if (pending?.stage !== 'farewell' || this.#switch(pending)) return;
    this.#end({ status: SwitchStatus.NACK, carrier: pending.previous }, pending.origin);
  }

  /** The terminal will not hear of it. To the carrier before; where the card refuses that too, it is on the new one. */
  goBack(): void {
    const { pending } = this.#record;
    if (pending === undefined) return;
    this.#options.carriers.switchTo(pending.previous);
    this.settle();
  }

  /** What became of the pending switch, by what the card is on. */
  settle(): void {
    const { pending } = this.#record;
    if (pending === undefined) return;
    const carrier = this.#options.carriers.current();
    const done = carrier === pending.target;
    const succeeded = done && pending.origin !== 'fall-back';
    const outcome: SwitchReport = { status: succeeded ? SwitchStatus.ACK : SwitchStatus.NACK, carrier };
    // A card without network tells nothing; and what the terminal's order came to is the network's affair if it changed.
    const told = carrier === FlowCarrier.DISCONNECT || (pending.origin === 'terminal' && !succeeded);
    const tried = done && pending.origin === 'network' && pending.previous !== FlowCarrier.DISCONNECT;
    this.#write({
      pending: undefined,
      outcome,
      report: told ? undefined : outcome,
      trial: tried && carrier !== FlowCarrier.DISCONNECT ? pending.previous : undefined,
    });
  }

  /** The network was told. */
  reported(): void {
    this.#write({ report: undefined });
  }

  /** The carrier has a network. */
  proven(): void {
    if (this.#record.trial !== undefined) this.#write({ trial: undefined });
  }

  /** The new carrier has no network: to the one before, once. Where the card refuses, it stays and goes on looking. */
  fallBack(): void {
    const { trial } = this.#record;
    if (trial === undefined) return;
    const previous = this.#options.carriers.current();
    this.#write({ trial: undefined });
    if (this.#switch({ target: trial, previous, origin: 'fall-back' })) return;
    this.#end({ status: SwitchStatus.NACK, carrier: previous }, 'network');
  }

  /** On record first, then done. False: the card refuses, and nothing is pending. */
  #switch({ target, previous, origin }: Omit<PendingSwitch, 'stage'>): boolean {
    this.#write({ pending: { target, previous, origin, stage: 'switched' }, report: undefined });
    if (this.#options.carriers.switchTo(target)) return true;
    this.#write({ pending: undefined });
    return false;
  }

  #end(report: SwitchReport, origin: OrderOrigin): SwitchReport {
    this.#write(origin === 'network' ? { outcome: report, report } : { outcome: report });
    return report;
  }

  #write(change: Partial<AppletRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#options.keep(this.#record);
  }
}

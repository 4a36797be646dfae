import { CarrierResult, CarrierState } from '../../objects/carrier.ts';
import type { CurrentCarrier } from '../sim/carrier-card.ts';
import type { JournalContents, ProvisioningEntry } from './command-journal.ts';

/** All that the card's objects show, at one moment: replaced as a whole, so that no observer sees half of a switch. */
export interface CarrierSnapshot {
  /** Empty when disconnected. */
  readonly current: string;
  /** Undefined: on no carrier, or there was no card yet. */
  readonly identity: CurrentCarrier | undefined;
  readonly state: CarrierState;
  readonly lastResult: CarrierResult | undefined;
  readonly lastReason: string;
  /** Seconds since the epoch. */
  readonly lastSwitch: number | undefined;
  readonly lastCommand: number;
  /** The newest operation of Remote SIM Provisioning. */
  readonly provisioning: ProvisioningEntry | undefined;
}

/** What the card is, beside how the newest switch ended; `name`: of its carrier. */
export function snapshotOf(
  { entry, lastCommand, provisioning }: JournalContents,
  name: string,
  identity: CurrentCarrier | undefined,
): CarrierSnapshot {
  const shown = { current: name, identity, lastCommand, provisioning };
  const outcome = entry?.outcome;
  if (outcome === undefined) {
    const state = entry === undefined ? CarrierState.IDLE : CarrierState.SWITCHING;
    return { ...shown, state, lastResult: undefined, lastReason: '', lastSwitch: undefined };
  }
  return {
    ...shown,
    state: outcome.succeeded ? CarrierState.SUCCEEDED : CarrierState.FAILED,
    lastResult: outcome.succeeded ? CarrierResult.ACK : CarrierResult.NACK,
    lastReason: outcome.reason,
    lastSwitch: Math.floor(outcome.at / 1_000),
  };
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
  /** The snapshot is another, or the carriers are: observers are to be told. */
  changed(): void;
  /** Tells the observers now; resolves when they have acknowledged, or are given up. */
  deliver(): Promise<void>;
  /** The radio leaves the network, after what is under way; resolves when it is silent. */
  detach(): Promise<void>;
  /** The radio is on the network of the card's carrier again, and the server is told. */
  attach(): void;
  /** Whether there is a network for the snapshot's carrier here, attached or not. */
  hasNetwork(): boolean;
  /** The card cannot be talked to, or can again. */
  cardTrouble(present: boolean): void;
  /** For people. */
  log(message: string): void;
  /** A step is reached; in a test that asked for it, it never comes back. */
  reach(step: SwitchStep): Promise<void>;
  /** A bug. */
  fault(error: unknown): void;
}

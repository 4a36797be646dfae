import { DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import type { CardCarrier, CurrentCarrier } from '../sim/carrier-card.ts';
import type { JournalContents } from './command-journal.ts';

/** The carriers that a card offers, found and named for people. */
export class CarrierList {
  readonly all: readonly CardCarrier[];

  constructor(all: readonly CardCarrier[] = []) {
    this.all = all;
  }

  with(id: number | undefined): CardCarrier | undefined {
    return id === undefined ? undefined : this.all.find((carrier) => carrier.id === id);
  }

  /** To which the modem comes back after a Disconnect. */
  last({ lastCarrier, lastIccid }: JournalContents): CardCarrier | undefined {
    const formerly = this.all.find(({ iccid }) => iccid !== undefined && iccid === lastIccid);
    return this.with(lastCarrier) ?? formerly ?? this.all[0];
  }

  /** Of what a card is on. */
  nameOf(current: CurrentCarrier | undefined): string {
    if (current === undefined) return 'no carrier';
    return this.with(current.carrierId)?.name ?? current.iccid ?? 'an unknown carrier';
  }

  /** Of a target: a carrier id, or Disconnect's. */
  targetName(target: number | undefined): string {
    if (target === DISCONNECT_CARRIER_ID) return 'Disconnect';
    return this.with(target)?.name ?? `carrier ${target}`;
  }

  /** What is under way, or was, as the journal has it. */
  workName({ entry, provisioning }: JournalContents, kind: 'entry' | 'provisioning' | undefined): string {
    if (kind !== 'provisioning' || provisioning === undefined) {
      return `the switch to ${this.targetName(entry?.target)}`;
    }
    const { action, target } = provisioning;
    return action === 'reset-memory' ? 'the memory reset' : `the ${action} of ${this.targetName(target)}`;
  }

  /** What a card is on, in a sentence. */
  describe(current: CurrentCarrier | undefined): string {
    if (current === undefined) return 'the card is disconnected';
    return `the card is on ${this.nameOf(current)}, ICCID ${current.iccid ?? 'unknown'}`;
  }

  /** `0 AT&T, 2 Verizon` */
  toString(): string {
    return this.all.map((carrier) => `${carrier.id} ${carrier.name}`).join(', ');
  }
}

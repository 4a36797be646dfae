import { DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import type { CardCarrier, CurrentCarrier } from '../sim/carrier-card.ts';
import type { CarrierList } from './carrier-list.ts';
import type { JournalContents, JournaledWork } from './command-journal.ts';

/** What a process that died left unfinished, as the card has it now. */
export interface InterruptedWork {
  readonly work: JournaledWork;
  /** The carrier that it was to go to; undefined: to none, or it is about something else. */
  readonly goal: CardCarrier | undefined;
  /** Whether the card has done it. */
  readonly reached: boolean;
}

/** Judges what has not ended by what the card says, and never by doing it again. */
export function judgeInterrupted(
  { entry, provisioning }: JournalContents,
  carriers: CarrierList,
  current: CurrentCarrier | undefined,
): InterruptedWork | undefined {
  if (entry !== undefined && entry.outcome === undefined) {
    const { target } = entry;
    if (target === DISCONNECT_CARRIER_ID) {
      return { work: entry, goal: undefined, reached: current === undefined };
    }
    return { work: entry, goal: carriers.with(target), reached: current?.carrierId === target };
  }
  if (provisioning === undefined || provisioning.outcome !== undefined) return undefined;
  const { action, target } = provisioning;
  const work = provisioning;
  switch (action) {
    case 'enable':
      return { work, goal: carriers.with(target), reached: current?.carrierId === target };
    case 'disable':
      return { work, goal: undefined, reached: current === undefined };
    case 'delete':
      return { work, goal: undefined, reached: carriers.with(target) === undefined };
    case 'reset-memory':
      return { work, goal: undefined, reached: carriers.all.length === 0 };
  }
}

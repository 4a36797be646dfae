import type { CardCarrier, CurrentCarrier } from '../sim/carrier-card.ts';
import type { EuiccProfiles } from '../sim/euicc-profiles.ts';
import { type CardDriver, type CardWork, cardReason } from './card-driver.ts';
import { CarrierList } from './carrier-list.ts';
import type { CarrierNetwork } from './carrier-network.ts';
import type { CommandJournal } from './command-journal.ts';

export interface CarrierSettlingOptions {
  readonly driver: CardDriver;
  readonly network: CarrierNetwork;
  readonly journal: CommandJournal;
  readonly carriers: () => CarrierList;
  /** The card is on another carrier, whose network is looked for: nobody is told yet. */
  readonly onTrial: (current: CurrentCarrier) => void;
  readonly log: (message: string) => void;
}

/** What follows when the card has gone to a carrier: its network, or the way back. */
export class CarrierSettling {
  readonly #options: CarrierSettlingOptions;

  constructor(options: CarrierSettlingOptions) {
    this.#options = options;
  }

  /** Where the card has gone to another carrier: has it a network? Undefined: the modem was closed meanwhile. */
  async settle(
    goal: CardCarrier | undefined,
    before: CurrentCarrier | undefined,
    work: CardWork,
  ): Promise<CardWork | undefined> {
    const { carriers, network, onTrial } = this.#options;
    const { current, reason } = work;
    if (!work.read) return work;
    if (current === undefined) {
      // Asked to leave its carrier, or it had none; otherwise it lost it on the way to another.
      return goal === undefined || before === undefined ? work : this.goBack(reason, work);
    }
    if (current.carrierId === before?.carrierId || reason !== '') return work;
    onTrial(current);
    const trouble = await network.try(carriers().nameOf(current), current);
    if (trouble === undefined) return undefined;
    return trouble === '' ? work : this.goBack(trouble, work);
  }

  /** Has the card go back to where it came from; that it does is on disk before. */
  async goBack(trouble: string, work: CardWork): Promise<CardWork> {
    const { journal, driver, carriers, log } = this.#options;
    const { unfinished, contents } = journal;
    const from = (unfinished === undefined ? undefined : contents[unfinished]?.from) ?? contents.lastCarrier;
    const back = carriers().with(from);
    if (back === undefined || back.id === work.current?.carrierId) {
      return { ...work, reason: `${trouble}; there is no other carrier to go back to` };
    }
    journal.undo(trouble);
    log(`${trouble}: going back to ${back.name}`);
    const returned = await driver.go(back, work.current);
    if (returned.reason === '') return { ...returned, reason: `${trouble}; back on ${back.name}` };
    journal.set({ returnTo: back.id });
    return { ...returned, reason: `${trouble}; and not back on ${back.name}: ${returned.reason}` };
  }
}

/**
 * Deletes the profile with that ICCID; undefined: all operational ones. What the card lists afterwards is how it
 * ended, and comes with it where it could be read.
 */
export async function removeProfiles(
  driver: CardDriver,
  profiles: EuiccProfiles | undefined,
  iccid: string | undefined,
  before: CurrentCarrier | undefined,
): Promise<{ readonly work: CardWork; readonly carriers: CarrierList | undefined }> {
  const work = await driver.do(before, async () => {
    if (iccid === undefined) await profiles?.resetMemory();
    else await profiles?.delete(iccid);
  });
  if (!work.read) return { work, carriers: undefined };
  try {
    const { carriers: left, current } = await driver.read();
    const removed =
      iccid === undefined ? left.length === 0 : left.every((carrier) => carrier.iccid !== iccid);
    const reason = removed ? '' : work.reason || 'the card acknowledged, and has it still';
    return { work: { ...work, current, reason }, carriers: new CarrierList(left) };
  } catch (error) {
    const reason = work.reason || cardReason(error);
    return { work: { ...work, reason, read: false }, carriers: undefined };
  }
}

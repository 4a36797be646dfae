import { CarrierState, DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { OperationError } from '../lwm2m/operation-error.ts';
import type { CardCarrier, CarrierCard, CurrentCarrier } from '../sim/carrier-card.ts';
import type { EuiccProfiles } from '../sim/euicc-profiles.ts';
import { CardDriver, type CardReading, type CardWork, cardReason } from './card-driver.ts';
import { CardLock } from './card-lock.ts';
import { CardWatch } from './card-watch.ts';
import { CarrierList } from './carrier-list.ts';
import { CarrierNetwork } from './carrier-network.ts';
import { CarrierReturn } from './carrier-return.ts';
import { CarrierSettling, removeProfiles } from './carrier-settling.ts';
import { type CarrierActions, type CarrierSnapshot, snapshotOf } from './carrier-snapshot.ts';
import type { CommandJournal, ProvisioningAction } from './command-journal.ts';
import { type InterruptedWork, judgeInterrupted } from './interrupted-work.ts';

export interface CarrierControlOptions {
  readonly card: CarrierCard;
  readonly journal: CommandJournal;
  readonly clock: Clock;
  /** Milliseconds without network when the carrier changes. */
  readonly attachTime: number;
  /** Milliseconds in which a new carrier has to have a network; else the card goes back to the old one. */
  readonly networkTimeout: number;
  /** Milliseconds in which a card that is away or answers nothing of use has to be back; else the switch has failed. */
  readonly cardPatience: number;
  readonly actions: CarrierActions;
}

/** The answer to an operation on profiles waits that long for the card's word, ms. */
const answerTime = 5_000;
/** For the card at the start of the modem, ms: it is waited for afterwards. */
const startPatience = 2_000;

/**
 * The card's carriers, and what servers do with them: the switch as the modem's half of a durable command, and
 * operations on profiles.
 *
 * Id and target are on disk before the answer and before the first APDU, a way back before its own; an id that was had
 * is answered with what was stored; after a crash the card says how it ended, and nothing is done a second time. One
 * piece of work is under way at a time.
 */
export class CarrierControl {
  readonly #options: CarrierControlOptions;
  readonly #driver: CardDriver;
  readonly #network: CarrierNetwork;
  readonly #settling: CarrierSettling;
  readonly #watch: CardWatch;
  readonly #return: CarrierReturn;
  readonly #lock = new CardLock();
  #snapshot: CarrierSnapshot;
  #carriers = new CarrierList();
  /** Whether the card has been read, so that the journal has been settled by it. */
  #begun = false;
  #closed = false;

  constructor(options: CarrierControlOptions) {
    this.#options = options;
    const { card, clock, journal, actions } = options;
    this.#driver = new CardDriver(card, clock, options.cardPatience);
    this.#network = new CarrierNetwork(options);
    this.#settling = new CarrierSettling({
      driver: this.#driver,
      network: this.#network,
      journal,
      carriers: () => this.#carriers,
      onTrial: (current) => {
        this.#snapshot = { ...this.#snapshot, current: this.#carriers.nameOf(current), identity: current };
      },
      log: (message) => actions.log(message),
    });
    const shared = { driver: this.#driver, clock, lock: this.#lock, actions };
    this.#watch = new CardWatch({ ...shared, onReading: (reading) => this.#follow(reading) });
    this.#return = new CarrierReturn({
      ...shared,
      journal,
      carriers: () => this.#carriers,
      current: () => this.#snapshot.identity,
      onBack: (current) => this.#back(current),
      onLost: (reason) => this.#watch.lost(reason),
    });
    // How the newest switch ended is shown when the card has been read: it may have been interrupted.
    this.#snapshot = snapshotOf({ ...journal.contents, entry: undefined }, '', undefined);
    card.onChanged((event) => this.#watch.heard(event));
  }

  get snapshot(): CarrierSnapshot {
    return this.#snapshot;
  }

  get carriers(): readonly CardCarrier[] {
    return this.#carriers.all;
  }

  /** Where the card is an eUICC. */
  get profiles(): EuiccProfiles | undefined {
    return this.#options.card.profiles?.();
  }

  get isConnected(): boolean {
    return this.#snapshot.identity !== undefined;
  }

  /** Whether there is a card that can be read. */
  get hasCard(): boolean {
    return this.#begun;
  }

  /** Whether something is under way with the card. */
  get isBusy(): boolean {
    return this.#lock.isBusy;
  }

  get reconnectAfter(): number {
    return this.#options.journal.contents.reconnectAfter;
  }

  set reconnectAfter(seconds: number) {
    this.#options.journal.set({ reconnectAfter: seconds });
  }

  /**
   * Reads the card, and settles what a crash interrupted: by what the card says, never by doing it again. A card
   * without an enabled profile stays disconnected for what is left of its time; one that is not there, or cannot be
   * read, is waited for.
   */
  async start(): Promise<void> {
    let reading: CardReading;
    try {
      reading = await this.#driver.start(startPatience);
    } catch (error) {
      this.#network.beginDetached();
      this.#watch.lost(cardReason(error));
      return;
    }
    this.#begin(reading);
  }

  close(): void {
    this.#closed = true;
    for (const part of [this.#driver, this.#network, this.#watch, this.#return]) part.close();
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
    if (target !== DISCONNECT_CARRIER_ID && this.#carriers.with(target) === undefined) {
      throw new OperationError(
        Code.BAD_REQUEST,
        `no carrier ${target} on this card: ${this.#carriers}, ${DISCONNECT_CARRIER_ID} Disconnect`,
      );
    }
    this.#lock.check();
    journal.take({ id, target, takenAt: clock.wallTime(), from: this.#snapshot.identity?.carrierId });
    this.#lock.take('a switch is under way');
    await actions.reach('journal-written');
    return { begin: () => void this.#run(target).catch((error) => actions.fault(error)) };
  }

  /**
   * Does something with a profile, of the carrier with that id: when it returns the card has done it, or has said no,
   * or takes longer than an answer can wait; what follows in the network comes with `begin`, after the answer.
   * @throws OperationError 5.00 with the reason; 5.03 busy
   */
  async provision(
    action: ProvisioningAction,
    target: number | undefined,
  ): Promise<{ readonly begin: () => void }> {
    const { journal, clock, actions } = this.#options;
    this.#lock.check();
    const before = this.#snapshot.identity;
    journal.takeProvisioning({ action, target, takenAt: clock.wallTime(), from: before?.carrierId });
    this.#lock.take('an operation on its profiles is under way');
    this.#snapshot = { ...this.#snapshot, provisioning: journal.contents.provisioning };
    actions.log(`${this.#carriers.workName(journal.contents, 'provisioning')} begins`);
    actions.changed();
    const goal = action === 'enable' ? this.#carriers.with(target) : undefined;
    const word =
      action === 'delete' || action === 'reset-memory'
        ? this.#remove(action === 'delete' ? target : undefined, before)
        : this.#driver.go(goal, before);
    const work = await inTime(word, clock);
    if (work === undefined) {
      word.then((late) => this.#conclude(goal, before, late)).catch(actions.fault);
      return { begin: () => {} };
    }
    if (work.reason !== '' || action === 'delete') {
      await this.#conclude(goal, before, work);
      if (work.reason === '') return { begin: () => {} };
      const { outcome } = journal.contents.provisioning ?? {};
      throw new OperationError(Code.INTERNAL_SERVER_ERROR, outcome?.reason ?? work.reason);
    }
    return { begin: () => void this.#conclude(goal, before, work).catch(actions.fault) };
  }

  /**
   * Gives the profile of a carrier another nickname: the carrier's name then.
   * @throws OperationError 4.00 too long; 5.00 with the reason; 5.03 busy
   */
  async rename(iccid: string, nickname: string): Promise<void> {
    const { actions } = this.#options;
    let reason = '';
    try {
      await this.#lock.hold(
        'a profile is being renamed',
        async () => await this.profiles?.setNickname(iccid, nickname),
      );
    } catch (error) {
      if (error instanceof RequestError) throw new OperationError(Code.BAD_REQUEST, error.message);
      if (error instanceof OperationError) throw error;
      reason = cardReason(error);
    }
    await this.#watch.refresh();
    if (reason !== '') throw new OperationError(Code.INTERNAL_SERVER_ERROR, reason);
    actions.log(`profile ${iccid} is called ${nickname === '' ? 'as its provider' : nickname}`);
  }

  async #run(target: number): Promise<void> {
    const { journal, actions } = this.#options;
    await actions.reach('answered');
    const before = this.#snapshot.identity;
    const name = this.#carriers.targetName(target);
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
    const goal = this.#carriers.with(target);
    const work = await this.#driver.go(goal, before);
    await actions.reach('after-apdu');
    await this.#conclude(goal, before, work);
  }

  /** Deletes the profile of a carrier; undefined: all operational ones. */
  async #remove(target: number | undefined, before: CurrentCarrier | undefined): Promise<CardWork> {
    const iccid = this.#carriers.with(target)?.iccid;
    const { work, carriers } = await removeProfiles(this.#driver, this.profiles, iccid, before);
    if (carriers !== undefined) this.#carriers = carriers;
    return work;
  }

  /** From what the card did to its end: network or way back, journal, and who is told. */
  async #conclude(
    goal: CardCarrier | undefined,
    before: CurrentCarrier | undefined,
    work: CardWork,
  ): Promise<void> {
    const { journal, clock, actions } = this.#options;
    const name = this.#carriers.workName(journal.contents, journal.unfinished);
    const about = journal.unfinished === 'provisioning' ? ` of ${name}` : '';
    // The process ends: the next one goes on by what card and journal say.
    if (this.#closed && !work.read) return;
    const ended = await this.#settling.settle(goal, before, work);
    if (ended === undefined) return;
    const { reason, note, current } = ended;
    const succeeded = reason === '';
    if (current === undefined && before?.carrierId !== undefined) {
      journal.set({ lastCarrier: before.carrierId });
    }
    journal.finish({ succeeded, reason: succeeded ? note : reason, at: clock.wallTime() });
    this.#show(current);
    actions.log(succeeded ? `ACK${about}: ${this.#carriers.describe(current)}` : `NACK${about}: ${reason}`);
    const leaves = current === undefined && before !== undefined;
    if (!leaves) this.#lock.free();
    await actions.reach('before-notify');
    if (leaves) {
      this.#lock.free();
      await this.#disconnect();
    } else if (current === undefined) actions.changed();
    else if (!this.#closed) {
      const changed = before === undefined || current.carrierId !== before.carrierId;
      if (changed || this.#network.isDetached) this.#network.join();
      actions.changed();
    }
    await actions.reach('after-notify');
    if (!ended.read) this.#watch.lost(reason);
    if (journal.contents.returnTo !== undefined) this.#return.again();
    this.#watch.freed();
  }

  /** The ACK goes first; then the modem is gone for a while. What is asked for in between would find it leaving. */
  async #disconnect(): Promise<void> {
    const { journal, clock, actions } = this.#options;
    await this.#lock.hold('the modem is leaving the network', async () => {
      await actions.deliver();
      journal.set({ disconnectedAt: clock.wallTime() });
      await this.#network.leave();
    });
    actions.log(`off the network, back in ${this.reconnectAfter} s`);
    this.#return.in(this.reconnectAfter * 1_000);
  }

  /** The card was taken back to a carrier in time. */
  #back(current: CurrentCarrier): void {
    this.#show(current);
    this.#options.actions.log(`back on ${this.#snapshot.current}`);
    this.#network.join();
    this.#options.actions.changed();
    this.#watch.freed();
  }

  /** The card was read for the first time: settles what a crash interrupted. */
  #begin({ carriers, current }: CardReading): void {
    const { journal, clock, actions } = this.#options;
    this.#begun = true;
    this.#carriers = new CarrierList(carriers);
    this.#show(current);
    const interrupted = judgeInterrupted(journal.contents, this.#carriers, current);
    if (interrupted !== undefined) this.#resume(interrupted, current);
    const { disconnectedAt, returnTo } = journal.contents;
    if (current !== undefined) {
      if (disconnectedAt !== undefined) journal.set({ disconnectedAt: undefined });
      if (returnTo !== undefined) this.#return.again();
      if (this.#network.isDetached && !this.isBusy) this.#network.join();
      actions.changed();
      return;
    }
    this.#network.beginDetached();
    const since = disconnectedAt ?? clock.wallTime();
    if (disconnectedAt === undefined) journal.set({ disconnectedAt: since });
    const left = since + this.reconnectAfter * 1_000 - clock.wallTime();
    this.#return.in(Math.min(left, this.reconnectAfter * 1_000));
    actions.changed();
  }

  /** What a crash interrupted ends on what the card says; a search for the network, or a way back, goes on. */
  #resume({ work, goal, reached }: InterruptedWork, current: CurrentCarrier | undefined): void {
    const { journal, clock, actions } = this.#options;
    const what = this.#carriers.workName(journal.contents, journal.unfinished);
    const { undone } = work;
    const hasNetwork = current?.obstacle === undefined && actions.hasNetwork();
    if (reached && goal !== undefined && goal.id !== work.from && (undone !== undefined || !hasNetwork)) {
      actions.log(`${what} was interrupted: the card had done it`);
      this.#lock.take('what was interrupted is under way');
      this.#goOn(work.from, undone, goal, current).catch(actions.fault);
      return;
    }
    const where = this.#carriers.nameOf(current);
    const failed =
      undone === undefined ? `interrupted: the card stayed on ${where}` : `${undone}; back on ${where}`;
    journal.finish({ succeeded: reached, reason: reached ? '' : failed, at: clock.wallTime() });
    actions.log(`${what} was ${reached ? 'interrupted: the card had done it' : failed}`);
    this.#show(current);
  }

  async #goOn(
    from: number | undefined,
    undone: string | undefined,
    goal: CardCarrier,
    current: CurrentCarrier | undefined,
  ): Promise<void> {
    const work = { reason: '', note: '', current, read: true };
    if (undone !== undefined) {
      await this.#conclude(undefined, current, await this.#settling.goBack(undone, work));
      return;
    }
    const carrier = this.#carriers.with(from);
    const before = carrier && { carrierId: carrier.id, iccid: carrier.iccid, imsi: undefined };
    await this.#conclude(goal, before, work);
  }

  /** The card did something by itself, is another one, or is there for the first time. */
  async #follow(reading: CardReading): Promise<void> {
    if (!this.#begun) {
      this.#begin(reading);
      return;
    }
    if (this.isBusy) {
      // Somebody has taken the card since it was read: it is read again when he is done.
      this.#watch.heard('changed');
      return;
    }
    const { journal, actions } = this.#options;
    const { current } = reading;
    const before = this.#snapshot.identity;
    this.#carriers = new CarrierList(reading.carriers);
    this.#show(current);
    if (before?.carrierId === current?.carrierId && before?.iccid === current?.iccid) {
      // Whoever followed the card here found it being read, and left the rest to this.
      if (current !== undefined && this.#network.isDetached) this.#network.join();
      actions.changed();
      return;
    }
    if (current === undefined) {
      actions.log('the card is on no carrier any more');
      if (before?.carrierId !== undefined) journal.set({ lastCarrier: before.carrierId });
      await this.#disconnect();
      return;
    }
    actions.log(`the card is on ${this.#snapshot.current} now, by itself`);
    if (journal.contents.returnTo === undefined) this.#return.cancel();
    journal.set({ disconnectedAt: undefined });
    await this.#network.change();
    if (this.#closed || this.isBusy) return;
    this.#network.join();
    actions.changed();
  }

  /** What the card is now, beside how the newest switch ended. */
  #show(identity: CurrentCarrier | undefined): void {
    const name = identity === undefined ? '' : this.#carriers.nameOf(identity);
    const obstacle = identity?.obstacle;
    if (obstacle !== undefined) {
      const shown = this.#snapshot.identity;
      if (obstacle !== shown?.obstacle || identity?.carrierId !== shown.carrierId) {
        this.#options.actions.log(`no network with ${name}: ${obstacle}`);
      }
      this.#watch.lookAgain();
    }
    this.#snapshot = snapshotOf(this.#options.journal.contents, name, identity);
  }
}

/** Undefined: it is not there in the time that an answer can wait. */
async function inTime<T>(word: Promise<T>, clock: Clock): Promise<T | undefined> {
  let timer: Timer | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = clock.setTimer(answerTime, () => resolve(undefined));
  });
  try {
    return await Promise.race([word, late]);
  } finally {
    timer?.cancel();
  }
}

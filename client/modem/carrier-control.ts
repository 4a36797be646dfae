import { CarrierResult, CarrierState, DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { Code } from '../../protocol/coap/message.ts';
import { RequestError } from '../../protocol/errors.ts';
import { longestTimer } from '../lwm2m/observations.ts';
import { OperationError } from '../lwm2m/operation-error.ts';
import type { CardCarrier, CarrierCard, CurrentCarrier } from '../sim/carrier-card.ts';
import type { EuiccProfiles } from '../sim/euicc-profiles.ts';
import { CardDriver, type CardReading, type CardWork, cardReason } from './card-driver.ts';
import type { CarrierActions, CarrierSnapshot } from './carrier-snapshot.ts';
import type { CommandJournal, JournaledWork, ProvisioningAction } from './command-journal.ts';

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

/** A modem that is busy asks to be tried again after this, s. */
const busyRetry = 5;
/** After a re-attachment that the card refused, the next attempt comes after this at least, s. */
const reconnectRetry = 10;
/** For the card at the start of the modem, ms: it is waited for afterwards. */
const startPatience = 2_000;
/** A card that is away is looked for this often, ms. */
const watchPause = 5_000;
/** While it searches, the radio looks for the carrier's network this often, ms. */
const searchPause = 1_000;

/**
 * The card's carriers, and all that is done with them: the switch as the modem's half of a durable command, operations
 * on profiles, the way back where the new carrier has no network, and cards that come, go and change by themselves.
 *
 * Id and target are on disk before the answer and before the first APDU, a way back before its own; an id that was had
 * is answered with what was stored; after a crash the card says how it ended, and nothing is done a second time. One
 * piece of work is under way at a time.
 */
export class CarrierControl {
  readonly #options: CarrierControlOptions;
  readonly #driver: CardDriver;
  #snapshot: CarrierSnapshot;
  #carriers: readonly CardCarrier[] = [];
  /** What it is busy with, for who wants something else. */
  #busy: string | undefined;
  /** Whether the card has been read, so that the journal has been settled by it. */
  #begun = false;
  /** Whether the radio left the network for the card's sake. */
  #detached = false;
  /** The card did something by itself while it was busy. */
  #changedMeanwhile = false;
  #troubled = false;
  #reconnect: Timer | undefined;
  #watch: Timer | undefined;
  #closed = false;

  constructor(options: CarrierControlOptions) {
    this.#options = options;
    this.#driver = new CardDriver(options.card, options.clock, options.cardPatience);
    const { lastCommand, provisioning } = options.journal.contents;
    this.#snapshot = {
      current: '',
      identity: undefined,
      state: CarrierState.IDLE,
      lastResult: undefined,
      lastReason: '',
      lastSwitch: undefined,
      lastCommand,
      provisioning,
    };
    options.card.onChanged((event) => {
      if (event === 'removed') this.#removed();
      else this.#refresh(event === 'inserted' || this.#troubled).catch(options.actions.fault);
    });
  }

  get snapshot(): CarrierSnapshot {
    return this.#snapshot;
  }

  get carriers(): readonly CardCarrier[] {
    return this.#carriers;
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
    return this.#busy !== undefined;
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
      this.#detached = true;
      this.#away(cardReason(error));
      return;
    }
    this.#begin(reading);
  }

  close(): void {
    this.#closed = true;
    this.#driver.close();
    this.#reconnect?.cancel();
    this.#watch?.cancel();
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
    if (target !== DISCONNECT_CARRIER_ID && this.#carrierWith(target) === undefined) {
      const offered = this.#carriers.map((carrier) => `${carrier.id} ${carrier.name}`).join(', ');
      throw new OperationError(
        Code.BAD_REQUEST,
        `no carrier ${target} on this card: ${offered}, ${DISCONNECT_CARRIER_ID} Disconnect`,
      );
    }
    this.#checkFree();
    journal.take({ id, target, takenAt: clock.wallTime(), from: this.#snapshot.identity?.carrierId });
    this.#busy = 'a switch is under way';
    await actions.reach('journal-written');
    return { begin: () => void this.#run(target).catch((error) => actions.fault(error)) };
  }

  /**
   * Does something with a profile, of the carrier with that id: when it returns the card has done it, or has said no;
   * what follows in the network comes with `begin`, after the answer.
   * @throws OperationError 5.00 with the reason; 5.03 busy
   */
  async provision(
    action: ProvisioningAction,
    target: number | undefined,
  ): Promise<{ readonly begin: () => void }> {
    const { journal, clock, actions } = this.#options;
    this.#checkFree();
    const before = this.#snapshot.identity;
    journal.takeProvisioning({ action, target, takenAt: clock.wallTime(), from: before?.carrierId });
    this.#busy = 'an operation on its profiles is under way';
    this.#snapshot = { ...this.#snapshot, provisioning: journal.contents.provisioning };
    actions.log(`${this.#nameOfProvisioning(action, target)}: begun`);
    actions.changed();
    const goal = action === 'enable' ? this.#carrierWith(target) : undefined;
    const work =
      action === 'delete' || action === 'reset-memory'
        ? await this.#remove(action, target, before)
        : await this.#driver.go(goal, before);
    if (work.reason === '') {
      if (action === 'delete') await this.#conclude(goal, before, work);
      return { begin: () => void this.#follow(goal, before, work) };
    }
    await this.#conclude(goal, before, work);
    const { outcome } = journal.contents.provisioning ?? {};
    throw new OperationError(Code.INTERNAL_SERVER_ERROR, outcome?.reason ?? work.reason);
  }

  /**
   * Gives the profile of a carrier another nickname: the carrier's name then.
   * @throws OperationError 4.00 too long; 5.00 with the reason; 5.03 busy
   */
  async rename(iccid: string, nickname: string): Promise<void> {
    const { actions } = this.#options;
    this.#checkFree();
    this.#busy = 'a profile is being renamed';
    let reason = '';
    try {
      await this.profiles?.setNickname(iccid, nickname);
    } catch (error) {
      if (error instanceof RequestError) throw new OperationError(Code.BAD_REQUEST, error.message);
      reason = cardReason(error);
    } finally {
      this.#busy = undefined;
    }
    await this.#refresh(false);
    if (reason !== '') throw new OperationError(Code.INTERNAL_SERVER_ERROR, reason);
    actions.log(`profile ${iccid} is called ${nickname === '' ? 'as its provider' : nickname}`);
  }

  #follow(goal: CardCarrier | undefined, before: CurrentCarrier | undefined, work: CardWork): void {
    if (this.#options.journal.unfinished !== 'provisioning') return;
    this.#conclude(goal, before, work).catch(this.#options.actions.fault);
  }

  #checkFree(): void {
    if (this.#busy !== undefined) {
      throw new OperationError(Code.SERVICE_UNAVAILABLE, this.#busy, busyRetry);
    }
  }

  #free(): void {
    this.#busy = undefined;
    if (!this.#changedMeanwhile) return;
    this.#changedMeanwhile = false;
    this.#refresh(false).catch(this.#options.actions.fault);
  }

  async #run(target: number): Promise<void> {
    const { journal, actions } = this.#options;
    await actions.reach('answered');
    const before = this.#snapshot.identity;
    actions.log(`${this.#snapshot.current || 'disconnected'} → ${this.#nameOf(target)}: switching`);
    this.#snapshot = {
      ...this.#snapshot,
      state: CarrierState.SWITCHING,
      lastResult: undefined,
      lastReason: '',
      lastCommand: journal.contents.lastCommand,
    };
    actions.changed();
    await actions.reach('before-apdu');
    const goal = this.#carrierWith(target);
    const work = await this.#driver.go(goal, before);
    await actions.reach('after-apdu');
    await this.#conclude(goal, before, work);
  }

  /** Deletes profiles. What the card lists afterwards is how it ended. */
  async #remove(
    action: 'delete' | 'reset-memory',
    target: number | undefined,
    before: CurrentCarrier | undefined,
  ): Promise<CardWork> {
    const { profiles } = this;
    const iccid = this.#carrierWith(target)?.iccid;
    const work = await this.#driver.do(before, async () => {
      if (action === 'reset-memory') await profiles?.resetMemory();
      else if (iccid !== undefined) await profiles?.delete(iccid);
    });
    if (!work.read) return work;
    try {
      const { carriers, current } = await this.#driver.read();
      this.#carriers = carriers;
      const removed = action === 'delete' ? this.#carrierWith(target) === undefined : carriers.length === 0;
      if (removed) return { ...work, current, reason: '' };
      return { ...work, current, reason: work.reason || 'the card acknowledged, and has it still' };
    } catch (error) {
      return { ...work, reason: work.reason || cardReason(error), read: false };
    }
  }

  /** From what the card did to its end: network or way back, journal, and who is told. */
  async #conclude(
    goal: CardCarrier | undefined,
    before: CurrentCarrier | undefined,
    work: CardWork,
  ): Promise<void> {
    const { journal, clock, actions } = this.#options;
    const what = journal.unfinished === 'provisioning' ? ` of ${this.#unfinishedName()}` : '';
    // The process ends: the next one goes on by what card and journal say.
    if (this.#closed && !work.read) return;
    const ended = await this.#settle(goal, before, work);
    if (ended === undefined) return;
    const { reason, note, current } = ended;
    const succeeded = reason === '';
    if (current === undefined && before?.carrierId !== undefined) {
      journal.set({ lastCarrier: before.carrierId });
    }
    journal.finish({ succeeded, reason: succeeded ? note : reason, at: clock.wallTime() });
    this.#show(current);
    actions.log(`${succeeded ? 'ACK' : 'NACK'}${what}: ${succeeded ? this.#describe(current) : reason}`);
    const changed = before === undefined || current?.carrierId !== before.carrierId;
    this.#busy = undefined;
    await actions.reach('before-notify');
    if (current === undefined) {
      if (before === undefined) actions.changed();
      else await this.#disconnect();
    } else if (!this.#closed) {
      if (changed || this.#detached) this.#attach();
      actions.changed();
    }
    await actions.reach('after-notify');
    if (!ended.read) this.#away(reason);
    if (journal.contents.returnTo !== undefined) this.#scheduleReconnect(reconnectRetry * 1_000);
    if (!this.isBusy) this.#free();
  }

  /** Where the card has gone to another carrier: has it a network? Undefined: the modem was closed meanwhile. */
  async #settle(
    goal: CardCarrier | undefined,
    before: CurrentCarrier | undefined,
    work: CardWork,
  ): Promise<CardWork | undefined> {
    const { current, reason } = work;
    if (!work.read) return work;
    if (current === undefined) {
      // Asked to leave its carrier, or it had none; otherwise it lost it on the way to another.
      return goal === undefined || before === undefined ? work : this.#goBack(reason, work);
    }
    if (current.carrierId === before?.carrierId || reason !== '') return work;
    this.#snapshot = { ...this.#snapshot, current: this.#carrierOf(current), identity: current };
    const trouble = await this.#tryNetwork(current);
    if (trouble === undefined) return undefined;
    return trouble === '' ? work : this.#goBack(trouble, work);
  }

  /** Looks for the network of the carrier that the card is on; why there is none, in words. */
  async #tryNetwork(current: CurrentCarrier): Promise<string | undefined> {
    const { actions, clock, attachTime, networkTimeout } = this.#options;
    const name = this.#carrierOf(current);
    if (current.obstacle !== undefined) return `no network with ${name}: ${current.obstacle}`;
    if (attachTime > 0) {
      await this.#detach();
      await this.#pause(attachTime);
    }
    if (!this.#closed && !actions.hasNetwork()) {
      await this.#detach();
      actions.log(`no network of ${name} yet: searching`);
    }
    const until = clock.now() + networkTimeout;
    while (!this.#closed && !actions.hasNetwork()) {
      if (clock.now() >= until) return `no network with ${name} within ${networkTimeout / 1_000} s`;
      await this.#pause(Math.min(searchPause, until - clock.now()));
    }
    return this.#closed ? undefined : '';
  }

  /** Has the card go back to where it came from; that it does is on disk before. */
  async #goBack(trouble: string, work: CardWork): Promise<CardWork> {
    const { journal, actions } = this.#options;
    const { unfinished, contents } = journal;
    const from = (unfinished === undefined ? undefined : contents[unfinished]?.from) ?? contents.lastCarrier;
    const back = this.#carrierWith(from);
    if (back === undefined || back.id === work.current?.carrierId) {
      return { ...work, reason: `${trouble}; there is no other carrier to go back to` };
    }
    journal.undo(trouble);
    actions.log(`${trouble}: going back to ${back.name}`);
    const returned = await this.#driver.go(back, work.current);
    if (returned.reason === '') return { ...returned, reason: `${trouble}; back on ${back.name}` };
    journal.set({ returnTo: back.id });
    return { ...returned, reason: `${trouble}; and not back on ${back.name}: ${returned.reason}` };
  }

  /** The ACK goes first; then the modem is gone for a while. */
  async #disconnect(): Promise<void> {
    const { journal, clock, actions } = this.#options;
    await actions.deliver();
    journal.set({ disconnectedAt: clock.wallTime() });
    await this.#detach();
    actions.log(`off the network, back in ${this.reconnectAfter} s`);
    this.#scheduleReconnect(this.reconnectAfter * 1_000);
  }

  async #detach(): Promise<void> {
    this.#detached = true;
    await this.#options.actions.detach();
  }

  #attach(): void {
    this.#detached = false;
    this.#options.actions.attach();
  }

  #scheduleReconnect(delay: number): void {
    const { clock, actions } = this.#options;
    if (this.#closed) return;
    this.#reconnect?.cancel();
    this.#reconnect = clock.setTimer(Math.min(Math.max(1, delay), longestTimer), () => {
      this.#comeBack().catch((error) => actions.fault(error));
    });
  }

  /** After a Disconnect, or where the way back failed: the carrier before again, and the network. */
  async #comeBack(): Promise<void> {
    const { journal, actions } = this.#options;
    const { returnTo } = journal.contents;
    if (this.isBusy) {
      this.#scheduleReconnect(reconnectRetry * 1_000);
      return;
    }
    if (this.isConnected && returnTo === undefined) return;
    const carrier = this.#carrierWith(returnTo) ?? this.#lastCarrier();
    this.#busy = 'the modem is on its way back to a carrier';
    const work = carrier === undefined ? undefined : await this.#driver.go(carrier, this.#snapshot.identity);
    this.#busy = undefined;
    if (this.#closed) return;
    const reason = work === undefined ? 'the card has no profile' : work.reason;
    const there = work?.current !== undefined && (work.reason === '' || returnTo === undefined);
    if (!there) {
      actions.log(`cannot come back to the network: ${reason || 'the card enabled no profile'}`);
      const pause = returnTo === undefined ? Math.max(reconnectRetry, this.reconnectAfter) : reconnectRetry;
      this.#scheduleReconnect(pause * 1_000);
      if (work?.read === false) this.#away(reason);
      else this.#free();
      return;
    }
    journal.set({ disconnectedAt: undefined, returnTo: undefined });
    this.#show(work.current);
    actions.log(`back on ${this.#snapshot.current}`);
    this.#attach();
    actions.changed();
    this.#free();
  }

  /** The card was read for the first time: settles what a crash interrupted. */
  #begin({ carriers, current }: CardReading): void {
    const { journal, clock, actions } = this.#options;
    this.#begun = true;
    this.#carriers = carriers;
    this.#show(current);
    const { unfinished } = journal;
    if (unfinished !== undefined) this.#resume(unfinished, current);
    const { disconnectedAt, returnTo } = journal.contents;
    if (current !== undefined) {
      if (disconnectedAt !== undefined) journal.set({ disconnectedAt: undefined });
      if (returnTo !== undefined) this.#scheduleReconnect(reconnectRetry * 1_000);
      if (this.#detached && !this.isBusy) this.#attach();
      actions.changed();
      return;
    }
    this.#detached = true;
    const since = disconnectedAt ?? clock.wallTime();
    if (disconnectedAt === undefined) journal.set({ disconnectedAt: since });
    const left = since + this.reconnectAfter * 1_000 - clock.wallTime();
    this.#scheduleReconnect(Math.min(left, this.reconnectAfter * 1_000));
    actions.changed();
  }

  /** What a crash interrupted ends on what the card says; a search for the network, or a way back, goes on. */
  #resume(unfinished: 'entry' | 'provisioning', current: CurrentCarrier | undefined): void {
    const { journal, clock, actions } = this.#options;
    const work = journal.contents[unfinished] as JournaledWork;
    const what = this.#unfinishedName();
    const { goal, reached } = this.#judge(unfinished, current);
    const settled = current?.obstacle === undefined && actions.hasNetwork();
    const before = this.#carrierWith(work.from);
    if (reached && goal !== undefined && goal.id !== work.from && (work.undone !== undefined || !settled)) {
      actions.log(`${what} was interrupted: the card had done it`);
      this.#busy = 'what was interrupted is under way';
      this.#show(current);
      const card = { reason: '', note: '', current, read: true };
      const from =
        before === undefined ? undefined : { carrierId: before.id, iccid: before.iccid, imsi: undefined };
      const { undone } = work;
      (undone === undefined
        ? this.#conclude(goal, from, card)
        : this.#goBack(undone, card).then((back) => this.#conclude(undefined, current, back))
      ).catch(actions.fault);
      return;
    }
    const where = this.#carrierOf(current);
    const failed =
      work.undone === undefined
        ? `interrupted: the card stayed on ${where}`
        : `${work.undone}; back on ${where}`;
    journal.finish({ succeeded: reached, reason: reached ? '' : failed, at: clock.wallTime() });
    actions.log(`${what} was ${reached ? 'interrupted: the card had done it' : failed}`);
    this.#show(current);
  }

  #judge(
    unfinished: 'entry' | 'provisioning',
    current: CurrentCarrier | undefined,
  ): { readonly goal: CardCarrier | undefined; readonly reached: boolean } {
    const { entry, provisioning } = this.#options.journal.contents;
    if (unfinished === 'provisioning' && provisioning !== undefined) {
      const { action, target } = provisioning;
      if (action === 'delete') return { goal: undefined, reached: this.#carrierWith(target) === undefined };
      if (action === 'reset-memory') return { goal: undefined, reached: this.#carriers.length === 0 };
      if (action === 'disable') return { goal: undefined, reached: current === undefined };
      const goal = this.#carrierWith(target);
      return { goal, reached: goal !== undefined && current?.carrierId === target };
    }
    const goal = this.#carrierWith(entry?.target);
    if (entry?.target === DISCONNECT_CARRIER_ID) return { goal, reached: current === undefined };
    return { goal, reached: current !== undefined && current.carrierId === entry?.target };
  }

  #removed(): void {
    // What is under way finds out by itself.
    if (!this.isBusy) this.#away('the card was taken out');
  }

  /** The card cannot be talked to: it is looked for until it is there again. */
  #away(reason: string): void {
    const { actions, clock } = this.#options;
    if (this.#closed) return;
    if (!this.#troubled) actions.log(`the card is away: ${reason}`);
    this.#troubled = true;
    actions.cardTrouble(true);
    this.#watch?.cancel();
    this.#watch = clock.setTimer(watchPause, () => {
      this.#refresh(true).catch(actions.fault);
    });
  }

  /** Reads the card anew, and follows it where it went. `connect`: it was away. */
  async #refresh(connect: boolean): Promise<void> {
    const { actions, clock } = this.#options;
    if (this.#closed) return;
    if (this.isBusy) {
      if (connect && this.#troubled) {
        this.#watch?.cancel();
        this.#watch = clock.setTimer(watchPause, () => void this.#refresh(true).catch(actions.fault));
      } else this.#changedMeanwhile = true;
      return;
    }
    this.#busy = 'the card is being read';
    let reading: CardReading | undefined;
    let reason = '';
    try {
      reading = await (connect || !this.#begun ? this.#driver.start(0) : this.#driver.read());
    } catch (error) {
      reason = cardReason(error);
    } finally {
      this.#busy = undefined;
    }
    if (this.#closed) return;
    if (reading === undefined) {
      this.#away(reason);
      return;
    }
    this.#watch?.cancel();
    if (this.#troubled) actions.log('the card is there again');
    this.#troubled = false;
    actions.cardTrouble(false);
    if (this.#begun) await this.#apply(reading);
    else this.#begin(reading);
    this.#free();
  }

  /** The card did something by itself, or is another one. */
  async #apply({ carriers, current }: CardReading): Promise<void> {
    const { journal, actions, attachTime } = this.#options;
    const before = this.#snapshot.identity;
    this.#carriers = carriers;
    this.#show(current);
    const same = before?.carrierId === current?.carrierId && before?.iccid === current?.iccid;
    if (same) {
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
    if (journal.contents.returnTo === undefined) this.#reconnect?.cancel();
    journal.set({ disconnectedAt: undefined });
    if (attachTime > 0) {
      await this.#detach();
      await this.#pause(attachTime);
    }
    if (this.#closed || this.isBusy) return;
    this.#attach();
    actions.changed();
  }

  /** What the card is now, beside how the newest switch ended. */
  #show(identity: CurrentCarrier | undefined): void {
    const { entry, lastCommand, provisioning } = this.#options.journal.contents;
    const outcome = entry?.outcome;
    const ended = outcome?.succeeded === true ? CarrierState.SUCCEEDED : CarrierState.FAILED;
    const under = entry === undefined ? CarrierState.IDLE : CarrierState.SWITCHING;
    this.#snapshot = {
      current: identity === undefined ? '' : this.#carrierOf(identity),
      identity,
      state: outcome === undefined ? under : ended,
      lastResult:
        outcome === undefined ? undefined : outcome.succeeded ? CarrierResult.ACK : CarrierResult.NACK,
      lastReason: outcome?.reason ?? '',
      lastSwitch: outcome === undefined ? undefined : Math.floor(outcome.at / 1_000),
      lastCommand,
      provisioning,
    };
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.setTimer(milliseconds, resolve));
  }

  #carrierWith(id: number | undefined): CardCarrier | undefined {
    return id === undefined ? undefined : this.#carriers.find((carrier) => carrier.id === id);
  }

  #carrierOf(current: CurrentCarrier | undefined): string {
    if (current === undefined) return 'no carrier';
    return this.#carrierWith(current.carrierId)?.name ?? current.iccid ?? 'an unknown carrier';
  }

  /** To which the modem comes back after a Disconnect. */
  #lastCarrier(): CardCarrier | undefined {
    const { lastCarrier, lastIccid } = this.#options.journal.contents;
    const formerly = this.#carriers.find(({ iccid }) => iccid !== undefined && iccid === lastIccid);
    return this.#carrierWith(lastCarrier) ?? formerly ?? this.#carriers[0];
  }

  #nameOf(target: number | undefined): string {
    if (target === DISCONNECT_CARRIER_ID) return 'Disconnect';
    return this.#carrierWith(target)?.name ?? `carrier ${target}`;
  }

  #nameOfProvisioning(action: ProvisioningAction, target: number | undefined): string {
    return action === 'reset-memory' ? 'memory reset' : `${action} of ${this.#nameOf(target)}`;
  }

  /** For people. */
  #unfinishedName(): string {
    const { unfinished, contents } = this.#options.journal;
    const { entry, provisioning } = contents;
    if (unfinished === 'provisioning' && provisioning !== undefined) {
      return `the ${this.#nameOfProvisioning(provisioning.action, provisioning.target)}`;
    }
    return `the switch to ${this.#nameOf(entry?.target)}`;
  }

  #describe(current: CurrentCarrier | undefined): string {
    if (current === undefined) return 'the card is disconnected';
    return `the card is on ${this.#carrierOf(current)}, ICCID ${current.iccid ?? 'unknown'}`;
  }
}

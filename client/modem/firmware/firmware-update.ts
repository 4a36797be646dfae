import type { Clock, Timer } from '../../../protocol/clock.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import type { Downloads } from './download.ts';
import { type FirmwareFlash, InstallError } from './flash.ts';
import { PackageIntake, readFlash, resultOf } from './intake.ts';
import { type HardwareVersion, PackageError, type PackageHeader } from './package.ts';
import { PackagePull } from './package-pull.ts';
import { type FirmwareRecord, type FirmwareStorage, newRecord } from './record.ts';
import { type FirmwareFault, FirmwareState, Severity, UpdateResult } from './states.ts';

/** What an update does to the rest of the modem. */
export interface FirmwareActions {
  /** These resources of the Firmware Update object have new values. */
  changed(...names: readonly ('state' | 'updateResult' | 'pkgname' | 'pkgversion' | 'packageUri')[]): void;
  /** Tells the observers now; resolves when they have acknowledged, or are given up. */
  deliver(): Promise<void>;
  /** The modem leaves the network, for the time that the flash works. */
  shutDown(): Promise<void>;
  /** It starts: with the new firmware, or with the old one if that did not work. */
  boot(): void;
  /** Whether the modem has nothing else to do that an update would break off. */
  isFree(): boolean;
  /** For people. */
  log(message: string): void;
  /** A bug. */
  fault(error: unknown): void;
}

export interface FirmwareUpdateOptions {
  readonly clock: Clock;
  readonly flash: FirmwareFlash;
  readonly storage: FirmwareStorage;
  readonly hardware: HardwareVersion;
  readonly downloads: Downloads;
  readonly actions: FirmwareActions;
  /** Fault injection for tests. */
  readonly fault?: FirmwareFault;
}

/** Observers get so long to acknowledge that the modem is updating, ms. */
const farewell = 5_000;
/** A deferred update looks so often whether it may begin, ms. */
const deferralPoll = 5_000;
/** Bytes of a pushed package that are checked at once. */
const pieceLength = 65_536;

/**
 * The state machine of the Firmware Update object, OMA-TS-LightweightM2M_Core §E.6: each step is on disk
 * before anybody is told, so that it goes on where it was after a restart.
 */
export class FirmwareUpdate {
  readonly #options: FirmwareUpdateOptions;
  #record: FirmwareRecord;
  #pull: PackagePull | undefined;
  #deferral: Timer | undefined;
  #installing = false;
  #offline = false;
  readonly #powerCut = new AbortController();
  #closed = false;

  /** @throws what reading the storage throws */
  constructor(options: FirmwareUpdateOptions) {
    this.#options = options;
    this.#record = options.storage.read() ?? newRecord;
  }

  get record(): FirmwareRecord {
    return this.#record;
  }

  /** Whether the modem is off the network because its flash is worked on. */
  get isInstalling(): boolean {
    return this.#installing;
  }

  /**
   * Goes on with what was under way when the modem was switched off. Resolves when the firmware runs that
   * is to run: an update that was cut off in the middle is done first.
   */
  async start(): Promise<void> {
    const { state, uri, deferredUntil } = this.#record;
    if (state === FirmwareState.DOWNLOADING) {
      if (uri === '') this.#fail(UpdateResult.CONNECTION_LOST, 'the modem was switched off');
      else this.#download(uri);
    } else if (state === FirmwareState.DOWNLOADED) {
      if (this.#checkStaged() !== undefined && deferredUntil !== undefined) this.#defer(deferredUntil);
    } else if (state === FirmwareState.UPDATING) {
      const header = this.#checkStaged();
      if (header !== undefined) await this.#install(header);
    }
  }

  close(): void {
    this.#closed = true;
    this.#powerCut.abort();
    this.#pull?.abort();
    this.#deferral?.cancel();
    this.#options.flash.flush();
  }

  /** The modem has left the network: downloads break off, to go on where they were. */
  offline(): void {
    this.#offline = true;
    this.#pull?.offline();
  }

  online(): void {
    this.#offline = false;
    this.#pull?.online();
  }

  /**
   * Package was written: a package, or nothing (or one zero byte), which resets the state machine.
   * @throws OperationError 4.05 not idle; 4.13 there is no room for it
   */
  writePackage(bytes: Uint8Array): void {
    if (bytes.length === 0 || (bytes.length === 1 && bytes[0] === 0)) {
      this.#reset(UpdateResult.INITIAL, 'reset');
      return;
    }
    this.#requireIdle('Package');
    this.#begin('');
    const intake = this.#intake();
    try {
      intake.begin(0, bytes.length, undefined);
      for (let at = 0; at < bytes.length; at += pieceLength) {
        intake.take(bytes.subarray(at, at + pieceLength));
      }
      this.#downloaded(intake.finish());
    } catch (error) {
      const result = resultOf(error);
      if (result === undefined || !(error instanceof Error)) throw error;
      this.#fail(result, error.message);
      if (result === UpdateResult.NOT_ENOUGH_STORAGE || result === UpdateResult.OUT_OF_MEMORY) {
        throw new OperationError(Code.REQUEST_ENTITY_TOO_LARGE, error.message);
      }
    }
  }

  /**
   * Package URI was written: it is fetched from there; an empty one resets the state machine. Whether the
   * URI is any good shows in Update Result.
   * @throws OperationError 4.05 not idle
   */
  writeUri(uri: string): void {
    if (uri === '') {
      this.#reset(UpdateResult.INITIAL, 'reset');
      return;
    }
    this.#requireIdle('Package URI');
    this.#begin(uri);
    this.#download(uri);
  }

  /** Update was executed; `begin` starts it when that was answered. @throws OperationError 4.05 no package to install */
  update(): { readonly begin: () => void } {
    if (this.#record.state !== FirmwareState.DOWNLOADED) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'there is no firmware package to install');
    }
    return { begin: () => this.#updateOrDefer() };
  }

  /** Cancel was executed. @throws OperationError 4.05 nothing that could be cancelled, any more or yet */
  cancel(): void {
    const { state } = this.#record;
    if (state !== FirmwareState.DOWNLOADING && state !== FirmwareState.DOWNLOADED) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'there is no firmware update to cancel');
    }
    this.#reset(UpdateResult.CANCELLED, 'cancelled');
  }

  /** What the server may write beside the package. */
  configure(settings: Partial<Pick<FirmwareRecord, 'severity' | 'maximumDeferPeriod' | 'automatic'>>): void {
    this.#write(settings);
  }

  #requireIdle(what: string): void {
    if (this.#record.state === FirmwareState.IDLE) return;
    throw new OperationError(
      Code.METHOD_NOT_ALLOWED,
      `${what} is written in state Idle only: an empty one brings it back`,
    );
  }

  #reset(result: UpdateResult, word: string): void {
    if (this.#record.state === FirmwareState.UPDATING) {
      throw new OperationError(Code.METHOD_NOT_ALLOWED, 'the firmware is being updated');
    }
    this.#stopWaiting();
    this.#options.flash.erase();
    this.#enter(FirmwareState.IDLE, result, { uri: '', entityTag: undefined, staged: undefined });
    this.#options.actions.log(`firmware update ${word}`);
  }

  #begin(uri: string): void {
    this.#options.flash.erase();
    this.#enter(FirmwareState.DOWNLOADING, UpdateResult.INITIAL, {
      uri,
      entityTag: undefined,
      staged: undefined,
    });
  }

  #intake(): PackageIntake {
    const { flash, hardware, fault } = this.#options;
    return new PackageIntake(flash, hardware, fault, (entityTag) => this.#write({ entityTag }));
  }

  #download(uri: string): void {
    const { clock, downloads, flash, actions } = this.#options;
    let intake: PackageIntake;
    try {
      intake = this.#intake();
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      // What the flash kept of it is damaged: from the beginning.
      flash.erase();
      intake = this.#intake();
    }
    actions.log(
      `downloading firmware from ${uri}${flash.length > 0 ? `, from byte ${flash.length} on` : ''}`,
    );
    const pull = new PackagePull({
      clock,
      uri,
      downloads,
      intake,
      entityTag: () => this.#record.entityTag,
      log: actions.log,
    });
    this.#pull = pull;
    if (this.#offline) pull.offline();
    pull
      .run()
      .then(
        (header) => {
          if (header === undefined || this.#pull !== pull) return;
          this.#pull = undefined;
          this.#downloaded(header);
        },
        (error: unknown) => {
          const result = resultOf(error);
          if (result === undefined || !(error instanceof Error)) {
            actions.fault(error);
            return;
          }
          if (this.#pull !== pull) return;
          this.#pull = undefined;
          this.#fail(result, error.message);
        },
      )
      .catch(actions.fault);
  }

  #downloaded({ name, version }: PackageHeader): void {
    const { actions } = this.#options;
    this.#enter(FirmwareState.DOWNLOADED, UpdateResult.INITIAL, { staged: { name, version } });
    actions.log(`firmware ${name} ${version} is downloaded`);
    if (this.#record.automatic) this.#options.clock.setTimer(0, () => this.#updateOrDefer());
  }

  #fail(result: UpdateResult, reason: string): void {
    this.#options.flash.erase();
    this.#enter(FirmwareState.IDLE, result, { entityTag: undefined, staged: undefined });
    this.#options.actions.log(`firmware update failed, result ${result}: ${reason}`);
  }

  /** The package in the flash, if it is whole; if not, the update has failed. */
  #checkStaged(): PackageHeader | undefined {
    const { flash, hardware } = this.#options;
    try {
      return readFlash(flash, hardware).finish();
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      this.#fail(UpdateResult.INTEGRITY_FAILURE, error.message);
      return undefined;
    }
  }

  #updateOrDefer(): void {
    const { clock, actions, fault } = this.#options;
    const { state, severity, maximumDeferPeriod, deferredUntil } = this.#record;
    if (this.#closed || state !== FirmwareState.DOWNLOADED || deferredUntil !== undefined) return;
    const free = actions.isFree() && fault !== 'busy';
    if (free || severity === Severity.CRITICAL || maximumDeferPeriod === 0) {
      this.#update();
      return;
    }
    const until = clock.wallTime() + maximumDeferPeriod * 1_000;
    this.#enter(FirmwareState.DOWNLOADED, UpdateResult.DEFERRED, { deferredUntil: until });
    actions.log(`firmware update deferred by ${maximumDeferPeriod} s at most`);
    this.#defer(until);
  }

  /** Waits until the modem is free, or the time is over. */
  #defer(until: number): void {
    const { clock, actions, fault } = this.#options;
    const left = until - clock.wallTime();
    if ((actions.isFree() && fault !== 'busy') || left <= 0) {
      this.#update();
      return;
    }
    this.#deferral = clock.setTimer(Math.min(left, deferralPoll), () => this.#defer(until));
  }

  #update(): void {
    const { actions } = this.#options;
    this.#stopWaiting();
    const header = this.#checkStaged();
    if (header === undefined) return;
    this.#enter(FirmwareState.UPDATING, UpdateResult.INITIAL, { deferredUntil: undefined });
    actions.log(`updating the firmware to ${header.name} ${header.version}`);
    this.#goDown(header).catch(actions.fault);
  }

  async #goDown(header: PackageHeader): Promise<void> {
    const { actions, clock } = this.#options;
    let timer: Timer | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = clock.setTimer(farewell, resolve);
    });
    await Promise.race([actions.deliver(), enough]);
    timer?.cancel();
    if (this.#closed) return;
    this.#installing = true;
    await actions.shutDown();
    if (this.#closed) return;
    await this.#install(header);
    this.#installing = false;
    if (!this.#closed) actions.boot();
  }

  async #install(header: PackageHeader): Promise<void> {
    const { flash, fault, actions } = this.#options;
    const { name, version } = header;
    try {
      await flash.install(header, this.#powerCut.signal);
      if (this.#closed) return;
      if (fault === 'install') throw new InstallError('the flash could not be written');
    } catch (error) {
      if (!(error instanceof InstallError)) throw error;
      this.#enter(FirmwareState.DOWNLOADED, UpdateResult.UPDATE_FAILED);
      actions.log(`firmware update failed: ${error.message}`);
      return;
    }
    this.#enter(FirmwareState.IDLE, UpdateResult.UPDATED, {
      uri: '',
      entityTag: undefined,
      staged: undefined,
      running: { name, version },
    });
    flash.erase();
    actions.log(`firmware ${name} ${version} runs`);
  }

  #stopWaiting(): void {
    this.#pull?.abort();
    this.#pull = undefined;
    this.#deferral?.cancel();
    this.#deferral = undefined;
    if (this.#record.deferredUntil !== undefined) this.#write({ deferredUntil: undefined });
  }

  /** On disk first; then who observes is told. */
  #enter(state: FirmwareState, result: UpdateResult, more: Partial<FirmwareRecord> = {}): void {
    const { clock, actions } = this.#options;
    const moved = state !== this.#record.state;
    const changedAt = moved ? Math.floor(clock.wallTime() / 1_000) : this.#record.changedAt;
    this.#write({ ...more, state, result, changedAt });
    actions.changed('state', 'updateResult', 'pkgname', 'pkgversion', 'packageUri');
  }

  #write(change: Partial<FirmwareRecord>): void {
    const next = { ...this.#record, ...change };
    this.#options.storage.write(next);
    this.#record = next;
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../client/modem/signals.ts';
import { SimulatedDevice } from './device.ts';
import { dtlsLink, type Link, lossyLink, openUdpLink } from './link.ts';
import { tooManySockets } from './open-files.ts';
import { Silence } from './silence.ts';
import { sourceAddress } from './source-address.ts';
import { alone, ending, Tally, type TallyReport, type Work, works } from './tally.ts';
import { turnsOf, type WorkMix } from './work-mix.ts';

export interface FleetOptions {
  /** IPv4, numeric. */
  readonly host: string;
  readonly port: number;
  readonly devices: number;
  /** The first one's number, in its name and its address: processes that share a load have ranges of their own. */
  readonly first: number;
  /** What endpoint names begin with; the number follows. */
  readonly prefix: string;
  readonly mix: WorkMix;
  /** Only they, the last ones, update their registration instead. */
  readonly updating: number;
  readonly readings: number;
  readonly confirmable: boolean;
  /** The resource that is reported. */
  readonly resource: string;
  /** What a Register lists (RFC 6690). */
  readonly links: string;
  /** s */
  readonly lifetime: number;
  /** The first device's address; `any`: the system chooses, the same for all. */
  readonly source: string;
  /** The same pre-shared key for all; `{name}` in the identity is the endpoint name. */
  readonly psk?: { readonly identity: string; readonly key: string };
  readonly loss: number;
  readonly duplicates: number;
  /** ms */
  readonly delay: number;
  /** ACK_TIMEOUT of RFC 7252 §4.8, ms: 2000, but for networks that are slower or faster. */
  readonly ackTimeout: number;
  readonly seed: number;
  readonly numbered: boolean;
}

export interface FleetReport {
  readonly works: TallyReport;
  /** Requests of the server that came. */
  readonly asked: number;
  /** By the system's code. */
  readonly socketErrors: Readonly<Record<string, number>>;
  /** ms */
  readonly elapsed: number;
  /** Exchanges that were due while no device was free to begin one. */
  readonly skipped: number;
  /** Devices that had nothing under way at the end, and not what their work needs: a registration, an observation. */
  readonly fallenOut: number;
  /** What the load itself cost: CPU of this process, µs. */
  readonly cpu: number;
}

/** How often the devices are looked at for what has to be sent again, ms. */
const TICK = 50;
/** How often exchanges become due when they are paced, ms: more often than that, a timer costs more than it spreads. */
const PACE = 1;
/** ms in which at least one more device gets what its work needs: a registration, an observation. */
const PATIENCE = 120_000;
/** How often devices that have nothing under way are looked at where each begins the next when the last has ended, ms. */
const LOOKED_AT = 1_000;
/** Sockets that are opened at once. */
const OPENED_AT_ONCE = 200;

/** How far devices are with what they were told to do. */
export interface FleetProgress {
  readonly devices: number;
  /** Registered, and observed where they notify. */
  readonly ready: number;
  /** A silent server, in one line. */
  readonly silence?: string;
}

/** Devices in one process. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #tally = new Tally();
  readonly #next: () => Work;
  #devices: readonly SimulatedDevice[] = [];
  #updating: ReadonlySet<SimulatedDevice> = new Set();
  #ticker: NodeJS.Timeout | undefined;
  #listener: NodeJS.Timeout | undefined;
  #turn = 0;
  #cpu = process.cpuUsage();
  #since = performance.now();
  #skipped = 0;
  readonly #silence: Silence;
  readonly #stopping = Promise.withResolvers<void>();
  #isStopped = false;

  private constructor(options: FleetOptions) {
    this.#options = options;
    this.#silence = new Silence({ host: options.host, port: options.port, tally: this.#tally });
    this.#next = turnsOf(options.mix);
  }

  /**
   * Opens the sockets, and nothing more.
   * @throws Error where the system does not let them, with what helps
   */
  static async open(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    const devices: SimulatedDevice[] = [];
    try {
      await fleet.#open(devices);
    } catch (error) {
      for (const device of devices) device.close();
      throw unopened(error as NodeJS.ErrnoException, options);
    }
    fleet.#devices = devices;
    fleet.#updating = new Set(devices.slice(options.devices - options.updating));
    fleet.#ticker = setInterval(
      () => {
        const now = performance.now();
        for (const device of devices) device.tick(now);
      },
      Math.min(TICK, options.ackTimeout / 8),
    );
    fleet.#ticker.unref();
    fleet.#listener = setInterval(() => fleet.#listen(performance.now()), LOOKED_AT);
    fleet.#listener.unref();
    return fleet;
  }

  async #open(devices: SimulatedDevice[]): Promise<void> {
    const options = this.#options;
    for (let from = 0; from < options.devices; from += OPENED_AT_ONCE) {
      const some = Math.min(OPENED_AT_ONCE, options.devices - from);
      devices.push(
        ...(await Promise.all(Array.from({ length: some }, (_, index) => this.#device(from + index)))),
      );
    }
  }

  get #isNotifying(): boolean {
    return this.#options.mix.notify !== undefined;
  }

  /** Some of its work needs a registration, and none of it ends one. */
  get #needsRegistration(): boolean {
    const mixed = works.filter((work) => this.#options.mix[work] !== undefined);
    return !mixed.some((work) => ending.has(work)) && !mixed.every((work) => alone.has(work));
  }

  /**
   * Registers all, and waits until they are observed where they notify.
   * @param rate devices a second; Infinity: all at one instant
   * @throws Error where nobody answers, or no more of them are for two minutes
   */
  async register(rate: number): Promise<FleetReport> {
    this.#beginWork();
    const start = performance.now();
    for (let begun = 0; begun < this.#devices.length && !this.#isStopped; ) {
      const due = Number.isFinite(rate)
        ? Math.floor(((performance.now() - start) * rate) / 1_000) + 1
        : Infinity;
      const now = performance.now();
      for (; begun < Math.min(due, this.#devices.length); begun++)
        this.#devices[begun]?.step('register', now);
      if (begun < this.#devices.length) await sleep(PACE);
      this.#checkHope();
    }
    let waiting = this.#devices.filter((device) => !this.#isReady(device));
    for (let end = performance.now() + PATIENCE; waiting.length > 0 && !this.#isStopped; ) {
      if (performance.now() > end) throw new Error(this.#missing(waiting));
      this.#checkHope();
      await sleep(5);
      for (const device of waiting) {
        // What the server has refused, or not answered at all, is asked anew.
        if (!device.isRegistered && !device.isUnderWay) device.step('register', performance.now());
      }
      const still = waiting.filter((device) => !this.#isReady(device));
      if (still.length < waiting.length) end = performance.now() + PATIENCE;
      waiting = still;
    }
    return this.take([]);
  }

  /** Each device begins its next exchange when its last one has ended: `window` devices at a time, all unless told. */
  async run(milliseconds: number, window = this.#devices.length): Promise<FleetReport> {
    const busy = this.#devices.slice(0, window);
    for (const device of busy) device.onIdle = () => this.#begin(device, performance.now());
    this.#beginWork();
    const beginAll = (): void => {
      for (const device of busy) this.#begin(device, performance.now());
    };
    beginAll();
    const timer = setInterval(beginAll, LOOKED_AT);
    await Promise.race([sleep(milliseconds), this.#stopping.promise]);
    clearInterval(timer);
    const report = this.take(busy);
    for (const device of busy) device.onIdle = undefined;
    await this.#settled();
    return report;
  }

  /** `rate` exchanges a second in all, whatever the server does; those that are under way at the end are waited for. */
  async pace(milliseconds: number, rate: number): Promise<FleetReport> {
    this.#beginWork();
    const start = performance.now();
    let due = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setInterval(() => {
      const now = performance.now();
      const elapsed = Math.min(now - start, milliseconds);
      for (const target = Math.floor((elapsed * rate) / 1_000); due < target; due++) this.#stepAny(now);
      if (elapsed < milliseconds && !this.#isStopped) return;
      clearInterval(timer);
      resolve();
    }, PACE);
    await promise;
    const elapsed = performance.now() - start;
    await this.#settled();
    return { ...this.take(), elapsed };
  }

  /** All deregister, and are waited for. */
  async leave(): Promise<FleetReport> {
    this.#beginWork();
    for (const device of this.#devices) device.step('deregister', performance.now());
    await this.#settled();
    return this.take([]);
  }

  /** What was done since the last time that this was asked. @param busy who worked: all unless told */
  take(busy = this.#devices): FleetReport {
    const { user, system } = process.cpuUsage(this.#cpu);
    const now = performance.now();
    const report = {
      ...this.#tally.take(),
      elapsed: now - this.#since,
      skipped: this.#skipped,
      fallenOut: busy.filter(
        (device) => !device.isUnderWay && this.#needsRegistration && !this.#isReady(device),
      ).length,
      cpu: user + system,
    };
    this.#cpu = process.cpuUsage();
    this.#since = now;
    this.#skipped = 0;
    return report;
  }

  progress(): FleetProgress {
    const { told } = this.#silence;
    return {
      devices: this.#devices.length,
      ready: this.#devices.filter((device) => this.#isReady(device)).length,
      ...(told === undefined ? {} : { silence: told }),
    };
  }

  /** What is under way ends at once, and tells what it has done; nothing is begun any more. */
  stop(): void {
    this.#isStopped = true;
    this.#stopping.resolve();
  }

  close(): void {
    clearInterval(this.#ticker);
    clearInterval(this.#listener);
    for (const device of this.#devices) device.close();
  }

  /** The next device in turn that can begin something. */
  #stepAny(now: number): void {
    for (let tried = 0; tried < 16; tried++) {
      const device = this.#devices[this.#turn];
      this.#turn = (this.#turn + 1) % this.#devices.length;
      if (device !== undefined && this.#begin(device, now)) return;
    }
    this.#skipped++;
  }

  /**
   * The next exchange of this device. A registration that the server has lost, or without the observation that the work
   * needs, is made anew before anything else.
   * @returns false while one is under way, or the server may still observe
   */
  #begin(device: SimulatedDevice, now: number): boolean {
    if (device.isUnderWay) return false;
    if (device.step(this.#workOf(device), now)) return true;
    return !device.mayBeObserved(now) && device.step('register', now);
  }

  /** It is registered, and observed where that is needed. */
  #isReady(device: SimulatedDevice): boolean {
    return device.isRegistered && (!this.#isNotifying || this.#updates(device) || device.isObserved);
  }

  #workOf(device: SimulatedDevice): Work {
    return this.#updates(device) ? 'update' : this.#next();
  }

  #updates(device: SimulatedDevice): boolean {
    return this.#updating.has(device);
  }

  /** Only where an answer is waited for is there silence. */
  #listen(now: number): void {
    if (this.#devices.some((device) => device.isUnderWay)) this.#silence.look(now);
    else this.#silence.begin(now);
  }

  #beginWork(): void {
    this.take();
    this.#silence.begin(performance.now());
  }

  /** @throws Error where nobody will answer */
  #checkHope(): void {
    if (this.#silence.isHopeless) throw new Error(this.#silence.told);
  }

  /** Why registering does not come to its end, in one line. */
  #missing(waiting: readonly SimulatedDevice[]): string {
    const names = waiting.slice(0, 3).map(({ name }) => name);
    const which = `${waiting.length} of ${this.#devices.length} devices (${names.join(', ')}${waiting.length > 3 ? ', …' : ''})`;
    const failures = Object.entries(this.#tally.take().works.register?.failures ?? {});
    const failed = failures.map(([why, count]) => `${why} ${count}`).join(', ') || 'none';
    const unregistered = waiting.filter(({ isRegistered }) => !isRegistered).length;
    if (unregistered > 0) return `${which} are not registered; failed: ${failed}`;
    return `${which} are registered, but the server does not observe ${this.#options.resource} of them; --resource is what it observes by itself`;
  }

  /** All that is under way has ended; where nobody will answer, it is given up. */
  async #settled(): Promise<void> {
    while (this.#devices.some((device) => device.isUnderWay)) {
      if (this.#isStopped || this.#silence.isHopeless) {
        for (const device of this.#devices) device.giveUp();
      }
      await sleep(5);
    }
  }

  async #device(index: number): Promise<SimulatedDevice> {
    const options = this.#options;
    const number = options.first + index;
    const random = seededRandom(options.seed + number);
    const name = `${options.prefix}${number}`;
    let link: Link = await openUdpLink({
      host: options.host,
      port: options.port,
      ...(options.source === 'any' ? {} : { source: sourceAddress(options.source, number) }),
      onError: (error) => this.#tally.socketError((error as NodeJS.ErrnoException).code ?? error.message),
    });
    const { loss, duplicates, delay, psk } = options;
    if (loss > 0 || duplicates > 0 || delay > 0) link = lossyLink(link, { loss, duplicates, delay, random });
    if (psk !== undefined) {
      const identity = psk.identity.replace('{name}', name);
      const credentials = { identity, key: Buffer.from(psk.key, 'hex') };
      link = dtlsLink(link, credentials, (reason) => this.#tally.socketError(`handshake: ${reason}`));
    }
    const { resource, readings, confirmable, lifetime, numbered, links, ackTimeout } = options;
    return new SimulatedDevice({
      ...{ name, link, links, resource, readings, confirmable, lifetime, numbered, ackTimeout, random },
      tally: this.#tally,
    });
  }
}

/** Why sockets cannot be opened, with what helps. */
function unopened(error: NodeJS.ErrnoException, { devices, source, host }: FleetOptions): Error {
  switch (error.code) {
    case 'EMFILE':
    case 'ENFILE':
      return new Error(
        `no more files can be opened for ${devices} devices (${error.code}): ${tooManySockets(devices, 1) ?? `raise the limit (ulimit -n ${devices * 2}), or share the devices: --processes N`}`,
      );
    case 'EADDRNOTAVAIL':
      return new Error(`${source} and what follows are no addresses of this machine: --source any`);
    case 'EINVAL':
    case 'ENETUNREACH':
      return new Error(`no way leads from ${source} to ${host} (${error.code}): --source any`);
    default:
      return error;
  }
}

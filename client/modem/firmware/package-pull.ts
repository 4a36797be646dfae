import type { Clock } from '../../../protocol/clock.ts';
import { DownloadError, type DownloadSink, type Downloads, parsePackageUri } from './download.ts';
import type { PackageIntake } from './intake.ts';
import type { PackageHeader } from './package.ts';

export interface PackagePullOptions {
  readonly clock: Clock;
  readonly uri: string;
  readonly downloads: Downloads;
  readonly intake: PackageIntake;
  /** Of what the intake holds. */
  readonly entityTag: () => string | undefined;
  /** For people. */
  readonly log: (message: string) => void;
}

/** Attempts in a row that brought nothing, and attempts in all, before the connection counts as lost. */
const fruitlessAttempts = 5;
const allAttempts = 50;
const firstPause = 1_000;
const longestPause = 30_000;

/** Why an attempt is broken off. */
const aborted = Symbol('aborted');

/** One download of a package, with as many attempts as it takes; each goes on where the one before ended. */
export class PackagePull {
  readonly #options: PackagePullOptions;
  #attempt = new AbortController();
  #aborted = false;
  #offline = false;
  #wake: () => void = () => {};

  constructor(options: PackagePullOptions) {
    this.#options = options;
  }

  /** Ends it: `run` resolves with undefined. */
  abort(): void {
    this.#aborted = true;
    this.#attempt.abort(aborted);
    this.#wake();
  }

  /** There is no network: waits until there is. */
  offline(): void {
    this.#offline = true;
    this.#attempt.abort(new DownloadError('connection', 'the modem left the network'));
  }

  online(): void {
    this.#offline = false;
    this.#wake();
  }

  /** Resolves with the package's header when it is in the flash. @throws DownloadError, what the intake throws */
  async run(): Promise<PackageHeader | undefined> {
    const { uri: text, downloads, intake, entityTag, log } = this.#options;
    const { uri, download } = parsePackageUri(text, downloads);
    let fruitless = 0;
    for (let attempts = 1; ; attempts++) {
      while (this.#offline && !this.#aborted) await this.#sleep(undefined);
      if (this.#aborted) return undefined;
      this.#attempt = new AbortController();
      const { signal } = this.#attempt;
      const offset = intake.received;
      try {
        await download({ uri, offset, entityTag: entityTag(), signal }, this.#watched());
        if (this.#aborted) return undefined;
        return intake.finish();
      } catch (error) {
        if (this.#aborted) return undefined;
        if (!(error instanceof DownloadError)) throw error;
        if (error.failure === 'uri' || error.failure === 'protocol') throw error;
        if (error.failure === 'changed') intake.restart();
        fruitless = intake.received > offset || this.#offline ? 0 : fruitless + 1;
        if (fruitless >= fruitlessAttempts || attempts >= allAttempts) throw error;
        const pause = Math.min(longestPause, firstPause * 2 ** fruitless);
        log(`download interrupted at byte ${intake.received}: ${error.message}; again in ${pause / 1_000} s`);
        await this.#sleep(pause);
      }
    }
  }

  /** The intake, which tells people how far it is. */
  #watched(): DownloadSink {
    const { intake, log } = this.#options;
    let told = Math.floor((4 * intake.received) / (intake.total ?? Number.POSITIVE_INFINITY));
    return {
      begin: (offset, total, entityTag) => intake.begin(offset, total, entityTag),
      take(bytes) {
        intake.take(bytes);
        const quarters = Math.floor((4 * intake.received) / (intake.total ?? Number.POSITIVE_INFINITY));
        if (quarters > told) log(`firmware: ${intake.received} of ${intake.total} bytes`);
        told = quarters;
      },
    };
  }

  #sleep(milliseconds: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer =
        milliseconds === undefined
          ? undefined
          : this.#options.clock.setTimer(milliseconds, () => this.#wake());
      this.#wake = () => {
        timer?.cancel();
        this.#wake = () => {};
        resolve();
      };
    });
  }
}

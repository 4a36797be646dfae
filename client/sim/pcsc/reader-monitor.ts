import type { Clock, Timer } from '../../../protocol/clock.ts';
import { describePcscError, PcscCode, pcscCodeOf } from './pcsc-error.ts';
import type { NativeReader, NativeStatus, PcscContext, Pcsclite } from './pcsclite.ts';

/** Bits of a reader's state, pcsclite.h. */
const State = { UNAVAILABLE: 0x08, PRESENT: 0x20, EXCLUSIVE: 0x80, MUTE: 0x200 } as const;

/** After the daemon went away it is looked for so often, ms. */
const retryTime = 1_000;
/** A daemon that was restarted is there again at once; one that ended says so when it is asked, ms. */
const firstRetryTime = 100;

export interface ReaderState {
  readonly name: string;
  /** `unknown` until the daemon has said it. */
  readonly card: 'present' | 'absent' | 'mute' | 'unknown';
  /** Another program has the card for itself. */
  readonly exclusive: boolean;
  readonly atr: Uint8Array | undefined;
  /** Counts insertions and removals: a card that was swapped between two looks shows here. */
  readonly changes: number;
}

interface Watched {
  readonly native: NativeReader;
  state: ReaderState;
}

/**
 * Which readers there are and which cards are in them, from the PC/SC daemon, across its restarts. The native
 * readers here are for watching alone: pcsclite holds a lock while a command is under way, and takes it on the main
 * thread to tell of a change, so that a command by the same object would block the process.
 */
export class ReaderMonitor {
  readonly #open: Pcsclite;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();
  readonly #listeners = new Set<() => void>();
  #context: PcscContext | undefined;
  #problem: string | undefined;
  #retry: Timer | undefined;
  #running = false;

  constructor(open: Pcsclite, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** Why no reader can be seen: the daemon does not run. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get readers(): readonly ReaderState[] {
    return [...this.#watched.values()].map(({ state }) => state);
  }

  /** The watched reader of that name, to make others of. */
  native(name: string): NativeReader | undefined {
    return this.#watched.get(name)?.native;
  }

  /** Begins to watch. Readers are told of a moment later. Idempotent. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#attach();
  }

  /** Idempotent. */
  close(): void {
    this.#running = false;
    this.#retry?.cancel();
    this.#detach();
    this.#listeners.clear();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * The first answer of `find` that is not undefined, now or after a change; undefined after `patience` ms.
   */
  until<T>(find: () => T | undefined, patience: number): Promise<T | undefined> {
    const found = find();
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => {
      const settle = (value: T | undefined): void => {
        timer.cancel();
        unsubscribe();
        resolve(value);
      };
      const unsubscribe = this.onChange(() => {
        const value = find();
        if (value !== undefined) settle(value);
      });
      const timer = this.#clock.setTimer(patience, () => settle(find()));
    });
  }

  #attach(): void {
    let context: PcscContext;
    try {
      context = this.#open();
    } catch (error) {
      this.#lose(describePcscError(error), retryTime);
      return;
    }
    this.#context = context;
    this.#problem = undefined;
    context.on('reader', (reader) => this.#watch(context, reader));
    context.on('error', (error) => {
      // Closing it cancels what it waits for, and it says so.
      if (this.#context !== context || pcscCodeOf(error) === PcscCode.CANCELLED) return;
      // Not within its own call: the thread that is to be joined has not ended yet.
      setImmediate(() => {
        if (this.#context === context) this.#lose('the PC/SC daemon went away', firstRetryTime);
      });
    });
    this.#changed();
  }

  #lose(problem: string, retry: number): void {
    this.#problem = problem;
    this.#detach();
    this.#changed();
    this.#retry?.cancel();
    if (this.#running) this.#retry = this.#clock.setTimer(retry, () => this.#attach());
  }

  #detach(): void {
    const context = this.#context;
    this.#context = undefined;
    const natives = [...this.#watched.values()].map(({ native }) => native);
    this.#watched.clear();
    for (const native of natives) native.close();
    context?.close();
  }

  #watch(context: PcscContext, native: NativeReader): void {
    const { name } = native;
    native.on('error', () => {
      // Of a reader that is gone, or of the daemon: the context tells that too.
      if (this.#watched.get(name)?.native === native) this.#forget(name);
    });
    native.on('end', () => {
      if (this.#watched.get(name)?.native === native) this.#forget(name);
    });
    native.on('status', (status) => {
      const watched = this.#watched.get(name);
      if (watched?.native !== native) return;
      watched.state = readerState(name, status);
      this.#changed();
    });
    if (this.#context !== context) {
      native.close();
      return;
    }
    this.#watched.set(name, {
      native,
      state: { name, card: 'unknown', exclusive: false, atr: undefined, changes: 0 },
    });
    this.#changed();
  }

  #forget(name: string): void {
    this.#watched.delete(name);
    this.#changed();
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function readerState(name: string, { state, atr }: NativeStatus): ReaderState {
  const present = (state & State.PRESENT) !== 0 && (state & State.UNAVAILABLE) === 0;
  const mute = present && (state & State.MUTE) !== 0;
  return {
    name,
    card: mute ? 'mute' : present ? 'present' : 'absent',
    exclusive: (state & State.EXCLUSIVE) !== 0,
    atr: atr === undefined || atr.length === 0 ? undefined : new Uint8Array(atr),
    changes: state >>> 16,
  };
}

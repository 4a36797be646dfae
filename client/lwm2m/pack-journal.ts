import type { ReadingQueue } from './reading-queue.ts';
import type { PackFormat } from './sealed-pack.ts';

/** Where a server was with the readings of one sensor. Positions as ReadingQueue has them. */
export interface KeptProgress {
  /** Of the oldest reading that it has not acknowledged. */
  readonly position: number;
  /** Whether the readings are kept for it. */
  readonly attached: boolean;
  /** How many of the oldest were sealed into a pack that it may have had already: to be sent as the same bytes. */
  readonly sealed: { readonly readings: number; readonly format: PackFormat } | undefined;
}

/**
 * What keeps readings that wait beyond the process. Everything that is told is on its way to the disk when
 * `flush` returns: then it outlives the process, and a moment later the machine.
 */
export interface PackJournal {
  /** Puts what was kept for this sensor into its queue, which is new, and notes what comes from then on. */
  follow(path: string, queue: ReadingQueue): void;
  /** What is known of a server; only after `follow`. */
  progress(path: string, shortServerId: number): KeptProgress | undefined;
  attached(path: string, shortServerId: number, position: number, attached: boolean): void;
  /** A pack of so many readings from `position` on is about to be sent. */
  sealed(path: string, shortServerId: number, position: number, readings: number, format: PackFormat): void;
  /** All before `position` is with the server, or given up. */
  settled(path: string, shortServerId: number, position: number): void;
  flush(): void;
  /** Flushes, and notes nothing any more. Idempotent. */
  close(): void;
}

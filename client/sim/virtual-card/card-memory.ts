import { DecodeError } from '../../../protocol/errors.ts';
import { type AtomicFile, StateFileError } from '../../atomic-file.ts';
import { FileLock } from '../../file-lock.ts';
import { type CardContents, formatCardContents, parseCardContents } from './card-contents.ts';

/** A card's non-volatile memory. `write` is the single point at which a profile change happens. */
export interface CardMemory {
  read(): CardContents | undefined;
  write(contents: CardContents): void;
  /** The card is used by this process from now on. Idempotent. @throws StateFileError another one has it */
  open?(): void;
  /** It is not any more. Idempotent. */
  close?(): void;
}

/** A card that lasts as long as the process. */
export function volatileCardMemory(): CardMemory {
  let contents: CardContents | undefined;
  return {
    read: () => contents,
    write: (next) => {
      contents = next;
    },
  };
}

/**
 * A card in a file: it outlives the modem process, as a real one does. Reading and writing throw StateFileError: the
 * file is no card, or the disk does not give or take it.
 */
export function fileCardMemory(file: AtomicFile): CardMemory {
  return {
    read: () => {
      try {
        return file.readJson('virtual card', parseCardContents);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw ofDisk(file, 'read', error);
        throw new StateFileError(
          `${file.path} is no virtual card: ${error.message}; restore it, or remove it to begin anew`,
          { cause: error },
        );
      }
    },
    write: (contents) => {
      try {
        file.write(formatCardContents(contents));
      } catch (error) {
        throw ofDisk(file, 'written', error);
      }
    },
  };
}

/** What the system says of a file (`ENOSPC: no space left on device`), in a line; other errors as they are. */
function ofDisk(file: AtomicFile, done: 'read' | 'written', error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  return new StateFileError(`the card ${file.path} cannot be ${done}: ${error.message}`, { cause: error });
}

/** As `fileCardMemory`, for one process at a time: two that switch one card would undo each other's work. */
export function lockedCardMemory(file: AtomicFile): CardMemory {
  const lock = new FileLock(`${file.path}.lock`, `the card ${file.path} is in use by another process`);
  const memory = fileCardMemory(file);
  return { ...memory, open: () => lock.acquire(), close: () => lock.release() };
}

import type { AtomicFile } from '../atomic-file.ts';

/** What a card keeps without power. */
export interface CardContents {
  readonly serial: number;
  /** Index of the enabled profile; undefined where all are disabled. */
  readonly enabled: number | undefined;
}

/** A card's non-volatile memory. `write` is the single point at which a profile change happens. */
export interface CardMemory {
  read(): CardContents | undefined;
  write(contents: CardContents): void;
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

/** A card in a file: it outlives the modem process, as a real one does. */
export function fileCardMemory(file: AtomicFile): CardMemory {
  return {
    read() {
      const text = file.read();
      return text === undefined ? undefined : parseContents(text, file.path);
    },
    write: (contents) =>
      file.write(
        `${JSON.stringify({ format: 1, serial: contents.serial, enabled: contents.enabled ?? null })}\n`,
      ),
  };
}

function parseContents(text: string, path: string): CardContents {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'serial' in parsed && 'enabled' in parsed) {
    const { serial, enabled } = parsed;
    if (typeof serial === 'number' && (enabled === null || typeof enabled === 'number')) {
      return { serial, enabled: enabled ?? undefined };
    }
  }
  throw new Error(`${path} is no virtual card: remove it to get a new one`);
}

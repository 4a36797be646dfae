import type { AtomicFile } from '../../atomic-file.ts';

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

/** A card in a file: it outlives the modem process, as a real one does. Reading throws StateFileError. */
export function fileCardMemory(file: AtomicFile): CardMemory {
  return {
    read: () => file.readJson('virtual card', parseContents),
    write: (contents) =>
      file.write(
        `${JSON.stringify({ format: 1, serial: contents.serial, enabled: contents.enabled ?? null })}\n`,
      ),
  };
}

function parseContents(value: Readonly<Record<string, unknown>>): CardContents | undefined {
  const { format, serial, enabled } = value;
  if (format !== 1 || typeof serial !== 'number') return undefined;
  if (enabled === null) return { serial, enabled: undefined };
  return typeof enabled === 'number' ? { serial, enabled } : undefined;
}

import { type AtomicFile, StateFileError } from '../atomic-file.ts';

/** What is kept, by section; each value is JSON. */
export type Sections = Readonly<Record<string, unknown>>;

/** Where settings are kept. When `write` returns they are there. */
export interface SettingsStorage {
  read(): Sections | undefined;
  write(sections: Sections): void;
}

export function volatileSettings(): SettingsStorage {
  let kept: string | undefined;
  return {
    read: () => (kept === undefined ? undefined : (JSON.parse(kept) as Sections)),
    write: (sections) => {
      kept = JSON.stringify(sections);
    },
  };
}

/** Settings in a file. Reading throws StateFileError. */
export function fileSettings(file: AtomicFile): SettingsStorage {
  return {
    read: () =>
      file.readJson('file of modem settings', ({ format, sections }) =>
        format === 1 && isRecord(sections) ? sections : undefined,
      ),
    write: (sections) => file.write(`${JSON.stringify({ format: 1, sections })}\n`),
  };
}

/** What a server wrote that a modem keeps without power: one small file, a section for each object. */
export class KeptSettings {
  readonly #storage: SettingsStorage;
  readonly #onClear: (() => void)[] = [];
  #sections: Sections;

  /** @throws what reading the storage throws */
  constructor(storage: SettingsStorage) {
    this.#storage = storage;
    this.#sections = storage.read() ?? {};
  }

  /** A section; undefined: never written. @throws StateFileError `parse` does not know it */
  read<T>(section: string, parse: (value: unknown) => T | undefined): T | undefined {
    const value = Object.hasOwn(this.#sections, section) ? this.#sections[section] : undefined;
    if (value === undefined) return undefined;
    const known = parse(value);
    if (known === undefined) {
      throw new StateFileError(`the modem settings of ${section} are damaged: restore them, or remove them`);
    }
    return known;
  }

  /** Replaces a section; on disk when it returns. */
  write(section: string, value: unknown): void {
    const sections = { ...this.#sections, [section]: value };
    this.#storage.write(sections);
    this.#sections = sections;
  }

  /** Has `work` done when all is forgotten: what was read is void. */
  onClear(work: () => void): void {
    this.#onClear.push(work);
  }

  /** Forgets all: as the factory made it. */
  clear(): void {
    this.#storage.write({});
    this.#sections = {};
    for (const work of this.#onClear) work();
  }
}

/** Whether a JSON value is an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keeps what servers wrote beyond the process, by section. Values are JSON. */
export interface ClientSettings {
  /** Undefined: never written. @throws an error of its own where `parse` does not know what is there */
  read<T>(section: string, parse: (value: unknown) => T | undefined): T | undefined;
  /** Replaces a section; kept when it returns. */
  write(section: string, value: unknown): void;
  /** Has `work` done when all is forgotten. */
  onClear(work: () => void): void;
}

/** Settings that last as long as the process. */
export function volatileClientSettings(): ClientSettings {
  const sections = new Map<string, unknown>();
  return {
    read: (section, parse) => {
      const value = sections.get(section);
      return value === undefined ? undefined : parse(value);
    },
    write: (section, value) => void sections.set(section, value),
    onClear: () => undefined,
  };
}

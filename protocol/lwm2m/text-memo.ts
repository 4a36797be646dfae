/** Texts longer than that are read each time: few are, and they would fill the memory. */
const LONGEST = 4_096;
/** Characters of what is remembered, for each text that may be: what is read from a text takes many times its length. */
const CHARACTERS = 512;

/**
 * What texts say, read once: a fleet has many devices and few models, which all list the same. Bounded: what was not
 * asked for longest is read again. Whatever is got from it is shared, and so must not be changed.
 */
export class TextMemo<T> {
  readonly #read: (text: string) => T;
  readonly #kept: number;
  #newer = new Map<string, T>();
  #older = new Map<string, T>();
  /** Of the newer ones. */
  #characters = 0;

  /** @param kept texts that are remembered, at the least, where they are not all long */
  constructor(read: (text: string) => T, kept = 256) {
    this.#read = read;
    this.#kept = kept;
  }

  /** @throws what reading it throws */
  get(text: string): T {
    const newer = this.#newer.get(text);
    if (newer !== undefined) return newer;
    const found = this.#older.get(text) ?? this.#read(text);
    if (text.length > LONGEST) return found;
    if (this.#newer.size >= this.#kept || this.#characters >= this.#kept * CHARACTERS) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#characters = 0;
    }
    this.#newer.set(text, found);
    this.#characters += text.length;
    return found;
  }
}

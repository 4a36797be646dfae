import type { CardContents, StoredProfile } from './card-contents.ts';
import type { CardMemory } from './card-memory.ts';

/** The card's contents as they are in its memory: each change is written before it holds. */
export class CardStore {
  readonly #memory: CardMemory;
  #contents: CardContents;

  /** `make` is the card that the memory gets where it has none yet. @throws StateFileError */
  constructor(memory: CardMemory, make: () => CardContents) {
    this.#memory = memory;
    memory.open?.();
    try {
      const kept = memory.read();
      this.#contents = kept ?? make();
      if (kept === undefined) memory.write(this.#contents);
    } catch (error) {
      memory.close?.();
      throw error;
    }
  }

  get contents(): CardContents {
    return this.#contents;
  }

  get enabled(): StoredProfile | undefined {
    const { enabled, profiles } = this.#contents;
    return enabled === undefined ? undefined : profiles.find(({ iccid }) => iccid === enabled);
  }

  update(change: Partial<CardContents>): void {
    const next = { ...this.#contents, ...change };
    this.#memory.write(next);
    this.#contents = next;
  }

  updateProfile(iccid: string, change: Partial<StoredProfile>): void {
    const profiles = this.#contents.profiles.map((profile) =>
      profile.iccid === iccid ? { ...profile, ...change } : profile,
    );
    this.update({ profiles });
  }

  /** The memory is this process's (again): what another one wrote meanwhile holds. @throws StateFileError */
  open(): void {
    this.#memory.open?.();
    this.#contents = this.#memory.read() ?? this.#contents;
  }

  close(): void {
    this.#memory.close?.();
  }
}

import { cipherSuiteOf } from '../crypto/cipher-suites.ts';
import { createRecordProtection, type RecordProtection } from '../crypto/record-protection.ts';
import type { DirectionKeys } from '../types.ts';

/** The protections of a session, with the KeyObjects in them; made when they are needed. */
export interface Protections {
  read: RecordProtection | undefined;
  write: RecordProtection | undefined;
}

/** Whose keys are kept. */
export interface KeyOwner {
  readonly suite: number;
  readonly keys: DirectionKeys;
  /** Which of the keys are for writing. */
  readonly role: 'client' | 'server';
  /** Owned by KeyCache. */
  protections: Protections | undefined;
  /** Owned by KeyCache: used since its hand passed. */
  recentlyUsed: boolean;
}

/**
 * KeyObjects of the sessions used last. They are fast, and heavy on memory and on the garbage collector; so the other sessions
 * have but the bytes of their keys. Which one goes is found by going round (the CLOCK algorithm), so that a use costs nothing.
 */
export class KeyCache {
  readonly #capacity: number;
  readonly #owners: KeyOwner[] = [];
  #hand = 0;

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity);
  }

  get size(): number {
    return this.#owners.length;
  }

  readingOf(owner: KeyOwner): RecordProtection {
    const protections = this.#use(owner);
    protections.read ??= make(owner, owner.role === 'client' ? 'server' : 'client');
    return protections.read;
  }

  writingOf(owner: KeyOwner): RecordProtection {
    const protections = this.#use(owner);
    protections.write ??= make(owner, owner.role);
    return protections.write;
  }

  forget(owner: KeyOwner): void {
    if (owner.protections === undefined) return;
    owner.protections = undefined;
    const place = this.#owners.indexOf(owner);
    const last = this.#owners.pop();
    if (last !== undefined && last !== owner) this.#owners[place] = last;
  }

  #use(owner: KeyOwner): Protections {
    owner.recentlyUsed = true;
    if (owner.protections !== undefined) return owner.protections;
    const protections = { read: undefined, write: undefined };
    owner.protections = protections;
    if (this.#owners.length < this.#capacity) this.#owners.push(owner);
    else this.#replace(owner);
    return protections;
  }

  #replace(owner: KeyOwner): void {
    for (;;) {
      const place = this.#hand % this.#owners.length;
      this.#hand = place + 1;
      const other = this.#owners[place] as KeyOwner;
      if (other.recentlyUsed) other.recentlyUsed = false;
      else {
        other.protections = undefined;
        this.#owners[place] = owner;
        return;
      }
    }
  }
}

function make(owner: KeyOwner, writer: 'client' | 'server'): RecordProtection {
  const suite = cipherSuiteOf(owner.suite);
  if (suite === undefined) throw new Error(`a session with the unknown cipher suite ${owner.suite}`);
  return createRecordProtection(suite, owner.keys[writer]);
}

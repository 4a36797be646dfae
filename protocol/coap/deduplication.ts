import type { ByteBudget } from './byte-budget.ts';

/** How a message that was seen is answered when it comes again. */
export const SeenReply = {
  /** Nothing yet: somebody is working on it. */
  PENDING: 0,
  /** Nothing, for good: NON messages. */
  SILENCE: 1,
  ACK: 2,
  RST: 3,
  /** The datagram in `data`. */
  DATA: 4,
} as const;
export type SeenReply = (typeof SeenReply)[keyof typeof SeenReply];

/** Entries that a ring may have whatever other rings have. */
const SMALLEST = 2;

/** One message id that a peer used, and what it got for it. Reused by the ring once it is out of date. */
export class Seen {
  messageId = -1;
  /** Of a response: `fingerprint` of its datagram; 0 of a request. */
  print = 0;
  /** Until when a message with this id is the same message (RFC 7252 §4.4). */
  expires = 0;
  reply: SeenReply = SeenReply.PENDING;
  data: Uint8Array | undefined;
  /** Rises with each message that this entry stands for: who answers late checks that it is still his. */
  generation = 0;
}

/** Bytes of a datagram that its fingerprint is of: header, token and the Observe option are among them. */
const PRINTED = 40;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Tells a response, such as a notification, from another one with the same message id: what is sent again is sent as
 * the same bytes (RFC 7252 §4.2). A peer may use an id again too early, as one that chooses them by chance, or whose
 * message was long on its way; its notification must not be taken for one that was acknowledged before, for what is
 * in it would be lost. A request needs none of this: the answer to another one does not have its token. Never 0.
 */
export function fingerprint(data: Uint8Array): number {
  let print = FNV_OFFSET ^ data.length;
  const end = Math.min(PRINTED, data.length);
  for (let at = 0; at < end; at++) print = Math.imul(print ^ (data[at] as number), FNV_PRIME);
  return print | 0 || 1;
}

/**
 * The message ids that one peer used lately (RFC 7252 §4.5), the oldest overwritten first. A message
 * that is still being worked on is never overwritten before its lifetime ends: a duplicate of it would
 * run its handler twice.
 */
export class DeduplicationRing {
  /** Beside `#entries` for the speed of searching small integers. */
  #ids: number[] = [];
  #entries: Seen[] = [];
  readonly #capacity: number;
  /** The oldest entry: the next to be overwritten. */
  #next = 0;
  readonly #budget: ByteBudget;

  /** `budget` is for the datagrams that are kept to answer duplicates, of all rings. */
  constructor(capacity: number, budget: ByteBudget) {
    this.#capacity = capacity;
    this.#budget = budget;
  }

  get size(): number {
    return this.#ids.length;
  }

  /** What is known of a message with that id and print, if its lifetime has not ended. */
  find(messageId: number, now: number, print = 0): Seen | undefined {
    for (let at = this.#ids.indexOf(messageId); at >= 0; at = this.#ids.indexOf(messageId, at + 1)) {
      const seen = this.#entries[at] as Seen;
      if (seen.expires > now && seen.print === print) return seen;
    }
    return undefined;
  }

  /**
   * Remembers a new message; undefined where every entry is being worked on. Without `mayGrow` an entry
   * that was answered gives way, if there is one.
   */
  insert(messageId: number, expires: number, now: number, mayGrow = true): Seen | undefined {
    const size = this.#ids.length;
    const at = this.#next;
    const oldest = this.#entries[at];
    if (oldest !== undefined && oldest.expires <= now) return this.#overwrite(at, messageId, expires);
    if (size < this.#capacity && (mayGrow || size < SMALLEST || this.pending(now))) {
      const seen = new Seen();
      seen.messageId = messageId;
      seen.expires = expires;
      // Before the oldest is after the newest.
      if (size === 0) {
        // Pushed to an empty array, the first would make room for sixteen more.
        this.#ids = [messageId];
        this.#entries = [seen];
      } else if (at === 0) {
        this.#ids.push(messageId);
        this.#entries.push(seen);
      } else {
        this.#ids.splice(at, 0, messageId);
        this.#entries.splice(at, 0, seen);
        this.#next = at + 1;
      }
      return seen;
    }
    for (let i = 0; i < size; i++) {
      const place = (at + i) % size;
      const candidate = this.#entries[place] as Seen;
      if (candidate.reply !== SeenReply.PENDING || candidate.expires <= now) {
        return this.#overwrite(place, messageId, expires);
      }
    }
    return undefined;
  }

  #overwrite(place: number, messageId: number, expires: number): Seen {
    const seen = this.#entries[place] as Seen;
    this.#release(seen);
    seen.messageId = messageId;
    seen.expires = expires;
    seen.reply = SeenReply.PENDING;
    seen.generation++;
    this.#ids[place] = messageId;
    this.#next = place + 1 === this.#ids.length ? 0 : place + 1;
    return seen;
  }

  /**
   * A message was answered with that datagram, and so are its duplicates. Where too much is kept already
   * they meet silence: better that their sender gives up than that its request is handled again.
   */
  answered(seen: Seen, data: Uint8Array): void {
    if (this.#budget.take(data.length)) {
      seen.reply = SeenReply.DATA;
      seen.data = data;
    } else seen.reply = SeenReply.SILENCE;
  }

  /** Forgets one message: if it comes again it is new. */
  forget(seen: Seen): void {
    seen.expires = 0;
    seen.reply = SeenReply.SILENCE;
    this.#release(seen);
    seen.generation++;
  }

  /** Forgets all messages, before the ring itself is dropped. */
  clear(): void {
    for (const seen of this.#entries) this.forget(seen);
  }

  #release(seen: Seen): void {
    if (seen.data === undefined) return;
    this.#budget.give(seen.data.length);
    seen.data = undefined;
  }

  /** True while somebody works on a message whose lifetime has not ended. */
  pending(now: number): boolean {
    return this.#entries.some((seen) => seen.reply === SeenReply.PENDING && seen.expires > now);
  }
}

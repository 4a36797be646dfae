import { hash } from 'node:crypto';
import { Deadline, type Deadlines } from './deadlines.ts';
import { type CoapMessage, Code, OptionNumber } from './message.ts';
import type { Peer } from './peer.ts';

/** Bits of an option number that say it is no part of the cache key (RFC 7252 §5.4.6). */
const NO_CACHE_KEY_MASK = 0x1e;
const NO_CACHE_KEY = 0x1c;

function binary(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/**
 * What the blocks of one request have in common: its code and options, a Request-Tag among them
 * (RFC 7959 §2.3 to §2.5, RFC 9175 §3.3). The token is no part of it: clients change it per block.
 */
export function transferKey(message: CoapMessage): string {
  let key = String(message.code);
  for (const { number, value } of message.options) {
    if (
      number === OptionNumber.BLOCK1 ||
      number === OptionNumber.BLOCK2 ||
      number === OptionNumber.OBSERVE ||
      number === OptionNumber.SIZE2 ||
      (number & NO_CACHE_KEY_MASK) === NO_CACHE_KEY
    ) {
      continue;
    }
    key += `|${number}:${value.length}:${binary(value)}`;
  }
  return key;
}

/** As `transferKey`, for what answers a FETCH: its body is part of what was asked (RFC 8132 §2). */
export function bodyKey(key: string, code: Code, payload: Uint8Array): string {
  return code === Code.FETCH && payload.length > 0 ? `${key}|#${hash('sha256', payload)}` : key;
}

/** One side of a block-wise transfer that waits for the peer's next block. */
export abstract class Transfer extends Deadline {
  /** Owned by BlockTransfers. */
  peer: Peer | undefined;
  key = '';
  table: BlockTransfers | undefined;
  /** Whether a second block has come or gone: anybody can begin a transfer, with one datagram. */
  followed = false;

  /** Gives back what it holds; called once, however it ends. */
  abstract dispose(): void;

  override expire(): void {
    this.table?.remove(this);
  }
}

/** Part of the room that transfers which have only begun may have before the others have to go first. */
const BEGUN_SHARE = 1 / 4;
/** A peer that lost two datagrams in a row is back within 9 s (RFC 7252 §4.2): one that was idle longer, ms. */
const GIVEN_UP = 10_000;

/**
 * The block-wise transfers under way at an endpoint's server side: bounded for all peers and for each,
 * dropped after a time without a block. A newcomer is never refused: where there are too many, the one
 * that was idle longest goes, of those that got no second block before any other. So a flood of first
 * blocks displaces itself, and transfers that go on are left alone.
 */
export class BlockTransfers {
  readonly #deadlines: Deadlines;
  readonly #maxTotal: number;
  readonly #maxPerPeer: number;
  readonly #timeout: number;
  /** Of all peers, those with one block so far and those with more, each the least recently used first. */
  readonly #begun = new Set<Transfer>();
  readonly #followed = new Set<Transfer>();
  readonly #byPeer = new Map<Peer, Map<string, Transfer>>();

  constructor(deadlines: Deadlines, maxTotal: number, maxPerPeer: number, timeout: number) {
    this.#deadlines = deadlines;
    this.#maxTotal = maxTotal;
    this.#maxPerPeer = maxPerPeer;
    this.#timeout = timeout;
  }

  get size(): number {
    return this.#begun.size + this.#followed.size;
  }

  get(peer: Peer, key: string): Transfer | undefined {
    return this.#byPeer.get(peer)?.get(key);
  }

  /** Keeps a transfer alive: a further block of it has come or gone. */
  touch(transfer: Transfer): void {
    if (!this.#forget(transfer)) return;
    transfer.followed = true;
    this.#followed.add(transfer);
    this.#deadlines.set(transfer, this.#timeout);
  }

  /**
   * Adds a transfer, in place of one with the same key, or of that peer's oldest where it has too many,
   * or of one of another peer where all together have too many.
   */
  add(peer: Peer, key: string, transfer: Transfer): void {
    const own = this.#byPeer.get(peer);
    const same = own?.get(key);
    if (same !== undefined) this.remove(same);
    else if (own !== undefined && own.size >= this.#maxPerPeer) {
      let oldest: Transfer | undefined;
      for (const one of own.values()) if (oldest === undefined || one.due < oldest.due) oldest = one;
      if (oldest !== undefined) this.remove(oldest);
    }
    if (this.size >= this.#maxTotal) this.#displaceOne();
    let transfers = this.#byPeer.get(peer);
    if (transfers === undefined) {
      transfers = new Map();
      this.#byPeer.set(peer, transfers);
      peer.holds++;
    }
    transfers.set(key, transfer);
    transfer.peer = peer;
    transfer.key = key;
    transfer.table = this;
    this.#begun.add(transfer);
    this.#deadlines.set(transfer, this.#timeout);
  }

  /**
   * Drops the transfer that was idle longest, for its memory: where it is for `other`, only one that was
   * idle for so long that it is probably given up. False where there is none.
   */
  displaceIdlest(other?: Transfer): boolean {
    const [begun] = this.#begun;
    const [followed] = this.#followed;
    const idlest =
      begun === undefined || (followed !== undefined && followed.due < begun.due) ? followed : begun;
    if (idlest === undefined || (other !== undefined && other.due - idlest.due < GIVEN_UP)) return false;
    this.remove(idlest);
    return true;
  }

  /** Makes room for one: those that have only begun go first, as long as they have more than their share. */
  #displaceOne(): void {
    const [begun] = this.#begun;
    const [followed] = this.#followed;
    const crowded = this.#begun.size > this.#maxTotal * BEGUN_SHARE;
    const oldest = crowded ? begun : (followed ?? begun);
    if (oldest !== undefined) this.remove(oldest);
  }

  remove(transfer: Transfer): void {
    if (!this.#forget(transfer)) return;
    this.#deadlines.cancel(transfer);
    const peer = transfer.peer as Peer;
    const transfers = this.#byPeer.get(peer) as Map<string, Transfer>;
    transfers.delete(transfer.key);
    if (transfers.size === 0) {
      this.#byPeer.delete(peer);
      peer.holds--;
    }
    transfer.dispose();
  }

  /** Drops all that one peer has under way. */
  removeAll(peer: Peer): void {
    const transfers = this.#byPeer.get(peer);
    if (transfers !== undefined) for (const transfer of [...transfers.values()]) this.remove(transfer);
  }

  clear(): void {
    for (const transfer of [...this.#begun, ...this.#followed]) this.remove(transfer);
  }

  #forget(transfer: Transfer): boolean {
    return (transfer.followed ? this.#followed : this.#begun).delete(transfer);
  }
}

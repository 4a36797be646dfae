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

  /** Gives back what it holds; called once, however it ends. */
  abstract dispose(): void;

  override expire(): void {
    this.table?.remove(this);
  }
}

/**
 * The block-wise transfers under way at an endpoint's server side: bounded for all peers and for each,
 * dropped after a time without a block.
 */
export class BlockTransfers {
  readonly #deadlines: Deadlines;
  readonly #maxTotal: number;
  readonly #maxPerPeer: number;
  readonly #timeout: number;
  /** Of all peers, the least recently used first. */
  readonly #all = new Set<Transfer>();
  readonly #byPeer = new Map<Peer, Map<string, Transfer>>();

  constructor(deadlines: Deadlines, maxTotal: number, maxPerPeer: number, timeout: number) {
    this.#deadlines = deadlines;
    this.#maxTotal = maxTotal;
    this.#maxPerPeer = maxPerPeer;
    this.#timeout = timeout;
  }

  get size(): number {
    return this.#all.size;
  }

  get(peer: Peer, key: string): Transfer | undefined {
    return this.#byPeer.get(peer)?.get(key);
  }

  /** Keeps a transfer alive: a block of it has come or gone. */
  touch(transfer: Transfer): void {
    this.#all.delete(transfer);
    this.#all.add(transfer);
    this.#deadlines.set(transfer, this.#timeout);
  }

  /**
   * Adds a transfer, in place of one with the same key, or of that peer's oldest where it has too many.
   * Where all peers together have too many, the oldest of all goes if `displace` is set.
   */
  add(peer: Peer, key: string, transfer: Transfer, displace: boolean): boolean {
    const own = this.#byPeer.get(peer);
    const same = own?.get(key);
    if (same !== undefined) this.remove(same);
    else if (own !== undefined && own.size >= this.#maxPerPeer) {
      for (const oldest of this.#all) {
        if (oldest.peer === peer) {
          this.remove(oldest);
          break;
        }
      }
    }
    if (this.#all.size >= this.#maxTotal && !(displace && this.displaceOldest())) return false;
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
    this.touch(transfer);
    return true;
  }

  /** Drops the transfer that was used least recently; false where there is none. */
  displaceOldest(): boolean {
    const [oldest] = this.#all;
    if (oldest === undefined) return false;
    this.remove(oldest);
    return true;
  }

  remove(transfer: Transfer): void {
    if (!this.#all.delete(transfer)) return;
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
    for (const transfer of [...this.#all]) this.remove(transfer);
  }
}

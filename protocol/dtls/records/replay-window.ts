import type { ReplayState } from '../types.ts';

const WIDTH = 64;

/** Which records of an epoch were received (RFC 6347 §4.1.2.6). Only what was authenticated may be accepted. */
export class ReplayWindow {
  /** The highest sequence number accepted; -1 while there is none. */
  highest = -1;
  // Bit n of #recent is highest - n, bit n of #older is highest - 32 - n.
  #recent = 0;
  #older = 0;

  static from(state: ReplayState): ReplayWindow {
    const window = new ReplayWindow();
    const view = new DataView(state.seen.buffer, state.seen.byteOffset, state.seen.byteLength);
    window.highest = state.highest;
    window.#older = view.getUint32(0);
    window.#recent = view.getUint32(4);
    return window;
  }

  /** Whether that number may be received: neither had before nor too old to tell. */
  admits(sequence: number): boolean {
    const behind = this.highest - sequence;
    if (behind < 0) return true;
    if (behind >= WIDTH) return false;
    return behind < 32 ? (this.#recent & (1 << behind)) === 0 : (this.#older & (1 << (behind - 32))) === 0;
  }

  /** Remembers a number that `admits` has let in. Whether it is newer than all before. */
  accept(sequence: number): boolean {
    const ahead = sequence - this.highest;
    if (ahead > 0) {
      this.#shift(ahead);
      this.highest = sequence;
      this.#recent |= 1;
      return true;
    }
    const behind = -ahead;
    if (behind < 32) this.#recent |= 1 << behind;
    else this.#older |= 1 << (behind - 32);
    return false;
  }

  state(): ReplayState {
    const seen = new Uint8Array(8);
    const view = new DataView(seen.buffer);
    view.setUint32(0, this.#older);
    view.setUint32(4, this.#recent);
    return { highest: this.highest, seen };
  }

  #shift(by: number): void {
    if (by >= WIDTH) {
      this.#older = 0;
      this.#recent = 0;
    } else if (by >= 32) {
      // A shift by 32 would be one by 0.
      this.#older = by === 32 ? this.#recent : this.#recent << (by - 32);
      this.#recent = 0;
    } else {
      this.#older = (this.#older << by) | (this.#recent >>> (32 - by));
      this.#recent <<= by;
    }
  }
}

import type { ServerResponse } from 'node:http';

/** Bytes that may wait for a slow client before the stream is held back. */
const HIGH_WATER = 128 * 1024;

/**
 * One open event stream, as bytes. What is sent within one turn of the event loop goes out as one
 * write; what the client does not take is bounded by the sender's heeding of `send`.
 */
export class EventConnection {
  readonly #response: ServerResponse;
  readonly #onWritable: () => void;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #flush: NodeJS.Immediate | undefined;
  #held = false;
  #stalledTicks = 0;
  /** Resolves when nothing more will go over it. */
  readonly whenClosed: Promise<void>;

  /** @param onWritable called after `send` has returned false, when the client has caught up. */
  constructor(response: ServerResponse, onWritable: () => void) {
    this.#response = response;
    this.#onWritable = onWritable;
    this.whenClosed = new Promise((resolve) => {
      response.once('close', resolve);
    });
    response.on('drain', () => this.#drained());
    // A reset by the client is how such a stream usually ends; 'close' follows and is handled there.
    response.on('error', () => response.destroy());
  }

  get closed(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  /** Takes the frame in any case. False when no more should be sent until `onWritable`. */
  send(frame: Buffer): boolean {
    if (this.closed) return false;
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
    this.#flush ??= setImmediate(() => this.#write());
    if (this.#pendingBytes + this.#response.writableLength < HIGH_WATER) return true;
    this.#held = true;
    return false;
  }

  /**
   * Called at a fixed interval: keeps an idle connection open through proxies with a comment, and
   * finds out clients that are gone without a word.
   * @returns how many intervals in a row the client has taken nothing of what waits for it.
   */
  heartbeat(frame: () => Buffer): number {
    // What is pending goes out in this very turn; what the response holds, the client's socket has not taken.
    if (this.#response.writableLength > 0) return ++this.#stalledTicks;
    this.#stalledTicks = 0;
    if (this.#pendingBytes === 0) this.send(frame());
    return 0;
  }

  /** Sends what waits, and ends the stream. */
  end(): void {
    this.#write();
    this.#response.end();
  }

  /** Drops the client and whatever waits for it. */
  destroy(): void {
    this.#forget();
    this.#response.destroy();
  }

  #write(): void {
    const frames = this.#pending;
    this.#forget();
    const [first, ...more] = frames;
    if (first === undefined || this.closed) return;
    // One write and not corked ones: of those Node makes a system call for the length, one for the bytes and one for
    // the line end. A single buffer is the one that all who get the same share.
    if (this.#response.write(more.length === 0 ? first : Buffer.concat(frames))) this.#drained();
  }

  #drained(): void {
    this.#stalledTicks = 0;
    if (!this.#held || this.closed) return;
    this.#held = false;
    this.#onWritable();
  }

  #forget(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}

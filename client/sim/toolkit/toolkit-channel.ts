import { type BearerChannel, BearerError, type ChannelOptions } from './bearer-channel.ts';
import type { ChannelStatus } from './data-objects.ts';
import { BipCause, GeneralResult } from './tags.ts';

/** Datagrams of the full buffer size that wait for the card at most; of what comes more, the newest are lost. */
const mostWaiting = 8;
/** "Link dropped" in the second byte of a channel status, ETSI TS 102 223 §8.56. */
const linkDropped = 0x05;

export interface ToolkitChannelOptions {
  /** 1 to 7. */
  readonly id: number;
  readonly link: ChannelOptions;
  readonly autoReconnect: boolean;
  readonly open: (options: ChannelOptions) => Promise<BearerChannel>;
  /** Data is there to be received that the card has not been told of. */
  readonly onData: () => void;
  /** The link was dropped. */
  readonly onDropped: (reason: string) => void;
}

/** One channel of the bearer-independent protocol: its link, and what waits in either direction. */
export class ToolkitChannel {
  readonly id: number;
  readonly #options: ToolkitChannelOptions;
  #link: BearerChannel | undefined;
  #opening: Promise<void> | undefined;
  #dropped = false;
  #closed = false;
  #stored: Uint8Array[] = [];
  #storedBytes = 0;
  /** Datagrams not wholly received; what the card took of the first is gone from it. */
  #received: Uint8Array[] = [];
  #receivedBytes = 0;
  #lost = 0;

  constructor(options: ToolkitChannelOptions) {
    this.#options = options;
    this.id = options.id;
  }

  get status(): ChannelStatus {
    return {
      channel: this.id,
      linked: this.#link !== undefined,
      information: this.#dropped ? linkDropped : 0,
    };
  }

  get isDropped(): boolean {
    return this.#dropped;
  }

  /** Bytes of the datagram that the card receives next, 0: none. */
  get available(): number {
    return this.#received[0]?.length ?? 0;
  }

  /** Bytes that there is room for before the next sending. */
  get room(): number {
    return this.#options.link.bufferSize - this.#storedBytes;
  }

  /** Datagrams that came while there was no room, or that were larger than the buffer. */
  get lost(): number {
    return this.#lost;
  }

  /** Establishes the link; does nothing where there is one. @throws BearerError */
  establish(): Promise<void> {
    if (this.#link !== undefined) return Promise.resolve();
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const link = await this.#options.open(this.#options.link);
    if (this.#closed) {
      await link.close();
      throw closed();
    }
    this.#link = link;
    this.#dropped = false;
    link.onData((data) => this.#receive(data));
    link.onDropped((reason) => {
      if (this.#link !== link) return;
      this.#link = undefined;
      this.#dropped = true;
      this.#options.onDropped(reason);
    });
  }

  /** @throws BearerError no room for it */
  store(data: Uint8Array): void {
    if (this.#dropped && !this.#options.autoReconnect) throw closed();
    if (data.length > this.room) {
      throw new BearerError(`no room for ${data.length} bytes`, {
        general: GeneralResult.BIP_ERROR,
        additional: BipCause.BUFFER_SIZE,
      });
    }
    this.#stored.push(data);
    this.#storedBytes += data.length;
  }

  /** Sends all that is stored as one datagram, on a link that it establishes first where there is none. @throws BearerError */
  async flush(): Promise<void> {
    const datagram = new Uint8Array(Buffer.concat(this.#stored));
    this.#stored = [];
    this.#storedBytes = 0;
    await this.establish();
    await this.#link?.send(datagram);
  }

  /** Takes at most so many bytes of the first datagram; `left` of it. Never of two datagrams at once. */
  take(length: number): { readonly data: Uint8Array; readonly left: number } {
    const [first] = this.#received;
    if (first === undefined) {
      if (this.#dropped) throw closed();
      return { data: new Uint8Array(0), left: 0 };
    }
    const data = first.slice(0, length);
    const rest = first.subarray(data.length);
    this.#receivedBytes -= data.length;
    if (rest.length > 0) this.#received[0] = rest;
    else {
      this.#received.shift();
      if (this.#received.length > 0) this.#options.onData();
    }
    return { data, left: rest.length };
  }

  /** Idempotent; what waits is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const link = this.#link;
    this.#link = undefined;
    this.#received = [];
    this.#stored = [];
    await link?.close();
  }

  #receive(data: Uint8Array): void {
    const { bufferSize } = this.#options.link;
    if (this.#closed || data.length === 0) return;
    if (data.length > bufferSize || this.#receivedBytes + data.length > bufferSize * mostWaiting) {
      this.#lost++;
      return;
    }
    this.#received.push(data.slice());
    this.#receivedBytes += data.length;
    if (this.#received.length === 1) this.#options.onData();
  }
}

function closed(): BearerError {
  return new BearerError('the channel is closed', {
    general: GeneralResult.BIP_ERROR,
    additional: BipCause.CHANNEL_CLOSED,
  });
}

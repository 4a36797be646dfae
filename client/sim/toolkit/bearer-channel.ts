import type { BearerDescription, Result } from './data-objects.ts';
import { BipCause, BusyCause, GeneralResult } from './tags.ts';

/** The channel that a card asks for. */
export interface ChannelOptions {
  readonly protocol: 'udp';
  /** Numeric, IPv4 or IPv6. */
  readonly destination: string;
  readonly port: number;
  readonly bearer: BearerDescription;
  /** Access point name. */
  readonly accessPoint?: string;
  /** Bytes that a datagram may have, in each direction. */
  readonly bufferSize: number;
}

/** A link that the terminal has opened for its card. */
export interface BearerChannel {
  /** One datagram. @throws BearerError it could not go out */
  send(data: Uint8Array): Promise<void>;
  /** Sets the one listener; each call is one datagram from the destination. */
  onData(listener: (data: Uint8Array) => void): void;
  /** Sets the one listener: the link is gone, without `close`; for people why. */
  onDropped(listener: (reason: string) => void): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Why there is no link, or nothing went out, as a terminal tells it its card. */
export class BearerError extends Error {
  override readonly name = 'BearerError';
  readonly result: Result;

  constructor(message: string, result: Result) {
    super(message);
    this.result = result;
  }

  /** The terminal is not on a network. */
  static noService(): BearerError {
    return new BearerError('not on a network', {
      general: GeneralResult.TERMINAL_BUSY,
      additional: BusyCause.NO_SERVICE,
    });
  }

  /** The remote end cannot be reached by any route. */
  static unreachable(message: string): BearerError {
    return new BearerError(message, { general: GeneralResult.BIP_ERROR, additional: BipCause.UNREACHABLE });
  }
}

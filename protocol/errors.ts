/** The peer's bytes break the grammar. Nothing else is thrown by a decoder. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** Time ran out before the peer answered (RFC 7252 §4.2: MAX_TRANSMIT_WAIT, or a caller's deadline). */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  /** The peer has acknowledged the request, or answered a part of it: it is there, and slow. */
  readonly acknowledged: boolean;

  constructor(message: string, acknowledged = false) {
    super(message);
    this.acknowledged = acknowledged;
  }
}

/** The caller asked for something that cannot be: a bad path, a value that does not fit its type. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
}

/** So much waits for the peer that no more is taken: it is not the request's fault, and may be made again. */
export class BusyError extends RequestError {}

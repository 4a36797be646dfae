import type { FailureReason } from './types.ts';

/** A handshake cannot go on. The peer is told no more than `alert`. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  /** The description of the alert (RFC 5246 §7.2) that the peer gets; undefined: silence. */
  readonly alert: number | undefined;
  readonly reason: FailureReason;

  constructor(reason: FailureReason, alert: number | undefined, message: string) {
    super(message);
    this.reason = reason;
    this.alert = alert;
  }
}

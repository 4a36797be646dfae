import type { CoapParameters } from './parameters.ts';

/** The times that RFC 7252 §4.8.2 derives from the transmission parameters, in milliseconds. */
export interface Lifetimes {
  readonly maxTransmitSpan: number;
  readonly maxTransmitWait: number;
  readonly exchangeLifetime: number;
  readonly nonLifetime: number;
  /**
   * After which an id may be used again. A peer remembers a message for EXCHANGE_LIFETIME from when it came, and the
   * last copy of it may come MAX_TRANSMIT_SPAN and MAX_LATENCY after it was sent first.
   */
  readonly messageIdPeriod: number;
}

export function lifetimesOf(parameters: CoapParameters): Lifetimes {
  const { ackTimeout, ackRandomFactor, maxRetransmit, maxLatency } = parameters;
  const maxTransmitSpan = ackTimeout * (2 ** maxRetransmit - 1) * ackRandomFactor;
  // PROCESSING_DELAY is ACK_TIMEOUT.
  const exchangeLifetime = maxTransmitSpan + 2 * maxLatency + ackTimeout;
  return {
    maxTransmitSpan,
    maxTransmitWait: ackTimeout * (2 ** (maxRetransmit + 1) - 1) * ackRandomFactor,
    exchangeLifetime,
    nonLifetime: maxTransmitSpan + maxLatency,
    messageIdPeriod: exchangeLifetime + maxTransmitSpan + maxLatency,
  };
}

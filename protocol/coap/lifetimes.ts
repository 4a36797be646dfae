import type { CoapParameters } from './parameters.ts';

/** The times that RFC 7252 §4.8.2 derives from the transmission parameters, in milliseconds. */
export interface Lifetimes {
  readonly maxTransmitSpan: number;
  readonly maxTransmitWait: number;
  readonly exchangeLifetime: number;
  readonly nonLifetime: number;
}

export function lifetimesOf(parameters: CoapParameters): Lifetimes {
  const { ackTimeout, ackRandomFactor, maxRetransmit, maxLatency } = parameters;
  const maxTransmitSpan = ackTimeout * (2 ** maxRetransmit - 1) * ackRandomFactor;
  return {
    maxTransmitSpan,
    maxTransmitWait: ackTimeout * (2 ** (maxRetransmit + 1) - 1) * ackRandomFactor,
    // PROCESSING_DELAY is ACK_TIMEOUT.
    exchangeLifetime: maxTransmitSpan + 2 * maxLatency + ackTimeout,
    nonLifetime: maxTransmitSpan + maxLatency,
  };
}

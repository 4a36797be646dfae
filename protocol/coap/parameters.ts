/**
 * Transmission parameters of RFC 7252 §4.8 with their defaults, and the limits that keep memory
 * bounded. Times in milliseconds, sizes in bytes.
 */
export interface CoapParameters {
  readonly ackTimeout: number;
  readonly ackRandomFactor: number;
  readonly maxRetransmit: number;
  readonly nstart: number;
  /** MAX_LATENCY, RFC 7252 §4.8.2. */
  readonly maxLatency: number;
  /** How long a handler may take before the endpoint acknowledges by itself: PROCESSING_DELAY. */
  readonly ackDelay: number;
  /** After an empty ACK, how long to wait for the separate response. */
  readonly separateResponseTimeout: number;
  /** Largest block that we send, and propose: 16 to 1024, a power of two. */
  readonly preferredBlockSize: number;
  /** Largest body that we reassemble, request or response: beyond it 4.13, or an error to the caller. */
  readonly maxBodySize: number;
  /** Block-wise transfers under way at once, all peers and one peer: beyond it the idle ones go. */
  readonly maxBlockTransfers: number;
  readonly maxBlockTransfersPerPeer: number;
  /** Bytes that all bodies under way hold together, whatever their number. */
  readonly maxBlockMemory: number;
  /**
   * Time without a block after which a transfer is dropped: at least MAX_TRANSMIT_SPAN (RFC 7252 §4.8.2,
   * 45 s), so that the last retransmission of the next block still finds it. The default adds 5 s for
   * that one's way here.
   */
  readonly blockTimeout: number;
  /** Message ids remembered for deduplication: of one peer, and of all (but two of each peer stay). */
  readonly maxDeduplicationPerPeer: number;
  readonly maxDeduplication: number;
  /** Bytes of answers kept for duplicates, of all peers; where there are more, duplicates meet silence. */
  readonly maxDeduplicationMemory: number;
  /** Peers remembered. */
  readonly maxPeers: number;
  /** Observers that the server role accepts, all peers together and one peer. */
  readonly maxObservers: number;
  readonly maxObserversPerPeer: number;
  /** Requests that wait for NSTART, per peer. */
  readonly maxQueuedPerPeer: number;
  /**
   * Separate responses that wait for their ACK, of all peers: beyond it one is sent once, as a NON (RFC 7252 §5.2.2). Who
   * asks from many addresses and acknowledges nothing would have each of them sent five times.
   */
  readonly maxSeparateResponses: number;
}

export const defaultParameters: CoapParameters = {
  ackTimeout: 2_000,
  ackRandomFactor: 1.5,
  maxRetransmit: 4,
  nstart: 1,
  maxLatency: 100_000,
  ackDelay: 1_000,
  separateResponseTimeout: 93_000,
  preferredBlockSize: 1024,
  maxBodySize: 4 * 1024 * 1024,
  maxBlockTransfers: 1_024,
  maxBlockTransfersPerPeer: 4,
  maxBlockMemory: 64 * 1024 * 1024,
  blockTimeout: 50_000,
  maxDeduplicationPerPeer: 64,
  maxDeduplication: 1_000_000,
  maxDeduplicationMemory: 64 * 1024 * 1024,
  maxPeers: 200_000,
  maxObservers: 100_000,
  maxObserversPerPeer: 256,
  maxQueuedPerPeer: 256,
  maxSeparateResponses: 16_384,
};

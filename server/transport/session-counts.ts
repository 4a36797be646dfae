import type { CloseReason, DtlsServerEvents, FailureReason } from '../../protocol/dtls/types.ts';

/** How handshakes and sessions of a port have ended, since the start. */
export interface SessionCounts {
  readonly failed: ReadonlyMap<FailureReason, number>;
  readonly closed: ReadonlyMap<CloseReason, number>;
}

type PortEvents = Omit<DtlsServerEvents, 'onError'>;

/** Counts what is told of a port, and passes it on. */
export function countSessions(events: PortEvents = {}): {
  readonly counts: SessionCounts;
  readonly events: PortEvents;
} {
  const failed = new Map<FailureReason, number>();
  const closed = new Map<CloseReason, number>();
  return {
    counts: { failed, closed },
    events: {
      ...events,
      onHandshakeFailed: (failure) => {
        raise(failed, failure.reason);
        events.onHandshakeFailed?.(failure);
      },
      onClosed: (session, reason) => {
        raise(closed, reason);
        events.onClosed?.(session, reason);
      },
    },
  };
}

function raise<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

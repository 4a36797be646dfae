/** The part of the message ids that is ours: all, unless several processes share one port. */
export interface MessageIdSpace {
  readonly first: number;
  readonly count: number;
}

export const ALL_MESSAGE_IDS: MessageIdSpace = { first: 0, count: 65_536 };

/**
 * A mark that rises with civil time, by the whole space once per period. Ids are counted without end
 * here, and go onto the wire modulo the space; none is ever given out below the mark.
 *
 * A peer must not get an id again while it remembers it (RFC 7252 §4.4): it would answer a new request
 * from its deduplication cache, or acknowledge a new notification without having read it. It remembers
 * a message for EXCHANGE_LIFETIME from when it came, which may be long after it was sent: `period` has
 * both in it (`messageIdPeriod` of lifetimes.ts). What it was sent within the last period was above the
 * mark of that time, which is the present mark less one round; and unless it was sent more than a whole
 * round holds, below the present mark. So whoever knows nothing of a peer starts at the mark, and meets
 * no id that the peer can remember: after a restart, or after a peer was forgotten, nothing needs to
 * have been stored. The mark is the same for all peers, so that one whose address has changed also
 * meets no id again. That ids can be guessed costs nothing: a response counts only with its token,
 * which is random.
 */
export function messageIdMark(wallTime: number, period: number, space: MessageIdSpace): number {
  return Math.floor((wallTime * space.count) / period);
}

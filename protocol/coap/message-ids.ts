/** The part of the message ids that is ours: all, unless several processes share one port. */
export interface MessageIdSpace {
  readonly first: number;
  readonly count: number;
}

export const ALL_MESSAGE_IDS: MessageIdSpace = { first: 0, count: 65_536 };

/**
 * Where the message ids to a peer start that we know nothing of: a mark which goes round the whole
 * space once per EXCHANGE_LIFETIME of civil time.
 *
 * A peer must not get an id twice within EXCHANGE_LIFETIME (RFC 7252 §4.4): it would answer a new
 * request from its deduplication cache. It never gets more than 65536 ids in that time, and its counter
 * starts at the mark; so the ids that it got lie, seen from the present mark, in the past. A process
 * that was restarted, or that dropped what it knew of an idle peer, therefore goes on above every id
 * of the last EXCHANGE_LIFETIME without having stored any. The mark is the same for all peers, so that
 * a peer whose address has changed also meets no id again. That ids can be guessed costs nothing: a
 * response counts only with its token, which is random.
 */
export function initialMessageIdIndex(
  wallTime: number,
  exchangeLifetime: number,
  space: MessageIdSpace,
): number {
  return Math.floor((wallTime * space.count) / exchangeLifetime) % space.count;
}

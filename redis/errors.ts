import { StoreUnavailableError } from '../server/ports/errors.ts';

const unavailable =
  /^(?:MOVED|ASK|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|MISCONF|OOM|BUSY|TRYAGAIN|UNBLOCKED|NOAUTH|WRONGPASS)\b/;

/** What the client says, in words of its own, and what it means. */
const clientErrors: readonly (readonly [RegExp, string])[] = [
  [/^Stream isn't writeable|^Cluster isn't ready/, 'is not connected'],
  [/^Connection is closed|^Connection is closing|^Socket closed/, 'has closed the connection'],
  [/^Socket timeout|^Command timed out/, 'does not answer'],
  [/^Failed to refresh slots cache|^Cluster is disconnect|^None of startup nodes/, 'cannot be reached'],
];

/** Another Redis of the cluster has the slot now. */
export function isRedirection(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && /^(?:MOVED|ASK) /.test(error.message);
}

/**
 * Takes away what the client adds to an answer: the command with its arguments, among which are the password, keys and
 * what devices say. Nothing of it may get into a log.
 */
export function withoutCommand(error: Error): void {
  delete (error as { command?: unknown }).command;
}

/**
 * An answer that says what is wrong with the request is a bug; everything else is the store that cannot answer now.
 * @param where as a person is told which store it is
 */
export function storeError(error: unknown, what: string, where = 'Redis'): Error {
  if (error instanceof StoreUnavailableError) return error;
  if (!(error instanceof Error)) return new Error(String(error));
  withoutCommand(error);
  const isReply = error.name === 'ReplyError';
  if (isReply && !unavailable.test(error.message)) {
    return new Error(`Redis refused ${what}: ${error.message}`, { cause: error });
  }
  const known = clientErrors.find(([pattern]) => pattern.test(error.message));
  return new StoreUnavailableError(
    known === undefined ? `${where} does not answer: ${error.message}` : `${where} ${known[1]}`,
    { cause: error },
  );
}

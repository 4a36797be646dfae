import type { Clock } from '../../protocol/clock.ts';
import { TimeoutError } from '../../protocol/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { DevicePresence } from './presence.ts';

export interface AwakeLimits {
  /** ms, waiting included. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends when the device listens, and tells its presence what came of it. `send` gets the time that is left.
 * @throws what `send` throws; TimeoutError, NotRegisteredError, the signal's reason before it is called
 */
export async function whenAwake<T>(
  presence: DevicePresence | undefined,
  clock: Clock,
  registration: Registration,
  { timeout, signal }: AwakeLimits,
  send: (timeLeft: number) => Promise<T>,
): Promise<T> {
  if (presence === undefined) return send(timeout);
  const deadline = clock.now() + timeout;
  const turn = await presence.awake(registration, timeout, signal);
  try {
    const answer = await send(Math.max(1, deadline - clock.now()));
    turn.answered();
    return answer;
  } catch (error) {
    if (error instanceof TimeoutError) turn.silent();
    throw error;
  } finally {
    turn.end();
  }
}

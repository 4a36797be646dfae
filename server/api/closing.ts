import type { FastifyInstance } from 'fastify';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { ProblemError } from './problems.ts';

/** How long requests to devices that are under way may still take when the server closes, ms. */
const CLOSING_GRACE_MS = 2_000;

/**
 * Requests that are under way when the server closes are answered, and their connections then closed;
 * those that wait for a device, which may take minutes, have a little time left.
 * @returns what aborts when that time is over
 */
export function closeInTime(app: FastifyInstance, clock: Clock): AbortSignal {
  const controller = new AbortController();
  let timer: Timer | undefined;
  app.addHook('preClose', async () => {
    timer = clock.setTimer(CLOSING_GRACE_MS, () => {
      controller.abort(new ProblemError('closing', 'the server is closing'));
    });
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (timer !== undefined) reply.header('connection', 'close');
    done(null, payload);
  });
  app.addHook('onClose', async () => timer?.cancel());
  return controller.signal;
}

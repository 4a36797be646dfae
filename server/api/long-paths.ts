import type { FastifyInstance } from 'fastify';
import { ProblemError } from './problems.ts';

/** Characters of one part of a path, URL-encoded as sent: an endpoint name may need three for each of its bytes. */
const MAX_PART_LENGTH = 4096;

/**
 * What the router lets a parameter have: all that fits into a request's head. Its own limit would make it look
 * for another route, and take the console's files for it.
 */
export const routerParamLength = 65_536;

/** Answers 414 (RFC 9110 §15.5.15) where a part of the path is too long, whatever it would have led to. */
export function refuseLongPaths(app: FastifyInstance): void {
  app.addHook('onRequest', ({ url }, _reply, done) => {
    if (url.length > MAX_PART_LENGTH) checkParts(url);
    done();
  });
}

/** @throws ProblemError */
function checkParts(url: string): void {
  const [path = ''] = url.split('?');
  if (path.split('/').some((part) => part.length > MAX_PART_LENGTH)) {
    throw new ProblemError('uri_too_long', `a part of the path is longer than ${MAX_PART_LENGTH} characters`);
  }
}

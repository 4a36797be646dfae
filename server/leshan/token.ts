import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { LeshanRefusal } from './refusals.ts';

/** Answers 401 (RFC 6750 §3) to whoever does not show the token. How much of it is right cannot be told by the time. */
export function requireToken(app: FastifyInstance, token: string): void {
  const expected = digest(token);
  app.addHook('onRequest', async ({ headers }, reply) => {
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    reply.header('www-authenticate', 'Bearer realm="simyard"');
    throw new LeshanRefusal(401, 'a bearer token is needed: Authorization: Bearer <SIMYARD_LESHAN_TOKEN>');
  });
}

/** Of equal length, whatever was given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

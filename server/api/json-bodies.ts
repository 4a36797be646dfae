import type { FastifyInstance } from 'fastify';

/**
 * Bodies are JSON and say so: a form or a plain text, which a page elsewhere can send without asking,
 * is refused with 415. An empty body is none, whatever it calls itself: `null` in a handler.
 */
export function acceptJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, null);
    else parse(request, body as string, done);
  });
  app.addHook('preValidation', (request, _reply, done) => {
    request.body ??= null;
    done();
  });
}

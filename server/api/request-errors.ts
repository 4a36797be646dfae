import { maxHeaderSize, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LoginPausedError } from '../people/errors.ts';
import { noteProblem } from './auditing.ts';
import { noteFailure } from './idempotency.ts';
import { problem, problemOf } from './problems.ts';
import type { ApiProblem } from './schemas.ts';

/** Seconds after which it is worth trying again. */
const RETRY_AFTER = '5';

/** Answers an error with its problem (RFC 9457), and logs it when it is ours. */
export function answerErrors(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  noteFailure(request, error);
  const answer = problemOf(error);
  logProblem(answer, error, request);
  noteProblem(request, answer.code);
  if (error instanceof LoginPausedError) reply.header('retry-after', String(Math.ceil(error.wait / 1000)));
  if (answer.code === 'request_under_way') reply.header('retry-after', '1');
  if (answer.status === 503) reply.header('retry-after', RETRY_AFTER);
  if (answer.code === 'device_method_not_allowed') reply.header('allow', otherMethods(request.method));
  reply.code(answer.status).header('cache-control', 'no-store').type('application/problem+json').send(answer);
}

/** A fault of ours is an error, a store that is down a warning; what a device or a caller did is neither. */
function logProblem(answer: ApiProblem, error: unknown, request: FastifyRequest): void {
  if (answer.code === 'internal_error') {
    request.log.error(
      { err: error, method: request.method, url: loggedUrl(request) },
      'a request failed by a fault',
    );
  } else if (answer.status === 503 && answer.code !== 'device_unavailable') {
    request.log.warn({ code: answer.code, detail: answer.detail }, 'a request could not be served');
  } else {
    request.log.debug({ code: answer.code, detail: answer.detail }, 'a request was refused');
  }
}

/** RFC 9110 §15.5.6 wants a list; which of them the device offers there, it has not said. */
function otherMethods(method: string): string {
  return ['GET', 'PUT', 'POST', 'DELETE'].filter((other) => other !== method).join(', ');
}

/** What is not HTTP never becomes a request, so it is answered on the socket. */
export function answerUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  // A connection that ended or was reset has nobody left to answer.
  if (error.code !== 'ECONNRESET' && socket.writable) {
    const answer = unreadableProblem(error.code);
    const body = JSON.stringify(answer);
    const length = Buffer.byteLength(body);
    socket.write(
      `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\nConnection: close\r\n` +
        'Content-Type: application/problem+json\r\n' +
        `Content-Length: ${length}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

/** By Node's error code: a time limit, the size of a request's head, and else what the parser could not read. */
function unreadableProblem(code: string | undefined): ApiProblem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return problem('request_timeout');
  if (code === 'HPE_HEADER_OVERFLOW') {
    return problem(
      'malformed_request',
      `the request line and the headers are longer than ${maxHeaderSize} bytes`,
    );
  }
  return problem('malformed_request');
}

/** What an identity provider gives a browser to bring along is nobody's business. */
function loggedUrl({ url }: FastifyRequest): string {
  return url.startsWith('/api/login/') ? (url.split('?')[0] ?? '') : url;
}

/** One line for each request, at debug. */
export function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    request.log.debug(
      { method, url: loggedUrl(request), status: reply.raw.statusCode, ms: reply.elapsedTime },
      'request',
    );
    done();
  });
}

import { isIPv4, isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Of a caller whose connection was gone before anybody asked where it came from. */
const UNKNOWN = 'unknown';

const source = Symbol('source');

declare module 'fastify' {
  interface FastifyRequest {
    [source]?: string;
  }
}

/** Takes down from where each request comes while its connection is there: a socket that is closed has no address any more. */
export function rememberSources(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    sourceOf(request);
    done();
  });
}

/** The address that asks, as `callerOf` names it; `unknown` where there is none. */
export function sourceOf(request: FastifyRequest): string {
  request[source] ??= callerAt(request);
  return request[source];
}

function callerAt(request: FastifyRequest): string {
  // Fastify's type does not say that it may be missing.
  const address = request.ip as string | undefined;
  return address === undefined ? UNKNOWN : callerOf(address);
}

/** An IPv6 network has 2^64 addresses for one caller, who counts as one. */
export function callerOf(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back];
  if (groups.every((group, index) => Number.parseInt(group, 16) === (index === 7 ? 1 : 0))) return '::1';
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Of what `callerOf` gives. */
export function isLoopbackAddress(caller: string): boolean {
  return caller === '::1' || (caller.startsWith('127.') && isIPv4(caller));
}

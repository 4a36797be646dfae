import { isIPv4, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from './problems.ts';

/** Callers that are remembered; who is not has its whole burst. */
const MAX_CALLERS = 10_000;
/** A caller on this machine has so many times as much: the console, scripts, a load test. */
const LOOPBACK_FACTOR = 100;
/** What must be seen however much a caller asks. */
const exempt: ReadonlySet<string> = new Set(['/healthz', '/metrics']);

export interface RateLimit {
  /** Requests a second; 0: no limit. */
  readonly rate: number;
  /** Requests at once, of who was silent before. */
  readonly burst: number;
}

interface Bucket {
  left: number;
  /** `Clock.now` of the last request. */
  at: number;
}

/**
 * Bounds what one address may ask for, by a token bucket. Each answer says what is left, as
 * draft-ietf-httpapi-ratelimit-headers has it: `RateLimit-Policy: "requests";q=1000;w=5`, `RateLimit: "requests";r=998;t=1`.
 */
export function limitRates(app: FastifyInstance, { rate, burst }: RateLimit, clock: Clock): void {
  if (rate === 0) return;
  const buckets = new Map<string, Bucket>();
  app.addHook('onRequest', async (request, reply) => {
    if (exempt.has(request.url)) return;
    const caller = callerOf(request.ip);
    const factor = isLoopbackAddress(caller) ? LOOPBACK_FACTOR : 1;
    const most = burst * factor;
    const perSecond = rate * factor;
    const now = clock.now();
    const before = buckets.get(caller) ?? { left: most, at: now };
    const left = Math.min(most, before.left + ((now - before.at) / 1000) * perSecond);
    const admitted = left >= 1;
    const after = admitted ? left - 1 : left;
    // The newest last: those that were silent for longest go first.
    buckets.delete(caller);
    buckets.set(caller, { left: after, at: now });
    if (buckets.size > MAX_CALLERS) buckets.delete(buckets.keys().next().value as string);
    reply.headers({
      'ratelimit-policy': `"requests";q=${most};w=${Math.ceil(most / perSecond)}`,
      ratelimit: `"requests";r=${Math.floor(after)};t=${Math.ceil((most - after) / perSecond)}`,
    });
    if (admitted) return;
    reply.header('retry-after', String(Math.max(1, Math.ceil((1 - left) / perSecond))));
    throw new ProblemError('rate_limited', `no more than ${perSecond} requests a second, ${most} at once`);
  });
}

/** An IPv6 network has 2^64 addresses for one caller, who counts as one. */
export function callerOf(address: string): string {
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
  return caller === '::1' || (isIPv4(caller) && caller.startsWith('127.'));
}

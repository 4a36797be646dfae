import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../protocol/clock.ts';
import { ProblemError } from './problems.ts';
import { isLoopbackAddress, sourceOf } from './sources.ts';

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
  readonly caller: string;
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
  let newest: Bucket | undefined;
  const everybody = policyOf({ rate, burst }, 1);
  const onThisMachine = policyOf({ rate, burst }, LOOPBACK_FACTOR);
  app.addHook('onRequest', (request, reply, done) => {
    if (exempt.has(request.url)) {
      done();
      return;
    }
    const caller = sourceOf(request);
    const { most, perSecond, shown } = isLoopbackAddress(caller) ? onThisMachine : everybody;
    const now = clock.now();
    const known = caller === newest?.caller ? newest : buckets.get(caller);
    const bucket = known ?? { caller, left: most, at: now };
    const left = Math.min(most, bucket.left + ((now - bucket.at) / 1000) * perSecond);
    const admitted = left >= 1;
    const after = admitted ? left - 1 : left;
    bucket.left = after;
    bucket.at = now;
    if (bucket !== newest) {
      // The newest last: those that were silent for longest go first.
      buckets.delete(caller);
      buckets.set(caller, bucket);
      if (buckets.size > MAX_CALLERS) buckets.delete(buckets.keys().next().value as string);
      newest = bucket;
    }
    reply.header('ratelimit-policy', shown);
    reply.header('ratelimit', `"requests";r=${Math.floor(after)};t=${Math.ceil((most - after) / perSecond)}`);
    if (!admitted) {
      reply.header('retry-after', String(Math.max(1, Math.ceil((1 - left) / perSecond))));
      throw new ProblemError('rate_limited', `no more than ${perSecond} requests a second, ${most} at once`);
    }
    done();
  });
}

/** What a caller may have who has `factor` times as much as the limit says, and how his answers show it. */
function policyOf({ rate, burst }: RateLimit, factor: number) {
  const most = burst * factor;
  const perSecond = rate * factor;
  return { most, perSecond, shown: `"requests";q=${most};w=${Math.ceil(most / perSecond)}` };
}

import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { preferencesOf } from './prefer.ts';
import { ProblemError, problemOf } from './problems.ts';

/** How long a route that asks a device may take, ms, where neither the caller nor the settings say. */
const STANDARD = 10_000;
/**
 * A device has a little less than the whole route, so that the caller hears why it did not answer. Where the caller says
 * nothing, nothing was promised, and the route has that much more.
 */
const MARGIN = 50;
/** With less time than this the margin would be too much of it. */
const SHORT = 1_000;

/** The time of one request. */
export interface Deadline {
  /** That the caller gave, ms. */
  readonly given: number | undefined;
  /** ms that are left. */
  left(): number;
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Rejects when it is over. */
  readonly over: Promise<never>;
  /** It was answered. */
  readonly cancel: () => void;
  /** Its answer is made, and goes out. */
  answering: boolean;
}

const deadlines = new WeakMap<FastifyRequest, Deadline>();

/** Of a request to a device; undefined of any other. */
export function deadlineOf(request: FastifyRequest): Deadline | undefined {
  return deadlines.get(request);
}

/** How long the device has, ms; undefined: as long as the settings say. */
export function deviceTimeout(request: FastifyRequest): number | undefined {
  const deadline = deadlines.get(request);
  if (deadline?.given === undefined || deadline.given < SHORT) return deadline?.given;
  return Math.max(1, Math.floor(deadline.left()) - MARGIN);
}

/** What `work` gives, in the time of the request: a store that hangs does not hold its caller up. */
export function inTime<T>(request: FastifyRequest, work: Promise<T>): Promise<T> {
  const deadline = deadlines.get(request);
  return deadline === undefined ? work : Promise.race([work, deadline.over]);
}

/**
 * Has each route that asks a device (those that take `timeout`) answer within the time that the caller gives: by
 * `timeout`, or by `Prefer: wait` (RFC 7240 §4.3). To be called before the routes are registered.
 */
export function keepDeadlines(app: FastifyInstance, clock: Clock, standard = STANDARD): void {
  const started = new WeakMap<FastifyRequest, number>();
  app.addHook('onRequest', async (request) => {
    started.set(request, clock.now());
  });
  app.addHook('onRoute', (route: RouteOptions) => {
    if (!asksDevice(route)) return;
    const { handler } = route;
    route.handler = function (request, reply) {
      const work = Promise.resolve(handler.call(this, request, reply));
      work.catch((error: unknown) => {
        // What comes after the end of the time is of no use to the caller. A fault of ours is one all the same.
        if (deadlines.get(request)?.signal.aborted !== true) return;
        if (problemOf(error).code !== 'internal_error') return;
        request.log.error({ err: error }, 'a route met a fault after its time was over');
      });
      // A handler that has sent its answer ends when that is out: it has been in time.
      return inTime(request, work).catch((error: unknown) => {
        if (deadlines.get(request)?.answering === true) return work;
        throw error;
      });
    };
  });
  app.addHook('onSend', async (request) => {
    const deadline = deadlines.get(request);
    if (deadline !== undefined) deadline.answering = true;
  });
  app.addHook('preHandler', async (request, reply) => {
    if (!asksDevice(request.routeOptions)) return;
    const { timeout } = (request.query ?? {}) as { readonly timeout?: number };
    const { wait } = preferencesOf(request);
    const given = timeout ?? wait;
    if (timeout === undefined && wait !== undefined)
      reply.header('preference-applied', `wait=${wait / 1000}`);
    const end = (started.get(request) ?? clock.now()) + (given ?? standard + MARGIN);
    deadlines.set(request, begin(clock, end, given));
  });
  app.addHook('onResponse', async (request) => deadlines.get(request)?.cancel());
}

function begin(clock: Clock, end: number, given: number | undefined): Deadline {
  const controller = new AbortController();
  const error = new ProblemError('deadline_exceeded', 'the server could not answer in the time that it had');
  let timer: Timer | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = clock.setTimer(Math.max(0, end - clock.now()), () => {
      controller.abort(error);
      // Who waits for the device ends by itself, and knows more.
      setImmediate(() => reject(error));
    });
  });
  over.catch(() => undefined);
  const cancel = (): void => timer?.cancel();
  return { given, signal: controller.signal, over, left: () => end - clock.now(), cancel, answering: false };
}

function asksDevice({ schema }: { readonly schema?: unknown }): boolean {
  const { querystring } = (schema ?? {}) as {
    readonly querystring?: { readonly properties?: Readonly<Record<string, unknown>> };
  };
  return querystring?.properties?.['timeout'] !== undefined;
}

import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { preferencesOf } from './prefer.ts';
import { ProblemError, problemOf } from './problems.ts';
import { routeOf } from './route-of.ts';

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
export class Deadline {
  /** That the caller gave, ms. */
  readonly given: number | undefined;
  /** Ends what is asked of a device for the request: when the time is over, and when nobody waits for it any more. */
  readonly controller = new AbortController();
  /** Its answer is made, and goes out. */
  answering = false;
  readonly #clock: Clock;
  readonly #end: number;
  readonly #timer: Timer;
  /** Told when the time is over. */
  readonly #waiting: ((error: ProblemError) => void)[] = [];
  #error: ProblemError | undefined;
  #isTold = false;

  /** @param end on the clock */
  constructor(clock: Clock, end: number, given: number | undefined) {
    this.#clock = clock;
    this.#end = end;
    this.given = given;
    this.#timer = clock.setTimer(Math.max(0, this.left()), () => this.#expire());
  }

  /** ms that are left. */
  left(): number {
    return this.#end - this.#clock.now();
  }

  get isOver(): boolean {
    return this.#error !== undefined;
  }

  /** Has `told` called with what the request failed by when its time is over. */
  whenOver(told: (error: ProblemError) => void): void {
    if (this.#isTold && this.#error !== undefined) told(this.#error);
    else this.#waiting.push(told);
  }

  /** It was answered. */
  cancel(): void {
    this.#timer.cancel();
  }

  #expire(): void {
    const error = new ProblemError(
      'deadline_exceeded',
      'the server could not answer in the time that it had',
    );
    this.#error = error;
    this.controller.abort(error);
    // Who waits for the device ends by itself, and knows more.
    setImmediate(() => {
      this.#isTold = true;
      for (const told of this.#waiting) told(error);
    });
  }
}

const ofRequest = Symbol('deadline');
const begun = Symbol('begun');

declare module 'fastify' {
  interface FastifyRequest {
    [ofRequest]?: Deadline;
    /** On the clock. */
    [begun]?: number;
  }
}

/** Of a request to a device; undefined of any other. */
export function deadlineOf(request: FastifyRequest): Deadline | undefined {
  return request[ofRequest];
}

/** How long the device has, ms; undefined: as long as the settings say. */
export function deviceTimeout(request: FastifyRequest): number | undefined {
  const deadline = deadlineOf(request);
  if (deadline?.given === undefined || deadline.given < SHORT) return deadline?.given;
  return Math.max(1, Math.floor(deadline.left()) - MARGIN);
}

/** What `work` gives, in the time of the request: a store that hangs does not hold its caller up. */
export function inTime<T>(request: FastifyRequest, work: Promise<T>): Promise<T> {
  const deadline = deadlineOf(request);
  if (deadline === undefined) return work;
  return new Promise((resolve, reject) => {
    deadline.whenOver(reject);
    work.then(resolve, reject);
  });
}

/**
 * Has each route that asks a device (those that take `timeout`) answer within the time that the caller gives: by
 * `timeout`, or by `Prefer: wait` (RFC 7240 §4.3). To be called before the routes are registered.
 */
export function keepDeadlines(app: FastifyInstance, clock: Clock, standard = STANDARD): void {
  app.addHook('onRequest', (request, _reply, done) => {
    request[begun] = clock.now();
    done();
  });
  app.addHook('onRoute', (route: RouteOptions) => {
    if (!asksDevice(route)) return;
    const { handler } = route;
    route.handler = function (request, reply) {
      return answerInTime(request, Promise.resolve(handler.call(this, request, reply)));
    };
  });
  app.addHook('onSend', (request, _reply, payload, done) => {
    const deadline = deadlineOf(request);
    if (deadline !== undefined) deadline.answering = true;
    done(null, payload);
  });
  app.addHook('preHandler', (request, reply, done) => {
    if (asksDevice(routeOf(request))) {
      const { timeout } = (request.query ?? {}) as { readonly timeout?: number };
      const { wait } = preferencesOf(request);
      const given = timeout ?? wait;
      if (timeout === undefined && wait !== undefined)
        reply.header('preference-applied', `wait=${wait / 1000}`);
      const end = (request[begun] ?? clock.now()) + (given ?? standard + MARGIN);
      request[ofRequest] = new Deadline(clock, end, given);
    }
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    deadlineOf(request)?.cancel();
    done();
  });
}

/** A handler that has sent its answer ends when that is out: it has been in time. */
function answerInTime(request: FastifyRequest, work: Promise<unknown>): Promise<unknown> {
  const deadline = deadlineOf(request);
  if (deadline === undefined) return work;
  return new Promise((resolve, reject) => {
    deadline.whenOver((error) => {
      if (!deadline.answering) reject(error);
    });
    work.then(resolve, (error: unknown) => {
      // What comes after the end of the time is of no use to the caller. A fault of ours is one all the same.
      if (deadline.isOver && problemOf(error).code === 'internal_error')
        request.log.error({ err: error }, 'a route met a fault after its time was over');
      reject(error);
    });
  });
}

function asksDevice({ schema }: { readonly schema?: unknown }): boolean {
  const { querystring } = (schema ?? {}) as {
    readonly querystring?: { readonly properties?: Readonly<Record<string, unknown>> };
  };
  return querystring?.properties?.['timeout'] !== undefined;
}

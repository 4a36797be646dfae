import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { routeOf } from './route-of.ts';

/** Answers that are alike. */
interface Tally {
  readonly method: string;
  readonly status: number;
  answers: number;
}

/** What the API counts of itself. */
export class HttpMetrics {
  readonly #registry = new Registry();
  /** By route. */
  readonly #tallies = new Map<string, Tally[]>();
  readonly #durations = new Histogram({
    name: 'simyard_http_request_duration_seconds',
    help: 'Time from a request to its answer, by route; event streams are not in it',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.#registry],
  });

  /** @param openStreams how many event streams are open now. */
  constructor(openStreams: () => number) {
    const tallies = this.#tallies;
    new Counter({
      name: 'simyard_http_requests_total',
      help: 'HTTP requests answered, by route and status',
      labelNames: ['method', 'route', 'status'],
      registers: [this.#registry],
      // Counted here, for a counter looks its labels up by a text that it puts together each time.
      collect() {
        this.reset();
        for (const [route, ofRoute] of tallies)
          for (const { method, status, answers } of ofRoute)
            this.inc({ method, route, status: String(status) }, answers);
      },
    });
    new Gauge({
      name: 'simyard_http_event_streams',
      help: 'Event streams that are open',
      registers: [this.#registry],
      collect() {
        this.set(openStreams());
      },
    });
  }

  /** Routes are named by their pattern, so that endpoint names do not become labels. */
  observe(app: FastifyInstance): void {
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.is404 ? 'none' : (routeOf(request).url ?? 'none');
      this.count(request.method, route, reply.raw.statusCode);
      this.#durations.observe({ method: request.method, route }, reply.elapsedTime / 1000);
      done();
    });
  }

  /** For what takes its answer into its own hands, and does not come by where requests are counted. */
  count(method: string, route: string, status: number): void {
    let ofRoute = this.#tallies.get(route);
    if (ofRoute === undefined) {
      ofRoute = [];
      this.#tallies.set(route, ofRoute);
    }
    const tally = ofRoute.find((known) => known.method === method && known.status === status);
    if (tally === undefined) ofRoute.push({ method, status, answers: 1 });
    else tally.answers++;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

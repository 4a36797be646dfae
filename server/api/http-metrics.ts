import type { FastifyInstance } from 'fastify';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the API counts of itself. */
export class HttpMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'simyard_http_requests_total',
    help: 'HTTP requests answered, by route and status',
    labelNames: ['method', 'route', 'status'],
    registers: [this.#registry],
  });
  readonly #durations = new Histogram({
    name: 'simyard_http_request_duration_seconds',
    help: 'Time from a request to its answer, by route; event streams are not in it',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [this.#registry],
  });

  /** @param openStreams how many event streams are open now. */
  constructor(openStreams: () => number) {
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
    app.addHook('onResponse', async (request, reply) => {
      const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
      this.count(request.method, route, reply.raw.statusCode);
      this.#durations.observe({ method: request.method, route }, reply.elapsedTime / 1000);
    });
  }

  /** For what takes its answer into its own hands, and does not come by where requests are counted. */
  count(method: string, route: string, status: number): void {
    this.#requests.inc({ method, route, status: String(status) });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

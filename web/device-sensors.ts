import type { ApiClient } from './data/api-client.ts';
import type { ApiLiveReadings } from './data/api-types.ts';
import { ProblemError } from './data/problem.ts';
import { SensorFeed } from './data/sensor-feed.ts';
import { learnSensors, type Sensor, sensorInstance, sensorObject } from './data/sensors.ts';
import type { ServerClock } from './data/server-clock.ts';

/** The server files readings a little after it has sent them on: where history and stream meet is looked at again. */
const mendMs = 2000;
const mendStretchMs = 10_000;
const mostMends = 5;

/** What was read or told of a resource. */
interface Told {
  readonly path: string;
  readonly value: string | number | boolean;
}

/** Of which device, until when. */
interface Subject {
  readonly api: ApiClient;
  readonly endpoint: string;
  readonly clock: ServerClock;
  readonly signal: AbortSignal;
}

/** The sensors of a device as they become known, each with what it reads. */
export class DeviceSensors {
  /** Does work of which a failure is shown until it succeeds. */
  readonly #attempt: (name: string, signal: AbortSignal, work: () => Promise<void>) => Promise<void>;
  #subject: Subject | undefined;
  #namesAsked = false;

  sensors: ReadonlyMap<number, Sensor> = new Map();
  readonly feeds = new Map<number, SensorFeed>();
  /** Rises with each reading that came in: what draws knows whether there is something to draw. */
  version = 0;

  constructor(attempt: (name: string, signal: AbortSignal, work: () => Promise<void>) => Promise<void>) {
    this.#attempt = attempt;
  }

  /** Goes on with a device anew; the sensors that are known of it stay. */
  begin(subject: Subject): void {
    this.#subject = subject;
    this.#namesAsked = false;
    this.feeds.clear();
  }

  /** Forgets them, and takes in none until `begin`. */
  clear(): void {
    this.#subject = undefined;
    this.sensors = new Map();
    this.feeds.clear();
  }

  onReadings({ series }: ApiLiveReadings): void {
    for (const { path, points } of series) {
      const newest = points.at(-1);
      if (newest !== undefined) this.learn([{ path, value: newest[1] }]);
      const instance = sensorInstance(path);
      if (instance !== undefined) this.feeds.get(instance)?.addLive(points);
    }
    this.version++;
  }

  learn(items: Iterable<Told>): void {
    const subject = this.#subject;
    if (subject === undefined) return;
    const all = [...items].filter(({ path }) => path.startsWith(`/${sensorObject.id}/`));
    if (all.length === 0) return;
    this.sensors = learnSensors(this.sensors, all);
    const { api, endpoint, clock, signal } = subject;
    for (const { path, value } of all) {
      const instance = sensorInstance(path);
      if (instance === undefined || typeof value !== 'number' || this.feeds.has(instance)) continue;
      this.feeds.set(
        instance,
        new SensorFeed(
          (query) => api.readings(endpoint, { path, ...query }, signal),
          (query) => api.readingSeries(endpoint, { path, ...query }, signal),
          clock.now() + 1000,
        ),
      );
      this.version++;
      this.#mendSoon(instance, clock.now(), mostMends, signal);
    }
  }

  /** Kinds and units do not change: the device is asked for them once, when it can answer. */
  async askNames(): Promise<void> {
    const subject = this.#subject;
    const unnamed = [...this.sensors.values()].some(
      ({ kind, units, samplingPeriod }) =>
        kind === undefined || units === undefined || samplingPeriod === undefined,
    );
    if (subject === undefined || this.#namesAsked || !unnamed) return;
    this.#namesAsked = true;
    const { api, endpoint, signal } = subject;
    try {
      const { items } = await api.readObject(endpoint, `/${sensorObject.id}`, signal);
      this.learn(items);
    } catch (error) {
      // Plots go without titles: a device that does not answer now is asked at its next registration.
      if (!signal.aborted && !(error instanceof ProblemError)) throw error;
      this.#namesAsked = false;
    }
  }

  #mendSoon(instance: number, seam: number, left: number, signal: AbortSignal): void {
    const feed = this.feeds.get(instance);
    if (feed === undefined || left === 0) return;
    const timer = setTimeout(
      () =>
        this.#attempt(`mend ${instance}`, signal, async () => {
          const found = await feed.mend(seam - mendStretchMs, seam + mendMs);
          this.version++;
          // As long as it is still filing, there may be more.
          if (found) this.#mendSoon(instance, seam, left - 1, signal);
        }),
      mendMs,
    );
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }
}

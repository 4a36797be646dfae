import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { announce } from './announce.ts';
import type { ApiClient } from './data/api-client.ts';
import type {
  ApiCarrierSlot,
  ApiCommand,
  ApiDevice,
  ApiEvent,
  ApiLiveReadings,
  ApiObservationStatus,
  ApiProblem,
} from './data/api-types.ts';
import { changed } from './data/device-list.ts';
import { isRegistered } from './data/device-state.ts';
import { type LastValues, lastValuesOf, learnModel, unknownObjects, withLive } from './data/last-values.ts';
import { type LiveStream, onReopened } from './data/live-stream.ts';
import { asProblem, ProblemError } from './data/problem.ts';
import { carrierObjectId, sensorObject } from './data/sensors.ts';
import type { ServerClock } from './data/server-clock.ts';
import { isFinal, outcomeWord, switchTitle } from './data/switch-progress.ts';
import { DeviceSensors } from './device-sensors.ts';

/**
 * What of a device is loaded only while it is shown. `values` is the newest value of every path; `readings`
 * is these, and the sensors with what they read.
 */
export type DevicePart = 'carrier' | 'observations' | 'values' | 'readings';

/** What the controller works with. */
export interface DeviceSources {
  readonly api: ApiClient;
  readonly live: LiveStream;
  readonly clock: ServerClock;
}

const shownCommands = 50;
const mostWaiting = 1000;
/** Values on the page change so often at most: more nobody can read. */
const renderMs = 250;
const carrierSettleMs = 100;
/** What is observed changes in bursts: a device registers, and each of its observations is told. */
const observationsSettleMs = 500;
/** While the server is at it, what it has come to is asked for so often. */
const observationsBusyMs = 2000;
/** Events that say that something about observations has changed. */
const observationEvents = new Set([
  ...['registered', 'updated', 'deregistered', 'expired'],
  ...['observed', 'observation-ended', 'observation-refused', 'observation-drifted'],
]);
/** One device with its carrier, commands and readings: loaded, and kept true by the live stream. */
export class DeviceController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #api: ApiClient | undefined;
  #live: LiveStream | undefined;
  #clock: ServerClock | undefined;
  #endpoint: string | undefined;
  #parts: ReadonlySet<DevicePart> = new Set();
  #request = new AbortController();
  #stopWatching: (() => void) | undefined;
  #stopReopening: (() => void) | undefined;
  /** By the part's name: what is wrong with it, and how it is tried again. */
  readonly #failed = new Map<string, { readonly problem: ApiProblem; readonly again: () => void }>();
  #render: ReturnType<typeof setTimeout> | undefined;
  #carrierSoon: ReturnType<typeof setTimeout> | undefined;
  #observationsSoon: ReturnType<typeof setTimeout> | undefined;
  /** Objects whose definition the server was asked for. */
  readonly #modelsAsked = new Set<number>();

  device: ApiDevice | undefined;
  slots: readonly ApiCarrierSlot[] | undefined;
  observations: ApiObservationStatus | undefined;
  /** Newest first. */
  commands: readonly ApiCommand[] = [];
  /** Commands of every kind that wait for the device, newest first; part `carrier`. */
  waiting: readonly ApiCommand[] = [];
  values: LastValues = new Map();
  /** The device itself could not be loaded. */
  problem: ApiProblem | undefined;
  readonly #sensors = new DeviceSensors((name, signal, work) => this.#part(name, signal, work));

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get sensors() {
    return this.#sensors.sensors;
  }

  get feeds() {
    return this.#sensors.feeds;
  }

  /** Rises with each reading that came in: what draws knows whether there is something to draw. */
  get version() {
    return this.#sensors.version;
  }

  /** A part of the page could not be loaded or renewed, and has not been since; the rest stands. */
  get partProblem(): ApiProblem | undefined {
    return this.#failed.values().next().value?.problem;
  }

  hostDisconnected(): void {
    this.#leave();
    this.#endpoint = undefined;
    // The page may be kept to come back to; its readings are not.
    this.#forget();
  }

  /** Shows so much of a device; the same again does nothing, more of the same loads what is missing. */
  async show(endpoint: string, parts: readonly DevicePart[], sources: DeviceSources): Promise<void> {
    if (this.#endpoint === endpoint) {
      await this.#showParts(parts);
      return;
    }
    this.#leave();
    this.#endpoint = endpoint;
    this.#api = sources.api;
    this.#live = sources.live;
    this.#clock = sources.clock;
    this.#forget();
    this.#parts = new Set(parts);
    this.#stopWatching = sources.live.watch(
      { endpoint },
      {
        onEvent: (event) => this.#onEvent(event),
        onReadings: (readings) => this.#onReadings(readings),
        onGap: () => this.load(),
      },
    );
    this.#stopReopening = onReopened(sources.live, () => this.#retry());
    await this.load();
  }

  /** What is shown no more is forgotten: nobody keeps it true. */
  async #showParts(parts: readonly DevicePart[]): Promise<void> {
    const before = this.#parts;
    this.#parts = new Set(parts);
    this.#forgetWhatIsNotShown();
    if (!before.has('readings')) this.#beginSensors();
    const { signal } = this.#request;
    // While the device itself is on its way, its parts are still to come.
    if (this.device !== undefined) {
      await Promise.all(
        parts.filter((part) => !before.has(part)).map((part) => this.#loadPart(part, signal)),
      );
    }
  }

  async load(): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return;
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    this.problem = undefined;
    this.#failed.clear();
    this.#beginSensors();
    this.#host.requestUpdate();
    try {
      await this.#live?.settled();
      if (signal.aborted) return;
      // Before anything: what the stream brings from here on, and what is loaded, leave nothing out.
      this.device = await api.device(endpoint, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
      this.#host.requestUpdate();
      return;
    }
    this.#host.requestUpdate();
    await Promise.all([...this.#parts].map((part) => this.#loadPart(part, signal)));
  }

  async #loadPart(part: DevicePart, signal: AbortSignal): Promise<void> {
    if (part === 'carrier') await this.#loadCarrier(signal);
    else if (part === 'observations') await this.#loadObservations(signal);
    else await this.#loadReadings(signal);
  }

  async #loadCarrier(signal: AbortSignal): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return;
    await Promise.all([
      this.#loadWaiting(signal),
      this.#part('carrier', signal, async () => {
        this.slots = (await api.carrier(endpoint, signal)).slots;
      }),
      this.#part('commands', signal, async () => {
        const query = { endpoint, kind: 'carrier-switch', limit: shownCommands } as const;
        const page = await api.commands(query, signal);
        for (const command of [...page.items].reverse()) this.#takeCommand(command);
      }),
    ]);
  }

  /** What waits for the device, of every kind: a switch goes out behind what was given before it. */
  async #loadWaiting(signal: AbortSignal): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return;
    await this.#part('waiting', signal, async () => {
      const query = { endpoint, state: 'queued', limit: mostWaiting } as const;
      this.waiting = (await api.commands(query, signal)).items;
    });
  }

  async #loadReadings(signal: AbortSignal): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return;
    await this.#part('readings', signal, async () => {
      const readings = await api.readings(endpoint, {}, signal);
      const loaded = lastValuesOf(readings);
      for (const [path, value] of this.values) {
        if (value.takenAt >= (loaded.get(path)?.takenAt ?? 0))
          (loaded as Map<string, typeof value>).set(path, value);
      }
      if (!this.#showsValues) return;
      this.values = loaded;
      this.#sensors.learn(readings);
      this.#learnModels(loaded.keys());
    });
    if (this.device !== undefined && isRegistered(this.device)) await this.#askNames();
  }

  /** The answer of the API to a command that the reader gave: it is shown before its event comes. */
  takeCommand(command: ApiCommand): void {
    this.#takeCommand(command);
    this.#carrierChanged();
    this.#host.requestUpdate();
  }

  /**
   * Asks the device to read a sensor at another period, µs. What it then says itself is what is shown.
   * Rejects with ProblemError.
   */
  async setSamplingPeriod(instance: number, period: number): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return;
    const path = `/${sensorObject.id}/${instance}/${sensorObject.samplingPeriod}`;
    await api.writeObject(endpoint, path, period);
    const { items } = await api.readObject(endpoint, path, this.#request.signal);
    this.#sensors.learn(items);
    this.#host.requestUpdate();
  }

  /** What the panel was told when it had the observations renewed. */
  takeObservations(status: ApiObservationStatus): void {
    this.observations = status;
    this.#host.requestUpdate();
  }

  #forget(): void {
    this.device = undefined;
    this.#parts = new Set();
    this.#forgetWhatIsNotShown();
  }

  #forgetWhatIsNotShown(): void {
    if (!this.#parts.has('carrier')) {
      this.slots = undefined;
      this.commands = [];
      this.waiting = [];
    }
    if (!this.#parts.has('observations')) this.observations = undefined;
    if (!this.#showsValues) this.values = new Map();
    if (!this.#parts.has('readings')) {
      this.#sensors.clear();
    }
  }

  get #showsValues(): boolean {
    return this.#parts.has('values') || this.#parts.has('readings');
  }

  #leave(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#stopReopening?.();
    this.#stopReopening = undefined;
    this.#failed.clear();
    this.#request.abort();
    clearTimeout(this.#render);
    clearTimeout(this.#carrierSoon);
    clearTimeout(this.#observationsSoon);
    this.#render = undefined;
    this.#carrierSoon = undefined;
    this.#observationsSoon = undefined;
  }

  /** What failed is told until the same part succeeds. */
  async #part(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (signal.aborted) return;
      this.#failed.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      this.#failed.set(name, {
        problem: asProblem(error),
        again: () => this.#part(name, signal, work),
      });
    }
    this.#host.requestUpdate();
  }

  /** The server is back: what it could not answer is asked for again. */
  #retry(): void {
    if (this.problem !== undefined) this.load();
    else for (const { again } of [...this.#failed.values()]) again();
  }

  #onEvent(event: ApiEvent): void {
    if (event.type === 'command') {
      if (this.#parts.has('carrier')) this.#takeCommand(event.data['command'] as ApiCommand);
      this.#carrierChanged();
    } else if (event.type === 'device') {
      this.#carrierChanged();
    }
    if (observationEvents.has(event.type)) this.#observationsChanged();
    if (this.device !== undefined) {
      const before = this.device;
      this.device = changed(before, event);
      const registered = isRegistered(this.device);
      if (isRegistered(before) !== registered) {
        announce(registered ? 'The device is registered' : 'The device is not registered');
        if (registered) this.#askNames();
      }
    }
    this.#host.requestUpdate();
  }

  #onReadings(readings: ApiLiveReadings): void {
    if (this.#showsValues) {
      this.values = withLive(this.values, readings);
      this.#learnModels(readings.series.map(({ path }) => path));
    }
    if (this.device !== undefined && this.#clock !== undefined) {
      this.device = { ...this.device, lastSeen: Math.max(this.device.lastSeen ?? 0, this.#clock.now()) };
    }
    this.#sensors.onReadings(readings);
    if (readings.series.some(({ path }) => path.startsWith(`/${carrierObjectId}/`))) this.#carrierChanged();
    this.#renderSoon();
  }

  /** From here on the sensors are learnt, where they are shown. */
  #beginSensors(): void {
    const [api, endpoint, clock] = [this.#api, this.#endpoint, this.#clock];
    if (api === undefined || endpoint === undefined || clock === undefined) return;
    if (this.#parts.has('readings'))
      this.#sensors.begin({ api, endpoint, clock, signal: this.#request.signal });
  }

  async #askNames(): Promise<void> {
    await this.#sensors.askNames();
    this.#host.requestUpdate();
  }

  #takeCommand(command: ApiCommand): void {
    if (command.kind !== 'carrier-switch') return;
    const before = this.commands.find(({ id }) => id === command.id);
    if (before !== undefined && before.history.length > command.history.length) return;
    if (before?.state !== command.state && this.slots !== undefined) {
      announce(`${switchTitle(command)}: ${isFinal(command) ? outcomeWord(command) : command.state}`);
    }
    const others = this.commands.filter(({ id }) => id !== command.id);
    this.commands = [...others, command].sort((a, b) => b.number - a.number).slice(0, shownCommands);
  }

  #carrierChanged(): void {
    if (!this.#parts.has('carrier')) return;
    this.#carrierSoon ??= setTimeout(async () => {
      this.#carrierSoon = undefined;
      const [api, endpoint] = [this.#api, this.#endpoint];
      if (api === undefined || endpoint === undefined) return;
      const { signal } = this.#request;
      await Promise.all([
        this.#loadWaiting(signal),
        this.#part('carrier', signal, async () => {
          this.slots = (await api.carrier(endpoint, signal)).slots;
        }),
      ]);
    }, carrierSettleMs);
  }

  #loadObservations(signal: AbortSignal): Promise<void> {
    const [api, endpoint] = [this.#api, this.#endpoint];
    if (api === undefined || endpoint === undefined) return Promise.resolve();
    return this.#part('observations', signal, async () => {
      this.observations = await api.observationStatus(endpoint, signal);
      // What is still being made is looked at again: not every step of it is an event.
      if (this.observations.busy) this.#observationsChanged(observationsBusyMs);
    });
  }

  #observationsChanged(delay = observationsSettleMs): void {
    if (!this.#parts.has('observations')) return;
    this.#observationsSoon ??= setTimeout(() => {
      this.#observationsSoon = undefined;
      this.#loadObservations(this.#request.signal);
    }, delay);
  }

  /** Asks the server, once each, for objects that the console was not built with. */
  #learnModels(paths: Iterable<string>): void {
    const api = this.#api;
    if (api === undefined) return;
    const { signal } = this.#request;
    for (const object of unknownObjects(paths)) {
      if (this.#modelsAsked.has(object)) continue;
      this.#modelsAsked.add(object);
      api.objectModel(object, signal).then(
        (model) => {
          learnModel(model);
          this.#host.requestUpdate();
        },
        (error: unknown) => {
          // An object that nobody has defined goes by its number; one that could not be asked for is asked for again.
          if (!(error instanceof ProblemError) || error.problem.status !== 404)
            this.#modelsAsked.delete(object);
        },
      );
    }
  }

  #renderSoon(): void {
    this.#render ??= setTimeout(() => {
      this.#render = undefined;
      this.#host.requestUpdate();
    }, renderMs);
  }
}

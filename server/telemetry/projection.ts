import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { DeviceAttributes, DeviceStore } from '../ports/device-store.ts';
import type { History, HistoryChunk } from '../ports/history.ts';
import type { LastValue, LastValues } from '../ports/last-values.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { decodePack, type Pack, type Series } from './pack.ts';
import { historyReadings } from './readings.ts';

/** Name of its cursor in the log. */
const CONSUMER = 'projection';
/** How long packs are gathered before they are written, ms. */
const INTERVAL = 250;
/** Packs in one write. */
const BATCH = 500;
/** Packs kept in memory for it; beyond it they are read back from the log. */
const MAX_WAITING = 5_000;
/** Wait after the store refused a write, ms. */
const RETRY = 2_000;

export interface ProjectionOptions {
  readonly log: TelemetryLog;
  readonly history: History;
  readonly lastValues: LastValues;
  readonly devices: DeviceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a device's values say of it as a whole: its carrier, ICCID, IMSI, signal. */
  readonly attributesOf: (path: string) => keyof DeviceAttributes | undefined;
  readonly onAttributes: (endpoint: string, attributes: DeviceAttributes) => void;
}

/**
 * The consumer of the log that fills history, last values and the inventory. Its cursor moves only
 * behind what it has written, and what it writes is idempotent by log position: after a crash it
 * repeats, and nothing is there twice.
 */
export class Projection {
  readonly #options: ProjectionOptions;
  /** Packs just appended, positions rising without a gap from #cursor; empty while catching up. */
  #waiting: { readonly position: LogPosition; readonly pack: Pack }[] = [];
  #cursor: LogPosition = 0;
  /** Newest position that was announced. */
  #newest: LogPosition = 0;
  #behind = true;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** Last attributes seen per device, so that only changes are written. Bounded: a miss costs one write. */
  readonly #attributes = new Map<string, Map<string, unknown>>();

  constructor(options: ProjectionOptions) {
    this.#options = options;
  }

  /** Goes on where it stood. */
  async start(): Promise<void> {
    const { log } = this.#options;
    this.#cursor = await log.cursor(CONSUMER);
    const { newest } = await log.extent();
    this.#newest = Math.max(this.#newest, newest);
    this.#behind = this.#cursor < this.#newest;
    this.#schedule(0);
  }

  /** A pack that is in the log now. Positions rise from call to call. */
  appended(pack: Pack, position: LogPosition): void {
    this.#newest = position;
    if (this.#behind) return;
    if (this.#waiting.length >= MAX_WAITING) {
      // It does not keep up: what waits is in the log, and is read from there.
      this.#waiting = [];
      this.#behind = true;
      return;
    }
    this.#waiting.push({ position, pack });
    if (this.#timer === undefined && this.#running === undefined) this.#schedule(INTERVAL);
  }

  /** The device's inventory entry may be a new one: its attributes are written again. */
  forget(endpoint: string): void {
    this.#attributes.delete(endpoint);
  }

  /** How many log positions it is behind. */
  get lag(): number {
    return Math.max(0, this.#newest - this.#cursor);
  }

  /**
   * Writes what was announced until now, so that who reads history or last values next finds it.
   * Rejects with the store's error.
   */
  async flush(): Promise<void> {
    const target = this.#newest;
    while (this.#cursor < target) {
      // One at a time: two would write, and then drop, the same packs.
      if (this.#running !== undefined) await this.#running;
      else await this.#run(target);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.flush();
  }

  #schedule(delay: number): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(delay, () => {
      this.#timer = undefined;
      // Told by #run, and tried again by it.
      this.#run(Number.POSITIVE_INFINITY).catch(() => undefined);
    });
  }

  /** Works until the cursor is at `target`, or nothing is left. */
  #run(target: LogPosition): Promise<void> {
    let next = INTERVAL;
    const work = this.#work(target);
    this.#running = work
      .catch((error: unknown) => {
        next = RETRY;
        this.#waiting = [];
        this.#behind = true;
        this.#attributes.clear();
        this.#options.logger.warn(
          { error },
          'history is not written now; it is caught up from the log later',
        );
      })
      .finally(() => {
        this.#running = undefined;
        if (this.#timer === undefined && (this.#waiting.length > 0 || this.#behind)) this.#schedule(next);
      });
    return work;
  }

  async #work(until: LogPosition): Promise<void> {
    while (this.#cursor < until) {
      if (this.#behind) {
        const target = this.#newest;
        const entries = await this.#options.log.read(this.#cursor, BATCH);
        await this.#write(
          entries.flatMap(({ position, endpoint, receivedAt, body }) => {
            const pack = this.#decode(endpoint, receivedAt, body, position);
            return pack === undefined ? [] : [{ position, pack }];
          }),
          entries.at(-1)?.position,
        );
        // Level: from here on what is appended waits in memory. No await between the look and the switch.
        if (entries.length < BATCH && this.#cursor >= this.#newest) this.#behind = false;
        // What was announced before the read and is not there any more has been trimmed.
        else if (entries.length === 0) this.#cursor = Math.max(this.#cursor, target);
        continue;
      }
      const batch = this.#waiting.slice(0, BATCH);
      if (batch.length === 0) return;
      await this.#write(batch, batch.at(-1)?.position);
      // It may have been told to read from the log meanwhile.
      this.#waiting = this.#waiting.slice(Math.min(batch.length, this.#waiting.length));
    }
  }

  #decode(endpoint: string, receivedAt: number, body: Uint8Array, position: LogPosition): Pack | undefined {
    try {
      return decodePack(endpoint, receivedAt, body);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#options.logger.error(
        { error, position, endpoint },
        'a log entry cannot be read; it is passed over',
      );
      return undefined;
    }
  }

  async #write(
    batch: readonly { readonly position: LogPosition; readonly pack: Pack }[],
    last: LogPosition | undefined,
  ): Promise<void> {
    if (last === undefined) return;
    const { history, lastValues, devices, log } = this.#options;
    const chunks: HistoryChunk[] = [];
    const newest = new Map<string, Map<string, LastValue>>();
    for (const { position, pack } of batch) {
      for (const series of pack.series) {
        chunks.push({
          endpoint: pack.endpoint,
          path: series.path,
          position,
          readings: historyReadings(series, pack.receivedAt),
        });
        if (!pack.overtaken) keepNewest(newest, pack, series);
      }
    }
    // All go to the store at once; it keeps their order, so the cursor is never ahead of them.
    const writes: Promise<unknown>[] = [history.append(chunks)];
    for (const [endpoint, values] of newest) {
      writes.push(lastValues.set(endpoint, [...values.values()]));
      const attributes = this.#changedAttributes(endpoint, values);
      if (attributes !== undefined) {
        writes.push(devices.setAttributes(endpoint, attributes));
        this.#options.onAttributes(endpoint, attributes);
      }
    }
    await Promise.all(writes);
    await log.commit(CONSUMER, last);
    this.#cursor = last;
  }

  #changedAttributes(endpoint: string, values: ReadonlyMap<string, LastValue>): DeviceAttributes | undefined {
    let changed: Record<string, unknown> | undefined;
    for (const { path, value } of values.values()) {
      const name = this.#options.attributesOf(path);
      if (name === undefined || typeof value !== (name === 'signal' ? 'number' : 'string')) continue;
      let known = this.#attributes.get(endpoint);
      if (known === undefined) {
        if (this.#attributes.size >= 100_000) this.#attributes.clear();
        known = new Map();
        this.#attributes.set(endpoint, known);
      }
      if (known.get(name) === value) continue;
      known.set(name, value);
      changed ??= {};
      changed[name] = value;
    }
    return changed as DeviceAttributes | undefined;
  }
}

/** Of several values of a path in one write only the newest by time taken goes to the store. */
function keepNewest(newest: Map<string, Map<string, LastValue>>, pack: Pack, series: Series): void {
  let index = 0;
  for (let i = 1; i < series.takenAt.length; i++) {
    if ((series.takenAt[i] ?? 0) >= (series.takenAt[index] ?? 0)) index = i;
  }
  const takenAt = series.takenAt[index];
  const value = series.values[index];
  if (takenAt === undefined || value === undefined) return;
  let values = newest.get(pack.endpoint);
  if (values === undefined) {
    values = new Map();
    newest.set(pack.endpoint, values);
  }
  const known = values.get(series.path);
  if (known !== undefined && known.takenAt > takenAt) return;
  values.set(series.path, { path: series.path, value, takenAt, receivedAt: pack.receivedAt });
}

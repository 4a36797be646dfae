import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import type { DeviceAttributes, DeviceStore } from '../ports/device-store.ts';
import type { History, HistoryChunk } from '../ports/history.ts';
import { type LastValue, type LastValues, plausiblyAhead } from '../ports/last-values.ts';
import { comparePaths } from '../ports/path-order.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { cutText } from './cut-text.ts';
import { type KnownAttribute, KnownAttributes } from './known-attributes.ts';
import { decodePack, type Pack, type Series } from './pack.ts';
import { historyReadings } from './readings.ts';

/** Name of its cursor in the log. */
export const PROJECTION = 'projection';
/**
 * How long packs are gathered before they are written, ms: what a series gets in that time is one row, and of a last value
 * only the newest is written. Who reads does not wait for it, and what is not written is in the log.
 */
const INTERVAL = 1_000;
/** The same where something is among them that the inventory shows and does not have yet, ms. */
const SOON = 250;
/** In one round. */
const BATCH = { packs: 4_000, readings: 40_000 };
/** Devices whose values are written in one step of the store: who waits for a step gets his turn in between. */
const PIECE = 64;
/**
 * Where so many times the packs of a round wait, or somebody for what is written, the rest of it is written in one step:
 * to keep up comes first.
 */
const HURRY = 1.5;
/** Entries that are read back from the log at once. */
const READ = 500;
/** What is kept in memory to be written; beyond it packs are read back from the log. */
const MAX_WAITING = { packs: 10_000, readings: 400_000 };
/** Wait after the store refused a write, ms. */
const RETRY = 2_000;
/** UTF-16 units of an attribute that the inventory shows. */
const MAX_ATTRIBUTE = 255;

export interface ProjectionOptions {
  readonly log: TelemetryLog;
  readonly history: History;
  readonly lastValues: LastValues;
  readonly devices: DeviceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What a device's values say of it as a whole: its carrier, ICCID, IMSI, signal. */
  readonly attributesOf: (path: string) => keyof DeviceAttributes | undefined;
  /** The inventory entry has changed; called when that is stored. */
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
  #waiting: Waiting[] = [];
  /** Readings in #waiting. */
  #readings = 0;
  /** The inventory does not have what is in one of them. */
  #isAwaited = false;
  #cursor: LogPosition = 0;
  /** Newest position that was announced. */
  #newest: LogPosition = 0;
  #behind = true;
  /** The store may have come back with less than it had: where it stands is what the store says. */
  #unsure = false;
  #timer: Timer | undefined;
  /** Whether the timer is that of SOON, or sooner. */
  #isSoon = false;
  #running: Promise<void> | undefined;
  /** How many wait until something is written. */
  #flushing = 0;
  /** Not begun, or ended. */
  #closed = true;
  /** What the inventory has, so that only changes are written; a miss costs two reads. */
  readonly #attributes = new KnownAttributes();

  constructor(options: ProjectionOptions) {
    this.#options = options;
  }

  /** Goes on where it stood, or another node did. It may be started again after `close`. */
  async start(): Promise<void> {
    const { log } = this.#options;
    this.#closed = false;
    this.#attributes.clear();
    this.#cursor = await log.cursor(PROJECTION);
    const { newest } = await log.extent();
    this.#newest = Math.max(this.#newest, newest);
    this.#behind = this.#cursor < this.#newest;
    this.#schedule(0);
  }

  /** A pack that is in the log now. Positions rise from call to call. */
  appended(pack: Pack, position: LogPosition): void {
    this.#newest = Math.max(this.#newest, position);
    // What was read from the log before it was told of.
    if (this.#behind || position <= this.#cursor) return;
    if (this.#waiting.length >= MAX_WAITING.packs || this.#readings >= MAX_WAITING.readings) {
      // It does not keep up: what waits is in the log, and is read from there.
      this.#drop();
      this.#behind = true;
      return;
    }
    this.#waiting.push({ position, pack });
    this.#readings += readingsOf(pack);
    this.#isAwaited ||= this.#isNews(pack);
    if (this.#running === undefined) this.#scheduleWaiting();
  }

  /** The device's inventory entry may be a new one: its attributes are written again. */
  forget(endpoint: string): void {
    this.#attributes.forget(endpoint);
  }

  /** How many log positions it is behind; 0 where it is not this node's to fill them. */
  get lag(): number {
    return this.#closed ? 0 : Math.max(0, this.#newest - this.#cursor);
  }

  /** Whether `lastValues` has what is in the log up to that position: it has begun, and is not reading the log back. */
  covers(position: LogPosition): boolean {
    return !this.#closed && !this.#behind && this.#newest >= position;
  }

  /**
   * Writes what was announced until now, so that who reads history or last values next finds it.
   * Rejects with the store's error.
   */
  async flush(): Promise<void> {
    await this.#reach(this.#newest);
  }

  /** As `flush`, up to a position that is in the log, whether it was told here or not. */
  async flushTo(position: LogPosition): Promise<void> {
    if (position > this.#newest) {
      // It is read from the log with all before it.
      this.#newest = position;
      this.#drop();
      this.#behind = true;
    }
    await this.#reach(position);
  }

  async #reach(position: LogPosition): Promise<void> {
    this.#flushing++;
    try {
      while (this.#cursor < position) await this.#round();
    } finally {
      this.#flushing--;
    }
  }

  /**
   * A device's newest values as LastValues.get, with what was announced of it until now: what waits here is laid over
   * what is stored, so that who asks for one device does not wait for what all others have reported. Rejects with the
   * store's error.
   */
  async lastValues(endpoint: string, prefix = '/'): Promise<readonly LastValue[]> {
    // What is read back from the log is not at hand.
    if (this.#behind) await this.flush();
    const newest = new Map<string, Map<string, LastValue>>();
    for (const { pack } of this.#waiting) {
      if (pack.endpoint !== endpoint || pack.overtaken) continue;
      for (const series of pack.series) if (isBelow(series.path, prefix)) keepNewest(newest, pack, series);
    }
    const stored = await this.#options.lastValues.get(endpoint, prefix);
    const waiting = newest.get(endpoint);
    if (waiting === undefined) return stored;
    for (const value of stored) {
      const other = waiting.get(value.path);
      if (other === undefined || !takesItsPlace(other, value)) waiting.set(value.path, value);
    }
    return [...waiting.values()].sort((a, b) => comparePaths(a.path, b.path));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.flush();
    // What is told from now on is somebody else's.
    this.#behind = true;
    this.#drop();
  }

  /** What waits is not kept any more. */
  #drop(): void {
    this.#waiting = [];
    this.#readings = 0;
    this.#isAwaited = false;
  }

  #isFull(): boolean {
    return this.#waiting.length >= BATCH.packs || this.#readings >= BATCH.readings;
  }

  /** Whether the inventory would show something of it that it is not known to have. */
  #isNews({ endpoint, overtaken, series }: Pack): boolean {
    if (overtaken) return false;
    return series.some(({ path, values }) => {
      const name = this.#options.attributesOf(path);
      return name !== undefined && this.#attributes.get(endpoint, name)?.value !== values.at(-1);
    });
  }

  #scheduleWaiting(): void {
    if (this.#isFull()) this.#schedule(0);
    else if (this.#waiting.length > 0) this.#schedule(this.#isAwaited ? SOON : INTERVAL);
  }

  #schedule(delay: number): void {
    const isSoon = delay <= SOON;
    if (this.#closed || (this.#timer !== undefined && (this.#isSoon || !isSoon))) return;
    this.#timer?.cancel();
    this.#isSoon = isSoon;
    this.#timer = this.#options.clock.setTimer(delay, () => {
      this.#timer = undefined;
      // Its failure is logged, and the next round set, where it ends.
      this.#round().catch(() => undefined);
    });
  }

  /**
   * One read or one write. Who asks while one is under way gets that one: two at once would write, and then
   * drop, the same packs.
   */
  #round(): Promise<void> {
    this.#running ??= this.#work().then(
      () => {
        this.#running = undefined;
        if (this.#behind) this.#schedule(0);
        else this.#scheduleWaiting();
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#drop();
        this.#behind = true;
        this.#unsure = true;
        this.#attributes.clear();
        this.#options.logger.warn(
          { error },
          'history is not written now; it is caught up from the log later',
        );
        this.#schedule(RETRY);
        throw error;
      },
    );
    return this.#running;
  }

  async #work(): Promise<void> {
    if (!this.#behind) {
      const batch = this.#nextBatch();
      this.#isAwaited = false;
      await this.#write(batch, batch.at(-1)?.position);
      // It may have been told to read from the log meanwhile.
      const written = this.#waiting.splice(0, batch.length);
      for (const { pack } of written) this.#readings -= readingsOf(pack);
      return;
    }
    if (this.#unsure) {
      this.#cursor = Math.min(this.#cursor, await this.#options.log.cursor(PROJECTION));
      this.#unsure = false;
    }
    const target = this.#newest;
    const entries = await this.#options.log.read(this.#cursor, READ);
    await this.#write(
      entries.flatMap(({ position, endpoint, receivedAt, body }) => {
        const pack = this.#decode(endpoint, receivedAt, body, position);
        return pack === undefined ? [] : [{ position, pack }];
      }),
      entries.at(-1)?.position,
    );
    // What was announced before the read and is not there any more has been trimmed.
    if (entries.length === 0) this.#cursor = Math.max(this.#cursor, target);
    // Level: from here on what is appended waits in memory. No await between the look and the switch.
    if (this.#cursor >= this.#newest) this.#behind = false;
  }

  /** The first of what waits, as much as one write takes; one pack at least. */
  #nextBatch(): readonly Waiting[] {
    let packs = 0;
    for (let readings = 0; packs < Math.min(this.#waiting.length, BATCH.packs); packs++) {
      readings += readingsOf((this.#waiting[packs] as Waiting).pack);
      if (packs > 0 && readings > BATCH.readings) break;
    }
    return this.#waiting.slice(0, packs);
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

  async #write(batch: readonly Waiting[], last: LogPosition | undefined): Promise<void> {
    if (last === undefined) return;
    const { log } = this.#options;
    const chunks = new Map<string, HistoryChunk[]>();
    const newest = new Map<string, Map<string, LastValue>>();
    for (const { position, pack } of batch) {
      const { endpoint, receivedAt } = pack;
      for (const series of pack.series) {
        const chunk = {
          endpoint,
          path: series.path,
          position,
          readings: historyReadings(series, receivedAt),
        };
        const known = chunks.get(endpoint);
        if (known === undefined) chunks.set(endpoint, [chunk]);
        else known.push(chunk);
        if (!pack.overtaken) keepNewest(newest, pack, series);
      }
    }
    const endpoints = [...chunks.keys()];
    while (endpoints.length > 0) {
      const isHurried = this.#behind || this.#flushing > 0 || this.#waiting.length > batch.length * HURRY;
      await this.#store(endpoints.splice(0, isHurried ? endpoints.length : PIECE), chunks, newest);
    }
    // The cursor follows when all are there.
    const entries: Promise<void>[] = [];
    for (const [endpoint, values] of newest) {
      const ofEntry = this.#attributeValues(values);
      if (ofEntry.length > 0) entries.push(this.#writeAttributes(endpoint, ofEntry));
    }
    await Promise.all(entries);
    await log.commit(PROJECTION, last);
    this.#cursor = last;
  }

  /** History and last values of these devices go to the store at once. */
  async #store(
    endpoints: readonly string[],
    chunks: ReadonlyMap<string, readonly HistoryChunk[]>,
    newest: ReadonlyMap<string, ReadonlyMap<string, LastValue>>,
  ): Promise<void> {
    const { history, lastValues } = this.#options;
    const newestOf = new Map<string, readonly LastValue[]>();
    for (const endpoint of endpoints) {
      const values = newest.get(endpoint);
      if (values !== undefined) newestOf.set(endpoint, [...values.values()]);
    }
    await Promise.all([
      history.append(endpoints.flatMap((endpoint) => chunks.get(endpoint) ?? [])),
      lastValues.setAll(newestOf),
    ]);
  }

  #attributeValues(values: ReadonlyMap<string, LastValue>): NamedValue[] {
    const named: NamedValue[] = [];
    for (const value of values.values()) {
      const name = this.#options.attributesOf(value.path);
      if (name !== undefined) named.push({ name, value });
    }
    return named;
  }

  /** Brings a device's entry in the inventory to what was taken last, which is not always what came last. */
  async #writeAttributes(endpoint: string, values: readonly NamedValue[]): Promise<void> {
    const { lastValues, devices } = this.#options;
    const unknown = values.some(({ name }) => this.#attributes.get(endpoint, name) === undefined);
    // Of what is not remembered the store knows whether there was a later value, and what the entry has.
    const [stored, device] = unknown
      ? await Promise.all([lastValues.get(endpoint), devices.get(endpoint)])
      : [[], undefined];
    if (unknown && device === undefined) return;
    const heard: { readonly name: keyof DeviceAttributes; readonly attribute: KnownAttribute }[] = [];
    const changed: Partial<Record<keyof DeviceAttributes, string | number>> = {};
    for (const { name, value } of values) {
      const known = this.#attributes.get(endpoint, name);
      if (known !== undefined && known.takenAt > value.takenAt) continue;
      const newest = (known === undefined && stored.find(({ path }) => path === value.path)) || value;
      const shown = attributeValue(name, newest.value);
      if (shown === undefined) continue;
      heard.push({ name, attribute: { value: shown, takenAt: newest.takenAt } });
      if (shown !== (known === undefined ? device?.[name] : known.value)) changed[name] = shown;
    }
    if (Object.keys(changed).length > 0) {
      const attributes = changed as DeviceAttributes;
      if (!(await devices.setAttributes(endpoint, attributes))) return;
      this.#options.onAttributes(endpoint, attributes);
    }
    for (const { name, attribute } of heard) this.#attributes.set(endpoint, name, attribute);
  }
}

/** A pack that is in the log, and not written yet. */
interface Waiting {
  readonly position: LogPosition;
  readonly pack: Pack;
}

function readingsOf({ series }: Pack): number {
  let readings = 0;
  for (const { takenAt } of series) readings += takenAt.length;
  return readings;
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`);
}

/** Whether a value that comes to the store takes the place of one that is there, by the rule of LastValues.set. */
function takesItsPlace(value: LastValue, stored: LastValue): boolean {
  if (stored.takenAt > value.receivedAt + plausiblyAhead) return true;
  // The stored one may be of a later write than the one that waited when it was looked at.
  if (value.takenAt === stored.takenAt) return value.receivedAt >= stored.receivedAt;
  return value.takenAt > stored.takenAt;
}

/** A value that the inventory shows, and as what. */
interface NamedValue {
  readonly name: keyof DeviceAttributes;
  readonly value: LastValue;
}

/** What the inventory shows of a value; undefined for one that cannot be that attribute's. */
function attributeValue(
  name: keyof DeviceAttributes,
  value: LastValue['value'],
): string | number | undefined {
  if (name === 'signal') return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  return typeof value === 'string' ? cutText(value, MAX_ATTRIBUTE) : undefined;
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

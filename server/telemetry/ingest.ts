import { hash } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { IncomingNotification } from '../../protocol/coap/exchange.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { askedFor } from '../lwm2m/answers.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { encodePack, type Pack, type Series } from './pack.ts';
import { packReadings } from './readings.ts';

/** Reports whose append is pending: beyond it the device is not answered, or told to come back, and sends again. */
const MAX_PENDING = 50_000;

export interface IngestOptions {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly sensorObject: number;
  /** Whether somebody waits for what is in a pack. */
  readonly isAwaited?: ((pack: Pack) => boolean) | undefined;
  /**
   * Called for each pack in the turn in which it is given to the log; never throws. What it returns is called once: with
   * whether the pack is in the log now, right behind `onPack` where that is called.
   */
  readonly onArriving?: ((pack: Pack) => ((isKept: boolean) => void) | undefined) | undefined;
  /** Called once for each pack when it is durable and was not there before; never throws. */
  readonly onPack: (pack: Pack, position: LogPosition) => void;
  /** Called once for each report that is durable, or had nothing to keep, and was not there before; never throws. */
  readonly onReport?: ((report: Report) => void) | undefined;
  /** What a device sent could not be read. */
  readonly onUndecodable: (source: ReportSource, error: DecodeError, payload: Uint8Array) => void;
  /** The store did not take a pack; the device was not answered, or told to come back. */
  readonly onStoreError: (source: ReportSource, error: Error) => void;
}

/** Where readings come from. */
export interface ReportSource {
  readonly endpoint: string;
  /** Canonical path that was observed; the root where several are, and of a Send. */
  readonly path: string;
  /** All paths of a composite observation: what is not at or below one of them was not asked for. */
  readonly paths?: readonly string[];
}

/** What the observation knows of a notification. */
export interface NotificationSource extends ReportSource {
  /** Lower-case hex. */
  readonly token: string;
  /** The device's alternate root, which it may put into names. */
  readonly rootPath: string;
  /** What the device's resources are typed by. */
  readonly lookup: ResourceTypeLookup;
}

/** Values of one message of a device, decoded. */
export interface Report {
  /** `answer`: to the request that made the observation. */
  readonly kind: 'answer' | 'notification' | 'send';
  readonly source: ReportSource;
  /** What the device's resources are typed by. */
  readonly lookup: ResourceTypeLookup;
  readonly records: readonly LwM2mRecord[];
  /** As it came. */
  readonly payload: Uint8Array;
  /** The freshness rule of RFC 7641 §3.4. */
  readonly fresh: boolean;
  /**
   * What tells this message from every other of the device: for readings that do not carry their own
   * time, equal bytes in another message are other readings.
   */
  readonly message: string;
}

/** `kept`: durable, or nothing to keep. `refused`: neither, the device has to send it again. */
export type ReportOutcome = 'kept' | 'refused';

/** Counters since the start. */
export interface IngestStatistics {
  notifications: number;
  sends: number;
  readings: number;
  repeated: number;
  undecodable: number;
  refused: number;
  storeErrors: number;
  pending: number;
}

/**
 * From notification or Send to log: decoded once, appended, and only when durable acknowledged. What the
 * log did not take gets silence, or 5.03 for a Send, for the device then sends it again.
 */
export class TelemetryIngest {
  readonly statistics: IngestStatistics = {
    notifications: 0,
    sends: 0,
    readings: 0,
    repeated: 0,
    undecodable: 0,
    refused: 0,
    storeErrors: 0,
    pending: 0,
  };
  readonly #options: IngestOptions;
  #scratch = Buffer.allocUnsafe(4096);

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /**
   * Takes one notification with a success code, and decides what the device gets for it. `onIgnored` is
   * called where that is silence.
   */
  accept(source: NotificationSource, notification: IncomingNotification, onIgnored: () => void): void {
    this.statistics.notifications++;
    const { payload, fresh, messageId, observe } = notification;
    let records: readonly LwM2mRecord[];
    try {
      const format = contentFormat(notification.options) ?? ContentFormat.TEXT;
      const { path, paths, lookup, rootPath } = source;
      const decoded = decodeContent(format, path, payload, lookup, rootPath);
      records = paths === undefined ? decoded : askedFor(paths, decoded);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // Sent again it would be no better, and a RST would end the observation: it is acknowledged and told.
      this.undecodable(source, error, payload);
      notification.accept();
      return;
    }
    const message = `${source.token}\0${messageId}\0${observe ?? ''}`;
    const kind = observe === undefined ? 'answer' : 'notification';
    this.keep({ kind, source, lookup: source.lookup, records, payload, fresh, message }, (outcome) => {
      if (outcome === 'kept') {
        notification.accept();
        return;
      }
      notification.ignore();
      onIgnored();
    });
  }

  /** Counts and tells what cannot be read. */
  undecodable(source: ReportSource, error: DecodeError, payload: Uint8Array): void {
    this.statistics.undecodable++;
    this.#options.onUndecodable(source, error, payload);
  }

  /** Appends what a device reported; `done` is called once, now or later. */
  keep(report: Report, done: (outcome: ReportOutcome) => void): void {
    const { log, clock, sensorObject } = this.#options;
    const statistics = this.statistics;
    if (statistics.pending >= MAX_PENDING) {
      statistics.refused++;
      done('refused');
      return;
    }
    const { source, records, fresh } = report;
    const { endpoint } = source;
    const receivedAt = Math.round(clock.wallTime() * 1000);
    const { pack, selfTimed } = packReadings({ endpoint, receivedAt, fresh, records, sensorObject });
    if (pack.series.length === 0) {
      done('kept');
      this.#options.onReport?.(report);
      return;
    }
    const key = this.#key(report, selfTimed ? pack : undefined);
    statistics.pending++;
    // Set before it is used: an append calls back in a later turn.
    let settled: ((isKept: boolean) => void) | undefined;
    const awaited = this.#options.isAwaited?.(pack) ?? false;
    log.append(
      { endpoint, key, receivedAt, body: encodePack(pack), awaited },
      (error, position, duplicate) => {
        statistics.pending--;
        if (error !== undefined) {
          statistics.storeErrors++;
          done('refused');
          this.#options.onStoreError(source, error);
          settled?.(false);
          return;
        }
        done('kept');
        if (duplicate) {
          statistics.repeated++;
          settled?.(true);
          return;
        }
        for (const { takenAt } of pack.series) statistics.readings += takenAt.length;
        this.#options.onPack(pack, position);
        settled?.(true);
        this.#options.onReport?.(report);
      },
    );
    settled = this.#options.onArriving?.(pack);
  }

  /**
   * What makes a pack the same pack when it comes again, after a crash of either side included. Readings
   * that carry their own time are the same when endpoint, paths and bytes are, whichever way they come: a
   * device that is observed meanwhile tells in a notification what it had sent before. Others (`25`, at the
   * time of receipt) are so only when it is the same message.
   * @param selfTimed the pack, where all its readings carry their own time
   */
  #key({ source, payload, message }: Report, selfTimed: Pack | undefined): string {
    const which = selfTimed === undefined ? message : pathsOf(selfTimed);
    const prefix = `${source.endpoint}\0${which}\0`;
    // A UTF-16 unit is at most three bytes of UTF-8.
    const room = prefix.length * 3 + payload.length;
    if (room > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(room * 2);
    const at = this.#scratch.write(prefix, 0, 'utf8');
    this.#scratch.set(payload, at);
    return hash('sha1', this.#scratch.subarray(0, at + payload.length), 'base64url');
  }
}

/** With spaces between. */
function pathsOf({ series }: Pack): string {
  let paths = series[0]?.path ?? '';
  for (let index = 1; index < series.length; index++) paths += ` ${(series[index] as Series).path}`;
  return paths;
}

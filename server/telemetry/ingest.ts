import { hash } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import type { IncomingNotification } from '../../protocol/coap/exchange.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { askedFor } from '../lwm2m/answers.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import { encodePack, type Pack } from './pack.ts';
import { packReadings } from './readings.ts';

/** Notifications whose append is pending: beyond it the device is not answered and sends again. */
const MAX_PENDING = 50_000;

export interface IngestOptions {
  readonly log: TelemetryLog;
  readonly clock: Clock;
  readonly sensorObject: number;
  /** Called once for each pack when it is durable and was not there before; never throws. */
  readonly onPack: (pack: Pack, position: LogPosition) => void;
  /** What a device sent could not be read. */
  readonly onUndecodable: (source: NotificationSource, error: DecodeError, payload: Uint8Array) => void;
  /** The store did not take a pack; the device was not answered. */
  readonly onStoreError: (source: NotificationSource, error: Error) => void;
}

/** What the observation knows of a notification. */
export interface NotificationSource {
  readonly endpoint: string;
  /** Lower-case hex. */
  readonly token: string;
  /** Canonical path observed; the root where several are. */
  readonly path: string;
  /** All paths of a composite observation: what is not at or below one of them was not asked for. */
  readonly paths?: readonly string[];
  /** The device's alternate root, which it may put into names. */
  readonly rootPath: string;
  /** What the device's resources are typed by. */
  readonly lookup: ResourceTypeLookup;
}

/** Counters since the start. */
export interface IngestStatistics {
  notifications: number;
  readings: number;
  repeated: number;
  undecodable: number;
  refused: number;
  storeErrors: number;
  pending: number;
}

/**
 * From notification to log: decode once, append, and only when durable acknowledge. What the log did
 * not take gets silence, for the device then sends it again.
 */
export class TelemetryIngest {
  readonly statistics: IngestStatistics = {
    notifications: 0,
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
    const { log, clock, sensorObject } = this.#options;
    const statistics = this.statistics;
    statistics.notifications++;
    if (statistics.pending >= MAX_PENDING) {
      statistics.refused++;
      notification.ignore();
      onIgnored();
      return;
    }
    const receivedAt = Math.round(clock.wallTime() * 1000);
    let pack: Pack;
    let selfTimed: boolean;
    try {
      const format = contentFormat(notification.options) ?? ContentFormat.TEXT;
      const { path, paths, lookup, rootPath } = source;
      const decoded = decodeContent(format, path, notification.payload, lookup, rootPath);
      const records = paths === undefined ? decoded : askedFor(paths, decoded);
      ({ pack, selfTimed } = packReadings({
        endpoint: source.endpoint,
        receivedAt,
        fresh: notification.fresh,
        records,
        sensorObject,
      }));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // Sent again it would be no better, and a RST would end the observation: it is acknowledged and told.
      statistics.undecodable++;
      notification.accept();
      this.#options.onUndecodable(source, error, notification.payload);
      return;
    }
    if (pack.series.length === 0) {
      notification.accept();
      return;
    }
    const key = this.#key(source, notification, selfTimed);
    statistics.pending++;
    log.append(
      { endpoint: source.endpoint, key, receivedAt, body: encodePack(pack) },
      (error, position, duplicate) => {
        statistics.pending--;
        if (error !== undefined) {
          statistics.storeErrors++;
          notification.ignore();
          onIgnored();
          this.#options.onStoreError(source, error);
          return;
        }
        notification.accept();
        if (duplicate) {
          statistics.repeated++;
          return;
        }
        for (const { takenAt } of pack.series) statistics.readings += takenAt.length;
        this.#options.onPack(pack, position);
      },
    );
  }

  /**
   * What makes a pack the same pack when it comes again, after a crash of either side included. Readings
   * that carry their own time are the same when endpoint and bytes are; others (`25`, at the time of
   * receipt) only when it is the same message: token, message id and Observe value too.
   */
  #key(source: NotificationSource, notification: IncomingNotification, selfTimed: boolean): string {
    const { payload } = notification;
    const prefix = selfTimed
      ? `${source.endpoint}\0${source.path}\0`
      : `${source.endpoint}\0${source.token}\0${notification.messageId}\0${notification.observe ?? ''}\0`;
    // A UTF-16 unit is at most three bytes of UTF-8.
    const room = prefix.length * 3 + payload.length;
    if (room > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(room * 2);
    const at = this.#scratch.write(prefix, 0, 'utf8');
    this.#scratch.set(payload, at);
    return hash('sha1', this.#scratch.subarray(0, at + payload.length), 'base64url');
  }
}

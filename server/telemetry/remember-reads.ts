import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { LastValues } from '../ports/last-values.ts';
import { newestValues, packReadings } from './readings.ts';

export interface RememberReadsOptions {
  readonly lastValues: LastValues;
  readonly clock: Clock;
  /** Id of the IoT Sensor object, whose instances carry their own time. */
  readonly sensorObject: number;
  readonly log: Logger;
}

/** What the answers of Reads leave behind: the newest value of each path. Resolves when they are stored. */
export function rememberReads({
  lastValues,
  clock,
  sensorObject,
  log,
}: RememberReadsOptions): (endpoint: string, records: readonly LwM2mRecord[]) => Promise<void> {
  return async (endpoint, records) => {
    const receivedAt = Math.round(clock.wallTime() * 1000);
    const { pack } = packReadings({ endpoint, receivedAt, fresh: true, records, sensorObject });
    try {
      await lastValues.set(endpoint, newestValues(pack));
    } catch (error) {
      // The caller gets what it asked for; what is shown to others is older for now.
      if (!(error instanceof StoreUnavailableError)) throw error;
      log.debug({ endpoint, error }, 'what was read is not among the last values');
    }
  };
}

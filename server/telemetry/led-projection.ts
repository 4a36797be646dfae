import type { Logger } from 'pino';
import type { Remote } from '../cluster/leader-service.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import type { TelemetryLog } from '../ports/telemetry-log.ts';
import type { Projection } from './projection.ts';

/** The part of a projection that other nodes ask for. */
export type LedProjection = Remote<Pick<Projection, 'flushTo'>>;

export interface LevelOptions {
  readonly log: Pick<TelemetryLog, 'extent'>;
  /** Whether several nodes append to the log. */
  readonly shared: boolean;
  readonly projection: Projection;
  /** The same, at the node that leads. */
  readonly led: LedProjection;
  readonly logger: Logger;
}

/** Resolves when history and last values have all that was acknowledged before. Where no node leads now, they lag. */
export function levelling({ log, shared, projection, led, logger }: LevelOptions): () => Promise<void> {
  if (!shared) return () => projection.flush();
  return async () => {
    const { newest } = await log.extent();
    try {
      await led.flushTo(newest);
    } catch (error) {
      if (!(error instanceof NodeUnreachableError)) throw error;
      logger.warn({ error }, 'history was read as far as it is: no node leads now');
    }
  };
}

import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
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
  readonly clock: Clock;
}

/** For so long it is not tried again where no node leads, or the one that does is too slow, ms. */
const PAUSE = 3_000;

/** Resolves when history and last values have all that was acknowledged before. Where no node leads now, they lag. */
export function levelling({
  log,
  shared,
  projection,
  led,
  logger,
  clock,
}: LevelOptions): () => Promise<void> {
  if (!shared) return () => projection.flush();
  let pausedUntil = Number.NEGATIVE_INFINITY;
  return async () => {
    if (clock.now() < pausedUntil) return;
    const { newest } = await log.extent();
    try {
      await led.flushTo(newest);
    } catch (error) {
      if (!(error instanceof NodeUnreachableError)) throw error;
      pausedUntil = clock.now() + PAUSE;
      logger.warn(
        { error },
        'history is read as far as it is for some seconds: no node leads now, or it is slow',
      );
    }
  };
}

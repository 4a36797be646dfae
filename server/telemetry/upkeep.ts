import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import type { Stores } from '../ports/stores.ts';
import type { Projection } from './projection.ts';
import { Retention } from './retention.ts';
import { RollUps } from './roll-ups.ts';

export interface UpkeepOptions {
  readonly stores: Stores;
  readonly projection: Pick<Projection, 'flush'>;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onClose: (step: () => Promise<unknown>) => void;
}

/** Starts what keeps the stores in shape: roll-ups of readings, and the removal of what is out of bounds. */
export function startUpkeep({ stores, projection, config, clock, log, onClose }: UpkeepOptions): void {
  const rollUps = new RollUps(stores.history, clock, log);
  rollUps.start();
  onClose(() => rollUps.close());
  const bounds = {
    maxAge: config.readingsMaxAge,
    maxBytes: config.readingsMaxBytes,
    rollUpsMaxAge: config.rollUpsMaxAge,
    commandsMaxAge: config.commandsMaxAge,
    commandsMaxCount: config.commandsMaxCount,
    jobsMaxAge: config.jobsMaxAge,
    jobsMaxCount: config.jobsMaxCount,
    auditMaxAge: config.people.auditMaxAge,
    auditMaxCount: config.people.auditMaxCount,
  };
  const retention = new Retention(stores, clock, log, bounds, () => projection.flush());
  retention.start();
  onClose(() => retention.close());
}

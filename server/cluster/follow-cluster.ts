import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { CommandDispatcher } from '../commands/dispatcher.ts';
import type { Enrolment } from '../enrolment/compose-enrolment.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { LiveHub } from '../live/hub.ts';
import type { ObjectModels } from '../lwm2m/object-models.ts';
import type { OpenedPolicies } from '../lwm2m/observation-policies.ts';
import type { CommandState } from '../ports/command-queue.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { StoredEvent } from '../ports/event-log.ts';
import type { Stores } from '../ports/stores.ts';
import type { Projection } from '../telemetry/projection.ts';
import type { Clustering } from './compose-cluster.ts';
import { followFeeds } from './follow-feeds.ts';

/** After the store, or we, failed, ms. */
const RETRY = 1_000;
/**
 * How often what is kept in memory is compared with the stores all the same, ms: a node that was killed has not told
 * of what it stored last.
 */
const COMPARE = 30_000;

export interface FollowClusterOptions {
  readonly clustering: Clustering;
  readonly stores: Pick<Stores, 'commands'>;
  readonly hub: LiveHub;
  readonly projection: Pick<Projection, 'appended' | 'forget'>;
  readonly dispatcher: Pick<CommandDispatcher, 'heardOf'>;
  readonly policies: Pick<OpenedPolicies, 'changed'>;
  readonly models: Pick<ObjectModels, 'follow'>;
  readonly jobRunner: Pick<JobRunner, 'stepped'>;
  readonly enrolment: Pick<Enrolment, 'follow'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Logger;
  readonly onClose: (step: () => Promise<unknown>) => void;
}

/**
 * What happens at other nodes reaches this one by the logs: without a gap, in their order. Live streams, the work of
 * the leader and what is kept in memory of the stores follow it. Nothing, where this node is alone.
 */
export function followCluster(options: FollowClusterOptions): void {
  const { clustering, hub, projection, log, onClose } = options;
  const { others } = clustering.seat;
  if (others === undefined) return;
  const follower = new Follower(options);
  follower.compareSoon();
  const following = followFeeds({
    feeds: others.ports.feeds,
    hub,
    log,
    onEvent: (event) => follower.event(event),
    // Not the leader's projection alone: one that is not begun notes where the log is, and nothing else.
    onPack: (pack, position) => projection.appended(pack, position),
  });
  onClose(async () => {
    follower.close();
    await following.close();
  });
}

class Follower {
  readonly #options: FollowClusterOptions;
  #closed = false;
  #timer: Timer | undefined;

  constructor(options: FollowClusterOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** From now on, again and again. */
  compareSoon(): void {
    this.#timer = this.#options.clock.setTimer(COMPARE, () => {
      const { policies, models } = this.#options;
      this.#do('policies', () => policies.changed());
      this.#do('object definitions', () => models.follow());
      this.compareSoon();
    });
  }

  event({ type, endpoint, data }: StoredEvent): void {
    const { dispatcher, projection, policies, models, enrolment } = this.#options;
    enrolment.follow({ type });
    switch (type) {
      case 'command': {
        const command = data['command'] as {
          readonly id: string;
          readonly endpoint: string;
          readonly state: CommandState;
          readonly job?: string;
        };
        dispatcher.heardOf(command);
        if (command.job !== undefined) this.#do('a step of a job', () => this.#stepped(command.id));
        return;
      }
      case 'registered':
        // The entry of the inventory may be a new one.
        if (endpoint !== undefined && data['replaced'] !== true) projection.forget(endpoint);
        return;
      case 'observation-policy':
        this.#do('a change of a policy', () => policies.changed());
        return;
      case 'object-model':
        this.#do('a change of an object definition', () => models.follow());
        return;
      default:
    }
  }

  /** The event shows a command as the API does; a job wants it as the queue has it. */
  async #stepped(id: string): Promise<void> {
    const { clustering, stores, jobRunner } = this.#options;
    if (!clustering.seat.leadership.leads) return;
    const command = await stores.commands.get(id);
    if (command !== undefined) jobRunner.stepped(command);
  }

  /** Until it is done: nobody else will. */
  #do(what: string, work: () => Promise<void>): void {
    const { log, clock } = this.#options;
    work().catch((error: unknown) => {
      if (this.#closed) return;
      if (error instanceof StoreUnavailableError) {
        clock.setTimer(RETRY, () => this.#do(what, work));
      } else log.error({ error }, `following ${what} at another node met a bug`);
    });
  }
}

import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { Jobs } from '../jobs/job-service.ts';
import { GRACE, RegistrationExpiry } from '../lwm2m/expiry.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { Projection } from '../telemetry/projection.ts';
import { startUpkeep } from '../telemetry/upkeep.ts';
import type { WebhookService } from '../webhooks/service.ts';
import type { Clustering } from './compose-cluster.ts';
import { leaderOf, type Remote } from './leader-service.ts';

const jobMethods = ['create', 'cancel', 'pause', 'resume', 'retry', 'remove'] as const;
const webhookMethods = [
  ...(['list', 'get', 'create', 'replace', 'rotate', 'remove', 'test', 'retry'] as const),
] as const;
/** How long the leader may take to hear of a device that cannot be reached, ms. */
const TELL_TIME = 2_000;

export interface LeaderOptions {
  readonly clustering: Clustering;
  readonly stores: Stores;
  readonly projection: Projection;
  readonly jobRunner: JobRunner;
  readonly webhooks: WebhookService;
  readonly config: Config;
  /** One that does not step with the system's. */
  readonly clock: Clock;
  readonly log: Logger;
  readonly onExpired: (registration: Registration) => void;
}

/** What one node does for all, as each of them offers it. */
export interface LedServices {
  readonly jobs: Remote<Pick<Jobs, (typeof jobMethods)[number]>>;
  readonly webhooks: Remote<Pick<WebhookService, (typeof webhookMethods)[number]>>;
  /** What waits for the device takes no place in a job. */
  readonly unreachable: (endpoint: string) => void;
}

/** Hands the leader its work: it is begun when this node leads. */
export function composeLeader(options: LeaderOptions & { readonly jobs: Jobs }): LedServices {
  const { clustering, jobRunner, webhooks, projection, jobs, log } = options;
  const { leadership, others } = clustering.seat;
  leadership.add({
    name: 'projection',
    begin: () => projection.start(),
    // Alone, it is closed behind all that may append still.
    end: async () => (others === undefined ? undefined : projection.close()),
  });
  leadership.add({ name: 'jobs', begin: () => jobRunner.start(), end: () => jobRunner.close() });
  leadership.add({ name: 'webhooks', begin: () => webhooks.start(), end: () => webhooks.close() });
  leadership.add(expiryTask(options));
  leadership.add(upkeepTask(options));
  others?.rpc.serve('job-runner', {
    unreachable: ([endpoint]) => jobRunner.unreachable(endpoint as string),
  });
  clustering.seat.onGone(() => {
    // What a node that is gone has not told of its last steps is in the stores alone.
    if (leadership.leads) renewRuns(jobRunner, () => leadership.leads, log);
  });
  return {
    jobs: clustering.led('jobs', jobMethods, jobs),
    webhooks: clustering.led('webhooks', webhookMethods, webhooks),
    unreachable: (endpoint) => {
      if (others === undefined || leadership.leads) return jobRunner.unreachable(endpoint);
      tellLeader().catch((error: unknown) => {
        const expected = error instanceof NodeUnreachableError || error instanceof StoreUnavailableError;
        // A leader that is new finds out by itself.
        if (expected)
          log.debug({ error, endpoint }, 'the leader was not told that a device cannot be reached');
        else log.error({ error, endpoint }, 'telling the leader of a device met a bug');
      });
      async function tellLeader(): Promise<void> {
        if (others === undefined) return;
        const leader = await leaderOf(others.ports);
        if (leader === undefined) return;
        await others.rpc.call(leader, 'job-runner', 'unreachable', [endpoint], { timeout: TELL_TIME });
      }
    },
  };
}

function renewRuns(runner: JobRunner, leads: () => boolean, log: Logger): void {
  runner
    .close()
    // The lead may have gone to another node meanwhile.
    .then(() => (leads() ? runner.start() : undefined))
    .catch((error: unknown) => log.warn({ error }, 'jobs were not taken up anew; the next leader does'));
}

function expiryTask({ clustering, stores, clock, log, onExpired }: LeaderOptions) {
  const { others, onGone } = {
    others: clustering.seat.others,
    onGone: clustering.seat.onGone.bind(clustering.seat),
  };
  let expiry: RegistrationExpiry | undefined;
  // Devices that knew the node that is gone alone may not have been able to update.
  onGone((gone) => {
    if (gone.some(({ name }) => others?.members.sharesAddress(name) !== true)) expiry?.hold();
  });
  return {
    name: 'expiry of registrations',
    begin: async () => {
      // Where another node was there all the time, and the store with it, devices could be heard.
      const alone = (others?.members.list().length ?? 1) <= 1;
      const away = others?.members.wasAway(GRACE) === true;
      expiry = new RegistrationExpiry({
        registrations: stores.registrations,
        clock,
        log: log.child({ part: 'expiry' }),
        afterAbsence:
          (alone || away) && (await RegistrationExpiry.isAfterAbsence(stores.registrations, clock)),
        onExpired,
      });
      expiry.start();
    },
    end: async () => {
      await expiry?.close();
      expiry = undefined;
    },
  };
}

function upkeepTask({ stores, projection, config, clock, log }: LeaderOptions) {
  let ending: (() => Promise<unknown>)[] = [];
  return {
    name: 'upkeep of the stores',
    begin: async () => {
      const onClose = (step: () => Promise<unknown>): void => {
        ending.push(step);
      };
      startUpkeep({ stores, projection, config, clock, log: log.child({ part: 'telemetry' }), onClose });
    },
    end: async () => {
      const steps = ending.reverse();
      ending = [];
      for (const step of steps) await step();
    },
  };
}

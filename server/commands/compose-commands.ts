import type { Logger } from 'pino';
import type { ObjectRegistry } from '../../objects/registry.ts';
import type { Clock } from '../../protocol/clock.ts';
import { checkHeldRequest, checkRequest, performHeldRequest } from '../api/held-requests.ts';
import { jobDevices } from '../api/job-devices.ts';
import { presentJob } from '../api/job-presenters.ts';
import { presentCommand } from '../api/presenters.ts';
import type { ApiHeldRequestBody } from '../api/schemas.ts';
import type { Config } from '../config.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { Jobs } from '../jobs/job-service.ts';
import { composeJobs } from '../jobs/jobs.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { DeviceRequests } from '../lwm2m/device-requests.ts';
import type { ObservationPolicies } from '../lwm2m/policy-service.ts';
import type { DeviceEntries } from '../people/device-entries.ts';
import type { Tenancy } from '../people/tenancy.ts';
import type { Command } from '../ports/command-queue.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { CommandService } from './carrier-commands.ts';
import { CarrierService } from './carrier-service.ts';
import { CarrierSwitch } from './carrier-switch.ts';
import {
  CommandDispatcher,
  type CommandsLookedUp,
  type DispatcherOptions,
  type OtherDispatchers,
} from './dispatcher.ts';
import { HeldRequest } from './held-request.ts';
import { type HeldRequests, RequestService } from './request-service.ts';

export interface CommandParts {
  readonly config: Pick<Config, 'carrierObject' | 'waitingMaxCount' | 'waitingMaxBytes'>;
  readonly stores: Stores;
  /** The same, whose last values are level with the log. */
  readonly levelStores: Stores;
  /** Wherever the device is. */
  readonly requests: DeviceRequests;
  /** Of devices that this node has. */
  readonly ownRequests: DeviceRequests;
  readonly place: DispatcherOptions['place'];
  readonly others: OtherDispatchers | undefined;
  /** What waits for the device waits until it speaks. */
  readonly onUnreachable: (endpoint: string) => void;
  readonly registry: ObjectRegistry;
  readonly lookupFor: (registration: Registration) => ObjectRegistry;
  readonly policies: ObservationPolicies;
  readonly entries: DeviceEntries;
  readonly tenancy: Tenancy;
  readonly events: EventPublisher;
  readonly clock: Clock;
  /** One that does not step with the system's. */
  readonly steady: Clock;
  readonly log: Logger;
  /** A command was queued, or has taken a step. */
  readonly onStep: (command: Command) => void;
}

/** Durable commands, and the jobs that make many of them. */
export interface Commands {
  readonly dispatcher: CommandDispatcher;
  readonly service: CommandService;
  readonly heldRequests: HeldRequests;
  readonly jobs: Jobs;
  readonly jobRunner: JobRunner;
  /** Takes up the commands that an earlier process left; the jobs are for the runner. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function composeCommands(parts: CommandParts): Commands {
  const { config, stores, levelStores, requests, registry, lookupFor, events, clock, steady } = parts;
  const log = parts.log.child({ part: 'commands' });
  const needs = { stores: levelStores, requests: parts.ownRequests, registry, lookupFor, clock };
  const onStep = (command: Command): void => {
    // Where others have commands as well, their events tell of all of them.
    if (parts.others === undefined) runner.stepped(command);
    parts.onStep(command);
    events.publish('command', command.endpoint, clock.wallTime(), { command: presentCommand(command) });
  };
  const onQueued = (endpoint: string, looked?: Promise<CommandsLookedUp>): void =>
    dispatcher.kick(endpoint, looked);
  const dispatcher = new CommandDispatcher({
    queue: stores.commands,
    kinds: {
      'carrier-switch': new CarrierSwitch({
        requests: parts.ownRequests,
        clock: steady,
        log,
        carrierObject: config.carrierObject,
      }),
      request: new HeldRequest({
        perform: ({ endpoint, parameters }, options) =>
          performHeldRequest(needs, endpoint, parameters as ApiHeldRequestBody, options),
      }),
    },
    place: parts.place,
    others: parts.others,
    clock: steady,
    log,
    onStep,
    onUnreachable: parts.onUnreachable,
  });

  const bounds = { count: config.waitingMaxCount, bytes: config.waitingMaxBytes };
  const waiting = { bounds, clock: steady, onStep, onQueued };
  const service = new CarrierService({
    ...waiting,
    lookAhead: (endpoint) => dispatcher.lookAhead(endpoint),
    stores: levelStores,
    requests,
    carrierObject: config.carrierObject,
  });
  const heldRequests = new RequestService({ ...waiting, stores });
  const { service: jobs, runner } = composeJobs({
    stores,
    devices: jobDevices(stores.devices, clock),
    commands: service,
    requests: heldRequests,
    policies: parts.policies,
    entries: parts.entries,
    tenancy: parts.tenancy,
    checkRequest: (endpoint, request) => checkHeldRequest(needs, endpoint, request as ApiHeldRequestBody),
    check: (operation) => {
      if (operation.kind === 'request') checkRequest(operation.request as ApiHeldRequestBody, registry);
    },
    clock: steady,
    log: parts.log.child({ part: 'jobs' }),
    onStep: (command) => {
      onStep(command);
      onQueued(command.endpoint);
    },
    onProgress: (job) => events.publish('job', undefined, clock.wallTime(), { job: presentJob(job) }),
  });
  return {
    dispatcher,
    service,
    heldRequests,
    jobs,
    jobRunner: runner,
    start: () => dispatcher.start(),
    close: () => dispatcher.close(),
  };
}

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pino } from 'pino';
import { systemClock } from '../protocol/clock.ts';
import { jobDevices } from '../server/api/job-devices.ts';
import { CarrierService } from '../server/commands/carrier-service.ts';
import { CommandDispatcher } from '../server/commands/dispatcher.ts';
import { RequestService } from '../server/commands/request-service.ts';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import { composeJobs } from '../server/jobs/jobs.ts';
import { Tenancy } from '../server/people/tenancy.ts';
import type { Command } from '../server/ports/command-queue.ts';
import type { Job } from '../server/ports/job-store.ts';
import type { Registration } from '../server/ports/registration-store.ts';
import { removeFolder, temporaryFolder } from './temporary-folder.ts';

/**
 * A job over very many devices that are all away: each gets its durable command, which waits. Then it is cancelled, so that
 * each command is taken back. What that takes, and whether the server answers meanwhile. `node bench/jobs.ts [devices]`.
 */
const count = Number(process.argv[2] ?? 100_000);
const folder = temporaryFolder('simyard-bench-jobs-');
const stores = await openEmbeddedStores({ path: folder });
const log = pino({ level: 'warn' });

function registrationOf(endpoint: string): Registration {
  return {
    id: `id-${endpoint}`,
    endpoint,
    address: '192.0.2.1:1',
    lifetime: 300,
    version: '1.1',
    binding: 'U',
    queueMode: false,
    rootPath: '/',
    links: [{ target: '/3/0', attributes: {} }],
    contentFormats: [112],
    additional: {},
    registeredAt: Date.now(),
    updatedAt: Date.now(),
    expiresAt: Date.now() + 300_000,
    node: 'n1',
  };
}

for (let from = 0; from < count; from += 2000) {
  await Promise.all(
    Array.from({ length: Math.min(2000, count - from) }, async (_, index) => {
      const registration = registrationOf(`device-${String(from + index).padStart(7, '0')}`);
      await stores.registrations.register(registration);
      await stores.registrations.deregister(registration.id);
    }),
  );
}

const onStep = (command: Command): void => jobs.runner.stepped(command);
const onQueued = (endpoint: string): void => dispatcher.kick(endpoint);
const dispatcher = new CommandDispatcher({
  queue: stores.commands,
  // All devices are away: none of it is ever carried out.
  kinds: { request: { advance: () => Promise.reject(new Error('nobody is there')) } },
  place: async (endpoint) => ({
    reachability: (await stores.registrations.byEndpoint(endpoint)) === undefined ? 'unregistered' : 'awake',
  }),
  clock: systemClock,
  log,
  onStep,
  onUnreachable: (endpoint) => jobs.runner.unreachable(endpoint),
});
const requests = { read: () => Promise.reject(new Error('nobody is there')) } as never;
const services = { stores, requests, clock: systemClock, onStep, onQueued };
let told = 0;
let wake: (() => void) | undefined;
let job: Job | undefined;
const jobs = composeJobs({
  stores,
  devices: jobDevices(stores.devices, systemClock),
  commands: new CarrierService({ ...services, carrierObject: 42769 }),
  requests: new RequestService(services),
  policies: { choose: () => Promise.reject(new Error('not asked for')) },
  entries: {
    remove: () => Promise.reject(new Error('not asked for')),
    setTenant: () => Promise.reject(new Error('not asked for')),
  },
  tenancy: new Tenancy({ devices: stores.devices }),
  checkRequest: async () => undefined,
  check: () => undefined,
  clock: systemClock,
  log,
  onStep: (command) => {
    onStep(command);
    dispatcher.kick(command.endpoint);
  },
  onProgress: (now) => {
    told++;
    job = now;
    wake?.();
  },
});
await dispatcher.start();

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let slowest = 0;
let looking = true;
/** What somebody else asks of the store meanwhile. */
async function look(): Promise<void> {
  while (looking) {
    const begun = performance.now();
    await stores.check();
    await stores.devices.get('device-0000001');
    slowest = Math.max(slowest, performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const others = look();

async function measure(what: string, fits: (job: Job) => boolean): Promise<void> {
  const begun = performance.now();
  delay.reset();
  slowest = 0;
  while (job === undefined || !fits(job)) await new Promise<void>((resolve) => (wake = resolve));
  const seconds = (performance.now() - begun) / 1000;
  const { rss, heapUsed } = process.memoryUsage();
  process.stdout.write(
    `${what.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s  ${Math.round(count / seconds)
      .toString()
      .padStart(
        6,
      )}/s  event loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, max ${(delay.max / 1e6).toFixed(0)} ms  ` +
      `store's slowest answer ${slowest.toFixed(0)} ms  heap ${Math.round(heapUsed / 1e6)} MB, rss ${Math.round(rss / 1e6)} MB\n`,
  );
}

const request = { operation: 'execute', path: '/3/0/4' };
const made = await jobs.service.create({ devices: { filter: {} }, operation: { kind: 'request', request } });
await measure('devices put together', ({ state, total }) => state === 'running' && total === count);
await measure('each has its command', ({ counts }) => counts.queued === count);
await jobs.service.cancel(made.id);
await measure('all taken back', ({ state }) => state === 'cancelled');
process.stdout.write(`${told} events told of it\n`);
looking = false;
await others;
await jobs.runner.close();
await dispatcher.close();
await stores.close();
removeFolder(folder);

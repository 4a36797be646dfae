/**
 * A process of subscribers to the event stream, steered over IPC by bench/streams.ts: some to one device
 * each, some to everything, of which some stop reading for a while.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { answering } from '../answering.ts';
import { type Quantiles, quantiles } from '../quantiles.ts';
import { StreamClient } from './stream-client.ts';

export type SubscribersCommand =
  | {
      readonly kind: 'open';
      readonly base: string;
      readonly devices: number;
      readonly everything: number;
      /** Among those of everything. */
      readonly stalling: number;
    }
  /** What was measured until now is forgotten. */
  | { readonly kind: 'begin' }
  /** Those that stall read nothing for that long. */
  | { readonly kind: 'stall'; readonly milliseconds: number }
  /** Resolves when they have so many events since `begin`: each to everything, and all to one device together, and are level. */
  | { readonly kind: 'report'; readonly expected: number };

export interface ClassReport {
  readonly subscribers: number;
  readonly events: number;
  readonly latency: Quantiles;
  readonly faults: number;
  readonly gaps: number;
  /** What they were told of their pace: `behind, level` for each time that they were too slow. */
  readonly paces: readonly (readonly string[])[];
}

export interface SubscribersReport {
  readonly device: ClassReport;
  readonly everything: ClassReport;
  readonly stalled: ClassReport;
  /** CPU of this process since `begin`, µs. */
  readonly cpu: number;
}

/** No delivery takes that long, ms: something is missing. */
const PATIENCE = 30_000;

const device: StreamClient[] = [];
const everything: StreamClient[] = [];
const stalled: StreamClient[] = [];
let began = process.cpuUsage();

async function open(command: SubscribersCommand & { readonly kind: 'open' }): Promise<void> {
  for (let index = 0; index < command.devices; index++) {
    device.push(await StreamClient.open(command.base, `bench-${index}`));
  }
  for (let index = 0; index < command.everything; index++) {
    const list = index < command.stalling ? stalled : everything;
    list.push(await StreamClient.open(command.base, undefined));
  }
}

function begin(): void {
  began = process.cpuUsage();
  for (const client of [...device, ...everything, ...stalled]) {
    client.events = 0;
    client.latencies = [];
    client.paces.length = 0;
  }
}

async function stall(milliseconds: number): Promise<void> {
  for (const client of stalled) client.pause();
  await pass(milliseconds);
  for (const client of stalled) client.read();
}

async function report(expected: number): Promise<SubscribersReport> {
  const whole = [...everything, ...stalled];
  const deadline = performance.now() + PATIENCE;
  const isDone = (): boolean =>
    whole.every(({ events, paces }) => events >= expected && paces.at(-1) !== 'behind') &&
    (device.length === 0 || sum(device) >= expected);
  while (!isDone() && performance.now() < deadline) await pass(20);
  const { user, system } = process.cpuUsage(began);
  return {
    device: reportOf(device),
    everything: reportOf(everything),
    stalled: reportOf(stalled),
    cpu: user + system,
  };
}

function sum(clients: readonly StreamClient[]): number {
  return clients.reduce((total, { events }) => total + events, 0);
}

function reportOf(clients: readonly StreamClient[]): ClassReport {
  return {
    subscribers: clients.length,
    events: sum(clients),
    latency: quantiles(clients.flatMap(({ latencies }) => latencies)),
    faults: clients.reduce((total, { faults }) => total + faults, 0),
    gaps: clients.reduce((total, { gaps }) => total + gaps, 0),
    paces: clients.map(({ paces }) => paces),
  };
}

async function perform(command: SubscribersCommand): Promise<SubscribersReport | string> {
  switch (command.kind) {
    case 'open':
      await open(command);
      return 'open';
    case 'begin':
      begin();
      return 'begun';
    case 'stall':
      // Answered at once: the load goes on meanwhile.
      void stall(command.milliseconds);
      return 'stalling';
    case 'report':
      return report(command.expected);
  }
}

answering(perform);

/**
 * A process of programs that read resources of devices over HTTP, steered over IPC as the simulated devices are: `run`, as
 * fast as they are answered, or `pace`, at a rate.
 */
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering } from './answering.ts';
import { Histogram } from './load/histogram.ts';
import type { WorkDone } from './work-done.ts';

export type ReaderCommand =
  | { readonly kind: 'open'; readonly urls: readonly string[] }
  | { readonly kind: 'run'; readonly milliseconds: number; readonly window?: number }
  | { readonly kind: 'pace'; readonly milliseconds: number; readonly rate: number };

/** Requests that are under way at the most: an API is asked by some programs, not by as many as there are devices. */
const AT_ONCE = 64;
/** ms for an answer; the server's own timeout ends a read before. */
const PATIENCE = 60_000;
/** ms; how often requests become due when they are paced. */
const PACE = 1;

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
let urls: readonly string[] = [];
let turn = 0;
let underWay = 0;
let counts = emptyCounts();

function emptyCounts() {
  return {
    ...{ done: 0, failed: 0, skipped: 0, latency: new Histogram() },
    cpu: process.cpuUsage(),
    since: performance.now(),
  };
}

function take(): WorkDone {
  const { done, failed, skipped, latency, cpu, since } = counts;
  const { user, system } = process.cpuUsage(cpu);
  const elapsed = performance.now() - since;
  counts = emptyCounts();
  return {
    ...{ done, failed, skipped, elapsed, retransmissions: 0, fallenOut: 0 },
    ...{ latency: latency.summary(), cpu: user + system },
  };
}

/** One read of the next device in turn; resolves when it has ended, well or not. */
function read(): Promise<void> {
  const url = urls[turn++ % urls.length] ?? '';
  const begun = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  underWay++;
  const end = (isGood: boolean): void => {
    underWay--;
    if (isGood) {
      counts.done++;
      counts.latency.add((performance.now() - begun) * 1_000);
    } else {
      counts.failed++;
    }
    resolve();
  };
  let isAnswered = false;
  const request = get(url, { agent, timeout: PATIENCE }, (response) => {
    isAnswered = true;
    response.resume();
    response.once('end', () => end(response.statusCode === 200));
    response.once('error', () => end(false));
  });
  request.once('timeout', () => request.destroy(new Error('no answer')));
  // Of a request that ends after its response has begun, the response tells.
  request.once('error', () => {
    if (!isAnswered) end(false);
  });
  return promise;
}

async function settled(): Promise<void> {
  while (underWay > 0) await sleep(5);
}

async function run(milliseconds: number): Promise<WorkDone> {
  take();
  const until = performance.now() + milliseconds;
  const program = async (): Promise<void> => {
    while (performance.now() < until) await read();
  };
  const programs = Promise.all(Array.from({ length: AT_ONCE }, program));
  await sleep(milliseconds);
  const done = take();
  await programs;
  return done;
}

async function pace(milliseconds: number, rate: number): Promise<WorkDone> {
  take();
  const start = performance.now();
  for (let due = 0, elapsed = 0; elapsed < milliseconds; ) {
    await sleep(PACE);
    elapsed = Math.min(performance.now() - start, milliseconds);
    for (const target = Math.floor((elapsed * rate) / 1_000); due < target; due++) {
      if (underWay < AT_ONCE) void read();
      else counts.skipped++;
    }
  }
  const elapsed = performance.now() - start;
  await settled();
  return { ...take(), elapsed };
}

async function perform(command: ReaderCommand): Promise<WorkDone | 'open'> {
  if (command.kind === 'run') return run(command.milliseconds);
  if (command.kind === 'pace') return pace(command.milliseconds, command.rate);
  urls = command.urls;
  return 'open';
}

answering(perform);

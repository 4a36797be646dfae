import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** What a measured process tells of itself over IPC, when asked. */
export interface TargetReport {
  /** CPU of all its threads since its start, µs. */
  readonly cpu: number;
  /** Bytes: heap and what hangs on it, after garbage collection. */
  readonly memory: number;
  readonly peakResident: number;
}

/** `profile`: begin one; a file: end it, and write it there. */
export type TargetQuestion = 'cpu' | 'memory' | 'profile' | { readonly profileTo: string };

/** µs between two samples of a profile. */
const SAMPLES_EVERY = 250;

let profiled: Session | undefined;

async function beginProfile(): Promise<void> {
  profiled = new Session();
  profiled.connect();
  await profiled.post('Profiler.enable');
  await profiled.post('Profiler.setSamplingInterval', { interval: SAMPLES_EVERY });
  await profiled.post('Profiler.start');
}

async function endProfile(file: string): Promise<void> {
  const { profile } = (await profiled?.post('Profiler.stop')) ?? {};
  if (profile === undefined) throw new Error('no profile was begun');
  writeFileSync(file, JSON.stringify(profile));
}

/** Says where the target listens, and from then on answers each message with a report. */
export function reportTo(parent: NodeJS.Process, port: number, more: { readonly http?: string } = {}): void {
  parent.on('message', async (question: TargetQuestion) => {
    if (question === 'memory') globalThis.gc?.();
    if (question === 'profile') await beginProfile();
    if (typeof question === 'object') await endProfile(question.profileTo);
    const { user, system } = process.cpuUsage();
    const { heapUsed, external } = process.memoryUsage();
    const report: TargetReport = {
      cpu: user + system,
      memory: heapUsed + external,
      peakResident: process.resourceUsage().maxRSS * 1024,
    };
    parent.send?.(report);
  });
  parent.on('disconnect', () => process.exit(0));
  parent.send?.({ port, ...more });
}

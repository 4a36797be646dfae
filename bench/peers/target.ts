import { existsSync, readFileSync } from 'node:fs';
import { BenchProcess } from '../process.ts';
import type { TargetReport } from '../targets/report.ts';

/** What a measured process has used since its start. */
export interface TargetUse {
  /** CPU of all its threads by its own accounting, µs. */
  readonly cpu: number;
  /** Heap and what hangs on it, bytes; after garbage collection where that was asked for. */
  readonly memory: number;
  /** CPU of the Redis that it keeps its state in, µs; absent where it has none. */
  readonly redisCpu?: number;
}

/** A server under load, in a process of its own. */
export interface Target {
  readonly port: number;
  /** Where its interface for programs is: `http://127.0.0.1:8080`. */
  readonly http?: string;
  readonly pid: number;
  use(question: 'cpu' | 'memory'): Promise<TargetUse>;
  stop(): Promise<void>;
}

/** A server that can be measured. */
export interface Peer {
  /** As tables name it. */
  readonly name: string;
  /** `2.0.0-M18`; the project's own has none. */
  readonly version?: string;
  /** Where it speaks DTLS: what its devices prove themselves with; `{name}` is the endpoint name. */
  readonly psk?: { readonly identity: string; readonly key: string };
  /** Where its interface for programs has the resource of a device: to be put behind `Target.http`. */
  readonly readPath?: (endpoint: string, resource: string) => string;
  /** ms of load before it is measured: a JVM compiles for seconds. */
  readonly warmUp: number;
  /** Builds what it needs; resolves with the reason where it cannot run here. */
  prepare(): Promise<string | undefined>;
  start(): Promise<Target>;
}

/** The most memory that a process has had in RAM, bytes (proc(5), VmHWM). */
export function peakMemory(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1_024;
}

/** Datagrams that the kernel had no room for, since the sockets of this port were opened (proc(5), net/udp). */
export function lostDatagrams(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/udp', '/proc/net/udp6']
    .filter((file) => existsSync(file))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address]) => address?.endsWith(local))
    .reduce((sum, fields) => sum + Number(fields.at(-1)), 0);
}

/** A target that is a script of ours and speaks over IPC. */
export async function startScript(
  script: string,
  args: readonly string[] = [],
  parts: { readonly redisCpu?: () => Promise<number>; readonly end?: () => Promise<void> } = {},
): Promise<Target> {
  const process = new BenchProcess(script, args);
  const stop = async (): Promise<void> => {
    await process.stop();
    await parts.end?.();
  };
  try {
    const { port, http } = await process.next<{ port: number; http?: string }>();
    return {
      port,
      ...(http === undefined ? {} : { http }),
      pid: process.pid,
      async use(question) {
        const { cpu, memory } = await process.ask<TargetReport>(question);
        return { cpu, memory, ...(parts.redisCpu === undefined ? {} : { redisCpu: await parts.redisCpu() }) };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

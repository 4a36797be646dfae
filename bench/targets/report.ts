/** What a measured process tells of itself over IPC, when asked. */
export interface TargetReport {
  /** CPU of all its threads since its start, µs. */
  readonly cpu: number;
  /** Bytes: heap and what hangs on it, after garbage collection. */
  readonly memory: number;
  readonly peakResident: number;
}

/** Says where the target listens, and from then on answers each message with a report. */
export function reportTo(parent: NodeJS.Process, port: number, more: { readonly http?: string } = {}): void {
  parent.on('message', (question: 'cpu' | 'memory') => {
    if (question === 'memory') globalThis.gc?.();
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

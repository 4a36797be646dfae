import type { LoadReport } from './load/load-report.ts';

/** What devices, and programs that read them, tell of their work. */
export type WorkDone = Pick<
  LoadReport,
  'done' | 'retransmissions' | 'failed' | 'latency' | 'elapsed' | 'skipped' | 'fallenOut' | 'cpu'
>;

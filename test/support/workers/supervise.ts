import { fileURLToPath } from 'node:url';
import { createLog } from '../../../server/log.ts';
import { runWorkers } from '../../../server/workers/run-workers.ts';

// supervise.ts WORKERS MODE: runs that many workers.ts, each of which does what the mode says.
const [workers, mode = ''] = process.argv.slice(2);
process.exitCode = await runWorkers(
  { workers: Number(workers), node: 'node' },
  createLog('info', 'node'),
  fileURLToPath(new URL('./worker.ts', import.meta.url)),
  [mode],
);

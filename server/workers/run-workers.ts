import type { Logger } from 'pino';
import { systemClock } from '../../protocol/clock.ts';
import type { Config } from '../config.ts';
import { Supervisor, WorkerFailedError } from './supervisor.ts';

/** No timer of ours is due that late; it is here so that the process stays while no worker runs. */
const FOR_EVER = 2 ** 31 - 1;

/**
 * Runs the workers that the settings ask for, each with the settings of this process and a name of its own, until a
 * signal ends them. Resolves with the exit code.
 * @param script that a worker runs
 * @param args the flags of this process
 */
export async function runWorkers(
  config: Pick<Config, 'workers' | 'node'>,
  log: Logger,
  script: string,
  args: readonly string[],
): Promise<number> {
  const staying = setInterval(() => undefined, FOR_EVER);
  const supervisor = new Supervisor({
    workers: config.workers,
    // Of a flag that is given twice the last one counts.
    argsOf: (worker, again) => [
      script,
      ...args,
      ...['--workers', '1', '--reuse-port', 'true', '--node', `${config.node}-${worker}`],
      ...(again ? ['--take-over', 'true'] : []),
    ],
    log,
    clock: systemClock,
  });
  const signalled = Promise.withResolvers<number>();
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log.warn({ signal }, 'stopped at once');
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, 'closing the workers');
    supervisor.stop().then((well) => signalled.resolve(well ? 0 : 1), signalled.reject);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    await supervisor.start().catch((error: unknown) => {
      // That it ended is what was asked for.
      if (!(stopping && error instanceof WorkerFailedError)) throw error;
    });
    const code = await signalled.promise;
    log.info('closed');
    return code;
  } catch (error) {
    if (!(error instanceof WorkerFailedError)) throw error;
    // Where it ended by itself it has said why.
    if (error.end.code === undefined) process.stderr.write(`simyard: ${error.message}\n`);
    return error.end.code ?? 1;
  } finally {
    clearInterval(staying);
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
  }
}

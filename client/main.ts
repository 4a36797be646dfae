import { StateFileError } from './atomic-file.ts';
import { type CommandLine, help, parseCommandLine, UsageError } from './command-line.ts';
import { runFleet } from './fleet.ts';
import { createLog } from './log.ts';
import { CardTransportError } from './sim/card-transport.ts';
import { runSingle } from './single.ts';

/** npm and a terminal may hand the same signal on twice: within this it is one, ms. */
const sameSignal = 1_000;

async function main(): Promise<void> {
  let line: CommandLine | 'help';
  try {
    line = parseCommandLine(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message} (--help tells more)\n`);
    process.exitCode = 2;
    return;
  }
  if (line === 'help') {
    process.stdout.write(`${help}\n`);
    return;
  }
  const log = createLog(line.logLevel);
  // A bug ends the process, wherever it is met: what goes on after it cannot be trusted. So does, in the
  // middle of a fleet, state that is damaged or another process's; but that is told in a line.
  const onFault = (error: unknown): void => {
    if (error instanceof StateFileError) {
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    }
    setImmediate(() => {
      throw error;
    });
  };
  const { mode, modem } = line;
  // Until the first socket is open, only this keeps the process alive.
  const running =
    mode.kind === 'fleet' ? runFleet(mode, modem, log, onFault) : runSingle(mode, modem, log, onFault);
  let asked: number | undefined;
  let started = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (asked !== undefined) {
      if (now - asked > sameSignal) process.exit(130);
      return;
    }
    asked = now;
    // Nothing has been said to the server yet.
    if (!started) process.exit(0);
    log('info', 'modem', `${signal}: deregistering`);
    running
      .then((stop) => stop())
      .then(() => process.exit(0))
      .catch(onFault);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    await running;
    started = true;
  } catch (error) {
    const reason = startFailure(error);
    if (reason === undefined) throw error;
    process.stderr.write(`${reason}\n`);
    process.exit(1);
  }
}

/** What can be wrong with the machine or the card when a modem starts, in a line; undefined: a bug. */
function startFailure(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof CardTransportError || error instanceof StateFileError) return error.message;
  if ('syscall' in error) return error.message;
  return undefined;
}

await main();

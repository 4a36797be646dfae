import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

/** Of members that are errors. */
export const logSerializers = { error: withoutCommand, err: withoutCommand };

/**
 * The server's log: one JSON object a line on standard output, `error` members with their stack. `node` is in each
 * line where several write to the same output.
 */
export function createLog(level: LogLevel, node?: string): Logger {
  return pino({
    level,
    base: node === undefined ? null : { node },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: logSerializers,
  });
}

/** The client of a database adds the command with its arguments to an error: a password, a key, what a device said. */
function withoutCommand(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { command: _, ...rest } = pino.stdSerializers.err(error) as unknown as Record<string, unknown>;
  return rest;
}

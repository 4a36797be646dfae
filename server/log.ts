import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

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
    serializers: { error: pino.stdSerializers.err },
  });
}

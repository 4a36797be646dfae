import { type Logger, pino } from 'pino';
import type { LogLevel } from './config.ts';

/** The server's log: one JSON object a line on standard output, `error` members with their stack. */
export function createLog(level: LogLevel): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  });
}

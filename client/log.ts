import { type LogLevel, logLevels } from './command-line.ts';

/** Lines for a person: time of day, who, what. Warnings and errors go to stderr. */
export type Log = (level: LogLevel, who: string, message: string) => void;

export function createLog(threshold: LogLevel): Log {
  return (level, who, message) => {
    if (logLevels.indexOf(level) > logLevels.indexOf(threshold)) return;
    const time = new Date().toISOString().slice(11, 23);
    const mark = level === 'warn' || level === 'error' ? `${level.toUpperCase()} ` : '';
    const line = `${time} ${mark}${who}: ${message}\n`;
    (mark === '' ? process.stdout : process.stderr).write(line);
  };
}

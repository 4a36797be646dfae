import { eventLogObject } from '../../../objects/event-log.ts';
import { Code } from '../../../protocol/coap/message.ts';
import type { ExecuteArguments } from '../../lwm2m/execute-arguments.ts';
import { instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import { isRecord, type KeptSettings } from '../kept-settings.ts';
import { type EventLog, LogClass } from './event-log.ts';
import type { LogReports } from './log-reports.ts';

export type EventLogInstance = ObjectInstance<keyof typeof eventLogObject.resources & string>;

/** What a new entry changes. */
export const loggedResources = ['logStatus', 'logData'] as const;

const section = 'log';
/** A year. */
const longestInterval = 31_536_000;
/** Bit of Log Status, since version 2.1 of the object: LogDataIncremental is collected. */
const incremental = 8;
/** Of LogDataIncremental. */
export const incrementalPath = `/${eventLogObject.id}/0/${eventLogObject.resources.logDataIncremental.id}`;

/** The Event Log object's instance: plain text, a line for each event. @throws StateFileError */
export function eventLogInstance(
  log: EventLog,
  reports: LogReports,
  settings: KeptSettings,
): EventLogInstance {
  const kept = settings.read(section, parseKept);
  log.logClass = kept?.logClass ?? LogClass.GENERIC;
  reports.interval = kept?.interval ?? 0;
  settings.onClear(() => {
    log.logClass = LogClass.GENERIC;
    reports.interval = 0;
  });
  const keep = (logClass: number, interval: number): void => {
    settings.write(section, { logClass, interval });
    log.logClass = logClass;
    if (interval !== reports.interval) reports.interval = interval;
  };
  const made: EventLogInstance = instance(eventLogObject, 0, {
    logClass: {
      read: () => log.logClass,
      check(value) {
        if (Object.values(LogClass).some((known) => known === value)) return;
        throw new OperationError(Code.BAD_REQUEST, `nothing of class ${String(value)} is logged: 0 to 5`);
      },
      write: (value) => keep(Number(value), reports.interval),
      reset: () => keep(LogClass.GENERIC, reports.interval),
    },
    logStart: {
      execute(args) {
        log.start(choice(args));
        made.changed(...loggedResources);
      },
    },
    logStop: {
      execute(args) {
        log.stop(choice(args));
        made.changed(...loggedResources);
      },
    },
    logStatus: { read: () => log.status | (reports.interval > 0 ? incremental : 0) },
    logData: { read: () => log.data },
    logDataFormat: {
      read: () => 0,
      check(value) {
        if (value !== 0) throw new OperationError(Code.BAD_REQUEST, 'the log is plain text: format 0');
      },
      write() {},
    },
    logDataIncrementalMinimumSendInterval: {
      read: () => reports.interval,
      check(value) {
        if (Number(value) <= longestInterval) return;
        throw new OperationError(Code.BAD_REQUEST, `an interval has ${longestInterval} s at most`);
      },
      write(value) {
        keep(log.logClass, Number(value));
        made.changed('logStatus');
      },
      reset: () => keep(log.logClass, 0),
    },
  });
  return made;
}

function parseKept(value: unknown): { readonly logClass: number; readonly interval: number } | undefined {
  if (!isRecord(value)) return undefined;
  const { logClass, interval } = value;
  return typeof logClass === 'number' && typeof interval === 'number' ? { logClass, interval } : undefined;
}

/** Argument 0: absent or 0 the default, 1 the other. @throws OperationError 4.00 */
function choice(args: ExecuteArguments): boolean {
  const value = args.get(0) ?? '0';
  const known = [...args.keys()].every((digit) => digit === 0) && (value === '0' || value === '1');
  if (!known) throw new OperationError(Code.BAD_REQUEST, "the only argument is 0, of '0' or '1'");
  return value === '1';
}

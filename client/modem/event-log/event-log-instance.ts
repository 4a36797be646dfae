import { eventLogObject } from '../../../objects/event-log.ts';
import { Code } from '../../../protocol/coap/message.ts';
import type { ExecuteArguments } from '../../lwm2m/execute-arguments.ts';
import { instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import { type EventLog, LogClass } from './event-log.ts';

export type EventLogInstance = ObjectInstance<keyof typeof eventLogObject.resources & string>;

/** What a new entry changes. */
export const loggedResources = ['logStatus', 'logData'] as const;

/** The Event Log object's instance: plain text, a line for each event. */
export function eventLogInstance(log: EventLog): EventLogInstance {
  const made: EventLogInstance = instance(eventLogObject, 0, {
    logClass: {
      read: () => log.logClass,
      check(value) {
        if (Object.values(LogClass).some((known) => known === value)) return;
        throw new OperationError(Code.BAD_REQUEST, `nothing of class ${String(value)} is logged: 0 to 5`);
      },
      write(value) {
        log.logClass = Number(value);
      },
      reset() {
        log.logClass = LogClass.GENERIC;
      },
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
    logStatus: { read: () => log.status },
    logData: { read: () => log.data },
    logDataFormat: {
      read: () => 0,
      check(value) {
        if (value !== 0) throw new OperationError(Code.BAD_REQUEST, 'the log is plain text: format 0');
      },
      write() {},
    },
  });
  return made;
}

/** Argument 0: absent or 0 the default, 1 the other. @throws OperationError 4.00 */
function choice(args: ExecuteArguments): boolean {
  const value = args.get(0) ?? '0';
  const known = [...args.keys()].every((digit) => digit === 0) && (value === '0' || value === '1');
  if (!known) throw new OperationError(Code.BAD_REQUEST, "the only argument is 0, of '0' or '1'");
  return value === '1';
}

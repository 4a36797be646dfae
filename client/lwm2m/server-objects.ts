import { securityObject } from '../../objects/security.ts';
import { serverObject } from '../../objects/server.ts';
import type { Clock } from '../../protocol/clock.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { LwM2mVersion } from './formats.ts';
import { instance, type ObjectInstance, type ResourceHandler } from './object-tree.ts';
import { longestTimer } from './observations.ts';
import { OperationError } from './operation-error.ts';
import type { ServerAccount, WritableName } from './server-account.ts';

/** Bounds what a server can make us keep. */
const mostVersions = 16;

/** 2^31 - 1: more than that no server can be told of a lifetime, and no 32-bit device keeps. */
const mostSeconds = 2_147_483_647;
/** A day, s: a modem that is started is not heard of for so long at the most. */
const longestDelay = 86_400;
/** What a timer can wait, s. */
const longestPause = Math.floor(longestTimer / 1_000);
/** Communication Sequence Delay Timer: no further sequence. */
const never = 2 ** 32 - 1;

/** What a server may write at the most: a slip must not keep the client from ever coming back to it. */
const mostOf: Partial<Record<keyof ServerAccount, number>> = {
  disableTimeout: longestPause,
  initialRegistrationDelayTimer: longestDelay,
  communicationRetryTimer: longestDelay,
  communicationSequenceDelayTimer: longestPause,
};

/** What the Server object makes the client do. */
export interface ServerActions {
  /** Registration Update Trigger, and a new lifetime or binding. */
  update(): void;
  /** Deregisters, and registers again after so many seconds. */
  disable(seconds: number): void;
  /** Bootstrap-Request Trigger; undefined: the client has no bootstrap server. */
  readonly bootstrap: (() => void) | undefined;
  /** Default periods have changed. */
  reschedule(): void;
  /** Mute Send has changed. */
  mute(): void;
  /** The server writes it: it is to be kept before it holds. */
  keep<Name extends WritableName>(name: Name, value: ServerAccount[Name]): void;
}

/** No Security: NoSec mode, OMA-TS-LightweightM2M_Core §E.1. */
const noSec = 3;

/** The Security object's instance of a server, without its keys. Only a bootstrap server may see it. */
export function securityInstance(
  id: number,
  serverUri: string,
  shortServerId: number,
  mode = noSec,
): ObjectInstance<never> {
  return instance(securityObject, id, {
    serverUri: { read: () => serverUri },
    bootstrapServer: { read: () => false },
    securityMode: { read: () => mode },
    shortServerId: { read: () => shortServerId },
  }) as ObjectInstance<never>;
}

/** An executable resource that does something once its answer is out. */
function afterAnswer(work: () => void): ResourceHandler<never> {
  return { execute: (_args, context) => context.afterAnswer(work) };
}

/** Accounts' members that hold a number, or nothing. */
type NumberName = {
  [Name in keyof ServerAccount]-?: number extends ServerAccount[Name]
    ? NonNullable<ServerAccount[Name]> extends number
      ? Name
      : never
    : never;
}[keyof ServerAccount];

/** The Server object's instance of a server: what is not set is not there, and may be written all the same. */
export function serverInstance(
  id: number,
  shortServerId: number,
  account: ServerAccount,
  version: () => LwM2mVersion,
  actions: ServerActions,
  clock: Clock,
): ObjectInstance<never> {
  /** After the answer to this Write, which an Update must not overtake. */
  const updateSoon = (): void => {
    clock.setTimer(0, () => actions.update());
  };
  const set = <Name extends WritableName>(name: Name, value: ServerAccount[Name]): void => {
    actions.keep(name, value);
    account[name] = value;
  };
  const whole = (
    name: Exclude<NumberName, 'registrationPriorityOrder' | 'lastBootstrapped'>,
    then: () => void = () => {},
  ) => ({
    read: () => account[name],
    write(value: unknown) {
      const number = Number(value);
      if (!(number >= 0)) throw new OperationError(Code.BAD_REQUEST, `${name} is no less than 0`);
      const most = mostOf[name] ?? mostSeconds;
      const isNever = name === 'communicationSequenceDelayTimer' && number === never;
      if (number > most && !isNever) {
        throw new OperationError(Code.BAD_REQUEST, `${name} is no more than ${most}`);
      }
      set(name, number);
      then();
    },
  });
  return instance(serverObject, id, {
    shortServerId: { read: () => shortServerId },
    lifetime: whole('lifetime', updateSoon),
    defaultMinimumPeriod: whole('defaultMinimumPeriod', () => actions.reschedule()),
    defaultMaximumPeriod: whole('defaultMaximumPeriod', () => actions.reschedule()),
    disable: {
      execute: (_args, context) => context.afterAnswer(() => actions.disable(account.disableTimeout)),
    },
    disableTimeout: whole('disableTimeout'),
    notificationStoringWhenDisabledOrOffline: {
      read: () => account.notificationStoring,
      write(value) {
        set('notificationStoring', value === true);
      },
    },
    binding: {
      // How 1.0 says queue mode; later versions have a parameter of their own for it.
      read: () => (account.queueMode && version() === '1.0' ? 'UQ' : 'U'),
      write(value) {
        if (value !== 'U' && value !== 'UQ') {
          throw new OperationError(Code.BAD_REQUEST, 'the client speaks UDP: the binding is U or UQ');
        }
        set('queueMode', value === 'UQ');
        updateSoon();
      },
    },
    registrationUpdateTrigger: {
      execute: (_args, context) => context.afterAnswer(() => actions.update()),
    },
    ...(actions.bootstrap === undefined ? {} : { bootstrapRequestTrigger: afterAnswer(actions.bootstrap) }),
    lastBootstrapped: { read: () => account.lastBootstrapped },
    registrationPriorityOrder: { read: () => account.registrationPriorityOrder },
    initialRegistrationDelayTimer: whole('initialRegistrationDelayTimer'),
    registrationFailureBlock: { read: () => account.registrationFailureBlock },
    bootstrapOnRegistrationFailure: { read: () => account.bootstrapOnRegistrationFailure },
    communicationRetryCount: whole('communicationRetryCount'),
    communicationRetryTimer: whole('communicationRetryTimer'),
    communicationSequenceDelayTimer: whole('communicationSequenceDelayTimer'),
    communicationSequenceRetryCount: whole('communicationSequenceRetryCount'),
    muteSend: {
      read: () => account.muteSend,
      write(value) {
        set('muteSend', value === true);
        actions.mute();
      },
    },
    supportedServerVersions: {
      read: () =>
        account.supportedServerVersions === undefined
          ? undefined
          : new Map(account.supportedServerVersions.map((each, index) => [index, each])),
      write(value) {
        const versions = value instanceof Map ? [...value.values()].map(String) : [];
        if (versions.length > mostVersions) {
          throw new OperationError(Code.BAD_REQUEST, `at most ${mostVersions} versions are kept`);
        }
        if (versions.some((each) => !/^\d+\.\d+(\.\d+)?$/.test(each))) {
          throw new OperationError(Code.BAD_REQUEST, 'a version is MAJOR.MINOR, or MAJOR.MINOR.PATCH');
        }
        set('supportedServerVersions', versions.length === 0 ? undefined : versions);
      },
    },
    defaultNotificationMode: whole('defaultNotificationMode', () => actions.reschedule()),
    profileIdHashAlgorithm: whole('profileIdHashAlgorithm'),
  }) as ObjectInstance<never>;
}

import { securityObject } from '../../objects/security.ts';
import { serverObject } from '../../objects/server.ts';
import type { Clock } from '../../protocol/clock.ts';
import { instance, type ObjectInstance } from './object-tree.ts';

/** What the client knows of its server: the writable part of the Server object (id 1). */
export interface ServerAccount {
  /** Seconds. */
  lifetime: number;
  defaultMinimumPeriod: number;
  /** 0: none. */
  defaultMaximumPeriod: number;
  disableTimeout: number;
}

/** What the Server object makes the client do. */
export interface ServerActions {
  /** Registration Update Trigger, and a new lifetime. */
  update(): void;
  /** Deregisters, and registers again after so many seconds. */
  disable(seconds: number): void;
  /** Default periods have changed. */
  reschedule(): void;
}

/** Of a client's only server. */
export const shortServerId = 101;
/** No Security: NoSec mode, OMA-TS-LightweightM2M_Core §E.1. */
const noSec = 3;

/** The Security object's instance for one server without security. Only a bootstrap server may see it. */
export function securityInstance(serverUri: string): ObjectInstance<never> {
  return instance(securityObject, 0, {
    serverUri: { read: () => serverUri },
    bootstrapServer: { read: () => false },
    securityMode: { read: () => noSec },
    shortServerId: { read: () => shortServerId },
  }) as ObjectInstance<never>;
}

export function serverInstance(
  account: ServerAccount,
  actions: ServerActions,
  clock: Clock,
): ObjectInstance<never> {
  return instance(serverObject, 0, {
    shortServerId: { read: () => shortServerId },
    lifetime: {
      read: () => account.lifetime,
      write(value) {
        account.lifetime = Math.max(1, Number(value));
        // After the answer to this Write, which an Update must not overtake.
        clock.setTimer(0, () => actions.update());
      },
    },
    defaultMinimumPeriod: {
      read: () => account.defaultMinimumPeriod,
      write(value) {
        account.defaultMinimumPeriod = Math.max(0, Number(value));
        actions.reschedule();
      },
    },
    defaultMaximumPeriod: {
      read: () => account.defaultMaximumPeriod,
      write(value) {
        account.defaultMaximumPeriod = Math.max(0, Number(value));
        actions.reschedule();
      },
    },
    disable: {
      execute: (_args, context) => context.afterAnswer(() => actions.disable(account.disableTimeout)),
    },
    disableTimeout: {
      read: () => account.disableTimeout,
      write(value) {
        account.disableTimeout = Math.max(0, Number(value));
      },
    },
    // Readings are kept while offline; of other values the newest is told.
    notificationStoringWhenDisabledOrOffline: { read: () => true },
    binding: { read: () => 'U' },
    registrationUpdateTrigger: {
      execute: (_args, context) => context.afterAnswer(() => actions.update()),
    },
  }) as ObjectInstance<never>;
}

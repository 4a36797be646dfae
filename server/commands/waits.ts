import type { Command } from '../ports/command-queue.ts';

/** How long after a device took a command it is asked how it went, if it does not tell. ms. */
const ASK_AFTER = 20_000;
/** After a device did not answer, it is tried again when it speaks, or after this, ms. */
export const RETRY_AFTER = 30_000;
const MAX_RETRY_AFTER = 15 * 60_000;

/** When a command that waits is looked at again. */
export interface Wait {
  /** ms */
  readonly delay: number;
  readonly unreachable: boolean;
}

/** The device has taken it, and may tell by itself how it went. */
export const askLater: Wait = { delay: ASK_AFTER, unreachable: false };
export const noAnswer: Wait = { delay: RETRY_AFTER, unreachable: true };
export const notRegistered: Wait = { delay: Number.POSITIVE_INFINITY, unreachable: true };

/** Another node has the device: it is looked at when it speaks to this one. */
export const elsewhere: Wait = { delay: Number.POSITIVE_INFINITY, unreachable: true };

/** Another node is at it still, although the device is this one's now. */
export const underWay: Wait = { delay: 1_000, unreachable: false };

/** The device sleeps: it is looked at when it speaks, and now and then for what has an end. */
export const asleep: Wait = { delay: MAX_RETRY_AFTER, unreachable: true };

/** Where a device will not take a command now: longer with each attempt. */
export function sendLater({ attempts }: Command): Wait {
  return {
    delay: Math.min(RETRY_AFTER * 2 ** Math.max(0, attempts - 1), MAX_RETRY_AFTER),
    unreachable: false,
  };
}

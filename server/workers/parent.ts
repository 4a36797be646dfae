import { READY } from './worker-process.ts';

/** Where a supervisor started this process: tells it that it serves, and hears when that one is gone. */
export function tellParent(onGone: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', onGone);
  // It is no reason to stay when all else has ended.
  process.channel?.unref();
  process.send(READY);
}

import { ALIVE, KNOCK, READY } from './worker-process.ts';

/** Where a supervisor started this process: tells it that it serves, and that it lives whenever it is asked; and hears when that one is gone. */
export function tellParent(onGone: () => void): void {
  if (process.send === undefined) return;
  process.once('disconnect', onGone);
  process.on('message', (message) => {
    // Where it is gone meanwhile, `disconnect` tells.
    if (message === KNOCK) process.send?.(ALIVE, () => undefined);
  });
  // It is no reason to stay when all else has ended.
  process.channel?.unref();
  process.send(READY);
}

/** Calls of native readers that have not come back: a card that does not answer keeps its thread for good. */
let pending = 0;
let watching = false;

/** A native call begins; what is returned is to be called when it has come back. */
export function callBegins(): () => void {
  if (!watching) {
    watching = true;
    process.on('exit', leaveThreads);
  }
  pending++;
  return () => {
    pending--;
  };
}

/** A process with such calls does not end by itself, when all else has: who is done has to call process.exit. */
export function hasHungCalls(): boolean {
  return pending > 0;
}

/**
 * At its end a process waits for the threads of libuv's pool, and so for the card. Becoming another program leaves
 * them behind and keeps the exit code; where that cannot be, only SIGKILL does not wait.
 */
function leaveThreads(code: number): void {
  if (pending === 0) return;
  if (process.platform !== 'win32') process.execve?.('/bin/sh', ['sh', '-c', `exit ${code}`], {});
  process.kill(process.pid, 'SIGKILL');
}

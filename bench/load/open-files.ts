import { readFileSync } from 'node:fs';

/** Files that a process needs beside the sockets of its devices. */
const OTHERS = 64;

/** Files that this process may have open; Infinity where the system does not tell (proc(5)). Node has raised it to the hard limit. */
export function openFileLimit(): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY;
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

/**
 * What helps where so many devices have more sockets than their processes may open; undefined where they have not.
 * @param canShare whether `--processes` is a flag of this command
 */
export function tooManySockets(
  devices: number,
  processes: number,
  { limit = openFileLimit(), canShare = true } = {},
): string | undefined {
  const needed = Math.ceil(devices / processes) + OTHERS;
  if (needed <= limit) return undefined;
  const sharing =
    canShare && limit > OTHERS
      ? `, or share the devices: --processes ${Math.ceil(devices / (limit - OTHERS))}`
      : '';
  return `${devices} devices in ${processes === 1 ? 'one process' : `${processes} processes`} need ${needed} open files in each, and ${limit} are allowed. Raise the hard limit (ulimit -n ${needed})${sharing}`;
}

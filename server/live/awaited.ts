import { type CommandState, finalCommandStates } from '../ports/command-queue.ts';
import type { StoredEvent } from '../ports/event-log.ts';

const final: ReadonlySet<string> = new Set<CommandState>(finalCommandStates);

/**
 * Whether somebody waits for just this event: the end of a command that was given for itself. Such a one is not held
 * back to go out with others; those of a job come by the thousand, and are.
 */
export function isAwaited({ type, data }: Pick<StoredEvent, 'type' | 'data'>): boolean {
  if (type !== 'command') return false;
  const { command } = data as { readonly command?: { readonly state?: unknown; readonly job?: unknown } };
  return typeof command?.state === 'string' && final.has(command.state) && command.job === undefined;
}

import type { ApiCommand } from './api-types.ts';
import { pathName } from './last-values.ts';
import { clipped } from './names.ts';
import { isFinal, switchTitle } from './switch-progress.ts';

export type CommandState = ApiCommand['state'];

export const commandStateWords: Readonly<Record<CommandState, string>> = {
  queued: 'Queued',
  sent: 'Sent',
  accepted: 'Accepted',
  done: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  expired: 'Expired',
  unknown: 'Unknown',
};

/** Groups of states by which commands are looked at; the first shows all. */
export const commandFilters = [
  { name: 'all', label: 'All', states: [] },
  { name: 'waiting', label: 'Waiting', states: ['queued'] },
  { name: 'active', label: 'Under way', states: ['sent', 'accepted'] },
  { name: 'done', label: 'Done', states: ['done'] },
  { name: 'failed', label: 'Failed', states: ['failed'] },
  { name: 'unknown', label: 'Unknown', states: ['unknown'] },
  { name: 'expired', label: 'Expired', states: ['expired'] },
  { name: 'cancelled', label: 'Cancelled', states: ['cancelled'] },
] as const satisfies readonly { name: string; label: string; states: readonly CommandState[] }[];
export type CommandFilterName = (typeof commandFilters)[number]['name'];

/** `state` of an address: the name of a group, or of one state that is in one. */
export function commandFilterOf(query: string): CommandFilterName {
  const wanted = new URLSearchParams(query).get('state');
  const found =
    commandFilters.find(({ name }) => name === wanted) ??
    commandFilters.find(({ states }) => (states as readonly string[]).includes(wanted ?? ''));
  return found?.name ?? 'all';
}

export type CommandKind = 'carrier-switch' | 'request';

/** `kind` of an address; undefined: all kinds. */
export function commandKindOf(query: string): CommandKind | undefined {
  const wanted = new URLSearchParams(query).get('kind');
  return wanted === 'carrier-switch' || wanted === 'request' ? wanted : undefined;
}

/** The address of commands of a group and a kind, behind the question mark. */
export function commandQuery(filter: CommandFilterName, kind: CommandKind | undefined): string {
  const query = new URLSearchParams();
  if (filter !== 'all') query.set('state', filter);
  if (kind !== undefined) query.set('kind', kind);
  return query.toString();
}

export function statesOf(filter: CommandFilterName): readonly CommandState[] {
  return commandFilters.find(({ name }) => name === filter)?.states ?? [];
}

const verbs: Readonly<Record<string, string>> = {
  read: 'Read',
  write: 'Write',
  execute: 'Execute',
  create: 'Create',
  delete: 'Delete',
  discover: 'Discover',
  'write-attributes': 'Write attributes of',
  observe: 'Observe',
  cancel: 'Stop observing',
  'read-composite': 'Read together',
  'write-composite': 'Write together',
  'observe-composite': 'Observe together',
  'cancel-composite': 'Stop observing together',
};

/** `Execute Reboot (/3/0/4)`: what a held request asks of a device. */
export function requestTitle(request: Readonly<Record<string, unknown>>): string {
  const { operation, path, paths, values } = request;
  const verb = verbs[String(operation)] ?? String(operation);
  if (typeof path === 'string') return `${verb} ${named(path)}`;
  const all = Array.isArray(paths) ? paths.map(String) : Object.keys((values as object | undefined) ?? {});
  return clipped(`${verb} ${all.join(', ')}`);
}

function named(path: string): string {
  const absolute = path.startsWith('/') ? path : `/${path}`;
  const { object, resource } = pathName(absolute);
  const name = absolute.split('/').length > 3 ? resource : object;
  return name === '' || name.startsWith('/') ? absolute : `${name} (${absolute})`;
}

/** What a command does, in words. */
export function commandTitle(command: ApiCommand): string {
  if (command.kind === 'carrier-switch') return switchTitle(command);
  return command.kind === 'request' ? requestTitle(command.parameters) : command.kind;
}

/** It has not gone out yet. */
export function mayCancel(command: ApiCommand): boolean {
  return command.state === 'queued';
}

/** It has ended without success. */
export function mayRetry(command: ApiCommand): boolean {
  return isFinal(command) && command.state !== 'done';
}

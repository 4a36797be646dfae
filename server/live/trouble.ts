/**
 * Whether an event tells of something that an operator should look at: the one list of it. `data` by type as
 * server/events.ts says.
 */
export function isTrouble(type: string, data: Readonly<Record<string, unknown>>): boolean {
  switch (type) {
    case 'expired':
    case 'observation-refused':
    case 'observation-drifted':
    case 'refused':
      return true;
    case 'command':
      return ['failed', 'unknown'].includes(stateOf(data['command']));
    case 'node':
      return stateOf(data['node']) === 'gone';
    case 'bootstrap':
      return data['change'] === 'failed';
    case 'webhook':
      return ['retrying', 'disabled'].includes(stateOf(data['webhook']));
    case 'job':
      return isTroubledJob(data['job']);
    default:
      return false;
  }
}

/** It was stopped, or has ended and not every device did what it should. */
function isTroubledJob(job: unknown): boolean {
  const state = stateOf(job);
  if (state === 'stopped') return true;
  if (state !== 'done') return false;
  const counts = (job as { readonly counts?: Readonly<Record<string, unknown>> }).counts ?? {};
  return ['failed', 'unknown', 'expired'].some((name) => Number(counts[name] ?? 0) > 0);
}

function stateOf(thing: unknown): string {
  if (typeof thing !== 'object' || thing === null || !('state' in thing)) return '';
  return String(thing.state);
}

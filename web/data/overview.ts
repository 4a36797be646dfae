import type { ApiClient } from './api-client.ts';
import type { ApiCommand, ApiEvent, ApiEventPage, ApiJob, ApiOverview, ApiStatistics } from './api-types.ts';
import { refusalText } from './credential-words.ts';
import { clipped } from './names.ts';
import { formatCount } from './numbers.ts';
import { asProblem } from './problem.ts';
import { type Destination, hrefOf } from './routes.ts';

const day = 86_400_000;
/** Steps of a sparkline: a quarter of an hour each. */
const points = 96;

const metrics = [
  'registered',
  'awake',
  'asleep',
  'lost',
  'switches-ack',
  'switches-nack',
  'readings',
] as const;

/** The reader's midnight, ms since the epoch. */
export function midnight(now: number): number {
  return new Date(now).setHours(0, 0, 0, 0);
}

export function fetchOverview(api: ApiClient, signal?: AbortSignal): Promise<ApiOverview> {
  return api.get('/api/overview', { since: midnight(Date.now()) }, signal);
}

/** The last day of what the tiles show; nothing of it for who sees one tenant's devices. */
export async function fetchDay(api: ApiClient, signal?: AbortSignal): Promise<ApiStatistics> {
  try {
    return await api.get('/api/statistics', { metrics: metrics.join(','), points }, signal);
  } catch (error) {
    // Who sees one tenant's devices is not told of the fleet, and has no lines to look at.
    if (asProblem(error).code === 'fleet_only') return { step: 0, series: {} };
    throw error;
  }
}

export const troubleCount = 12;
/** Events that may be trouble. */
export const troubleTypes = [
  'expired',
  'command',
  'observation-refused',
  'observation-drifted',
  'refused',
  'webhook',
  'job',
  'node',
];

export async function fetchTrouble(api: ApiClient, signal?: AbortSignal): Promise<readonly ApiEvent[]> {
  const page = await api.get<ApiEventPage>(
    '/api/event-log',
    { trouble: 'true', limit: troubleCount },
    signal,
  );
  return page.items;
}

/** The latest trouble with events that came since, newest first, each once. */
export function withTrouble(known: readonly ApiEvent[], news: readonly ApiEvent[]): readonly ApiEvent[] {
  const byId = new Map(
    [...known, ...news].filter(({ trouble }) => trouble === true).map((event) => [event.id, event]),
  );
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, troubleCount);
}

export type Points = readonly (readonly [number, number])[];

/** Points of a metric; of what is counted as so many a second. */
export function pointsOf(statistics: ApiStatistics | undefined, metric: (typeof metrics)[number]): Points {
  const series = (statistics?.series[metric] ?? []) as unknown as Points;
  if (metric !== 'readings' || statistics === undefined) return series;
  return series.map(([at, sum]) => [at, sum / (statistics.step / 1000)] as const);
}

/** Lines of a sparkline in a box of 100 by 24: one per stretch without a gap. `to`: the right edge, ms. */
export function sparkline(series: Points, step: number, to: number): readonly string[] {
  const from = to - day;
  const values = series.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  // What hardly changes is a calm line, not mountains.
  const range = Math.max(most - least, most * 0.05);
  const low = (least + most - range) / 2;
  const x = (at: number) => Math.max(0, Math.min(100, ((at - from) / day) * 100)).toFixed(1);
  const y = (value: number) => (range === 0 ? 22 : 22 - ((value - low) / range) * 20).toFixed(1);
  const lines: string[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const [at, value] of series) {
    const place = `${x(at)},${y(value)}`;
    // A step that is not there was not counted: the line does not go over it.
    if (at - before > step * 1.5) lines.push(place);
    else lines[lines.length - 1] += ` ${place}`;
    before = at;
  }
  return lines;
}

export interface Change {
  readonly text: string;
  readonly meaning: string;
}

/** How a figure has changed since a week ago. */
export function changeText(now: number, before: number | null | undefined): Change {
  if (before === null || before === undefined) {
    return { text: '—', meaning: 'Nothing was counted at this time a week ago' };
  }
  const meaning = `${formatCount(Math.round(before))} at this time a week ago`;
  const difference = now - before;
  if (Math.abs(difference) < 1e-9) return { text: 'as a week ago', meaning };
  const arrow = difference > 0 ? '▲' : '▼';
  if (before === 0) return { text: `${arrow} ${formatCount(Math.round(Math.abs(difference)))}`, meaning };
  const percent = Math.abs(difference / before) * 100;
  const amount = percent >= 10 ? Math.round(percent) : Math.round(percent * 10) / 10;
  return { text: `${arrow} ${amount}\u202f%`, meaning };
}

export interface Trouble {
  readonly text: string;
  /** Where to look into it. */
  readonly href: string | undefined;
  readonly who: string;
}

/** An event of trouble, in words. */
export function troubleText({ type, endpoint, data }: ApiEvent): Trouble {
  const at = (tab: Extract<Destination, { name: 'device' }>['tab']): string | undefined =>
    endpoint === undefined
      ? undefined
      : hrefOf({ name: 'device', endpoint, ...(tab === undefined ? {} : { tab }) });
  const who = endpoint ?? 'Server';
  const reason = typeof data['reason'] === 'string' ? `: ${clipped(data['reason'], 160)}` : '';
  const path = typeof data['path'] === 'string' ? ` ${data['path']}` : '';
  switch (type) {
    case 'expired':
      return { who, href: at(undefined), text: 'its registration ran out' };
    case 'observation-refused':
      return { who, href: at(undefined), text: `refuses an observation${path}${reason}` };
    case 'observation-drifted':
      return { who, href: at(undefined), text: `an observation is not as wanted${path}${reason}` };
    case 'refused': {
      const identity = typeof data['identity'] === 'string' ? clipped(data['identity'], 60) : undefined;
      const text = `was not let in: ${refusalText(data)}`;
      return { who: endpoint ?? identity ?? 'A device', href: at('events'), text };
    }
    case 'command':
      return { who, href: at('commands'), text: commandText(data['command'] as ApiCommand | undefined) };
    case 'job': {
      const job = data['job'] as ApiJob | undefined;
      const name = job?.name ?? 'a job';
      const text = job?.state === 'stopped' ? 'was stopped' : 'did not do its work on every device';
      return { who: clipped(name), href: job && hrefOf({ name: 'job', job: job.id }), text };
    }
    case 'webhook': {
      const webhook = data['webhook'] as { readonly name?: string; readonly state?: string } | undefined;
      const href = hrefOf({ name: 'settings', section: 'webhooks' });
      return {
        who: clipped(webhook?.name ?? 'a webhook'),
        href,
        text: `the webhook is ${webhook?.state ?? 'failing'}`,
      };
    }
    case 'node': {
      const node = data['node'] as { readonly name?: string; readonly state?: string } | undefined;
      return {
        who: clipped(node?.name ?? 'a node'),
        href: hrefOf({ name: 'cluster' }),
        text: `the server node is ${node?.state ?? 'gone'}`,
      };
    }
    default:
      return { who, href: at(undefined), text: type };
  }
}

function commandText(command: ApiCommand | undefined): string {
  if (command === undefined) return 'a command failed';
  const what = command.kind === 'carrier-switch' ? 'a carrier switch' : 'a request';
  const how = command.state === 'unknown' ? 'ended unknown' : 'failed';
  return `${what} ${how}${command.reason === undefined ? '' : `: ${clipped(command.reason, 160)}`}`;
}

import type { ApiObservationStatus, ApiWantedStatus } from './api-types.ts';
import { pathName } from './last-values.ts';

export type ObservationState = ApiWantedStatus['state'];

/** How bad a state is: what needs a look comes first. */
const order: readonly ObservationState[] = ['failed', 'drifted', 'refused', 'pending', 'observed'];

/** One wanted observation as a line shows it. */
export interface ObservationLine {
  /** Tells lines apart. */
  readonly key: string;
  /** `/42770/0/2`, or `/3/0/9 and 2 more`. */
  readonly paths: string;
  /** `IoT Sensor · Value` */
  readonly name: string;
  readonly state: ObservationState;
  readonly since: number;
  /** Why it is as it is; empty where it is observed. */
  readonly reason: string;
  /** `pmin 5 · pmax 60`; empty where there are none. */
  readonly attributes: string;
  /** Who wants it: the policy's name, or `by hand`. */
  readonly by: string;
  readonly retryAt: number | undefined;
}

/** What is wanted, what needs a look first, else in the server's order. */
export function observationLines({
  wanted,
}: Pick<ApiObservationStatus, 'wanted'>): readonly ObservationLine[] {
  return wanted.map(lineOf).sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}

/** `12 of 14 observed` */
export function observationSummary({ wanted }: Pick<ApiObservationStatus, 'wanted'>): string {
  const observed = wanted.filter(({ state }) => state === 'observed').length;
  return `${observed} of ${wanted.length} observed`;
}

function lineOf({
  paths,
  composite,
  attributes,
  by,
  state,
  since,
  code,
  reason,
  retryAt,
}: ApiWantedStatus): ObservationLine {
  const [path = '/'] = paths;
  const { object, resource } = pathName(path);
  const deep = path.split('/').length > 3;
  return {
    key: `${composite ? 'composite ' : ''}${paths.join(' ')}`,
    paths: paths.length === 1 ? path : `${path} and ${paths.length - 1} more`,
    name: deep ? `${object} · ${resource}` : object,
    state,
    since,
    reason: [code, reason].filter((part) => part !== undefined && part !== '').join(' '),
    attributes: Object.entries(attributes ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    by: by.kind === 'hand' ? 'by hand' : (by.name ?? by.id ?? 'policy'),
    retryAt,
  };
}

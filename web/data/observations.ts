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

/** What is wanted of one place, and what is so. */
export interface PlaceObservation {
  /** It alone. */
  readonly own: ApiWantedStatus | undefined;
  /** Together with others, or as a part of an object or instance that is observed as a whole. */
  readonly others: readonly ApiWantedStatus[];
  /** Who has ruled it out, where nobody's wish counts. */
  readonly ruledOut: ApiWantedStatus['by'] | undefined;
  /** A person has said something of it for this device: that can be taken back. */
  readonly byHand: boolean;
}

export function observationOf(
  { wanted, suppressed }: Pick<ApiObservationStatus, 'wanted' | 'suppressed'>,
  path: string,
): PlaceObservation {
  const own = wanted.find(({ paths, composite }) => !composite && paths.length === 1 && paths[0] === path);
  const others = wanted.filter(
    (each) =>
      each !== own && each.paths.some((observed) => path === observed || path.startsWith(`${observed}/`)),
  );
  const ruledOut = suppressed.find(({ paths, composite }) => !composite && paths.includes(path))?.by;
  return { own, others, ruledOut, byHand: own?.by.kind === 'hand' || ruledOut?.kind === 'hand' };
}

/** `by hand`, or the policy that it is. */
export function byText(by: ApiWantedStatus['by']): string {
  return by.kind === 'hand' ? 'by hand' : `by the policy ${by.name ?? by.id ?? ''}`.trimEnd();
}

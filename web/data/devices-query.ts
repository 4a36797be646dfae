import type { ApiDeviceFilter } from './api-types.ts';
import { stateWords } from './device-state.ts';
import { thinSpace } from './numbers.ts';

/** What the list of devices can be asked by: each a parameter of the address, as of the API. */
export const stateFilters = [
  'registered',
  'awake',
  'asleep',
  'unregistered',
  'lost',
  'left',
  'known',
] as const;
export type StateFilter = (typeof stateFilters)[number];
export const textFilters = ['carrier', 'model', 'manufacturer', 'firmware', 'node', 'tenant'] as const;
export type TextFilter = (typeof textFilters)[number];

export const sorts = ['endpoint', 'model', 'carrier', 'signal', 'lastSeen', 'firstSeen', 'firmware'] as const;
export type DeviceSort = (typeof sorts)[number];

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** When a device was heard, told from now: an address stays true as time goes on. */
export const heardChoices = {
  '5m': { label: 'in the last 5 minutes', within: 5 * minute },
  '1h': { label: 'in the last hour', within: hour },
  '1d': { label: 'in the last day', within: day },
  'not-1h': { label: 'not for an hour', before: hour },
  'not-1d': { label: 'not for a day', before: day },
  'not-7d': { label: 'not for a week', before: 7 * day },
} as const satisfies Readonly<
  Record<string, { readonly label: string; readonly within?: number; readonly before?: number }>
>;
export type Heard = keyof typeof heardChoices;

/** What the list of devices shows, as its address has it. */
export interface DevicesView {
  readonly search: string;
  readonly states: readonly StateFilter[];
  readonly texts: Readonly<Partial<Record<TextFilter, readonly string[]>>>;
  readonly signalMin?: number;
  readonly signalMax?: number;
  readonly heard?: Heard;
  readonly sort: DeviceSort;
  readonly descending: boolean;
}

export const everything: DevicesView = {
  search: '',
  states: [],
  texts: {},
  sort: 'endpoint',
  descending: false,
};

/** What cannot be read is passed over: an address may come from anywhere. */
export function parseDevicesQuery(query: string): DevicesView {
  const parameters = new URLSearchParams(query);
  const texts: Partial<Record<TextFilter, readonly string[]>> = {};
  for (const name of textFilters) {
    const text = parameters.get(name);
    if (text !== null) texts[name] = splitList(text);
  }
  const states = (parameters.get('state') ?? '').split(',');
  const [signalMin, signalMax] = [
    decibels(parameters.get('signalMin')),
    decibels(parameters.get('signalMax')),
  ];
  const heard = parameters.get('heard') ?? '';
  const sort = parameters.get('sort') ?? '';
  const by = sorts.find((name) => name === sort.replace(/^-/, ''));
  return {
    search: parameters.get('q') ?? '',
    states: stateFilters.filter((state) => states.includes(state)),
    texts,
    ...(signalMin === undefined ? {} : { signalMin }),
    ...(signalMax === undefined ? {} : { signalMax }),
    ...(Object.hasOwn(heardChoices, heard) ? { heard: heard as Heard } : {}),
    sort: by ?? 'endpoint',
    descending: by !== undefined && sort.startsWith('-'),
  };
}

/** `parseDevicesQuery` of it gives the same view back. */
export function devicesQuery(view: DevicesView): string {
  const query = filterQuery(view);
  if (view.heard !== undefined) query.set('heard', view.heard);
  if (view.sort !== 'endpoint' || view.descending) query.set('sort', sortText(view));
  return String(query);
}

/** Query of the API for all that match, in their order. `now`: the server's clock. */
export function listQuery(view: DevicesView, now: number): URLSearchParams {
  const query = filterQuery(view);
  for (const [name, value] of Object.entries(heardBounds(view, now))) query.set(name, String(value));
  query.set('sort', sortText(view));
  return query;
}

/** As `listQuery`, for a count of what one filter could be set to: without that filter. */
export function facetQuery(view: DevicesView, facet: 'state' | TextFilter, now: number): URLSearchParams {
  const { [facet as TextFilter]: _, ...texts } = view.texts;
  const query = listQuery({ ...view, texts, ...(facet === 'state' ? { states: [] } : {}) }, now);
  query.delete('sort');
  query.set('by', facet);
  return query;
}

/** The same devices, as a job takes them. */
export function jobFilter(view: DevicesView, now: number): ApiDeviceFilter {
  const { search, states, texts, signalMin, signalMax } = view;
  return {
    ...(search === '' ? {} : { q: search }),
    ...(states.length === 0 ? {} : { state: [...states] }),
    ...Object.fromEntries(Object.entries(texts).map(([name, values]) => [name, [...(values ?? [])]])),
    ...(signalMin === undefined ? {} : { signalMin }),
    ...(signalMax === undefined ? {} : { signalMax }),
    ...heardBounds(view, now),
  };
}

export function isFiltered({ search, states, texts, signalMin, signalMax, heard }: DevicesView): boolean {
  return (
    search !== '' ||
    states.length > 0 ||
    Object.keys(texts).length > 0 ||
    signalMin !== undefined ||
    signalMax !== undefined ||
    heard !== undefined
  );
}

/** The same list in the order of another column; once more turns it round. Times begin with the newest. */
export function sortedBy(view: DevicesView, sort: DeviceSort): DevicesView {
  if (view.sort === sort) return { ...view, descending: !view.descending };
  return { ...view, sort, descending: sort === 'lastSeen' || sort === 'firstSeen' };
}

export const stateFilterWords: Readonly<Record<StateFilter, string>> = {
  ...stateWords,
  registered: 'registered',
  unregistered: 'not registered',
  known: 'known only',
};

/** Ranges of signals that have a word. */
export const signalChoices = [
  { label: 'good (−80 dBm or more)', signalMin: -80 },
  { label: 'fair or better (−95 dBm or more)', signalMin: -95 },
  { label: 'weak or poor (less than −95 dBm)', signalMax: -95.1 },
  { label: 'poor (−110 dBm or less)', signalMax: -110 },
] as const satisfies readonly {
  readonly label: string;
  readonly signalMin?: number;
  readonly signalMax?: number;
}[];

/** What a range of signals is called; undefined where there is none. */
export function signalText({ signalMin, signalMax }: DevicesView): string | undefined {
  if (signalMin === undefined && signalMax === undefined) return undefined;
  const known = signalChoices.find((choice) => {
    const range: { readonly signalMin?: number; readonly signalMax?: number } = choice;
    return range.signalMin === signalMin && range.signalMax === signalMax;
  });
  if (known !== undefined) return known.label.replace(/ \(.*/, '');
  const dBm = (value: number) => `${String(value).replace('-', '−')}${thinSpace}dBm`;
  if (signalMin === undefined) return `at most ${dBm(signalMax as number)}`;
  if (signalMax === undefined) return `at least ${dBm(signalMin)}`;
  return `${dBm(signalMin)} to ${dBm(signalMax)}`;
}

function filterQuery({ search, states, texts, signalMin, signalMax }: DevicesView): URLSearchParams {
  const query = new URLSearchParams();
  if (search !== '') query.set('q', search);
  if (states.length > 0) query.set('state', states.join(','));
  for (const name of textFilters) {
    const values = texts[name];
    if (values !== undefined) query.set(name, joinList(values));
  }
  if (signalMin !== undefined) query.set('signalMin', String(signalMin));
  if (signalMax !== undefined) query.set('signalMax', String(signalMax));
  return query;
}

function heardBounds(
  { heard }: DevicesView,
  now: number,
): { readonly seenSince?: number; readonly seenBefore?: number } {
  if (heard === undefined) return {};
  const choice: { readonly within?: number; readonly before?: number } = heardChoices[heard];
  if (choice.within !== undefined) return { seenSince: Math.floor(now - choice.within) };
  return { seenBefore: Math.floor(now - (choice.before ?? 0)) };
}

function sortText({ sort, descending }: DevicesView): string {
  return descending ? `-${sort}` : sort;
}

/** Texts by comma, as the API takes them: a comma or a backslash within one stands behind a backslash. */
function joinList(values: readonly string[]): string {
  return values.map((value) => value.replace(/[\\,]/g, '\\$&')).join(',');
}

function splitList(text: string): string[] {
  const values = [''];
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (character === ',') values.push('');
    else if (character === '\\') values[values.length - 1] += text[++index] ?? '';
    else values[values.length - 1] += character;
  }
  return values;
}

function decibels(text: string | null): number | undefined {
  return text !== null && /^-?\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : undefined;
}

/** What a view wants to hear. */
export interface LiveFilter {
  /** Of this device; of all, and of the server itself, where absent. */
  readonly endpoint?: string;
  /** Types of events, `readings` and `trace` among them; all but `trace` where absent. */
  readonly types?: readonly string[];
}

/** Types that have to be asked for by name. */
const askedForByName = new Set(['trace']);

/** More than so many wishes are asked for together, as wishes about all devices. */
const mostFilters = 80;

export function matches(filter: LiveFilter, type: string, endpoint: string | undefined): boolean {
  if (filter.endpoint !== undefined && filter.endpoint !== endpoint) return false;
  return hasType(filter.types, type);
}

/** Whether all that is wished for comes where `open` is asked for. */
export function covers(open: readonly LiveFilter[], wish: LiveFilter): boolean {
  const around = open.filter(({ endpoint }) => endpoint === undefined || endpoint === wish.endpoint);
  if (wish.types === undefined) return around.some(({ types }) => types === undefined);
  return wish.types.every((type) => around.some(({ types }) => hasType(types, type)));
}

/** The fewest filters that ask for all that the wishes ask for, in an order of their own. */
export function union(wishes: readonly LiveFilter[]): readonly LiveFilter[] {
  const everywhere = merge(wishes.filter(({ endpoint }) => endpoint === undefined));
  const endpoints = [...new Set(wishes.flatMap(({ endpoint }) => endpoint ?? []))].sort();
  const single = endpoints.flatMap((endpoint) =>
    merge(wishes.filter((wish) => wish.endpoint === endpoint && !covers(everywhere, wish))).map((filter) => ({
      ...filter,
      endpoint,
    })),
  );
  if (single.length <= mostFilters) return [...everywhere, ...single];
  // The trace of a device is never given for all: it stays with its device.
  const traces = single.filter(({ types }) => types?.includes('trace'));
  const rest = single.map(({ types }) => (types === undefined ? {} : { types: without(types, 'trace') }));
  return [
    ...merge([...everywhere, ...rest]),
    ...traces.map(({ endpoint }) => ({ endpoint, types: ['trace'] })),
  ];
}

/** `watch` of `GET /api/events`: no type has an `@`, so an endpoint may. */
export function watchParameter({ endpoint, types }: LiveFilter): string {
  const what = types === undefined ? '*' : types.join(',');
  return endpoint === undefined ? what : `${what}@${endpoint}`;
}

/** Filters about the same devices as one or, where `trace` is asked for beside everything, two. */
function merge(filters: readonly LiveFilter[]): readonly LiveFilter[] {
  if (filters.length === 0) return [];
  const named = [...new Set(filters.flatMap(({ types }) => types ?? []))].sort();
  if (filters.every(({ types }) => types !== undefined)) return named.length === 0 ? [] : [{ types: named }];
  const beside = named.filter((type) => askedForByName.has(type));
  return beside.length === 0 ? [{}] : [{}, { types: beside }];
}

function hasType(types: readonly string[] | undefined, type: string): boolean {
  return types === undefined ? !askedForByName.has(type) : types.includes(type);
}

function without(types: readonly string[], left: string): readonly string[] {
  return types.filter((type) => type !== left);
}

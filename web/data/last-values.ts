import { createObjectRegistry, standardObjects } from '../../objects/registry.ts';
import type { ApiLiveReadings, ApiObjectModel, ApiReading, ApiValue } from './api-types.ts';
import { type IdentifierKind, identifierKindOf, identifierText } from './identifiers.ts';
import { displayUnit, formatMeasure } from './numbers.ts';
import { definitionOf } from './resource-definition.ts';

/** The newest value of a path. Times in ms since the epoch. */
export interface LastValue {
  readonly path: string;
  readonly value: ApiValue;
  readonly takenAt: number;
}

export type LastValues = ReadonlyMap<string, LastValue>;

const registry = createObjectRegistry(standardObjects());

/** Objects of these paths that the console was not built with: the server may know them. */
export function unknownObjects(paths: Iterable<string>): ReadonlySet<number> {
  const objects = new Set<number>();
  for (const path of paths) {
    const object = Number(path.split('/')[1]);
    if (Number.isInteger(object) && registry.object(object) === undefined) objects.add(object);
  }
  return objects;
}

/** Takes in a definition that the server knows: names, units and meanings are shown after it from then on. */
export function learnModel({
  objectId,
  version,
  name,
  multiple,
  mandatory,
  resources,
}: ApiObjectModel): void {
  const definitions = resources.map((resource) => [`resource${resource.id}`, definitionOf(resource)]);
  registry.load({
    id: objectId,
    version,
    name,
    multiple,
    mandatory,
    resources: Object.fromEntries(definitions),
  });
}

export function lastValuesOf(readings: readonly ApiReading[]): LastValues {
  return new Map(readings.map(({ path, value, takenAt }) => [path, { path, value, takenAt }]));
}

/** With a pack of live readings: for each path the one taken last. */
export function withLive(values: LastValues, live: ApiLiveReadings): LastValues {
  const after = new Map(values);
  for (const { path, points } of live.series) {
    for (const [takenAt, value] of points) {
      const before = after.get(path);
      if (before === undefined || takenAt >= before.takenAt) after.set(path, { path, value, takenAt });
    }
  }
  return after;
}

/** In the numeric order of their paths. */
export function sortedByPath(values: LastValues): readonly LastValue[] {
  return [...values.values()].sort((a, b) => comparePaths(a.path, b.path));
}

export function comparePaths(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.split('/').slice(1).map(Number)) as [number[], number[]];
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const difference = (left[part] ?? -1) - (right[part] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What a path is called, after the object definitions: `Device · Battery Level`. */
export function pathName(path: string): { readonly object: string; readonly resource: string } {
  const [object = Number.NaN, , resource = Number.NaN] = path.split('/').slice(1).map(Number);
  return {
    object: registry.object(object)?.name ?? `Object ${object}`,
    resource: registry.resource(object, resource)?.title ?? `Resource ${resource}`,
  };
}

/** Which subscriber identifier a path holds: `sy-identifier` is what shows it. */
export function identifierAt(path: string): IdentifierKind | undefined {
  const [object = Number.NaN, , resource = Number.NaN] = path.split('/').slice(1).map(Number);
  return identifierKindOf(registry.resource(object, resource)?.title);
}

/** The value as a reader wants it: with its unit, its meaning, as a time. `units` overrides the definition's. */
export function valueText(path: string, value: ApiValue, units?: string): string {
  const [object = Number.NaN, , resource = Number.NaN] = path.split('/').slice(1).map(Number);
  const definition = registry.resource(object, resource);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === '') return '(empty)';
  const identifier = identifierKindOf(definition?.title);
  if (identifier !== undefined && typeof value === 'string') return identifierText(identifier, value);
  if (typeof value === 'string') return value;
  const meaning = definition?.values?.[value];
  if (meaning !== undefined) return `${meaning} (${value})`;
  if (definition?.type === 'time') return new Date(value * 1000).toISOString().replace('.000Z', 'Z');
  const unit = displayUnit(units ?? definition?.units);
  const text = Number.isInteger(value) ? String(value).replace(/^-/, '−') : formatMeasure(value);
  return unit === '' ? text : `${text}\u202f${unit}`;
}

import { RequestError } from '../protocol/errors.ts';
import { MAX_PATH_ID } from '../protocol/lwm2m/path.ts';
import type { ResourceType } from '../protocol/lwm2m/value.ts';
import type { ObjectDefinition, Operations, ResourceDefinition } from './define-object.ts';
import { omaTypeNames } from './to-oma-xml.ts';
import { parseXml, type XmlElement } from './xml.ts';

const typesByName = new Map(
  Object.entries(omaTypeNames).map(([type, name]) => [name.toLowerCase(), type as ResourceType] as const),
);
/** `0..255`, and as older files have it, `0-255`, with what is counted behind it. */
const RANGE = /^(-?\d+(?:\.\d+)?)\s*(?:\.{2,3}|-)\s*(-?\d+(?:\.\d+)?)(?:\s*(?:bytes|characters))?$/;

/** A file that somebody uploads may have this much; OMA's have far less. */
const MAX_OBJECTS = 64;
const MAX_RESOURCES = 1000;
const MAX_NAME = 200;
const MAX_UNITS = 64;
const MAX_DESCRIPTION = 10_000;

/**
 * Reads an object definition file of OMA (LWM2M.xsd 1.0 and 1.1): the objects in it. Resources get
 * their names in code from their titles. Enumerations, whose meaning the files tell in prose only,
 * are left out; ranges are kept.
 * @throws RequestError no such file, or one that contradicts itself
 */
export function parseOmaXml(text: string): ObjectDefinition[] {
  const document = parseXml(text);
  const objects = document.children.filter(({ name }) => name === 'Object');
  if (document.name !== 'LWM2M' || objects.length === 0) {
    throw new RequestError('this is no object definition file of OMA: LWM2M with an Object is expected');
  }
  if (objects.length > MAX_OBJECTS) {
    throw new RequestError(`${objects.length} objects in one file: ${MAX_OBJECTS} are the most`);
  }
  const definitions = objects.map(objectDefinition);
  const seen = new Set<string>();
  for (const { id, version } of definitions) {
    if (seen.has(`${id} ${version}`))
      throw new RequestError(`object ${id} version ${version} is there twice`);
    seen.add(`${id} ${version}`);
  }
  return definitions;
}

function objectDefinition(element: XmlElement): ObjectDefinition {
  const id = pathId(childText(element, 'ObjectID'), 'ObjectID');
  const version = childText(element, 'ObjectVersion') || '1.0';
  if (!/^\d{1,3}\.\d{1,3}$/.test(version))
    throw new RequestError(`object ${id}: version '${version.slice(0, 20)}'`);
  const items = child(element, 'Resources')?.children.filter(({ name }) => name === 'Item') ?? [];
  if (items.length > MAX_RESOURCES) {
    throw new RequestError(`object ${id}: ${items.length} resources, ${MAX_RESOURCES} are the most`);
  }
  const resources: Record<string, ResourceDefinition> = {};
  const ids = new Set<number>();
  for (const item of items) {
    const resource = resourceDefinition(id, item);
    if (ids.has(resource.id)) throw new RequestError(`object ${id}: resource ${resource.id} is there twice`);
    ids.add(resource.id);
    resources[unusedName(codeName(resource.title), resource.id, resources)] = resource;
  }
  return {
    id,
    version,
    name: nameOf(element, `object ${id}`),
    ...optional(
      'description',
      bounded(childText(element, 'Description1'), MAX_DESCRIPTION, `the description of object ${id}`),
    ),
    ...(childText(element, 'MultipleInstances') === 'Multiple' ? { multiple: true } : {}),
    ...(childText(element, 'Mandatory') === 'Mandatory' ? { mandatory: true } : {}),
    resources,
  };
}

function resourceDefinition(objectId: number, item: XmlElement): ResourceDefinition {
  const id = pathId(item.attributes.ID ?? '', `object ${objectId}: the ID of an Item`);
  const where = `resource ${id} of object ${objectId}`;
  const operations = childText(item, 'Operations');
  if (!['', 'R', 'W', 'RW', 'E'].includes(operations))
    throw new RequestError(`${where}: operations '${operations.slice(0, 20)}'`);
  const typeName = childText(item, 'Type').toLowerCase();
  const type = operations === 'E' ? 'none' : typesByName.get(typeName);
  if (type === undefined || (type === 'none') !== (operations === 'E')) {
    throw new RequestError(`${where}: type '${typeName.slice(0, 20)}'`);
  }
  const range = RANGE.exec(childText(item, 'RangeEnumeration'));
  const bounds = [Number(range?.[1]), Number(range?.[2])] as const;
  return {
    id,
    title: nameOf(item, where),
    operations: operations as Operations,
    type,
    ...(childText(item, 'MultipleInstances') === 'Multiple' && type !== 'none' ? { multiple: true } : {}),
    ...(childText(item, 'Mandatory') === 'Mandatory' ? { mandatory: true } : {}),
    ...(bounds[0] <= bounds[1] && bounds.every(Number.isFinite) ? { range: bounds } : {}),
    ...optional('units', bounded(childText(item, 'Units'), MAX_UNITS, `the unit of ${where}`)),
    ...optional(
      'description',
      bounded(childText(item, 'Description'), MAX_DESCRIPTION, `the description of ${where}`),
    ),
  };
}

/** `Battery Level` → `batteryLevel`. */
function codeName(title: string): string {
  const words = title.match(/[A-Za-z0-9]+/g) ?? [];
  const name = words
    .map((word, index) => {
      const lower = word.toLowerCase();
      return index === 0 ? lower : lower.charAt(0).toUpperCase() + lower.slice(1);
    })
    .join('');
  return /^\d/.test(name) ? `resource${name}` : name;
}

/** Titles that come twice, or have no Latin letters, are told apart by the resource's id. */
function unusedName(name: string, id: number, taken: object): string {
  let unused = name === '' ? `resource${id}` : name;
  while (Object.hasOwn(taken, unused)) unused += id;
  return unused;
}

function child(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((candidate) => candidate.name === name);
}

/** The text with its white space made single spaces, but for descriptions, which keep their lines. */
function childText(element: XmlElement, name: string): string {
  const text = child(element, name)?.text.trim() ?? '';
  if (name.startsWith('Description')) return text.replace(/[ \t]+/g, ' ').replace(/ ?\r?\n ?/g, '\n');
  return text.replace(/\s+/g, ' ');
}

function optional<Name extends string>(name: Name, text: string): { [Key in Name]?: string } {
  return (text === '' ? {} : { [name]: text }) as { [Key in Name]?: string };
}

function nameOf(element: XmlElement, where: string): string {
  const text = childText(element, 'Name');
  if (text === '') throw new RequestError(`${where} has no name`);
  return bounded(text, MAX_NAME, `the name of ${where}`);
}

function bounded(text: string, longest: number, what: string): string {
  if (text.length > longest) {
    throw new RequestError(`${what} has ${text.length} characters: ${longest} are the most`);
  }
  return text;
}

function pathId(text: string, what: string): number {
  const id = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(id <= MAX_PATH_ID))
    throw new RequestError(`${what} is '${text.slice(0, 20)}', not 0 to ${MAX_PATH_ID}`);
  return id;
}

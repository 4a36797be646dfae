import type { ResourceType } from '../protocol/lwm2m/value.ts';
import type { ObjectDefinition, ResourceDefinition } from './define-object.ts';

/** Types as OMA's schema names them; an executable has none. */
export const omaTypeNames: Readonly<Record<ResourceType, string>> = {
  string: 'String',
  integer: 'Integer',
  unsigned: 'Unsigned Integer',
  float: 'Float',
  boolean: 'Boolean',
  opaque: 'Opaque',
  time: 'Time',
  objlnk: 'Objlnk',
  corelnk: 'Corelnk',
  none: '',
};

const SCHEMA = 'http://www.openmobilealliance.org/tech/profiles/LWM2M-v1_1.xsd';

/**
 * The object definition file of an object, as OMA's schema LWM2M-v1_1.xsd has it: what other servers
 * load to know the object.
 */
export function toOmaXml(definition: ObjectDefinition): string {
  const resources = Object.values<ResourceDefinition>(definition.resources).sort((a, b) => a.id - b.id);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<LWM2M xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="${SCHEMA}">`,
    '  <Object ObjectType="MODefinition">',
    element(4, 'Name', definition.name),
    element(4, 'Description1', definition.description ?? ''),
    element(4, 'ObjectID', String(definition.id)),
    element(4, 'ObjectURN', objectUrn(definition)),
    element(4, 'LWM2MVersion', '1.1'),
    element(4, 'ObjectVersion', definition.version),
    element(4, 'MultipleInstances', definition.multiple === true ? 'Multiple' : 'Single'),
    element(4, 'Mandatory', definition.mandatory === true ? 'Mandatory' : 'Optional'),
    '    <Resources>',
    ...resources.map(item),
    '    </Resources>',
    element(4, 'Description2', ''),
    '  </Object>',
    '</LWM2M>',
    '',
  ].join('\n');
}

/** `urn:oma:lwm2m:x:42769`; the class follows from the id, and version 1.0 is left out (OMNA's rules). */
export function objectUrn({ id, version }: Pick<ObjectDefinition, 'id' | 'version'>): string {
  const registrant = id < 1024 ? 'oma' : id >= 2048 && id <= 10240 ? 'ext' : 'x';
  return `urn:oma:lwm2m:${registrant}:${id}${version === '1.0' ? '' : `:${version}`}`;
}

function item(resource: ResourceDefinition): string {
  return [
    `      <Item ID="${resource.id}">`,
    element(8, 'Name', resource.title),
    element(8, 'Operations', resource.operations),
    element(8, 'MultipleInstances', resource.multiple === true ? 'Multiple' : 'Single'),
    element(8, 'Mandatory', resource.mandatory === true ? 'Mandatory' : 'Optional'),
    element(8, 'Type', omaTypeNames[resource.type]),
    element(8, 'RangeEnumeration', rangeEnumeration(resource)),
    element(8, 'Units', resource.units ?? ''),
    element(8, 'Description', description(resource)),
    '      </Item>',
  ].join('\n');
}

/** The range of a resource, as an object definition file has it. */
export function rangeEnumeration({ range, values }: ResourceDefinition): string {
  if (range !== undefined) return `${range[0]}..${range[1]}`;
  return values === undefined ? '' : Object.keys(values).join(',');
}

/** The schema has no place for what values mean, so they follow the description, a line each. */
function description({ description: text, title, values }: ResourceDefinition): string {
  const meanings = Object.entries(values ?? {}).map(([value, meaning]) => `${value}: ${meaning}`);
  return [text ?? `${title}.`, ...meanings].join('\n');
}

function element(indent: number, name: string, content: string): string {
  const space = ' '.repeat(indent);
  return content === '' ? `${space}<${name} />` : `${space}<${name}>${escapeText(content)}</${name}>`;
}

function escapeText(text: string): string {
  return (
    text
      .toWellFormed()
      // XML 1.0 §2.2 has no place for the other control characters, not even escaped.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
  );
}

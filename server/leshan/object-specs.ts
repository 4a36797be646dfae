import type { ObjectDefinition, ResourceDefinition } from '../../objects/define-object.ts';
import type { ObjectRegistry } from '../../objects/registry.ts';
import { objectUrn, rangeEnumeration } from '../../objects/to-oma-xml.ts';
import type { Link } from '../../protocol/lwm2m/link-format.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import { leshanTypes } from './values.ts';

/** The definitions of the objects that a client lists, in the order of their ids. */
export function presentObjectSpecs(links: readonly Link[], registry: ObjectRegistry): object[] {
  const listed = new Set(links.map(({ target }) => pathIds(target)?.[0]));
  return registry
    .objects()
    .filter(({ id }) => listed.has(id))
    .map(presentObject);
}

function presentObject(definition: ObjectDefinition): object {
  const { id, name, multiple, mandatory = false, version, description = '', resources } = definition;
  return {
    id,
    name,
    instancetype: instanceType(multiple),
    mandatory,
    urn: objectUrn(definition),
    version,
    lwm2mversion: '1.1',
    description,
    description2: '',
    resourcedefs: Object.values<ResourceDefinition>(resources)
      .sort((a, b) => a.id - b.id)
      .map(presentResource),
  };
}

function presentResource(resource: ResourceDefinition): object {
  const { id, title, operations, multiple, mandatory = false, type, units = '', description = '' } = resource;
  return {
    id,
    name: title,
    operations: operations === '' ? 'NONE' : operations,
    instancetype: instanceType(multiple),
    mandatory,
    type: leshanTypes[type].toLowerCase(),
    range: rangeEnumeration(resource),
    units,
    description,
  };
}

function instanceType(multiple: boolean | undefined): string {
  return multiple === true ? 'multiple' : 'single';
}

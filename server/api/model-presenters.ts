import type { ResourceDefinition } from '../../objects/define-object.ts';
import { objectUrn } from '../../objects/to-oma-xml.ts';
import type { ObjectModel } from '../lwm2m/object-models.ts';
import type { ApiObjectModel, ApiObjectModelEntry } from './schemas/object-models.ts';

export function presentModelEntry({
  definition,
  source,
  file,
  uploadedAt,
}: ObjectModel): ApiObjectModelEntry {
  const { id, version, name, resources } = definition;
  return {
    objectId: id,
    version,
    name,
    urn: objectUrn(definition),
    source,
    ...(file === undefined ? {} : { file }),
    ...(uploadedAt === undefined ? {} : { uploadedAt }),
    resources: Object.keys(resources).length,
  };
}

export function presentModel(model: ObjectModel, versions: readonly string[]): ApiObjectModel {
  const { description, multiple, mandatory, resources } = model.definition;
  return {
    ...presentModelEntry(model),
    versions: [...versions],
    ...(description === undefined ? {} : { description }),
    multiple: multiple === true,
    mandatory: mandatory === true,
    resources: Object.values<ResourceDefinition>(resources)
      .toSorted((a, b) => a.id - b.id)
      .map(presentResource),
  };
}

function presentResource(resource: ResourceDefinition): ApiObjectModel['resources'][number] {
  const { id, title, operations, type, multiple, mandatory, range, values, units, description } = resource;
  return {
    id,
    name: title,
    operations,
    type,
    multiple: multiple === true,
    mandatory: mandatory === true,
    ...(range === undefined ? {} : { range: { minimum: range[0], maximum: range[1] } }),
    ...(values === undefined ? {} : { values: { ...values } }),
    ...(units === undefined ? {} : { units }),
    ...(description === undefined ? {} : { description }),
  };
}

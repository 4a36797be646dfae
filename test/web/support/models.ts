import type { ObjectDefinition } from '../../../objects/define-object.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { presentModel } from '../../../server/api/model-presenters.ts';
import type { ApiObjectModel } from '../../../web/data/api-types.ts';
import type { ApiResourceModel } from '../../../web/data/resource-definition.ts';

const registry = createObjectRegistry(standardObjects());

/** The definition of an object as the API tells it. */
export function modelOf(object: number, version?: string): ApiObjectModel {
  const definition = registry.object(object, version);
  if (definition === undefined) throw new Error(`there is no object ${object}`);
  return modelOfDefinition(definition);
}

export function modelOfDefinition(definition: ObjectDefinition): ApiObjectModel {
  return presentModel({ definition, source: 'built-in' }, [definition.version]);
}

/** A resource of such a definition. */
export function resourceOf(object: number, resource: number): ApiResourceModel {
  const found = modelOf(object).resources.find(({ id }) => id === resource);
  if (found === undefined) throw new Error(`there is no resource /${object}/*/${resource}`);
  return found;
}

/** A resource that can be read and written, of a type, and what else is to be said of it. */
export function resource(type: string, more: Partial<ApiResourceModel> = {}): ApiResourceModel {
  return { id: 1, name: 'Thing', operations: 'RW', type, multiple: false, mandatory: false, ...more };
}

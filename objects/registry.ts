import type { ResourceTypeLookup } from '../protocol/lwm2m/value.ts';
import type { ObjectDefinition, ResourceDefinition } from './define-object.ts';

/** All object definitions that are known, by id (and version). Also what the decoders ask. */
export interface ObjectRegistry extends ResourceTypeLookup {
  /** The newest known version where none is given. */
  object(objectId: number, version?: string): ObjectDefinition | undefined;
  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined;
  objects(): readonly ObjectDefinition[];
}

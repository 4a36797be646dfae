import { type Static, type TSchema, type TUnsafe, Type } from 'typebox';
import * as jobSchemas from './schemas/jobs.ts';
import * as modelSchemas from './schemas/object-models.ts';
import * as policySchemas from './schemas/observation-policies.ts';
import * as schemas from './schemas.ts';

interface NamedSchema {
  readonly $id: string;
}

function isNamed(value: unknown): value is TSchema & NamedSchema {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<NamedSchema>).$id === 'string'
  );
}

/** Every schema that has a name, by it: the components of the OpenAPI document. */
export const namedSchemas: ReadonlyMap<string, TSchema> = new Map(
  (Object.values({ ...schemas, ...policySchemas, ...jobSchemas, ...modelSchemas }) as unknown[])
    .filter(isNamed)
    .map((schema) => [schema.$id, schema]),
);

/** A named schema as a reference, so that the OpenAPI document names it once; its static type is kept. */
export function ref<T extends TSchema>(schema: T): TUnsafe<Static<T>> {
  if (!isNamed(schema)) throw new TypeError('only a schema with an $id can be referred to');
  return Type.Unsafe<Static<T>>({ $ref: `${schema.$id}#` });
}

/** The named schemas with what is named inside them as references. */
export function flattenedSchemas(): readonly TSchema[] {
  return [...namedSchemas.values()].map((schema) => flattenChildren(schema) as TSchema);
}

function flatten(value: unknown): unknown {
  return isNamed(value) ? { $ref: `${value.$id}#` } : flattenChildren(value);
}

function flattenChildren(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(flatten);
  if (typeof value !== 'object' || value === null) return value;
  return enumerated(Object.fromEntries(Object.entries(value).map(([key, child]) => [key, flatten(child)])));
}

/** What the document shows of a schema that has no name: as it is, with its unions of texts as enumerations. */
export function documented(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(documented);
  if (typeof value !== 'object' || value === null) return value;
  return enumerated(
    Object.fromEntries(Object.entries(value).map(([key, child]) => [key, documented(child)])),
  );
}

/**
 * A union of constant texts means the same as an `enum`, of which generated clients make one type; of the union they
 * make one type for each text.
 */
function enumerated(schema: Readonly<Record<string, unknown>>): unknown {
  const { anyOf, ...rest } = schema;
  if (!Array.isArray(anyOf) || anyOf.length < 2) return schema;
  const texts = anyOf.map((member: { readonly const?: unknown }) => member.const);
  return texts.every((text) => typeof text === 'string') ? { ...rest, type: 'string', enum: texts } : schema;
}

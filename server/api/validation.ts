import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { namedSchemas } from './shared-schemas.ts';

/**
 * Checks bodies as they are: `"5"` is no number there. What stands in a query or a header is text, so
 * it is converted to what the schema says first; path parameters are text and stay it.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const type = resolved(schema);
  const validator = Compile(type);
  const converts = httpPart === 'querystring' || httpPart === 'headers';
  return (value: unknown) => {
    const converted = converts ? Value.Convert(type, value) : value;
    if (validator.Check(converted)) return { value: converted };
    return { error: validator.Errors(converted) as unknown as FastifySchemaValidationError[] };
  };
};

/** A reference made by `ref` as the schema that it names. */
function resolved(schema: TSchema): TSchema {
  const reference = (schema as { readonly $ref?: unknown }).$ref;
  if (typeof reference !== 'string') return schema;
  const named = namedSchemas.get(reference.replace(/#$/, ''));
  if (named === undefined) throw new TypeError(`no schema is named ${reference}`);
  return named;
}

/** What a person reads: `query/limit must be <= 1000`. The first few faults, each once. */
export function validationError(errors: readonly FastifySchemaValidationError[], part: string): Error {
  const place = part === 'querystring' ? 'query' : part;
  const lines = errors
    // TypeBox reports each additional member twice: as `false` at its place, and by name.
    .filter(({ keyword }) => (keyword as string) !== 'boolean')
    .map(({ instancePath, message, keyword, params }) => {
      const names: unknown = keyword === 'additionalProperties' ? params.additionalProperties : undefined;
      if (Array.isArray(names)) return `${place}${instancePath} does not know '${names.join("', '")}'`;
      return `${place}${instancePath} ${message ?? 'does not fit'}`;
    });
  return new Error([...new Set(lines)].slice(0, 5).join('; '));
}

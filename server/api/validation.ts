import type { FastifySchemaCompiler, FastifySchemaValidationError } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { namedSchemas } from './shared-schemas.ts';

/**
 * Checks bodies as they are: `"5"` is no number there. What stands in a query or a header is text, so
 * it is converted to what the schema says first; path parameters are text and stay it.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const type = resolved(schema);
  const validator = Compile(type);
  const types = httpPart === 'querystring' || httpPart === 'headers' ? convertedTypes(type) : undefined;
  return (value: unknown) => {
    const converted = types === undefined ? value : fromText(types, value);
    // What is as it was needs no place of its own: Fastify would put headers together anew whenever they are looked at.
    if (validator.Check(converted)) return converted === value ? true : { value: converted };
    return { error: validator.Errors(converted) as unknown as FastifySchemaValidationError[] };
  };
};

/** The schema with the references made by `ref` as the schemas that they name. */
function resolved(schema: TSchema): TSchema {
  return resolvedValue(schema) as TSchema;
}

function resolvedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolvedValue);
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) {
    const named = namedSchemas.get(String(value.$ref).replace(/#$/, ''));
    if (named === undefined) throw new TypeError(`no schema is named ${String(value.$ref)}`);
    return named;
  }
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, resolvedValue(child)]));
}

/** By parameter: its type, where that is no text. */
function convertedTypes(schema: TSchema): ReadonlyMap<string, unknown> {
  const { properties = {} } = schema as {
    readonly properties?: Readonly<Record<string, { readonly type?: unknown }>>;
  };
  return new Map(
    Object.entries(properties)
      .filter(([, { type }]) => type !== undefined && type !== 'string')
      .map(([name, { type }]) => [name, type]),
  );
}

/** Parameters by name, each as its schema's type where its text is one of that type, else as the text. */
function fromText(types: ReadonlyMap<string, unknown>, parameters: unknown): unknown {
  if (typeof parameters !== 'object' || parameters === null) return parameters;
  const entries = Object.entries(parameters);
  if (!entries.some(([name]) => types.has(name))) return parameters;
  return Object.fromEntries(entries.map(([name, text]) => [name, typedText(types.get(name), text)]));
}

function typedText(type: unknown, text: unknown): unknown {
  if (typeof text !== 'string') return text;
  // A parameter that may be repeated, given once.
  if (type === 'array') return [text];
  if (type === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (type === 'number') return /^-?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : text;
  // `?active` alone means that it is so.
  if (type === 'boolean') return text === '' || text === 'true' ? true : text === 'false' ? false : text;
  return text;
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

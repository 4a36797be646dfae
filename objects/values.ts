import { RequestError } from '../protocol/errors.ts';
import {
  compactInteger,
  fitValue,
  formatObjectLink,
  parseObjectLink,
} from '../protocol/lwm2m/typed-value.ts';
import type { ResourceType, ResourceValue } from '../protocol/lwm2m/value.ts';
import type { ResourceDefinition } from './define-object.ts';

/**
 * A resource's value in JSON: opaque as lower-case hex, objlnk as `object:instance`, integers beyond
 * 2^53 as decimal strings.
 */
export type ApiValue = number | string | boolean;

/** What a caller must know to give a value of the type. */
const expected: Readonly<Record<ResourceType, string>> = {
  string: 'a text',
  corelnk: 'a text in link format',
  integer: 'an integer (as a decimal string where it is beyond 2^53)',
  unsigned: 'an integer of 0 or more (as a decimal string where it is beyond 2^53)',
  float: 'a number',
  time: 'whole seconds since the epoch',
  boolean: 'true or false',
  opaque: 'bytes in hexadecimal',
  objlnk: 'an object link such as "3:0"',
  none: 'nothing: it can only be executed',
};

/**
 * The value of a resource that an API caller gave.
 * @throws RequestError it does not fit the resource's type, range or values
 */
export function fromApiValue(definition: ResourceDefinition, value: ApiValue): ResourceValue {
  const read = readAs(definition.type, value);
  const fitted = read === undefined ? undefined : fitValue(definition.type, read);
  if (fitted === undefined) {
    throw new RequestError(
      `${definition.title} takes ${expected[definition.type]}, not ${JSON.stringify(value)}`,
    );
  }
  checkValue(definition, fitted);
  return fitted;
}

/** The value as JSON carries it. */
export function toApiValue(value: ResourceValue): ApiValue {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return formatHex(value);
  if (typeof value === 'object') return formatObjectLink(value);
  // JSON has no NaN and no infinities, and would write them as null.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}

/**
 * Checks a value that has its type's form against the definition's range and values.
 * @throws RequestError
 */
export function checkValue(definition: ResourceDefinition, value: ResourceValue): void {
  const { range, values, title } = definition;
  if (range !== undefined) {
    const [minimum, maximum] = range;
    const measured = typeof value === 'string' || value instanceof Uint8Array ? value.length : value;
    if (typeof measured !== 'number' && typeof measured !== 'bigint') return;
    if (measured >= minimum && measured <= maximum) return;
    const what = measured === value ? `${String(value)} is` : `a length of ${measured} is`;
    throw new RequestError(`${title}: ${what} not ${minimum} to ${maximum}`);
  }
  if (values !== undefined && !Object.hasOwn(values, String(value))) {
    const allowed = Object.entries(values).map(([id, meaning]) => `${id} (${meaning})`);
    throw new RequestError(`${title}: ${String(value)} is none of ${allowed.join(', ')}`);
  }
}

function readAs(type: ResourceType, value: ApiValue): ResourceValue | undefined {
  switch (type) {
    case 'integer':
    case 'unsigned':
    case 'time':
      // A JSON number beyond 2^53 has been rounded before it came here.
      if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined;
      return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? compactInteger(BigInt(value)) : value;
    case 'opaque':
      return typeof value === 'string' ? parseHex(value) : undefined;
    case 'objlnk':
      return typeof value === 'string' ? parseObjectLink(value) : undefined;
    default:
      return value;
  }
}

function parseHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function formatHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

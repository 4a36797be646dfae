import { toApiValue } from '../../objects/values.ts';
import { compactInteger, isObjectLink } from '../../protocol/lwm2m/typed-value.ts';
import type { ResourceType, ResourceValue } from '../../protocol/lwm2m/value.ts';
import { type LeshanRefusal, unexpected } from './refusals.ts';

/** A resource's type as the interface names it. */
export const leshanTypes = {
  string: 'STRING',
  integer: 'INTEGER',
  unsigned: 'UNSIGNED_INTEGER',
  float: 'FLOAT',
  boolean: 'BOOLEAN',
  opaque: 'OPAQUE',
  time: 'TIME',
  objlnk: 'OBJLNK',
  corelnk: 'CORELINK',
  none: 'NONE',
} as const satisfies Readonly<Record<ResourceType, string>>;

export type LeshanType = (typeof leshanTypes)[ResourceType];
export type LeshanValue =
  | string
  | boolean
  | number
  | { readonly objectId: number; readonly objectInstanceId: number; readonly nullLink: boolean };

const NULL_LINK = 65535;

/** Numbers are texts, for JavaScript would round long ones; times are milliseconds; opaque is lower-case hex. */
export function toLeshanValue(type: ResourceType, value: ResourceValue): LeshanValue {
  if (isObjectLink(value)) {
    const { objectId, instanceId } = value;
    return {
      objectId,
      objectInstanceId: instanceId,
      nullLink: objectId === NULL_LINK && instanceId === NULL_LINK,
    };
  }
  if (type === 'float' && typeof value === 'number') return doubleText(value);
  if (type === 'time' && typeof value === 'number') return value * 1000;
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString();
  return toApiValue(value) as string | boolean;
}

/** As Java's Double.toString: always with a fraction, and with an exponent below 1e-3 and from 1e7 on. */
function doubleText(value: number): string {
  const size = Math.abs(value);
  if (Object.is(value, -0)) return '-0.0';
  if (!Number.isFinite(value)) return String(value);
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`;
}

/** By its name in any case. @throws LeshanRefusal */
export function resourceTypeOf(name: unknown): ResourceType {
  const wanted = String(name).toUpperCase();
  const found = (Object.keys(leshanTypes) as ResourceType[]).find((type) => leshanTypes[type] === wanted);
  if (found !== undefined) return found;
  throw unexpected(`No enum constant org.eclipse.leshan.core.model.ResourceModel.Type.${wanted}`);
}

/**
 * The value of a node that a caller gave, of the type that the node says.
 * @throws LeshanRefusal it has another kind of JSON than the type takes
 */
export function fromLeshanValue(type: ResourceType, json: unknown): ResourceValue {
  switch (type) {
    case 'boolean':
      return typeof json === 'boolean' ? json : refuse(type, json, 'boolean');
    case 'string':
    case 'corelnk':
      return typeof json === 'string' ? json : refuse(type, json, 'string');
    case 'integer':
      return integerOf(type, json, -(2n ** 63n), 2n ** 63n - 1n, 'Long');
    case 'unsigned':
      return integerOf(type, json, 0n, 2n ** 64n - 1n, 'Unsigned Long');
    case 'float':
      return floatOf(json);
    case 'time':
      if (!Number.isSafeInteger(json)) return refuse(type, json, 'number(long)');
      return Math.trunc((json as number) / 1000);
    case 'opaque':
      if (typeof json !== 'string') return refuse(type, json, 'string');
      return hexOf(json);
    case 'objlnk':
      return linkOf(json);
    case 'none':
      throw unexpected('Type NONE is not supported for now');
  }
}

const TOLERATED = '(number is tolerated but not advised)';

function integerOf(type: ResourceType, json: unknown, min: bigint, max: bigint, name: string): ResourceValue {
  const isInteger = typeof json === 'bigint' || Number.isInteger(json);
  if (typeof json !== 'string' && !isInteger) return refuse(type, json, 'string', TOLERATED);
  if (typeof json === 'string' && !/^[+-]?\d{1,20}$/.test(json)) throw notValid(json, name);
  const value = BigInt(typeof json === 'string' ? json.replace('+', '') : (json as number | bigint));
  if (value < min || value > max) throw notValid(json, name);
  return compactInteger(value);
}

function floatOf(json: unknown): number {
  if (typeof json === 'bigint') return Number(json);
  if (typeof json === 'number') return json;
  if (typeof json !== 'string') return refuse('float', json, 'string', TOLERATED);
  const text = json.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw notValid(json, 'Double');
  const value = Number(text);
  if (!Number.isFinite(value)) throw notValid(json, 'Double');
  return value;
}

function linkOf(json: unknown): ResourceValue {
  if (typeof json === 'object' && json !== null && 'objectId' in json && 'objectInstanceId' in json) {
    const link = { objectId: json.objectId, instanceId: json.objectInstanceId };
    if (isObjectLink(link)) return link;
  }
  return refuse('objlnk', json, 'object{objectId:integer, objectInstanceId:integer}');
}

function hexOf(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw unexpected(`'${text}' is not hexadecimal`);
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function notValid(json: unknown, what: string): LeshanRefusal {
  return unexpected(`${shown(json)} is not a valid ${what}.`);
}

function refuse(type: ResourceType, json: unknown, expected: string, more: string | null = null): never {
  throw unexpected(
    `Unexpected JSON type of 'value' field [${shown(json)}]: a JSON ${expected} is expected for ` +
      `${leshanTypes[type]} but was ${kindOf(json)}. ${more}`,
  );
}

function shown(json: unknown): string {
  return typeof json === 'bigint' ? json.toString() : (JSON.stringify(json) ?? 'null');
}

function kindOf(json: unknown): string {
  if (json === null || json === undefined) return 'null';
  if (Array.isArray(json)) return 'array';
  return typeof json === 'bigint' ? 'number' : typeof json;
}

import { DecodeError, RequestError } from '../errors.ts';
import type { ObjectLinkValue, ResourceType, ResourceValue } from './value.ts';

/** What a value's type means in TypeScript, by ResourceType. */
export interface ResourceValueOf {
  readonly string: string;
  readonly corelnk: string;
  readonly integer: number | bigint;
  readonly unsigned: number | bigint;
  readonly float: number;
  readonly time: number;
  readonly boolean: boolean;
  readonly opaque: Uint8Array;
  readonly objlnk: ObjectLinkValue;
  readonly none: never;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

export function isObjectLink(value: unknown): value is ObjectLinkValue {
  if (typeof value !== 'object' || value === null) return false;
  const { objectId, instanceId } = value as Partial<ObjectLinkValue>;
  return isUint16(objectId) && isUint16(instanceId);
}

/**
 * The value in the form that its type has (value.ts), or undefined where it does not fit: an integer
 * in the 64 bits of its type, as number where that is exact; a finite float; a time in whole seconds;
 * text without lone surrogates. An executable has no value, so nothing fits `none`.
 */
export function fitValue(type: ResourceType, value: ResourceValue): ResourceValue | undefined {
  switch (type) {
    case 'float':
      if (typeof value === 'bigint') return Number(value);
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    case 'integer':
      return fitInteger(value, INT64_MIN, INT64_MAX);
    case 'unsigned':
      return fitInteger(value, 0n, UINT64_MAX);
    case 'time': {
      const seconds = fitInteger(value, INT64_MIN, INT64_MAX);
      return typeof seconds === 'number' ? seconds : undefined;
    }
    case 'string':
    case 'corelnk':
      return typeof value === 'string' && value.isWellFormed() ? value : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'opaque':
      return value instanceof Uint8Array ? value : undefined;
    case 'objlnk':
      return isObjectLink(value) ? value : undefined;
    case 'none':
      return undefined;
  }
}

/** The type to write a value as where no definition says one. */
export function naturalType(value: ResourceValue): ResourceType {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return value > INT64_MAX ? 'unsigned' : 'integer';
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? 'integer' : 'float';
    default:
      return value instanceof Uint8Array ? 'opaque' : 'objlnk';
  }
}

/** A value whose type nobody knows, as the format gave it; what no 64 bits hold becomes a float. */
function untypedValue(value: ResourceValue): ResourceValue {
  return typeof value === 'bigint' && (value < INT64_MIN || value > UINT64_MAX) ? Number(value) : value;
}

/**
 * The value of `path` as it is to be written, in the form of its type.
 * @throws RequestError it does not fit
 */
export function valueToWrite(
  path: string,
  type: ResourceType | undefined,
  value: ResourceValue,
): ResourceValue {
  const wanted = type ?? naturalType(value);
  const fitted = fitValue(wanted, value);
  if (fitted === undefined)
    throw new RequestError(`${path}: ${describe(value)} is no value of type ${wanted}`);
  return fitted;
}

/**
 * The value of `path` as the peer sent it, in the form of its type.
 * @throws DecodeError it does not fit
 */
export function valueAsRead(path: string, type: ResourceType, value: ResourceValue): ResourceValue {
  const fitted = fitValue(type, value);
  if (fitted === undefined)
    throw new DecodeError(`${path}: ${describe(value)} where a value of type ${type} belongs`);
  return fitted;
}

/**
 * The value of `path` as a format gave it that has kinds of its own: as its type says, where it has one; an
 * object link may come as its text.
 * @throws DecodeError it does not fit
 */
export function typedValue(
  path: string,
  type: ResourceType | undefined,
  value: ResourceValue,
): ResourceValue {
  if (type === undefined || type === 'none') return untypedValue(value);
  if (type === 'objlnk' && typeof value === 'string') {
    return parseObjectLink(value) ?? valueAsRead(path, type, value);
  }
  return valueAsRead(path, type, value);
}

/**
 * Reads `66:0`, the text form of an object link (OMA-TS-LightweightM2M_Core Appendix C). The null link is
 * taken as `FFFF:FFFF` too: that is how the examples of SenML JSON print it. Undefined where it is none.
 */
export function parseObjectLink(text: string): ObjectLinkValue | undefined {
  if (text.length === 9 && text.toUpperCase() === 'FFFF:FFFF') return { objectId: 65535, instanceId: 65535 };
  const parts = /^(\d{1,5}):(\d{1,5})$/.exec(text);
  const link = { objectId: Number(parts?.[1]), instanceId: Number(parts?.[2]) };
  return isObjectLink(link) ? link : undefined;
}

export function formatObjectLink(link: ObjectLinkValue): string {
  return `${link.objectId}:${link.instanceId}`;
}

/** An integer as number where that is exact, as bigint where not. */
export function compactInteger(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value;
}

function fitInteger(value: ResourceValue, min: bigint, max: bigint): number | bigint | undefined {
  if (typeof value === 'number') {
    // `+ 0` makes -0 an ordinary zero: integers have only one.
    if (Number.isSafeInteger(value)) return value >= 0 || min < 0n ? value + 0 : undefined;
    if (!Number.isInteger(value)) return undefined;
    return fitInteger(BigInt(value), min, max);
  }
  if (typeof value !== 'bigint' || value < min || value > max) return undefined;
  return compactInteger(value);
}

function isUint16(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65535;
}

function describe(value: ResourceValue): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (isObjectLink(value)) return `link ${formatObjectLink(value)}`;
  return `${typeof value} '${String(value).slice(0, 40)}'`;
}

import { DecodeError } from '../errors.ts';
import { compactInteger } from './typed-value.ts';

// JSON whose integers keep their 64 bits, which JSON.parse and JSON.stringify do not: what SenML JSON
// and the JSON of LwM2M 1.0 share.

/** Reads each number as JSON.parse does, but an integer that is not exact as number as bigint. */
type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver?: SourceReviver) => unknown;

/**
 * As JSON.parse, but an integer of up to 64 bits that is not exact as number comes as bigint.
 * @throws DecodeError not JSON
 */
export function parseExactJson(text: string): unknown {
  try {
    // Only sixteen digits and more before a point can be an inexact integer, and a reviver costs: most
    // payloads do without.
    return /(?<![.\d])\d{16}/.test(text) ? parseWithSource(text, exactInteger) : JSON.parse(text);
  } catch {
    // A SyntaxError, or a RangeError where the reviver recursed too deep: nothing that we read nests so.
    throw new DecodeError('the payload is not JSON');
  }
}

function exactInteger(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  // An unbounded BigInt of a whole payload would take quadratic time, and 64 bits have 20 digits.
  return /^-?\d{16,20}$/.test(source) ? compactInteger(BigInt(source)) : value;
}

/** The value as a number, or undefined where it is none; JSON.parse reads 1e999 as infinity, which is none. */
export function jsonNumber(value: unknown): number | bigint | undefined {
  return typeof value === 'bigint' || Number.isFinite(value) ? (value as number | bigint) : undefined;
}

/** The value as a text, or undefined: an escape such as "\ud800" makes half a character, which no UTF-8 could carry on. */
export function jsonText(value: unknown): string | undefined {
  return typeof value === 'string' && value.isWellFormed() ? value : undefined;
}

/** Writes a finite number so that it is read as the same, minus zero too. */
export function numberText(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

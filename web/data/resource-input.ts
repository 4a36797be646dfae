import { fromApiValue } from '../../objects/values.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { ApiValue } from './api-types.ts';
import { type ApiResourceModel, definitionOf } from './resource-definition.ts';

/** By which control a value is given. */
export type InputKind = 'boolean' | 'choice' | 'number' | 'integer' | 'time' | 'opaque' | 'link' | 'text';

/** What a value may be that no definition says the type of: JSON tells these apart. */
export const untypedTypes = ['string', 'integer', 'float', 'boolean'] as const;

/** A resource without a definition, taken to be of a type. */
export function untypedResource(type: (typeof untypedTypes)[number]): ApiResourceModel {
  return { id: 0, name: 'The value', operations: 'RW', type, multiple: false, mandatory: false };
}

export function inputKind({ type, values, range }: ApiResourceModel): InputKind {
  // With a range beside them the values are examples, not all that there is.
  if (values !== undefined && range === undefined && type !== 'boolean') return 'choice';
  switch (type) {
    case 'boolean':
    case 'time':
    case 'opaque':
      return type;
    case 'integer':
    case 'unsigned':
      return 'integer';
    case 'float':
      return 'number';
    case 'objlnk':
      return 'link';
    default:
      return 'text';
  }
}

export type ParsedInput =
  | { readonly value: ApiValue; readonly fault?: undefined }
  | { readonly fault: string; readonly value?: undefined };

/** What a reader has typed, checked by the same rules as at the server: the value, or what is wrong with it. */
export function parseInput(resource: ApiResourceModel, text: string): ParsedInput {
  const value = readText(resource, text);
  if (value === undefined) return { fault: emptyFault(resource, text) };
  try {
    fromApiValue(definitionOf(resource), value);
    return { value };
  } catch (error) {
    if (error instanceof RequestError) return { fault: error.message };
    throw error;
  }
}

function emptyFault({ name, type }: ApiResourceModel, text: string): string {
  if (text.trim() === '') return `${name} needs a value`;
  if (type === 'float') return `${name} takes a number, such as 21.5`;
  if (type === 'time') return `${name} takes a date and time`;
  return `${name} does not take “${text}”`;
}

function readText({ type }: ApiResourceModel, text: string): ApiValue | undefined {
  const trimmed = text.trim();
  switch (type) {
    case 'integer':
    case 'unsigned': {
      if (!/^[+-]?\d{1,20}$/.test(trimmed)) return trimmed === '' ? undefined : trimmed;
      const number = Number(trimmed);
      return Number.isSafeInteger(number) ? number : trimmed.replace(/^\+/, '');
    }
    case 'float': {
      if (/^(NaN|-?Infinity)$/.test(trimmed)) return trimmed;
      const number = Number(trimmed.replace('−', '-'));
      return trimmed === '' || Number.isNaN(number) ? undefined : number;
    }
    case 'time': {
      const at = Date.parse(trimmed);
      return Number.isNaN(at) ? undefined : Math.floor(at / 1000);
    }
    case 'boolean':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : undefined;
    case 'opaque':
      return trimmed.replace(/\s+/g, '').toLowerCase();
    case 'objlnk':
      return trimmed === '' ? undefined : trimmed.replace(/^\/?(\d+)[/:](\d+)$/, '$1:$2');
    default:
      // Every space of a text may be meant.
      return text;
  }
}

/** The text by which a value stands in its input. */
export function inputText({ type }: ApiResourceModel, value: ApiValue | undefined): string {
  if (value === undefined) return '';
  if (type === 'time' && typeof value === 'number') return localTime(value);
  return String(value);
}

/** Seconds since the epoch as an `<input type="datetime-local">` has it, in the reader's time zone. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Bytes of a file as lower-case hex. */
export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

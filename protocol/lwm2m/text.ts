import { DecodeError } from '../errors.ts';
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from './bytes.ts';
import {
  compactInteger,
  formatObjectLink,
  naturalType,
  parseObjectLink,
  valueAsRead,
  valueToWrite,
} from './typed-value.ts';
import type { ObjectLinkValue, ResourceType, ResourceValue } from './value.ts';

// Plain text, content format 0: one value, OMA-TS-LightweightM2M_Core-V1_2 §7.5.1 and Appendix C.

const INTEGER = /^[+-]?\d{1,20}$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/;

/** @throws RequestError the value does not fit the type */
export function encodeText(path: string, type: ResourceType | undefined, value: ResourceValue): Uint8Array {
  const fitted = valueToWrite(path, type, value);
  switch (type ?? naturalType(value)) {
    case 'opaque':
      return encodeUtf8(encodeBase64(fitted as Uint8Array, 'standard'));
    case 'objlnk':
      return encodeUtf8(formatObjectLink(fitted as ObjectLinkValue));
    case 'boolean':
      return encodeUtf8(fitted ? '1' : '0');
    case 'float':
      return encodeUtf8(plainDecimal(fitted as number));
    default:
      return encodeUtf8(String(fitted));
  }
}

/**
 * Reads one value; of unknown type it is a string. A decimal exponent is taken, though the
 * specification writes none.
 * @throws DecodeError
 */
export function decodeText(path: string, type: ResourceType | undefined, bytes: Uint8Array): ResourceValue {
  const text = decodeUtf8(bytes);
  switch (type) {
    case undefined:
    case 'string':
    case 'corelnk':
    case 'none':
      return text;
    case 'integer':
    case 'unsigned':
    case 'time':
      if (!INTEGER.test(text)) throw wrong(path, type, text);
      // BigInt reads a minus, but no plus.
      return valueAsRead(path, type, compactInteger(BigInt(text.replace(/^\+/, ''))));
    case 'float':
      if (!DECIMAL.test(text)) throw wrong(path, type, text);
      return valueAsRead(path, type, Number(text));
    case 'boolean':
      if (text !== '0' && text !== '1') throw wrong(path, type, text);
      return text === '1';
    case 'opaque':
      return decodeBase64(text);
    case 'objlnk': {
      const link = parseObjectLink(text);
      if (link === undefined) throw wrong(path, type, text);
      return link;
    }
  }
}

/** All digits of a number without an exponent, for the specification's floats have none; minus zero keeps its sign. */
export function plainDecimal(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const digits = (parts[2] as string) + (parts[3] ?? '');
  const point = 1 + Number(parts[4]);
  const sign = parts[1] as string;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return sign + digits.padEnd(point, '0');
}

function wrong(path: string, type: ResourceType, text: string): DecodeError {
  return new DecodeError(`${path}: '${text.slice(0, 40)}' where text of type ${type} belongs`);
}

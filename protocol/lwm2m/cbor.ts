import { DecodeError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { CborReader } from './cbor-reader.ts';
import {
  CborMajor,
  writeBoolean,
  writeBytes,
  writeFloat,
  writeHead,
  writeInteger,
  writeText,
} from './cbor-write.ts';
import { formatObjectLink, naturalType, typedValue, valueToWrite } from './typed-value.ts';
import type { ObjectLinkValue, ResourceType, ResourceValue } from './value.ts';

// CBOR, content format 60: one value, OMA-TS-LightweightM2M_Core-V1_2 §7.5.3 and Appendix C.

/** The tag of a time, RFC 8949 §3.4.2: Appendix C asks for it, and allows the text of a date beside (§3.4.1). */
const EPOCH_TIME = 1;
const DATE_TEXT = 0xc0;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

/** @throws RequestError the value does not fit the type */
export function encodeCbor(path: string, type: ResourceType | undefined, value: ResourceValue): Uint8Array {
  const writer = new ByteWriter(16);
  writeCborValue(writer, path, type, value);
  return writer.copy();
}

/**
 * Of an unknown type it is what CBOR says.
 * @throws DecodeError
 */
export function decodeCbor(path: string, type: ResourceType | undefined, bytes: Uint8Array): ResourceValue {
  const reader = new CborReader(bytes);
  const value = readCborValue(reader, path, type);
  reader.end();
  return value;
}

/**
 * Writes one value as Appendix C has it for CBOR. A time alone has its tag, for Zephyr reads it with nothing else;
 * among ids it has none, as in the examples of §7.5.4.
 * @throws RequestError it does not fit the type
 */
export function writeCborValue(
  writer: ByteWriter,
  path: string,
  type: ResourceType | undefined,
  value: ResourceValue,
  hasTimeTag = true,
): void {
  const fitted = valueToWrite(path, type, value);
  switch (type ?? naturalType(value)) {
    case 'string':
    case 'corelnk':
      writeText(writer, fitted as string);
      break;
    case 'boolean':
      writeBoolean(writer, fitted as boolean);
      break;
    case 'opaque':
      writeBytes(writer, fitted as Uint8Array);
      break;
    case 'objlnk':
      writeText(writer, formatObjectLink(fitted as ObjectLinkValue));
      break;
    case 'float':
      writeFloat(writer, fitted as number);
      break;
    case 'time':
      if (hasTimeTag) writeHead(writer, CborMajor.TAG, EPOCH_TIME);
      writeInteger(writer, fitted as number);
      break;
    default:
      writeInteger(writer, fitted as number | bigint);
  }
}

/** Reads one value that `writeCborValue` could have written, or another form of it. @throws DecodeError */
export function readCborValue(
  reader: CborReader,
  path: string,
  type: ResourceType | undefined,
): ResourceValue {
  // Devices write a time with its tag and without, and who does not know the resource sees but the tag.
  const timed = type === 'time' || type === undefined;
  if (timed && reader.peek() === DATE_TEXT) {
    reader.tag();
    return readDate(reader, path);
  }
  if (timed && reader.peek() === ((CborMajor.TAG << 5) | EPOCH_TIME)) reader.tag();
  const value = readValue(reader);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new DecodeError(`${path}: ${value}`);
  return typedValue(path, type, value);
}

/** Whole seconds since the epoch, as a time is. */
function readDate(reader: CborReader, path: string): number {
  const text = reader.text();
  const milliseconds = RFC3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw new DecodeError(`${path}: '${text.slice(0, 40)}' is no date`);
  return Math.floor(milliseconds / 1000);
}

function readValue(reader: CborReader): ResourceValue {
  const initial = reader.peek();
  switch (initial >> 5) {
    case CborMajor.BYTES:
      return reader.bytes();
    case CborMajor.TEXT:
      return reader.text();
    default:
      return initial === 0xf4 || initial === 0xf5 ? reader.boolean() : reader.number();
  }
}

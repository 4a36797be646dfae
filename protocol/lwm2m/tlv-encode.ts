import { RequestError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { encodeUtf8 } from './bytes.ts';
import { groupLeaves, type Leaf, sortedLeaves } from './leaves.ts';
import { pathIds } from './path.ts';
import { TlvKind } from './tlv-decode.ts';
import { naturalType, valueToWrite } from './typed-value.ts';
import type {
  LwM2mRecord,
  ObjectLinkValue,
  ResourceType,
  ResourceTypeLookup,
  ResourceValue,
} from './value.ts';

// TLV, content format 11542: OMA-TS-LightweightM2M_Core-V1_2 §7.5.5.

const MAX_INT32 = 2 ** 31 - 1;

/**
 * Writes the records, all at or below `basePath`: object instances below an object, resources below
 * an instance, one resource (multiple, where the records name its instances) below a resource, one
 * resource instance for itself.
 * @throws RequestError a value that does not fit its type, or a path that the base does not lead to
 */
export function encodeTlv(
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
): Uint8Array {
  const depth = pathIds(basePath)?.length ?? 0;
  if (depth === 0) throw new RequestError('TLV names no objects, so the root cannot be written in it');
  const leaves = sortedLeaves(basePath, records);
  const writer = new ByteWriter();
  if (depth === 1) {
    for (const group of groupLeaves(leaves, 1)) {
      const inner = new ByteWriter();
      writeResources(inner, group, lookup);
      writeTlv(writer, TlvKind.OBJECT_INSTANCE, group[0]?.ids[1] as number, inner.copy());
    }
  } else if (depth === 4) writeInstances(writer, leaves, lookup);
  else writeResources(writer, leaves, lookup);
  return writer.copy();
}

function writeResources(writer: ByteWriter, leaves: readonly Leaf[], lookup: ResourceTypeLookup): void {
  for (const group of groupLeaves(leaves, 2)) {
    const [first, second] = group as [Leaf, Leaf | undefined];
    const id = first.ids[2] as number;
    if (first.ids.length === 4) {
      const inner = new ByteWriter();
      writeInstances(inner, group, lookup);
      writeTlv(writer, TlvKind.MULTIPLE_RESOURCE, id, inner.copy());
    } else if (second === undefined) {
      writeTlv(writer, TlvKind.RESOURCE, id, encodeValue(first, lookup));
    } else throw new RequestError(`${first.record.path} has more than one value`);
  }
}

function writeInstances(writer: ByteWriter, leaves: readonly Leaf[], lookup: ResourceTypeLookup): void {
  for (const group of groupLeaves(leaves, 3)) {
    const [first, second] = group as [Leaf, Leaf | undefined];
    if (second !== undefined) throw new RequestError(`${first.record.path} has more than one value`);
    writeTlv(writer, TlvKind.RESOURCE_INSTANCE, first.ids[3] as number, encodeValue(first, lookup));
  }
}

function writeTlv(writer: ByteWriter, kind: TlvKind, id: number, value: Uint8Array): void {
  const { length } = value;
  const lengthLength = length < 8 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  if (length > 0xffffff) throw new RequestError('a value of more than 16 MB does not fit a TLV');
  writer.uint8((kind << 6) | (id > 255 ? 0x20 : 0) | (lengthLength << 3) | (lengthLength === 0 ? length : 0));
  if (id > 255) writer.uint16(id);
  else writer.uint8(id);
  if (lengthLength === 3) writer.uint8(length >> 16);
  if (lengthLength >= 2) writer.uint8((length >> 8) & 0xff);
  if (lengthLength >= 1) writer.uint8(length & 0xff);
  writer.bytes(value);
}

/** The bytes of a value, Appendix C: the shortest integer that holds it, a float as single where that is exact. */
function encodeValue({ record, ids }: Leaf, lookup: ResourceTypeLookup): Uint8Array {
  const type = lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
  const value = valueToWrite(record.path, type, record.value);
  const written = type ?? naturalType(value);
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return encodeUtf8(value);
  const writer = new ByteWriter(8);
  writeNumeric(writer, written, value);
  return writer.copy();
}

function writeNumeric(
  writer: ByteWriter,
  type: ResourceType,
  value: Exclude<ResourceValue, string | Uint8Array>,
): void {
  if (typeof value === 'boolean') writer.uint8(value ? 1 : 0);
  else if (typeof value === 'object') {
    writer.uint16((value as ObjectLinkValue).objectId);
    writer.uint16((value as ObjectLinkValue).instanceId);
  } else if (type === 'float') {
    if (Math.fround(value as number) === value) writer.float32(value);
    else writer.float64(value as number);
  } else if (type === 'unsigned') writeUnsigned(writer, value);
  else writeSigned(writer, value);
}

function writeSigned(writer: ByteWriter, value: number | bigint): void {
  if (value >= -0x80 && value <= 0x7f) writer.uint8(Number(value) & 0xff);
  else if (value >= -0x8000 && value <= 0x7fff) writer.uint16(Number(value) & 0xffff);
  else if (value >= -MAX_INT32 - 1 && value <= MAX_INT32) writer.uint32(Number(value) >>> 0);
  else writer.uint64(BigInt.asUintN(64, BigInt(value)));
}

/**
 * One length more where the first bit is set, which is as good by Appendix C: servers are about that read unsigned
 * integers as signed ones (Leshan 2.0 is one).
 */
function writeUnsigned(writer: ByteWriter, value: number | bigint): void {
  if (value <= 0x7f) writer.uint8(Number(value));
  else if (value <= 0x7fff) writer.uint16(Number(value));
  else if (value <= MAX_INT32) writer.uint32(Number(value));
  else writer.uint64(BigInt(value));
}

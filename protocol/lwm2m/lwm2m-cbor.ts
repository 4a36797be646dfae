import { RequestError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeCborValue } from './cbor.ts';
import { CborMajor, writeHead, writeInteger } from './cbor-write.ts';
import { groupLeaves, type Leaf, sortedLeaves } from './leaves.ts';
import { MAX_RECORDS } from './limits.ts';
import { Lwm2mCborReader } from './lwm2m-cbor-reader.ts';
import { isAtOrBelow } from './path.ts';
import type { LwM2mRecord, ResourceTypeLookup } from './value.ts';

// LwM2M CBOR, content format 11544, which came with LwM2M 1.2: OMA-TS-LightweightM2M_Core-V1_2 §7.5.4. Maps
// within maps, whose keys are ids, or arrays of ids that stand for a path: {[3, 0]: {9: 100, 7: {0: 3800}}}.
// It carries no times, and names nothing but ids: neither does it know a client's root path.

/**
 * Writes what all records share of their paths as one key, and maps below it, in the order of the tree; the
 * same records always give the same bytes.
 * @throws RequestError a value that does not fit its type, two values at one place, or a path elsewhere
 */
export function encodeLwm2mCbor(
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
): Uint8Array {
  if (records.length > MAX_RECORDS) throw new RequestError(`more than ${MAX_RECORDS} values`);
  const leaves = sortedLeaves(basePath, records);
  leaves.forEach(({ record: { path } }, index) => {
    const before = leaves[index - 1]?.record.path;
    if (before !== undefined && isAtOrBelow(path, before)) {
      throw new RequestError(`${before} has more than one value`);
    }
  });
  const writer = new ByteWriter();
  const key = sharedIds(leaves);
  if (key.length === 0) writeMap(writer, leaves, 0, lookup);
  else {
    writeHead(writer, CborMajor.MAP, 1);
    if (key.length > 1) writeHead(writer, CborMajor.ARRAY, key.length);
    for (const id of key) writeInteger(writer, id);
    writeBelow(writer, leaves, key.length, lookup);
  }
  return writer.copy();
}

/** The ids that the paths of all leaves, which are sorted, begin with. */
function sharedIds(leaves: readonly Leaf[]): readonly number[] {
  const first = leaves[0]?.ids ?? [];
  const last = leaves.at(-1)?.ids;
  const differ = first.findIndex((id, level) => id !== last?.[level]);
  return differ === -1 ? first : first.slice(0, differ);
}

function writeMap(
  writer: ByteWriter,
  leaves: readonly Leaf[],
  level: number,
  lookup: ResourceTypeLookup,
): void {
  const groups = groupLeaves(leaves, level);
  writeHead(writer, CborMajor.MAP, groups.length);
  for (const group of groups) {
    writeInteger(writer, group[0]?.ids[level] as number);
    writeBelow(writer, group, level + 1, lookup);
  }
}

/** The value of a key whose ids reach down to `level`. */
function writeBelow(
  writer: ByteWriter,
  leaves: readonly Leaf[],
  level: number,
  lookup: ResourceTypeLookup,
): void {
  const { ids, record } = leaves[0] as Leaf;
  if (ids.length > level) writeMap(writer, leaves, level, lookup);
  else {
    const type = lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
    writeCborValue(writer, record.path, type, record.value, false);
  }
}

/**
 * Reads nested keys in every form, arrays of ids at any level; what is null is not there, and left out.
 * `unnamed`: the instance that 65535 stands for, as in a Create that leaves the choice to the client (§7.5.4).
 * @throws DecodeError
 */
export function decodeLwm2mCbor(
  basePath: string,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  unnamed?: number,
): LwM2mRecord[] {
  // No bytes at all stand for no records, as in SenML.
  if (bytes.length === 0) return [];
  return new Lwm2mCborReader(basePath, bytes, lookup, { unnamed }).read();
}

/**
 * The values of a Write-Composite. A null would have to be understood, and the format gives it no meaning there.
 * @throws DecodeError
 */
export function decodeLwm2mCborChanges(bytes: Uint8Array, lookup: ResourceTypeLookup): LwM2mRecord[] {
  if (bytes.length === 0) return [];
  return new Lwm2mCborReader('/', bytes, lookup, { refusesNull: true }).read();
}

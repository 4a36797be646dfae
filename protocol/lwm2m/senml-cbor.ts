import { DecodeError } from '../errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { CborReader, INDEFINITE } from './cbor-reader.ts';
import {
  CborMajor,
  writeBoolean,
  writeBytes,
  writeFloat,
  writeHead,
  writeInteger,
  writeText,
  writeTime,
} from './cbor-write.ts';
import { MAX_RECORDS } from './limits.ts';
import {
  checkVersion,
  finite,
  resolvedChanges,
  rootPrefix,
  SenmlFields,
  SenmlLabel,
  SenmlNames,
  SenmlResolver,
  type SenmlSink,
  senmlLabel,
} from './senml.ts';
import { patchEntries, type SenmlEntry, senmlEntries } from './senml-entries.ts';
import { formatObjectLink, parseObjectLink } from './typed-value.ts';
import type { LwM2mChange, LwM2mRecord, ObjectLinkValue, ResourceTypeLookup } from './value.ts';

// SenML CBOR, content format 112: RFC 8428 §6, OMA-TS-LightweightM2M_Core-V1_2 §7.5.7. The decoder
// streams from the bytes into records: a map of each record would cost more than all the rest.

/** The simple value null, RFC 8949 §3.3. */
const NULL = 0xf6;

/** @throws DecodeError */
export function decodeSenmlCbor(
  basePath: string,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mRecord[] {
  const resolver = new SenmlResolver(basePath, lookup, rootPath);
  readSenmlCbor(bytes, resolver);
  return resolver.records;
}

/** The paths that a composite Read or Observe names. @throws DecodeError */
export function decodeSenmlCborPaths(bytes: Uint8Array, rootPath = '/', isFetchPack = false): string[] {
  const names = new SenmlNames(rootPath, isFetchPack);
  readSenmlCbor(bytes, names);
  return names.paths;
}

/** @throws RequestError */
export function encodeSenmlCbor(
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  rootPath = '/',
): Uint8Array {
  const writer = new ByteWriter();
  writeHead(writer, CborMajor.ARRAY, records.length);
  for (const entry of senmlEntries(basePath, records, lookup, rootPath)) writeEntry(writer, entry);
  return writer.copy();
}

/** The payload of a composite Read or Observe. */
export function encodeSenmlCborPaths(paths: readonly string[], rootPath = '/'): Uint8Array {
  const writer = new ByteWriter();
  writeHead(writer, CborMajor.ARRAY, paths.length);
  for (const path of paths) {
    writeHead(writer, CborMajor.MAP, 1);
    writeHead(writer, CborMajor.UNSIGNED, SenmlLabel.n);
    writeText(writer, rootPrefix(rootPath) + path);
  }
  return writer.copy();
}

/** The changes of a Patch Pack, content format 322 (RFC 8790 §3.2). @throws DecodeError */
export function decodeSenmlCborChanges(
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mChange[] {
  const resolver = new SenmlResolver('/', lookup, rootPath, true);
  readSenmlCbor(bytes, resolver);
  return resolvedChanges(resolver);
}

/** @throws RequestError */
export function encodeSenmlCborChanges(
  changes: readonly LwM2mChange[],
  lookup: ResourceTypeLookup,
  rootPath = '/',
): Uint8Array {
  const writer = new ByteWriter();
  const entries = patchEntries(changes, lookup, rootPath);
  writeHead(writer, CborMajor.ARRAY, entries.length);
  for (const { n, entry } of entries) {
    if (entry !== null) {
      writeEntry(writer, entry);
      continue;
    }
    writeHead(writer, CborMajor.MAP, 2);
    writeInteger(writer, SenmlLabel.n);
    writeText(writer, n);
    writeInteger(writer, SenmlLabel.v);
    writer.uint8(NULL);
  }
  return writer.copy();
}

/** Hands each record of a pack to the sink, as it stands. @throws DecodeError */
export function readSenmlCbor(bytes: Uint8Array, sink: SenmlSink): void {
  // No bytes at all stand for no records: an empty object read from devices that send nothing then.
  if (bytes.length === 0) return;
  const reader = new CborReader(bytes);
  const fields = new SenmlFields(sink.takesNull);
  const count = reader.array();
  for (let index = 0; count === INDEFINITE ? !reader.breaks() : index < count; index++) {
    if (index === MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} SenML records`);
    fields.clear();
    readFields(reader, fields);
    sink.take(fields);
  }
  reader.end();
}

function readFields(reader: CborReader, fields: SenmlFields): void {
  const count = reader.map();
  let seen = 0;
  for (let index = 0; count === INDEFINITE ? !reader.breaks() : index < count; index++) {
    const label = readLabel(reader);
    if (label === undefined) {
      reader.skip();
      continue;
    }
    const bit = 1 << (label - SenmlLabel.bs);
    if ((seen & bit) !== 0) throw new DecodeError('a SenML record with the same label twice');
    seen |= bit;
    readField(reader, label, fields);
  }
}

/** RFC 8428 §6: integers for the labels that have one; text is taken for them too. */
function readLabel(reader: CborReader): SenmlLabel | undefined {
  const initial = reader.peek();
  if (initial >> 5 === CborMajor.TEXT) return senmlLabel(reader.text());
  if (initial >> 5 > CborMajor.NEGATIVE) throw new DecodeError('a SenML label is an integer or a text');
  const label = reader.number();
  return label >= SenmlLabel.bs && label <= SenmlLabel.vd ? (label as SenmlLabel) : undefined;
}

function readField(reader: CborReader, label: SenmlLabel, fields: SenmlFields): void {
  switch (label) {
    case SenmlLabel.v: {
      if (fields.takesNull && reader.peek() === NULL) {
        reader.skip();
        fields.setNull();
        return;
      }
      const value = reader.number();
      if (typeof value === 'number') finite(value);
      fields.setValue(value);
      fields.numeric = true;
      return;
    }
    case SenmlLabel.t:
      fields.t = finite(reader.number());
      return;
    case SenmlLabel.n:
    case SenmlLabel.bn:
      fields.setName(label, reader.text());
      return;
    case SenmlLabel.vs:
      fields.setValue(reader.text());
      return;
    case SenmlLabel.vb:
      fields.setValue(reader.boolean());
      return;
    case SenmlLabel.vd:
      fields.setValue(reader.bytes());
      return;
    case SenmlLabel.vlo: {
      const link = parseObjectLink(reader.text());
      if (link === undefined) throw new DecodeError('vlo is no object link');
      fields.setValue(link);
      return;
    }
    case SenmlLabel.bt:
      fields.bt = finite(reader.number());
      return;
    case SenmlLabel.bv:
      fields.bv = finite(reader.number());
      return;
    case SenmlLabel.bver:
      checkVersion(reader.number());
      return;
    case SenmlLabel.s:
      fields.sum = true;
      finite(reader.number());
      return;
    case SenmlLabel.bs:
    case SenmlLabel.ut:
      finite(reader.number());
      return;
    case SenmlLabel.u:
    case SenmlLabel.bu:
      reader.text();
      return;
  }
}

function writeEntry(writer: ByteWriter, { bn, bt, n, t, type, value }: SenmlEntry): void {
  const present = [bn, bt, n, t].filter((field) => field !== undefined).length;
  writeHead(writer, CborMajor.MAP, present + 1);
  if (bn !== undefined) {
    writeInteger(writer, SenmlLabel.bn);
    writeText(writer, bn);
  }
  if (bt !== undefined) {
    writeInteger(writer, SenmlLabel.bt);
    writeTime(writer, bt);
  }
  if (n !== undefined) {
    writeInteger(writer, SenmlLabel.n);
    writeText(writer, n);
  }
  if (t !== undefined) {
    writeInteger(writer, SenmlLabel.t);
    writeTime(writer, t);
  }
  switch (type) {
    case 'string':
    case 'corelnk':
      writeInteger(writer, SenmlLabel.vs);
      writeText(writer, value as string);
      return;
    case 'boolean':
      writeInteger(writer, SenmlLabel.vb);
      writeBoolean(writer, value as boolean);
      return;
    case 'opaque':
      writeInteger(writer, SenmlLabel.vd);
      writeBytes(writer, value as Uint8Array);
      return;
    case 'objlnk':
      writeText(writer, 'vlo');
      writeText(writer, formatObjectLink(value as ObjectLinkValue));
      return;
    case 'float':
      writeInteger(writer, SenmlLabel.v);
      writeFloat(writer, value as number);
      return;
    default:
      writeInteger(writer, SenmlLabel.v);
      writeInteger(writer, value as number | bigint);
  }
}

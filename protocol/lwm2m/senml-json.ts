import { DecodeError } from '../errors.ts';
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from './bytes.ts';
import { jsonNumber, jsonText, numberText, parseExactJson } from './exact-json.ts';
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
import type {
  LwM2mChange,
  LwM2mRecord,
  ObjectLinkValue,
  ResourceTypeLookup,
  ResourceValue,
} from './value.ts';

// SenML JSON, content format 110: RFC 8428 §5, OMA-TS-LightweightM2M_Core-V1_2 §7.5.6.

/** @throws DecodeError */
export function decodeSenmlJson(
  basePath: string,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mRecord[] {
  const resolver = new SenmlResolver(basePath, lookup, rootPath);
  readSenmlJson(bytes, resolver);
  return resolver.records;
}

/** The paths that a composite Read or Observe names. @throws DecodeError */
export function decodeSenmlJsonPaths(bytes: Uint8Array, rootPath = '/', isFetchPack = false): string[] {
  const names = new SenmlNames(rootPath, isFetchPack);
  readSenmlJson(bytes, names);
  return names.paths;
}

/** @throws RequestError */
export function encodeSenmlJson(
  basePath: string,
  records: readonly LwM2mRecord[],
  lookup: ResourceTypeLookup,
  rootPath = '/',
): Uint8Array {
  return encodeUtf8(`[${senmlEntries(basePath, records, lookup, rootPath).map(entryText).join(',')}]`);
}

/** The payload of a composite Read or Observe. */
export function encodeSenmlJsonPaths(paths: readonly string[], rootPath = '/'): Uint8Array {
  return encodeUtf8(JSON.stringify(paths.map((path) => ({ n: rootPrefix(rootPath) + path }))));
}

/** The changes of a Patch Pack, content format 320 (RFC 8790 §3.2). @throws DecodeError */
export function decodeSenmlJsonChanges(
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  rootPath = '/',
): LwM2mChange[] {
  const resolver = new SenmlResolver('/', lookup, rootPath, true);
  readSenmlJson(bytes, resolver);
  return resolvedChanges(resolver);
}

/** @throws RequestError */
export function encodeSenmlJsonChanges(
  changes: readonly LwM2mChange[],
  lookup: ResourceTypeLookup,
  rootPath = '/',
): Uint8Array {
  const texts = patchEntries(changes, lookup, rootPath).map(({ n, entry }) =>
    entry === null ? `{"n":${JSON.stringify(n)},"v":null}` : entryText(entry),
  );
  return encodeUtf8(`[${texts.join(',')}]`);
}

/** Hands each record of a pack to the sink, as it stands. @throws DecodeError */
export function readSenmlJson(bytes: Uint8Array, sink: SenmlSink): void {
  if (bytes.length === 0) return;
  const pack = parseExactJson(decodeUtf8(bytes));
  if (!Array.isArray(pack)) throw new DecodeError('a SenML pack is a JSON array');
  if (pack.length > MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} SenML records`);
  const fields = new SenmlFields(sink.takesNull);
  for (const record of pack as unknown[]) {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new DecodeError('a SenML record is a JSON object');
    }
    fields.clear();
    for (const [key, value] of Object.entries(record)) {
      const label = senmlLabel(key);
      if (label !== undefined) readField(label, value, fields);
    }
    sink.take(fields);
  }
}

function readField(label: SenmlLabel, value: unknown, fields: SenmlFields): void {
  switch (label) {
    case SenmlLabel.v:
      if (value === null && fields.takesNull) {
        fields.setNull();
        return;
      }
      fields.setValue(numberOf(label, value));
      fields.numeric = true;
      return;
    case SenmlLabel.t:
      fields.t = finite(numberOf(label, value));
      return;
    case SenmlLabel.n:
    case SenmlLabel.bn:
      fields.setName(label, textOf(label, value));
      return;
    case SenmlLabel.vs:
      fields.setValue(textOf(label, value));
      return;
    case SenmlLabel.vb:
      if (typeof value !== 'boolean') throw wrong(label);
      fields.setValue(value);
      return;
    case SenmlLabel.vd:
      fields.setValue(decodeBase64(textOf(label, value)));
      return;
    case SenmlLabel.vlo: {
      const link = parseObjectLink(textOf(label, value));
      if (link === undefined) throw wrong(label);
      fields.setValue(link);
      return;
    }
    case SenmlLabel.bt:
      fields.bt = finite(numberOf(label, value));
      return;
    case SenmlLabel.bv:
      fields.bv = finite(numberOf(label, value));
      return;
    case SenmlLabel.bver:
      checkVersion(numberOf(label, value));
      return;
    case SenmlLabel.s:
      fields.sum = true;
      numberOf(label, value);
      return;
    case SenmlLabel.bs:
    case SenmlLabel.ut:
      numberOf(label, value);
      return;
    case SenmlLabel.u:
    case SenmlLabel.bu:
      textOf(label, value);
      return;
  }
}

function numberOf(label: SenmlLabel, value: unknown): number | bigint {
  const number = jsonNumber(value);
  if (number === undefined) throw wrong(label);
  return number;
}

function textOf(label: SenmlLabel, value: unknown): string {
  const text = jsonText(value);
  if (text === undefined) throw wrong(label);
  return text;
}

function wrong(label: SenmlLabel): DecodeError {
  const name = Object.entries(SenmlLabel).find(([, id]) => id === label)?.[0];
  return new DecodeError(`SenML JSON: ${name} has a value of the wrong kind`);
}

function entryText({ bn, bt, n, t, type, value }: SenmlEntry): string {
  const fields: string[] = [];
  if (bn !== undefined) fields.push(`"bn":${JSON.stringify(bn)}`);
  if (bt !== undefined) fields.push(`"bt":${numberText(bt)}`);
  if (n !== undefined) fields.push(`"n":${JSON.stringify(n)}`);
  if (t !== undefined) fields.push(`"t":${numberText(t)}`);
  fields.push(valueText(type, value));
  return `{${fields.join(',')}}`;
}

function valueText(type: SenmlEntry['type'], value: ResourceValue): string {
  switch (type) {
    case 'string':
    case 'corelnk':
      return `"vs":${JSON.stringify(value)}`;
    case 'boolean':
      return `"vb":${String(value)}`;
    case 'opaque':
      return `"vd":"${encodeBase64(value as Uint8Array, 'url')}"`;
    case 'objlnk':
      return `"vlo":"${formatObjectLink(value as ObjectLinkValue)}"`;
    default:
      return `"v":${numberText(value as number | bigint)}`;
  }
}

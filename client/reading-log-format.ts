import { crc32 } from 'node:zlib';
import { StateFileError } from './atomic-file.ts';
import type { KeptProgress } from './lwm2m/pack-journal.ts';
import type { PackFormat } from './lwm2m/sealed-pack.ts';

// A header line, then records of one size: kind, stream, server (of 1, 1, 2 bytes), two doubles, CRC-32 of
// all before it. Little-endian.

export const RecordKind = {
  /** a: time in µs, b: value. Its position is one more than that of the one before. */
  READING: 1,
  /** a: position; b: readings in the pack, and its format. */
  SEALED: 2,
  /** a: position up to which all is settled. */
  SETTLED: 3,
  /** a: position from which on readings are kept for the server. */
  ATTACHED: 4,
  /** a: position up to which they were. */
  DETACHED: 5,
  /** a: position of the reading that follows. */
  BASE: 6,
} as const;

export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

export interface LogRecord {
  readonly kind: RecordKind;
  readonly stream: number;
  readonly server: number;
  readonly a: number;
  readonly b: number;
}

export interface KeptReading {
  readonly position: number;
  /** µs since the epoch. */
  readonly time: number;
  readonly value: number;
}

/** What was kept of one sensor. */
export interface KeptStream {
  /** In their order; between what is sealed and what waits there may be some that were dropped. */
  readonly readings: readonly KeptReading[];
  /** Position of the next reading that comes. */
  readonly next: number;
  readonly servers: ReadonlyMap<number, KeptProgress>;
}

export const recordBytes = 24;
export const packFormats = ['senml-cbor', 'senml-json'] as const satisfies readonly PackFormat[];

const magic = 'simyard readings 1';
const newline = 10;
const checkedBytes = recordBytes - 4;

export function encodeHeader(streams: readonly string[]): Uint8Array {
  return new TextEncoder().encode(`${magic} ${JSON.stringify(streams)}\n`);
}

export function writeRecord(view: DataView, at: number, { kind, stream, server, a, b }: LogRecord): void {
  view.setUint8(at, kind);
  view.setUint8(at + 1, stream);
  view.setUint16(at + 2, server, true);
  view.setFloat64(at + 4, a, true);
  view.setFloat64(at + 12, b, true);
  view.setUint32(at + checkedBytes, checksum(view, at), true);
}

function checksum(view: DataView, at: number): number {
  return crc32(new Uint8Array(view.buffer, view.byteOffset + at, checkedBytes));
}

interface OpenStream {
  next: number;
  readings: KeptReading[];
  readonly servers: Map<number, KeptProgress>;
}

/**
 * What a log holds that is still to be sent, by path. It ends where the first record is torn or damaged.
 * @throws StateFileError it is none
 */
export function decodeReadingLog(path: string, bytes: Uint8Array): Map<string, KeptStream> {
  if (bytes.length === 0) return new Map();
  const end = bytes.indexOf(newline);
  const names = end < 0 ? undefined : parseHeader(new TextDecoder().decode(bytes.subarray(0, end)));
  if (names === undefined) {
    throw new StateFileError(`${path} is no log of readings: restore it, or remove it to begin anew`);
  }
  const streams = names.map((): OpenStream => ({ next: 0, readings: [], servers: new Map() }));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = end + 1; at + recordBytes <= bytes.length; at += recordBytes) {
    if (view.getUint32(at + checkedBytes, true) !== checksum(view, at)) break;
    const stream = streams[view.getUint8(at + 1)];
    if (stream === undefined) break;
    apply(stream, {
      kind: view.getUint8(at) as RecordKind,
      stream: 0,
      server: view.getUint16(at + 2, true),
      a: view.getFloat64(at + 4, true),
      b: view.getFloat64(at + 12, true),
    });
  }
  return new Map(streams.map((stream, index) => [names[index] ?? '', withoutSettled(stream)]));
}

function parseHeader(line: string): readonly string[] | undefined {
  if (!line.startsWith(`${magic} `)) return undefined;
  try {
    const names: unknown = JSON.parse(line.slice(magic.length + 1));
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}

function apply(stream: OpenStream, { kind, server, a, b }: LogRecord): void {
  const before = stream.servers.get(server);
  switch (kind) {
    case RecordKind.BASE:
      stream.next = a;
      break;
    case RecordKind.READING:
      stream.readings.push({ position: stream.next++, time: a, value: b });
      break;
    case RecordKind.SEALED: {
      const format = packFormats[b % packFormats.length] ?? packFormats[0];
      const sealed = { readings: Math.floor(b / packFormats.length), format };
      stream.servers.set(server, { attached: before?.attached ?? true, position: a, sealed });
      break;
    }
    case RecordKind.SETTLED:
      stream.servers.set(server, { attached: before?.attached ?? true, position: a, sealed: undefined });
      break;
    case RecordKind.ATTACHED:
    case RecordKind.DETACHED:
      stream.servers.set(server, {
        attached: kind === RecordKind.ATTACHED,
        // What is sealed is still to be sent, whoever observes.
        position: before?.sealed === undefined ? a : before.position,
        sealed: before?.sealed,
      });
      break;
  }
}

/** Drops what every server that it was kept for has; all is kept while it is kept for none. */
function withoutSettled({ next, readings, servers }: OpenStream): KeptStream {
  const reached = [...servers.values()]
    .filter(({ attached, sealed }) => attached || sealed !== undefined)
    .map(({ position }) => position);
  const anyAttached = [...servers.values()].some(({ attached }) => attached);
  if (!anyAttached) {
    // As in the queue: what was let go of before the last one left does not come back.
    const left = [...servers.values()].map(({ position }) => position);
    reached.push(...(left.length === 0 ? [] : [Math.max(...left)]));
  }
  const first = reached.length === 0 ? 0 : Math.min(...reached);
  return { next, readings: readings.filter(({ position }) => position >= first), servers };
}

/** Without what a queue that was full has dropped since; what is sealed stays, for it may come again. */
export function withoutDropped({ next, readings, servers }: KeptStream, oldest: number): KeptStream {
  const sealed = [...servers.values()].filter((progress) => progress.sealed !== undefined);
  const isSealed = (at: number): boolean =>
    sealed.some(({ position, sealed }) => at >= position && at < position + (sealed?.readings ?? 0));
  return {
    next,
    readings: readings.filter(({ position }) => position >= oldest || isSealed(position)),
    servers,
  };
}

/** With positions as those of a queue that these readings are put in: from 0 on, without gaps. */
export function renumbered({ readings, servers }: KeptStream): KeptStream {
  const places = readings.map(({ position }) => position);
  const placeOf = (position: number): number => {
    const at = places.findIndex((each) => each >= position);
    return at < 0 ? places.length : at;
  };
  return {
    next: readings.length,
    readings: readings.map((reading, position) => ({ ...reading, position })),
    servers: new Map(
      [...servers].map(([server, progress]) => [
        server,
        { ...progress, position: placeOf(progress.position) },
      ]),
    ),
  };
}

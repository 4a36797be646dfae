import type { ApiValue } from '../../objects/values.ts';
import { DecodeError } from '../../protocol/errors.ts';

/** A reading's value as history and API have it. */
export type ReadingValue = ApiValue;

/** Readings of one path, in the order of the pack. The arrays have the same length. Times: µs since the epoch. */
export interface Series {
  readonly path: string;
  /** The device's time, or that of receipt where the device's was absent or cannot be right. */
  readonly takenAt: readonly number[];
  readonly values: readonly ReadingValue[];
  /** The device's own time where it cannot be right; undefined where all are plausible. */
  readonly claimedAt?: readonly (number | undefined)[];
}

/** What one notification or Send brought. */
export interface Pack {
  readonly endpoint: string;
  /** µs since the epoch. */
  readonly receivedAt: number;
  /** A fresher notification overtook it (RFC 7641 §3.4), and it carries no time of its own: not a last value. */
  readonly overtaken: boolean;
  readonly series: readonly Series[];
}

const VERSION = 1;
const OVERTAKEN = 1;
const NUMERIC = 0;
const JSON_VALUES = 1;
const CLAIMED = 0x80;

/** What packs of usual size are encoded into. */
const scratch = new Uint8Array(16_384);
const scratchView = new DataView(scratch.buffer);

const text = new TextEncoder();
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Encodes a pack for the log: `version flags u16(series)`, then for each series `u16(length) path
 * kind u32(count) count × f64 takenAt`, then the values as `count × f64` (kind 0) or as
 * `u32(length) JSON` (kind 1), then, with bit 0x80 of kind, `count × f64 claimedAt` (NaN: none).
 * Big-endian. Endpoint and time of receipt are the log entry's.
 *
 * The bytes are valid until the next call: the log copies them, and memory of their own would cost more than they do.
 */
export function encodePack(pack: Pack): Uint8Array {
  const prepared = pack.series.map(prepare);
  let size = 4;
  for (const part of prepared) size += part.size;
  const bytes = size <= scratch.length ? scratch : new Uint8Array(size);
  const view = size <= scratch.length ? scratchView : new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, pack.overtaken ? OVERTAKEN : 0);
  view.setUint16(2, prepared.length);
  let at = 4;
  for (const { series, path, json } of prepared) {
    const count = series.takenAt.length;
    view.setUint16(at, path.length);
    bytes.set(path, at + 2);
    at += 2 + path.length;
    view.setUint8(at, (json === undefined ? NUMERIC : JSON_VALUES) | (series.claimedAt ? CLAIMED : 0));
    view.setUint32(at + 1, count);
    at += 5;
    for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, series.takenAt[i] ?? Number.NaN);
    if (json === undefined) {
      for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, series.values[i] as number);
    } else {
      view.setUint32(at, json.length);
      bytes.set(json, at + 4);
      at += 4 + json.length;
    }
    if (series.claimedAt !== undefined) {
      for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, series.claimedAt[i] ?? Number.NaN);
    }
  }
  return bytes.subarray(0, size);
}

interface Prepared {
  readonly series: Series;
  readonly path: Uint8Array;
  readonly json: Uint8Array | undefined;
  readonly size: number;
}

const paths = new Map<string, Uint8Array>();

/** Paths repeat for ever: their bytes are kept for the most recent few thousand. */
function pathBytes(path: string): Uint8Array {
  let bytes = paths.get(path);
  if (bytes === undefined) {
    if (paths.size >= 4096) paths.clear();
    bytes = text.encode(path);
    paths.set(path, bytes);
  }
  return bytes;
}

function prepare(series: Series): Prepared {
  const path = pathBytes(series.path);
  const count = series.takenAt.length;
  const numeric = series.values.every((value) => typeof value === 'number');
  const json = numeric ? undefined : text.encode(JSON.stringify(series.values));
  const size =
    7 +
    path.length +
    8 * count +
    (json === undefined ? 8 * count : 4 + json.length) +
    (series.claimedAt === undefined ? 0 : 8 * count);
  return { series, path, json, size };
}

/** @throws DecodeError the bytes are no pack, or of a newer version. */
export function decodePack(endpoint: string, receivedAt: number, bytes: Uint8Array): Pack {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (view.getUint8(0) !== VERSION) throw new DecodeError(`pack version ${view.getUint8(0)} is not known`);
    const overtaken = (view.getUint8(1) & OVERTAKEN) !== 0;
    const series: Series[] = [];
    let at = 4;
    for (let left = view.getUint16(2); left > 0; left--) {
      const pathLength = view.getUint16(at);
      const path = utf8.decode(slice(bytes, at + 2, pathLength));
      at += 2 + pathLength;
      const kind = view.getUint8(at);
      const count = view.getUint32(at + 1);
      at += 5;
      const takenAt = floats(view, at, count);
      at += 8 * count;
      let values: ReadingValue[];
      if ((kind & 0x7f) === NUMERIC) {
        values = floats(view, at, count);
        at += 8 * count;
      } else {
        const length = view.getUint32(at);
        values = JSON.parse(utf8.decode(slice(bytes, at + 4, length))) as ReadingValue[];
        at += 4 + length;
      }
      if ((kind & CLAIMED) === 0) {
        series.push({ path, takenAt, values });
      } else {
        const claimedAt = floats(view, at, count).map((time) => (Number.isNaN(time) ? undefined : time));
        at += 8 * count;
        series.push({ path, takenAt, values, claimedAt });
      }
    }
    return { endpoint, receivedAt, overtaken, series };
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    if (error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError) {
      throw new DecodeError(`log entry is no pack of readings: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function slice(bytes: Uint8Array, at: number, length: number): Uint8Array {
  if (at + length > bytes.length) throw new DecodeError('pack is cut short');
  return bytes.subarray(at, at + length);
}

function floats(view: DataView, at: number, count: number): number[] {
  if (at + 8 * count > view.byteLength) throw new DecodeError('pack is cut short');
  const values = new Array<number>(count);
  for (let i = 0; i < count; i++) values[i] = view.getFloat64(at + 8 * i);
  return values;
}

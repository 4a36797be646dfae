import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { SenmlPackBuilder } from '../../protocol/lwm2m/senml-pack.ts';
import type { LwM2mVersion } from './formats.ts';
import type { Readings } from './reading-queue.ts';

export type PackFormat = 'senml-cbor' | 'senml-json';

/** Readings of one sensor in their final bytes. */
export interface SealedPack {
  readonly payload: Uint8Array;
  readonly contentFormat: number;
  /** How many there are in it. */
  readonly readings: number;
}

/** One CoAP block: a pack is never sent block-wise. */
export const maxPackBytes = 1024;

/** The pack format for an Accept option; undefined where that format carries no time: single values then. */
export function packFormatOf(accept: number | undefined, version: LwM2mVersion): PackFormat | undefined {
  if (accept === ContentFormat.SENML_CBOR || (accept === undefined && version !== '1.0')) return 'senml-cbor';
  return accept === ContentFormat.SENML_JSON ? 'senml-json' : undefined;
}

/**
 * Takes as many of the oldest readings as fit one pack, `most` at most, out of the queue, which must have
 * one. Times are absolute: base time and deltas, in seconds, exact to the microsecond (RFC 8428 §4.5.3).
 * The same readings give the same bytes.
 */
export function sealPack(
  path: string,
  queue: Readings,
  format: PackFormat,
  most: number = Number.POSITIVE_INFINITY,
): SealedPack {
  const builder = format === 'senml-cbor' ? cborBuilder(path) : new SenmlJsonBuilder(path);
  const limit = Math.min(queue.length, most);
  let readings = 0;
  while (readings < limit && builder.add(queue.time(readings), queue.value(readings))) readings++;
  if (readings === 0) throw new Error('a pack holds at least one reading');
  queue.remove(readings);
  return { payload: builder.finish(), contentFormat: contentFormatOf(format), readings };
}

/** A pack of one reading. */
export function encodeReading(path: string, time: number, value: number, format: PackFormat): SealedPack {
  const builder = format === 'senml-cbor' ? cborBuilder(path) : new SenmlJsonBuilder(path);
  builder.add(time, value);
  return { payload: builder.finish(), contentFormat: contentFormatOf(format), readings: 1 };
}

function contentFormatOf(format: PackFormat): number {
  return format === 'senml-cbor' ? ContentFormat.SENML_CBOR : ContentFormat.SENML_JSON;
}

function cborBuilder(path: string): { add(time: number, value: number): boolean; finish(): Uint8Array } {
  const pack = new SenmlPackBuilder(path, { maxBytes: maxPackBytes, singlePrecision: true });
  return { add: (time, value) => pack.add(time / 1e6, value), finish: () => pack.finish() };
}

/** The same in SenML JSON (RFC 8428 §5), times given in µs. */
class SenmlJsonBuilder {
  readonly #path: string;
  #text = '';
  #base = 0;

  constructor(path: string) {
    this.#path = path;
  }

  add(time: number, value: number): boolean {
    const rounded = Math.fround(value);
    // Shortest text that reads back as the same single.
    const number = Number(rounded.toPrecision(8));
    const record =
      this.#text === ''
        ? `{"bn":${JSON.stringify(this.#path)},"bt":${time / 1e6},"v":${number}}`
        : `,{"t":${(time - this.#base) / 1e6},"v":${number}}`;
    if (this.#text.length + record.length + 2 > maxPackBytes) return false;
    if (this.#text === '') this.#base = time;
    this.#text += record;
    return true;
  }

  finish(): Uint8Array {
    return new TextEncoder().encode(`[${this.#text}]`);
  }
}

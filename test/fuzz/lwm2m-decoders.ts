// Mutated payloads into every decoder of protocol/lwm2m: only DecodeError may come out, or records.
//
//   node test/fuzz/lwm2m-decoders.ts [--rounds N] [--seed S]
//
// Prints the seed and, for a failure, the payload in hex: enough to make a test of it.

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { DecodeError } from '../../protocol/errors.ts';
import {
  decodeContent,
  decodePaths,
  encodeContent,
  supportedContentFormats,
} from '../../protocol/lwm2m/content.ts';
import { formatLinks, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../protocol/lwm2m/object-links.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { contentVectors, lookup } from '../protocol/lwm2m/vectors.ts';

/** What a run saw, by decoder: payloads that gave records, and those that were refused. */
export type FuzzCounts = Readonly<Record<string, { read: number; refused: number }>>;

/** A payload that a decoder did not stand. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
}

const linkDocuments = [
  '</>;rt="oma.lwm2m";ct="60 110 112",</1/0>;ver=1.1,</3/0>,</5>;ver="1.2"',
  '</lwm2m>;rt="oma.lwm2m";ct=110,</lwm2m/3/0>,</lwm2m/4>',
  '</3/0>;pmin=10;pmax=60;gt=50;lt=-42.2,</3/0/6>;dim=2;title="a, \\"b\\" \\\\"',
];

/** Small, fast and repeatable: mulberry32. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const INTERESTING = [
  0x00, 0x01, 0x1b, 0x1f, 0x5f, 0x7f, 0x80, 0x9f, 0xbf, 0xc4, 0xf9, 0xfb, 0xff, 0x22, 0x5c, 0x2c,
];

function mutate(
  payload: Uint8Array,
  donors: readonly Uint8Array[],
  random: (below: number) => number,
): Uint8Array {
  let bytes = [...payload];
  for (let change = random(4) + 1; change > 0; change--) {
    const at = random(bytes.length + 1);
    switch (random(7)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        bytes[at] = random(256);
        break;
      case 2:
        bytes[at] = INTERESTING[random(INTERESTING.length)] as number;
        break;
      case 3:
        bytes.splice(at, random(8));
        break;
      case 4:
        bytes.splice(at, 0, ...bytes.slice(at, at + random(16)));
        break;
      case 5: {
        const donor = donors[random(donors.length)] as Uint8Array;
        const from = random(donor.length + 1);
        bytes.splice(at, random(8), ...donor.subarray(from, from + random(24)));
        break;
      }
      default:
        bytes = bytes.slice(0, at);
    }
  }
  return Uint8Array.from(bytes);
}

/** One attempt: true where the decoder gave something, false where it threw DecodeError. */
function attempt(name: string, seed: number, bytes: Uint8Array, decode: () => void): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    throw new FuzzFailure(`${name}, seed ${seed}: ${String(error)} on ${hex}`, { cause: error });
  }
}

/** What was read can be written again, and means the same then: a decoder that lies is found too. */
function checkMirror(format: number, base: string, records: LwM2mRecord[]): void {
  // What an executable sends is kept for the curious, but nobody writes it.
  if (records.some(({ path }) => isExecutable(path))) return;
  const tlv = format === 11542;
  // Trees come back in their order, whatever the order was.
  const sorted = tlv || format === 11544;
  const paths = new Set(records.map(({ path }) => path));
  const single = [...paths].filter((path) => paths.has(path.slice(0, path.lastIndexOf('/'))));
  // TLV has no order and names nothing twice.
  if (tlv && (paths.size < records.length || single.length > 0)) return;
  const again = decodeContent(format, base, encodeContent(format, base, records, lookup), lookup);
  const text = (list: readonly LwM2mRecord[]) => {
    const lines = list.map(({ path, value, time }) => `${path} ${typeof value} ${show(value)} ${time}`);
    return (sorted ? lines.sort() : lines).join('\n');
  };
  if (text(again) !== text(records)) throw new Error(`read as ${text(records)}, then as ${text(again)}`);
}

function isExecutable(path: string): boolean {
  const [object, , resource] = pathIds(path) as [number, number, number];
  return lookup.resourceType(object, resource)?.type === 'none';
}

function show(value: LwM2mRecord['value']): string {
  if (value instanceof Uint8Array) return value.join(' ');
  return typeof value === 'object' ? `${value.objectId}:${value.instanceId}` : String(value);
}

/**
 * Runs `rounds` mutated payloads through each decoder.
 * @throws FuzzFailure something else than DecodeError came out
 */
export function fuzzDecoders(rounds: number, seed: number): FuzzCounts {
  const counts: Record<string, { read: number; refused: number }> = {};
  const random = generator(seed);
  const run = (
    name: string,
    donors: readonly Uint8Array[],
    decode: (bytes: Uint8Array, index: number) => void,
  ) => {
    const count = { read: 0, refused: 0 };
    counts[name] = count;
    for (let round = 0; round < rounds; round++) {
      const index = random(donors.length);
      const bytes = mutate(donors[index] as Uint8Array, donors, random);
      if (attempt(name, seed, bytes, () => decode(bytes, index))) count.read++;
      else count.refused++;
    }
  };
  for (const format of supportedContentFormats) {
    const vectors = contentVectors.filter((vector) => vector.format === format);
    run(
      `format ${format}`,
      vectors.map(({ bytes }) => bytes),
      (bytes, index) => {
        const { base } = vectors[index] as (typeof vectors)[number];
        checkMirror(format, base, decodeContent(format, base, bytes, lookup));
      },
    );
    if (format !== 110 && format !== 112) continue;
    run(
      `paths in format ${format}`,
      vectors.map(({ bytes }) => bytes),
      (bytes) => void decodePaths(format, bytes),
    );
  }
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  run(
    'link format',
    linkDocuments.map((text) => encoder.encode(text)),
    (bytes) => {
      const links = parseLinks(decoder.decode(bytes));
      objectLinks(links);
      const written = formatLinks(links);
      if (formatLinks(parseLinks(written)) !== written) throw new Error('links do not survive');
    },
  );
  return counts;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 32);
  console.log(`seed ${seed}, ${values.rounds} rounds for each decoder`);
  for (const [name, { read, refused }] of Object.entries(fuzzDecoders(Number(values.rounds), seed))) {
    console.log(`${name}: ${read} read, ${refused} refused`);
  }
}

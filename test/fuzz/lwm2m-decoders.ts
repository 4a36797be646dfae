// Mutated payloads into every decoder of protocol/lwm2m, into Execute arguments and OMA XML: only DecodeError may
// come out (RequestError of XML, which a person gave), or what the payload says.
//
//   node test/fuzz/lwm2m-decoders.ts [--rounds N] [--seed S]
//
// Prints the seed and, for a failure, the payload in hex: enough to make a test of it.

import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { decodeExecuteArguments } from '../../client/lwm2m/execute-arguments.ts';
import { carrierObject } from '../../objects/carrier.ts';
import { defineObject } from '../../objects/define-object.ts';
import { parseOmaXml } from '../../objects/parse-oma-xml.ts';
import { createObjectRegistry } from '../../objects/registry.ts';
import { toOmaXml } from '../../objects/to-oma-xml.ts';
import { DecodeError, RequestError } from '../../protocol/errors.ts';
import { changeFormats, decodeChanges, encodeChanges } from '../../protocol/lwm2m/changes.ts';
import {
  decodeContent,
  decodeCreate,
  decodePaths,
  encodeContent,
  encodePaths,
  pathListFormats,
  supportedContentFormats,
} from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { formatLinks, parseLinks } from '../../protocol/lwm2m/link-format.ts';
import { objectLinks } from '../../protocol/lwm2m/object-links.ts';
import { isAtOrBelow, pathIds } from '../../protocol/lwm2m/path.ts';
import type { LwM2mChange, LwM2mRecord } from '../../protocol/lwm2m/value.ts';
import { contentVectors, lookup } from '../protocol/lwm2m/vectors.ts';

/** What a run saw, by decoder: payloads that gave records, and those that were refused. */
export type FuzzCounts = Readonly<Record<string, { read: number; refused: number }>>;

/** A payload that a decoder did not stand. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
}

/** A document of a person's was refused, as it is to be. */
class Refused extends Error {}

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
    if (error instanceof DecodeError || error instanceof Refused) return false;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    throw new FuzzFailure(`${name}, seed ${seed}: ${String(error)} on ${hex}`, { cause: error });
  }
}

/** What was read can be written again, and means the same then: a decoder that lies is found too. */
function checkMirror(format: number, base: string, records: LwM2mRecord[]): void {
  // What an executable sends is kept for the curious, but nobody writes it.
  if (records.some(({ path }) => isExecutable(path))) return;
  // Instances that links lead to come with an answer, but nobody writes them there.
  if (records.some(({ path }) => !isAtOrBelow(path, base))) return;
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
  }
  const packs = (isJson: boolean) => packDonors.filter(({ format }) => isJsonFormat(format) === isJson);
  for (const format of pathListFormats) {
    const isFetchPack = format === ContentFormat.SENML_ETCH_JSON || format === ContentFormat.SENML_ETCH_CBOR;
    const lists = [['/', '/3', '/1/0/1', '/3/0/6/1'], ['/3/0/0', '/3/0/9', '/1/0/1'], ['/4']];
    const donors = lists.map((paths) => encodePaths(format, paths));
    // A Fetch Pack holds no values: mutations of packs that do would all be refused.
    if (!isFetchPack) donors.push(...packs(isJsonFormat(format)).map(({ bytes }) => bytes));
    run(`paths in format ${format}`, donors, (bytes) => {
      const paths = decodePaths(format, bytes);
      if (paths.length === 0) return;
      const again = decodePaths(format, encodePaths(format, paths));
      if (again.join() !== paths.join()) throw new Error(`read as ${paths.join()}, then as ${again.join()}`);
    });
  }
  for (const format of changeFormats) {
    const isTree = format === ContentFormat.LWM2M_CBOR;
    const donors = isTree
      ? contentVectors.filter((vector) => vector.format === format).map(({ bytes }) => bytes)
      : packs(isJsonFormat(format)).map(({ bytes }) => bytes);
    if (format === ContentFormat.SENML_ETCH_CBOR || format === ContentFormat.SENML_ETCH_JSON) {
      donors.push(encodeChanges(format, changes, lookup));
    }
    run(`changes in format ${format}`, donors, (bytes) =>
      checkChanges(format, decodeChanges(format, bytes, lookup)),
    );
  }
  for (const format of [ContentFormat.TLV, ContentFormat.LWM2M_CBOR]) {
    const donors = [
      ...contentVectors.filter((vector) => vector.format === format).map(({ bytes }) => bytes),
      Uint8Array.of(0xa1, 0x82, 3, 0x19, 0xff, 0xff, 0xa1, 9, 1),
    ];
    run(`Create in format ${format}`, donors, (bytes) => {
      for (const { path } of decodeCreate(format, '/3', 7, bytes, lookup)) {
        if (!isAtOrBelow(path, '/3')) throw new Error(`${path} is not below /3`);
      }
    });
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
  run(
    'Execute arguments',
    ['', '5', "2='10.3'", "0='1',1='7'", '0,1,2,3,4', "7,0='https://www.omaspecworks.org'"].map((text) =>
      encoder.encode(text),
    ),
    (bytes) => {
      const found = decodeExecuteArguments(bytes);
      if (found.size > 10) throw new Error(`${found.size} arguments of ten digits`);
    },
  );
  const registry = createObjectRegistry([]);
  run('OMA XML', [encoder.encode(shortXml), encoder.encode(toOmaXml(carrierObject))], (bytes) => {
    let definitions: ReturnType<typeof parseOmaXml>;
    try {
      definitions = parseOmaXml(decoder.decode(bytes));
    } catch (error) {
      throw error instanceof RequestError ? new Refused(error.message) : error;
    }
    for (const definition of definitions) {
      const [again] = parseOmaXml(toOmaXml(definition));
      if (again?.id !== definition.id || again.version !== definition.version)
        throw new Error('a definition does not survive');
      // Throws where the definition contradicts itself.
      registry.load(defineObject(definition));
      registry.unload(definition.id, definition.version);
    }
  });
  return counts;
}

/** Changes that were read can be written: all of them by SenML-ETCH, those with a value by the others. */
function checkChanges(format: number, read: LwM2mChange[]): void {
  const writable = read.filter(
    ({ path, value }) => !isExecutable(path) && (value !== null || pathIds(path)?.length === 4),
  );
  const paths = new Set(writable.map(({ path }) => path));
  // The tree of LwM2M CBOR names nothing twice, and goes in its own order.
  if (format === ContentFormat.LWM2M_CBOR && paths.size < writable.length) return;
  const text = (list: readonly LwM2mChange[]) =>
    list
      .map(({ path, value }) => `${path} ${value === null ? 'null' : show(value)}`)
      .sort()
      .join('\n');
  const again = decodeChanges(format, encodeChanges(format, writable, lookup), lookup);
  if (text(again) !== text(writable)) throw new Error(`read as ${text(writable)}, then as ${text(again)}`);
}

function isJsonFormat(format: number): boolean {
  return format === ContentFormat.SENML_JSON || format === ContentFormat.SENML_ETCH_JSON;
}

const packDonors = contentVectors.filter(
  ({ format }) => format === ContentFormat.SENML_JSON || format === ContentFormat.SENML_CBOR,
);

const changes: readonly LwM2mChange[] = [
  { path: '/3/0/6/1', value: null },
  { path: '/3/0/9', value: 100 },
  { path: '/3/0/0', value: 'x' },
  { path: '/3/0/6/0', value: null },
];

const shortXml = `<LWM2M><Object><Name>A</Name><ObjectID>5</ObjectID><ObjectVersion>1.1</ObjectVersion><Resources>
<Item ID="1"><Name>B &amp; C</Name><Operations>RW</Operations><MultipleInstances>Multiple</MultipleInstances>
<Type>Integer</Type><RangeEnumeration>0..9</RangeEnumeration><Units>s</Units></Item>
<Item ID="2"><Name><![CDATA[<D>]]></Name><Operations>E</Operations><Type></Type></Item></Resources></Object></LWM2M>`;

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

import { DecodeError } from '../errors.ts';
import { readCborValue } from './cbor.ts';
import { CborReader, INDEFINITE } from './cbor-reader.ts';
import { CborMajor } from './cbor-write.ts';
import { MAX_RECORDS } from './limits.ts';
import { isAtOrBelow, MAX_PATH_ID } from './path.ts';
import type { LwM2mRecord, ResourceTypeLookup } from './value.ts';

/** The value of what a composite operation asked for and is not there. */
const NULL = 0xf6;

/** In the place of an instance id: none is named. */
const NO_INSTANCE = 65535;

interface Lwm2mCborOptions {
  readonly unnamed?: number | undefined;
  readonly refusesNull?: boolean;
}

/** Object, instance, resource, resource instance. */
const DEEPEST = 4;

/** Reads one payload of LwM2M CBOR, see lwm2m-cbor.ts. */
export class Lwm2mCborReader {
  readonly #records: LwM2mRecord[] = [];
  readonly #reader: CborReader;
  readonly #basePath: string;
  readonly #lookup: ResourceTypeLookup;
  /** Paths that have a value, and resources that have instances: no place has both, or two (RFC 8949 §5.6). */
  readonly #values = new Set<string>();
  readonly #multiple = new Set<string>();

  /** The instance that 65535 stands for, where it may. */
  readonly #unnamed: number | undefined;
  readonly #refusesNull: boolean;

  constructor(
    basePath: string,
    bytes: Uint8Array,
    lookup: ResourceTypeLookup,
    { unnamed, refusesNull = false }: Lwm2mCborOptions,
  ) {
    this.#unnamed = unnamed;
    this.#refusesNull = refusesNull;
    this.#reader = new CborReader(bytes);
    this.#basePath = basePath;
    this.#lookup = lookup;
  }

  /** @throws DecodeError */
  read(): LwM2mRecord[] {
    this.#map([]);
    this.#reader.end();
    return this.#records;
  }

  /** The map below `above`: each key adds an id at least, so that it never recurses deeper than paths go. */
  #map(above: readonly number[]): void {
    const reader = this.#reader;
    const count = reader.map();
    for (let index = 0; count === INDEFINITE ? !reader.breaks() : index < count; index++) {
      const ids = this.#key(above);
      const initial = reader.peek();
      if (initial === NULL && !this.#refusesNull) reader.skip();
      else if (initial >> 5 === CborMajor.MAP && ids.length < DEEPEST) this.#map(ids);
      else this.#value(ids);
    }
  }

  #key(above: readonly number[]): number[] {
    const reader = this.#reader;
    if (reader.peek() >> 5 !== CborMajor.ARRAY) return this.#below(above);
    const count = reader.array();
    let ids: number[] | undefined;
    for (let index = 0; count === INDEFINITE ? !reader.breaks() : index < count; index++) {
      ids = this.#below(ids ?? above);
    }
    if (ids === undefined) throw new DecodeError('LwM2M CBOR: a key without an id');
    return ids;
  }

  #below(above: readonly number[]): number[] {
    const initial = this.#reader.peek();
    const id = initial >> 5 === CborMajor.UNSIGNED ? this.#reader.number() : -1;
    if (id === NO_INSTANCE && above.length === 1 && this.#unnamed !== undefined) {
      return [...above, this.#unnamed];
    }
    if (typeof id !== 'number' || id < 0 || id > MAX_PATH_ID) {
      throw new DecodeError(`LwM2M CBOR: a key below /${above.join('/')} is no id`);
    }
    if (above.length === DEEPEST) throw new DecodeError(`LwM2M CBOR: a key below /${above.join('/')}`);
    return [...above, id];
  }

  #value(ids: readonly number[]): void {
    const path = `/${ids.join('/')}`;
    if (ids.length < 3) throw new DecodeError(`LwM2M CBOR: ${path} is no path of a resource`);
    if (!isAtOrBelow(path, this.#basePath)) {
      throw new DecodeError(`LwM2M CBOR: ${path} is not at or below ${this.#basePath}`);
    }
    const resource = ids.length === DEEPEST ? `/${ids.slice(0, 3).join('/')}` : undefined;
    const taken = resource === undefined ? this.#multiple.has(path) : this.#values.has(resource);
    if (taken || this.#values.has(path)) throw new DecodeError(`LwM2M CBOR: ${path} has more than one value`);
    if (this.#records.length === MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} values`);
    this.#values.add(path);
    if (resource !== undefined) this.#multiple.add(resource);
    const type = this.#lookup.resourceType(ids[0] as number, ids[2] as number)?.type;
    this.#records.push({ path, value: readCborValue(this.#reader, path, type) });
  }
}

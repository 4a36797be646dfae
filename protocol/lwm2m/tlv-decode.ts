import { DecodeError } from '../errors.ts';
import { copyBytes, decodeUtf8 } from './bytes.ts';
import { MAX_RECORDS } from './limits.ts';
import { MAX_PATH_ID, pathIds } from './path.ts';
import { compactInteger, valueAsRead } from './typed-value.ts';
import type { LwM2mRecord, ResourceType, ResourceTypeLookup, ResourceValue } from './value.ts';

// TLV, content format 11542: OMA-TS-LightweightM2M_Core-V1_2 §7.5.5.

/** Identifier kinds, bits 7 and 6 of the type byte. */
export const TlvKind = {
  OBJECT_INSTANCE: 0,
  RESOURCE_INSTANCE: 1,
  MULTIPLE_RESOURCE: 2,
  RESOURCE: 3,
} as const;
export type TlvKind = (typeof TlvKind)[keyof typeof TlvKind];

/** One TLV: its value lies in the input from `start` to before `end`. */
interface Tlv {
  readonly kind: TlvKind;
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads what a device sent for `basePath` (an object or something below it). Resources straight under
 * an object are those of its instance `unnamed`, and an instance or multiple resource that wraps what was
 * asked for is looked into: devices send both.
 * @throws DecodeError
 */
export function decodeTlv(
  basePath: string,
  bytes: Uint8Array,
  lookup: ResourceTypeLookup,
  unnamed = 0,
): LwM2mRecord[] {
  const [object, instance, resource, resourceInstance] = pathIds(basePath) ?? [];
  if (object === undefined) throw new DecodeError('TLV names no objects, so it cannot answer for the root');
  const reader = new TlvReader(bytes, lookup, object);
  if (instance === undefined) reader.object(unnamed);
  else if (resource === undefined) reader.instance(instance);
  else reader.resource(instance, resource, resourceInstance);
  return reader.records;
}

class TlvReader {
  readonly records: LwM2mRecord[] = [];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #lookup: ResourceTypeLookup;
  readonly #object: number;

  constructor(bytes: Uint8Array, lookup: ResourceTypeLookup, object: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#lookup = lookup;
    this.#object = object;
  }

  object(unnamed: number): void {
    for (let at = 0; at < this.#bytes.length; ) {
      const tlv = this.#next(at, this.#bytes.length);
      if (tlv.kind === TlvKind.OBJECT_INSTANCE) this.#resources(tlv.id, tlv.start, tlv.end);
      else this.#resource(unnamed, tlv);
      at = tlv.end;
    }
  }

  instance(instance: number): void {
    for (let at = 0; at < this.#bytes.length; ) {
      const tlv = this.#next(at, this.#bytes.length);
      if (tlv.kind === TlvKind.OBJECT_INSTANCE) {
        if (tlv.id !== instance) throw this.#unasked(tlv);
        this.#resources(instance, tlv.start, tlv.end);
      } else this.#resource(instance, tlv);
      at = tlv.end;
    }
  }

  resource(instance: number, resource: number, resourceInstance: number | undefined): void {
    for (let at = 0; at < this.#bytes.length; ) {
      const tlv = this.#next(at, this.#bytes.length);
      at = tlv.end;
      if (tlv.kind === TlvKind.RESOURCE_INSTANCE) this.#value(instance, resource, tlv.id, tlv);
      else if (tlv.id !== resource) throw this.#unasked(tlv);
      else this.#resource(instance, tlv);
    }
    if (resourceInstance === undefined) return;
    const wanted = `/${this.#object}/${instance}/${resource}/${resourceInstance}`;
    const other = this.records.find(({ path }) => path !== wanted);
    if (other !== undefined) throw new DecodeError(`TLV of ${other.path} in the answer for ${wanted}`);
  }

  #resources(instance: number, start: number, end: number): void {
    for (let at = start; at < end; ) {
      const tlv = this.#next(at, end);
      this.#resource(instance, tlv);
      at = tlv.end;
    }
  }

  #resource(instance: number, tlv: Tlv): void {
    if (tlv.kind === TlvKind.RESOURCE) {
      this.#value(instance, tlv.id, undefined, tlv);
      return;
    }
    if (tlv.kind !== TlvKind.MULTIPLE_RESOURCE) throw this.#unasked(tlv);
    for (let at = tlv.start; at < tlv.end; ) {
      const inner = this.#next(at, tlv.end);
      if (inner.kind !== TlvKind.RESOURCE_INSTANCE) throw this.#unasked(inner);
      this.#value(instance, tlv.id, inner.id, inner);
      at = inner.end;
    }
  }

  #value(instance: number, resource: number, resourceInstance: number | undefined, tlv: Tlv): void {
    if (this.records.length === MAX_RECORDS) throw new DecodeError(`more than ${MAX_RECORDS} values`);
    const own = `/${this.#object}/${instance}/${resource}`;
    const path = resourceInstance === undefined ? own : `${own}/${resourceInstance}`;
    const type = this.#lookup.resourceType(this.#object, resource)?.type;
    this.records.push({ path, value: this.#typed(path, type, tlv.start, tlv.end) });
  }

  /** The value in the bytes from `start` to before `end`, Appendix C. */
  #typed(path: string, type: ResourceType | undefined, start: number, end: number): ResourceValue {
    const length = end - start;
    switch (type) {
      case undefined:
      case 'none':
      case 'opaque':
        return copyBytes(this.#bytes, start, end);
      case 'string':
      case 'corelnk':
        return decodeUtf8(this.#bytes, start, end);
      case 'integer':
      case 'time':
      case 'unsigned':
        return valueAsRead(path, type, this.#integer(path, type, start, length));
      case 'float':
        if (length === 4) return valueAsRead(path, type, this.#view.getFloat32(start));
        if (length === 8) return valueAsRead(path, type, this.#view.getFloat64(start));
        break;
      case 'boolean': {
        const byte = length === 1 ? this.#view.getUint8(start) : -1;
        if (byte === 0 || byte === 1) return byte === 1;
        break;
      }
      case 'objlnk':
        if (length !== 4) break;
        return { objectId: this.#view.getUint16(start), instanceId: this.#view.getUint16(start + 2) };
    }
    throw new DecodeError(`${path}: ${length} bytes are no value of type ${type}`);
  }

  #integer(path: string, type: ResourceType, start: number, length: number): number | bigint {
    const signed = type !== 'unsigned';
    switch (length) {
      case 1:
        return signed ? this.#view.getInt8(start) : this.#view.getUint8(start);
      case 2:
        return signed ? this.#view.getInt16(start) : this.#view.getUint16(start);
      case 4:
        return signed ? this.#view.getInt32(start) : this.#view.getUint32(start);
      case 8:
        return compactInteger(signed ? this.#view.getBigInt64(start) : this.#view.getBigUint64(start));
    }
    throw new DecodeError(`${path}: an integer of ${length} bytes`);
  }

  /** The TLV at `at`, which lies before `end`. */
  #next(at: number, end: number): Tlv {
    const type = this.#bytes[at] as number;
    const idLength = (type & 0x20) === 0 ? 1 : 2;
    const lengthLength = (type >> 3) & 3;
    const start = at + 1 + idLength + lengthLength;
    if (start > end) throw new DecodeError('TLV ends within a header');
    const id = this.#unsigned(at + 1, idLength);
    // Without a length field bits 2 to 0 are the length; with one they say nothing.
    const length = lengthLength === 0 ? type & 7 : this.#unsigned(at + 1 + idLength, lengthLength);
    if (length > end - start) throw new DecodeError('TLV ends within a value');
    if (id > MAX_PATH_ID) throw new DecodeError(`TLV with the reserved id ${id}`);
    return { kind: (type >> 6) as TlvKind, id, start, end: start + length };
  }

  #unsigned(at: number, count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++) value = value * 256 + (this.#bytes[at + index] as number);
    return value;
  }

  #unasked(tlv: Tlv): DecodeError {
    const kinds = ['object instance', 'resource instance', 'multiple resource', 'resource'];
    return new DecodeError(`TLV of ${kinds[tlv.kind]} ${tlv.id}, which does not belong there`);
  }
}

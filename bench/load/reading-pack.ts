import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';

/** ms between the readings of a pack. */
const SPACING = 1;

const floats: ResourceTypeLookup = { resourceType: () => ({ type: 'float', multiple: false }) };

/**
 * The payloads of one resource's readings, made so cheaply that a server and not the load is the bottleneck: a pack in
 * SenML CBOR is laid out once, and only its time and its newest value are written anew.
 */
export class ReadingPack {
  readonly #path: string;
  readonly #format: number;
  readonly #readings: number;
  readonly #template: Uint8Array;
  readonly #view: DataView;
  readonly #timeAt: number;
  readonly #valueAt: number;

  /**
   * @param format CoAP Content-Format; any but SenML CBOR carries the newest reading alone
   * @param readings how many are in a pack
   */
  constructor(path: string, format: number, readings: number) {
    this.#path = path;
    this.#format = format;
    this.#readings = readings;
    const name = new TextEncoder().encode(path);
    if (name.length > 255) throw new RangeError(`${path} is too long for a reading's name`);
    const bytes: number[] = arrayHead(readings);
    // bn (-2), bt (-3) and the first v (2), RFC 8428 §6: then t (6) and v of each that follows.
    const nameHead = name.length < 24 ? [0x60 + name.length] : [0x78, name.length];
    bytes.push(0xa3, 0x21, ...nameHead, ...name, 0x22, 0xfb);
    this.#timeAt = bytes.length;
    bytes.push(...new Array<number>(8).fill(0), 0x02, 0xfb);
    this.#valueAt = bytes.length;
    bytes.push(...new Array<number>(8).fill(0));
    for (let index = 1; index < readings; index++) {
      // Seconds as a single: exact enough, and 50 readings fit one CoAP block.
      bytes.push(0xa2, 0x06, 0xfa, ...float32((index * SPACING) / 1_000), 0x02, 0xfb);
      bytes.push(...float64(Math.sin(index) * 20));
    }
    this.#template = Uint8Array.from(bytes);
    this.#view = new DataView(this.#template.buffer);
  }

  /** The format that the payloads have. */
  get format(): number {
    return this.#format;
  }

  /**
   * A pack that ends now; the caller may keep it until the next one is made.
   * @param now ms since the epoch
   */
  next(now: number, value: number): Uint8Array {
    if (this.#format !== ContentFormat.SENML_CBOR) {
      return encodeContent(this.#format, this.#path, [{ path: this.#path, value }], floats);
    }
    this.#view.setFloat64(this.#timeAt, (now - (this.#readings - 1) * SPACING) / 1_000);
    this.#view.setFloat64(this.#valueAt, value);
    return this.#template;
  }
}

/** CBOR array head, RFC 8949 §3. */
function arrayHead(length: number): number[] {
  if (length < 24) return [0x80 + length];
  if (length < 256) return [0x98, length];
  return [0x99, length >> 8, length & 255];
}

function float64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function float32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value);
  return bytes;
}

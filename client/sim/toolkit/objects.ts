import { DecodeError } from '../../../protocol/errors.ts';
import { decodeTlvs } from '../ber-tlv.ts';
import { type ComprehensionTlv, decodeComprehensionTlvs } from '../comprehension-tlv.ts';

/** An object that the command must have is not there: ETSI TS 102 223 §8.12, "required values are missing". */
export class MissingObjectError extends DecodeError {}

/** The objects of one command, response or envelope, taken out by tag in the order in which they stand. */
export class ToolkitObjects {
  readonly #left: ComprehensionTlv[];

  /** @throws DecodeError */
  constructor(bytes: Uint8Array) {
    this.#left = [...decodeComprehensionTlvs(bytes)];
  }

  /** The objects within one D0, D6 or D7, which is all there is. @throws DecodeError */
  static within(outer: number, bytes: Uint8Array): ToolkitObjects {
    const [tlv, ...more] = decodeTlvs(bytes);
    if (tlv?.tag !== outer || more.length > 0) {
      throw new DecodeError(`not one object ${outer.toString(16).toUpperCase()}`);
    }
    return new ToolkitObjects(tlv.value);
  }

  /** The first object with that tag, decoded; undefined where there is none left. @throws DecodeError */
  take<T>(tag: number, decode: (tlv: ComprehensionTlv) => T): T | undefined {
    const index = this.#left.findIndex((tlv) => tlv.tag === tag);
    const [tlv] = index < 0 ? [] : this.#left.splice(index, 1);
    return tlv === undefined ? undefined : decode(tlv);
  }

  /** As `take`. @throws MissingObjectError there is none */
  need<T>(tag: number, what: string, decode: (tlv: ComprehensionTlv) => T): T {
    const found = this.take(tag, decode);
    if (found === undefined) throw new MissingObjectError(`no ${what}`);
    return found;
  }

  /** Whether an object `tag` stands before the first object `other`. */
  isBefore(tag: number, other: number): boolean {
    const index = this.#left.findIndex((tlv) => tlv.tag === tag);
    const bound = this.#left.findIndex((tlv) => tlv.tag === other);
    return index >= 0 && (bound < 0 || index < bound);
  }

  /** What nobody took. */
  get others(): readonly ComprehensionTlv[] {
    return this.#left;
  }
}

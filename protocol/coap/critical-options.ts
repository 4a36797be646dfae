import { type CoapOption, OptionNumber } from './message.ts';
import { decodeText } from './options.ts';

interface Shape {
  readonly min: number;
  readonly max: number;
  readonly repeatable?: boolean;
  readonly text?: boolean;
}

/** The critical options that we know, with the lengths and repetition that RFC 7252 §5.10 and RFC 7959 §2.1 allow. */
const KNOWN_CRITICAL: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [OptionNumber.IF_MATCH, { min: 0, max: 8, repeatable: true }],
  [OptionNumber.URI_HOST, { min: 1, max: 255, text: true }],
  [OptionNumber.IF_NONE_MATCH, { min: 0, max: 0 }],
  [OptionNumber.URI_PORT, { min: 0, max: 2 }],
  [OptionNumber.URI_PATH, { min: 0, max: 255, repeatable: true, text: true }],
  [OptionNumber.URI_QUERY, { min: 0, max: 255, repeatable: true, text: true }],
  [OptionNumber.ACCEPT, { min: 0, max: 2 }],
  [OptionNumber.BLOCK2, { min: 0, max: 3 }],
  [OptionNumber.BLOCK1, { min: 0, max: 3 }],
  [OptionNumber.PROXY_URI, { min: 1, max: 1034 }],
  [OptionNumber.PROXY_SCHEME, { min: 1, max: 255 }],
]);

function isText(value: Uint8Array): boolean {
  for (let i = 0; i < value.length; i++) {
    if ((value[i] as number) > 0x7f) {
      try {
        decodeText(value);
        return true;
      } catch {
        return false;
      }
    }
  }
  return true;
}

/**
 * The number of the first critical option that must be treated as unrecognised (RFC 7252 §5.4.1): not
 * known, of a length or encoding that its format does not allow (§5.4.3), or repeated where it may not
 * be (§5.4.5). Undefined where all is well.
 */
export function unrecognisedCritical(options: readonly CoapOption[]): number | undefined {
  let previous = -1;
  for (let i = 0; i < options.length; i++) {
    const { number, value } = options[i] as CoapOption;
    if ((number & 1) === 1) {
      const shape = KNOWN_CRITICAL.get(number);
      if (
        shape === undefined ||
        value.length < shape.min ||
        value.length > shape.max ||
        (number === previous && shape.repeatable !== true) ||
        (shape.text === true && !isText(value))
      ) {
        return number;
      }
    }
    previous = number;
  }
  return undefined;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../../client/sim/toolkit/envelope.ts';
import {
  decodeProactiveCommand,
  detailsOf,
  encodeProactiveCommand,
} from '../../../../client/sim/toolkit/proactive-command.ts';
import {
  decodeTerminalResponse,
  encodeTerminalResponse,
} from '../../../../client/sim/toolkit/terminal-response.ts';
import { DecodeError } from '../../../../protocol/errors.ts';
import { commands, envelopes, responses, type Vector } from './vectors.ts';

interface Codec {
  readonly what: string;
  readonly vectors: readonly Vector<unknown>[];
  readonly decode: (bytes: Uint8Array) => unknown;
  readonly encode: (value: unknown) => Uint8Array;
}

function codec<T>(
  what: string,
  vectors: readonly Vector<T>[],
  decode: (bytes: Uint8Array) => T,
  encode: (value: T) => Uint8Array,
): Codec {
  return { what, vectors, decode, encode: (value) => encode(value as T) };
}

const codecs = [
  codec('proactive command', commands, decodeProactiveCommand, encodeProactiveCommand),
  codec('terminal response', responses, decodeTerminalResponse, encodeTerminalResponse),
  codec('envelope', envelopes, decodeEnvelope, encodeEnvelope),
];

/** What `decode` gives, or that it refuses; anything else that it throws is passed on. */
function outcome<T>(decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T | 'refused' {
  try {
    return decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return 'refused';
    throw error;
  }
}

describe.each(codecs)('a $what', ({ vectors, decode, encode }) => {
  it.each(vectors)('$name is written', ({ hex, value }) => {
    expect(toHex(encode(value))).toBe(hex);
  });

  it.each(vectors)('$name is read', ({ hex, value }) => {
    expect(decode(fromHex(hex))).toEqual(value);
  });

  it('is refused in each truncation, or is the shorter one that its objects make', () => {
    for (const { hex } of vectors) {
      const bytes = fromHex(hex);
      for (let length = 0; length < bytes.length; length++) {
        const truncated = bytes.slice(0, length);
        const found = outcome(decode, truncated);
        if (found === 'refused') continue;
        // A terminal response has no outer tag: whole objects at its end may be missing.
        expect(toHex(encode(found))).toBe(toHex(truncated));
      }
    }
  });

  it('throws nothing but DecodeError whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void outcome(decode, bytes)));
  });

  it('throws nothing but DecodeError when single bytes of it are others', () => {
    const changed = fc.record({
      vector: fc.constantFrom(...vectors),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(changed, ({ vector, at, byte }) => {
        const bytes = fromHex(vector.hex);
        bytes[at % bytes.length] = byte;
        outcome(decode, bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a proactive command with its outer object', () => {
  it.each(commands)('refuses each truncation: $name', ({ hex }) => {
    const bytes = fromHex(hex);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeProactiveCommand(bytes.slice(0, length))).toThrow(DecodeError);
    }
  });

  it('tells its details where all else is wrong', () => {
    expect(detailsOf(fromHex('D005810309400100'))).toBeUndefined();
    expect(detailsOf(fromHex('D0058103094001'))).toEqual({ number: 9, type: 0x40, qualifier: 1 });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { encodeFrame, FrameReader } from '../../../../client/sim/vpcd/frames.ts';
import { DecodeError } from '../../../../protocol/errors.ts';

/** Body and frame, as vpcd 3.3 has them on the wire. */
const vectors = [
  ['00', '000100'],
  ['04', '000104'],
  ['00A40804022FE2', '000700A40804022FE2'],
  ['3B9F96801FC78031A073BE21136743200718000001A5', '00163B9F96801FC78031A073BE21136743200718000001A5'],
] as const;

function read(...chunks: readonly string[]): { readonly frames: string[]; readonly headers: number[] } {
  const frames: string[] = [];
  const headers: number[] = [];
  const reader = new FrameReader({
    onHeader: (length) => headers.push(length),
    onFrame: (body) => frames.push(toHex(body)),
  });
  for (const chunk of chunks) reader.push(fromHex(chunk));
  return { frames, headers };
}

describe('frames of vpcd', () => {
  it.each(vectors)('carry %s', (body, frame) => {
    expect(toHex(encodeFrame(fromHex(body)))).toBe(frame);
    expect(read(frame)).toEqual({ frames: [body], headers: [] });
  });

  it.each(vectors)('cut short, of %s give nothing until the rest has come', (body, frame) => {
    for (let cut = 0; cut < frame.length; cut += 2) {
      expect(read(frame.slice(0, cut)).frames).toEqual([]);
      expect(read(frame.slice(0, cut), frame.slice(cut)).frames).toEqual([body]);
    }
  });

  it('tell of a length that came alone, once', () => {
    expect(read('0007', '00', 'A40804022FE2')).toEqual({ frames: ['00A40804022FE2'], headers: [7] });
    expect(read('00', '0700A40804022FE2').headers).toEqual([]);
  });

  it('come several at a time', () => {
    expect(read('0001040001', '00000700A40804022F', 'E2').frames).toEqual(['04', '00', '00A40804022FE2']);
  });

  it('of nothing are none', () => {
    expect(() => read('0000')).toThrow(DecodeError);
  });

  it('give the same however the stream is cut', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(encodeFrame));
        const chunks: string[] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const length = cuts[i % cuts.length] as number;
          chunks.push(toHex(stream.subarray(at, at + length)));
          at += length;
        }
        expect(read(...chunks).frames).toEqual(sent.map(toHex));
      }),
    );
  });

  it('longer than a length can tell are refused', () => {
    expect(() => encodeFrame(new Uint8Array(65_536))).toThrow(RangeError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeHeader,
  encodePackage,
  PackageError,
  PackageReader,
  parseHardwareVersion,
} from '../../../../client/modem/firmware/package.ts';
import { DecodeError, RequestError } from '../../../../protocol/errors.ts';

const content = Uint8Array.from({ length: 3_000 }, (_, i) => i * 7);
const header = { name: 'simyard-modem', version: '2.0.0', minimumHardware: undefined };
const whole = encodePackage(header, content);

/** Reads a package in pieces of this length. */
function read(bytes: Uint8Array, piece = bytes.length, hardware = '1.0') {
  const reader = new PackageReader(parseHardwareVersion(hardware));
  for (let at = 0; at < bytes.length; at += piece) reader.push(bytes.subarray(at, at + piece));
  return reader.finish();
}

function flaw(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof PackageError) return error.flaw;
    throw error;
  }
  return 'none';
}

describe('a firmware package', () => {
  it('has the layout that is documented', () => {
    const bytes = Buffer.from(encodePackage({ name: 'a', version: '1.2', minimumHardware: [2, 5] }, content));
    expect(bytes.subarray(0, 17).toString('hex')).toBe(
      '53594657' + '01' + '0205' + '00000bb8' + '0161' + '03312e32',
    );
    expect(bytes.length).toBe(17 + 32 + content.length);
  });

  it.each([1, 7, 100, 1_024, whole.length])('is read in pieces of %i bytes', (piece) => {
    expect(read(whole, piece)).toMatchObject({ ...header, contentLength: 3_000 });
  });

  it('that ends before its end, or goes on after it, is damaged', () => {
    for (let length = 1; length < whole.length; length += 13) {
      expect(flaw(() => read(whole.subarray(0, length)))).toBe('integrity');
    }
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    for (const piece of [1_000, longer.length]) expect(flaw(() => read(longer, piece))).toBe('integrity');
  });

  it('is refused whatever bit of it is another', () => {
    for (let at = 0; at < whole.length; at += at < 100 ? 1 : 37) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(flaw(() => read(damaged))).not.toBe('none');
    }
  });

  it('of somebody else is of an unsupported type, from its first byte on', () => {
    expect(flaw(() => new PackageReader([1, 0]).push(Uint8Array.of(0x7f)))).toBe('type');
    expect(flaw(() => read(new TextEncoder().encode('not a package of this modem at all')))).toBe('type');
    const newer = whole.slice();
    newer[4] = 2;
    expect(flaw(() => read(newer))).toBe('type');
  });

  it('is taken by its lowest hardware and what is newer only', () => {
    const bytes = encodePackage({ ...header, minimumHardware: [2, 1] }, content);
    expect(
      ['1.9', '2.0', '2.1', '2.2', '3.0'].map((hardware) => flaw(() => read(bytes, 100, hardware))),
    ).toEqual(['type', 'type', 'none', 'none', 'none']);
  });

  it('cannot be made with a name, a version or a hardware that has no place in it', () => {
    for (const wrong of [
      { ...header, name: '' },
      { ...header, version: 'v'.repeat(65) },
      { ...header, minimumHardware: [256, 0] as const },
    ]) {
      expect(() => encodePackage(wrong, content)).toThrow(RequestError);
    }
    expect(() => parseHardwareVersion('1')).toThrow(DecodeError);
    expect(() => parseHardwareVersion('300.1')).toThrow(DecodeError);
  });

  it('of any bytes is refused with its own error, or read', () => {
    const start = fc.uint8Array({ maxLength: 200 }).map((bytes) => {
      const tried = new Uint8Array(5 + bytes.length);
      tried.set(whole.subarray(0, 5));
      tried.set(bytes, 5);
      return tried;
    });
    fc.assert(
      fc.property(fc.oneof(start, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const found = flaw(() => decodeHeader(bytes));
        expect(['none', 'integrity', 'type']).toContain(found);
        expect(flaw(() => read(bytes, 3))).not.toBe('none');
      }),
      { numRuns: 5_000 },
    );
  });
});

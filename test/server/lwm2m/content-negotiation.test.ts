import { describe, expect, it } from 'vitest';
import { RequestError } from '../../../protocol/errors.ts';
import {
  compositeAccept,
  compositeFormats,
  pathListFormat,
} from '../../../server/lwm2m/composite-formats.ts';
import { readFormats, writeFormats } from '../../../server/lwm2m/content-negotiation.ts';

const speaker = (version: string, ...contentFormats: number[]) => ({ version, contentFormats });
const bytes = new Uint8Array([1]);

describe('formats to read in', () => {
  it.each([
    [speaker('1.1', 60, 110, 112, 11542), false, [112, undefined]],
    [speaker('1.2', 11544, 110), false, [11544, undefined]],
    [speaker('1.0', 11543), false, [11543, undefined]],
    [speaker('1.0'), false, [11542, undefined]],
    [speaker('1.1'), false, [undefined]],
    [speaker('1.1', 0, 42, 60), true, [60, undefined]],
    [speaker('1.1', 0, 42), true, [42, undefined]],
    [speaker('1.1', 0, 60), false, [undefined]],
    [speaker('1.1', 9999), true, [undefined]],
  ])('of %o, a single value %s: %o', (device, onlyValue, formats) => {
    expect(readFormats(device, onlyValue)).toEqual(formats);
  });

  it('are the one that was asked for, and none that the server does not have', () => {
    expect(readFormats(speaker('1.1', 112), false, 110)).toEqual([110]);
    expect(() => readFormats(speaker('1.1', 112), false, 40)).toThrow(RequestError);
    expect(() => readFormats(speaker('1.1', 112), false, 322)).toThrow(RequestError);
  });
});

describe('a format that came with a later version of LwM2M', () => {
  it.each([
    ['1.0', 112],
    ['1.0', 60],
    ['1.1', 11544],
  ])('of %s, %i: is refused, unless the device lists it', (version, format) => {
    expect(() => readFormats(speaker(version, 11542), false, format)).toThrow(/does not list content format/);
    expect(() => writeFormats(speaker(version), undefined, format)).toThrow(RequestError);
    expect(readFormats(speaker(version, format), false, format)).toEqual([format]);
    expect(writeFormats(speaker(version, format), undefined, format)).toEqual([format]);
  });

  it('is refused for composite operations too', () => {
    expect(() => compositeFormats(speaker('1.1', 112), 322)).toThrow(/came with 1.2/);
    expect(compositeFormats(speaker('1.1', 322), 322)).toEqual([322]);
    expect(compositeFormats(speaker('1.1'), 110)).toEqual([110]);
  });
});

describe('formats to write in', () => {
  it.each([
    [speaker('1.1', 110, 112), undefined, [112, 110]],
    [speaker('1.1', 110, 112), 'x', [112, 110, 0]],
    [speaker('1.1', 60), 'x', [60, 0]],
    [speaker('1.1', 0, 42, 60), bytes, [60, 42, 0]],
    [speaker('1.1', 42), 'x', [112, 110, 11542, 0]],
    [speaker('1.1'), undefined, [112, 110, 11542]],
    [speaker('1.0'), 5, [11542, 0]],
    [speaker('1.0'), undefined, [11542]],
  ])('of %o for %o: %o', (device, value, formats) => {
    expect(writeFormats(device, value)).toEqual(formats);
  });
});

describe('formats of composite operations', () => {
  it.each([
    [speaker('1.1'), [112, 110]],
    [speaker('1.1', 110), [110]],
    [speaker('1.1', 11542), [112, 110]],
    [speaker('1.2'), [112, 322, 110, 320]],
    [speaker('1.2', 322), [322]],
    [speaker('1.2', 112, 11544), [112, 322, 11544]],
  ])('of %o: %o', (device, formats) => {
    expect(compositeFormats(device)).toEqual(formats);
  });

  it('that remove are SenML-ETCH alone', () => {
    expect(compositeFormats(speaker('1.2'), undefined, true)).toEqual([322, 320]);
    expect(() => compositeFormats(speaker('1.2'), 112, true)).toThrow(RequestError);
  });

  it('name the list of paths, and the answer', () => {
    const pairs = [112, 110, 322, 320, 11544, undefined].map((format) => [
      pathListFormat(format),
      compositeAccept(format),
    ]);
    expect(pairs).toEqual([
      [112, 112],
      [110, 110],
      [322, 112],
      [320, 110],
      [322, 11544],
      [112, 112],
    ]);
  });

  it('are none of single values', () => {
    for (const format of [0, 42, 60, 11542, 11543, 40]) {
      expect(() => compositeFormats(speaker('1.2'), format)).toThrow(RequestError);
    }
  });
});

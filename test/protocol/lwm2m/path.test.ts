import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import {
  canonicalPath,
  comparePaths,
  decodePath,
  formatPath,
  isAtOrBelow,
  isBelow,
  joinPath,
  parsePath,
} from '../../../protocol/lwm2m/path.ts';

const id = fc.integer({ min: 0, max: 65534 });
const path = fc.array(id, { maxLength: 4 }).map((ids) => `/${ids.join('/')}`);

describe('a path', () => {
  test.each([
    ['/', {}],
    ['', {}],
    ['/3', { object: 3 }],
    ['3/0', { object: 3, instance: 0 }],
    ['/3/0/9', { object: 3, instance: 0, resource: 9 }],
    [
      '/65534/65534/65534/65534',
      { object: 65534, instance: 65534, resource: 65534, resourceInstance: 65534 },
    ],
  ])('%s is read', (text, expected) => {
    expect(parsePath(text)).toEqual(expected);
    expect(decodePath(text)).toEqual(expected);
  });

  test.each([
    '/65535',
    '/3/65535',
    '/03',
    '/3/',
    '//',
    '/3//0',
    '/-1',
    '/3/0/9/1/2',
    '/a',
    '/3 ',
    '/3/0x1',
    '/1e3',
  ])('%s is refused, by the fault of whoever gave it', (text) => {
    expect(() => parsePath(text)).toThrow(RequestError);
    expect(() => canonicalPath(text)).toThrow(RequestError);
    expect(() => decodePath(text)).toThrow(DecodeError);
  });

  test('survives writing and reading again', () => {
    fc.assert(
      fc.property(path, (text) => {
        expect(formatPath(parsePath(text))).toBe(text);
      }),
    );
  });

  test('with a gap, or with an id that is none, is not written', () => {
    expect(() => formatPath({ object: 3, resource: 9 })).toThrow(RequestError);
    expect(() => formatPath({ object: 65535 })).toThrow(RequestError);
    expect(() => formatPath({ object: 1.5 })).toThrow(RequestError);
  });

  test('gets its leading slash', () => expect(canonicalPath('3/0/9')).toBe('/3/0/9'));

  test('lies below its own beginnings, by whole ids', () => {
    expect(isBelow('/3/0/9', '/3/0')).toBe(true);
    expect(isBelow('/3/0', '/3/0')).toBe(false);
    expect(isAtOrBelow('/3/0', '/3/0')).toBe(true);
    expect(isBelow('/33/0', '/3')).toBe(false);
    expect(isBelow('/4/0', '/3')).toBe(false);
    expect(isBelow('/3', '/')).toBe(true);
    expect(isBelow('/', '/')).toBe(false);
    expect(isAtOrBelow('/', '/')).toBe(true);
  });

  test('is sorted by number, a node before what is below it', () => {
    const sorted = ['/', '/3', '/3/0', '/3/0/9', '/3/0/9/0', '/3/0/10', '/3/2', '/20'];
    expect([...sorted].reverse().sort(comparePaths)).toEqual(sorted);
    expect(() => comparePaths('/x', '/3')).toThrow(RequestError);
  });

  test('is joined from its parts', () => {
    expect(joinPath('/3/0', '9')).toBe('/3/0/9');
    expect(joinPath('/', 3, 0)).toBe('/3/0');
    expect(joinPath('/3/', '/0/9')).toBe('/3/0/9');
    expect(joinPath('/3/0')).toBe('/3/0');
    expect(() => joinPath('/3/0/9/1', 1)).toThrow(RequestError);
  });
});

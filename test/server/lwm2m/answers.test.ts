import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../protocol/errors.ts';
import { askedFor } from '../../../server/lwm2m/answers.ts';

const records = (...paths: string[]) => paths.map((path) => ({ path, value: 1 }));
const kept = (asked: readonly string[], ...paths: string[]): string[] =>
  askedFor(asked, records(...paths)).map(({ path }) => path);

describe('what was asked for', () => {
  it.each([
    [['/3/0/9'], ['/3/0/9']],
    [['/3/0'], ['/3/0/9', '/3/0/90', '/3/0/7/1']],
    [['/3'], ['/3/0/9', '/3/0/90', '/3/0/7/1', '/3/1/0']],
    [['/3/0/7'], ['/3/0/7/1']],
    [['/'], ['/3/0/9', '/3/0/90', '/3/0/7/1', '/3/1/0', '/33/0/9', '/4/0/2']],
    [
      ['/4', '/33/0'],
      ['/33/0/9', '/4/0/2'],
    ],
  ])('by %o is %o', (asked, expected) => {
    expect(kept(asked, '/3/0/9', '/3/0/90', '/3/0/7/1', '/3/1/0', '/33/0/9', '/4/0/2')).toEqual(expected);
  });

  it('is nothing where there is nothing', () => {
    expect(askedFor(['/3'], [])).toEqual([]);
  });

  it('and is not there, although there is something, cannot be read', () => {
    expect(() => kept(['/3/0/9'], '/3/0/90', '/4/0/2')).toThrow(DecodeError);
  });
});

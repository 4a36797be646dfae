import { describe, expect, it } from 'vitest';
import { globMatches, isExact } from '../../../server/lwm2m/glob.ts';

describe('a glob', () => {
  it.each([
    ['', ''],
    ['*', ''],
    ['*', 'anything'],
    ['modem-*', 'modem-1'],
    ['modem-*', 'modem-'],
    ['*:352*', 'urn:imei:352099001761481'],
    ['a*b*c', 'a-b-b-c'],
    ['a**c', 'abc'],
    ['mod?m', 'modem'],
    ['a.c', 'a.c'],
  ])('%o fits %o', (glob, text) => expect(globMatches(glob, text)).toBe(true));

  it.each([
    ['', 'a'],
    ['?', ''],
    ['modem-*', 'Modem-1'],
    ['modem-?', 'modem-10'],
    ['a*b', 'ab-'],
    ['a.c', 'abc'],
    ['modem', 'modem-1'],
  ])('%o does not fit %o', (glob, text) => expect(globMatches(glob, text)).toBe(false));

  it('takes no more steps than both lengths multiplied, whatever it is', () => {
    let looked = 0;
    const text = new Proxy(Object('a'.repeat(2000)), {
      get: (target, key) => {
        looked++;
        return Reflect.get(target, key);
      },
    }) as string;
    expect(globMatches(`${'*a'.repeat(100)}b`, text)).toBe(false);
    expect(looked).toBeLessThan(3 * 2000 * 201);
  });

  it('without wildcards names one text', () => {
    expect(isExact('urn:imei:1')).toBe(true);
    expect(isExact('urn:imei:*')).toBe(false);
    expect(isExact('m?')).toBe(false);
  });
});

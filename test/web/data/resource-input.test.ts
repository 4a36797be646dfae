import { describe, expect, it } from 'vitest';
import { hexOf, inputKind, inputText, localTime, parseInput } from '../../../web/data/resource-input.ts';
import { resource, resourceOf } from '../support/models.ts';

describe('the control of a resource', () => {
  it.each([
    ['string', 'text'],
    ['integer', 'integer'],
    ['unsigned', 'integer'],
    ['float', 'number'],
    ['boolean', 'boolean'],
    ['time', 'time'],
    ['opaque', 'opaque'],
    ['objlnk', 'link'],
    ['corelnk', 'text'],
  ])('for %s is %s', (type, kind) => {
    expect(inputKind(resource(type))).toBe(kind);
  });

  it('is a choice where the definition has all values', () => {
    expect(inputKind(resource('integer', { values: { '0': 'off', '1': 'on' } }))).toBe('choice');
  });

  it('is no choice where a range allows others beside them', () => {
    const some = { values: { '0': 'off' }, range: { minimum: 0, maximum: 255 } };
    expect(inputKind(resource('integer', some))).toBe('integer');
  });
});

describe('what is typed', () => {
  it.each([
    ['string', ' a b ', ' a b '],
    ['string', '', ''],
    ['integer', ' 42 ', 42],
    ['integer', '+7', 7],
    ['integer', '-9223372036854775808', '-9223372036854775808'],
    ['unsigned', '18446744073709551615', '18446744073709551615'],
    ['unsigned', '9007199254740993', '9007199254740993'],
    ['float', '21.5', 21.5],
    ['float', '−3e2', -300],
    ['boolean', 'false', false],
    ['opaque', 'DE ad\nbe EF', 'deadbeef'],
    ['opaque', '', ''],
    ['objlnk', '3:0', '3:0'],
    ['objlnk', '/3/0', '3:0'],
    ['objlnk', '65535:65535', '65535:65535'],
    ['corelnk', '</3/0>', '</3/0>'],
    ['time', '2026-06-01T12:00:00Z', 1_780_315_200],
  ])('as %s: %j is taken as %j', (type, text, value) => {
    expect(parseInput(resource(type), text)).toEqual({ value });
  });

  it.each([
    ['integer', '', 'Thing needs a value'],
    ['integer', '1.5', 'Thing takes an integer'],
    ['integer', '9223372036854775808', 'Thing takes an integer'],
    ['unsigned', '-1', 'Thing takes an integer of 0 or more'],
    ['float', 'warm', 'Thing takes a number'],
    ['float', ' ', 'Thing needs a value'],
    ['float', 'NaN', 'Thing takes a number'],
    ['float', '-Infinity', 'Thing takes a number'],
    ['boolean', 'yes', 'Thing does not take “yes”'],
    ['boolean', '', 'Thing needs a value'],
    ['opaque', 'abc', 'Thing takes bytes in hexadecimal'],
    ['opaque', 'xy', 'Thing takes bytes in hexadecimal'],
    ['objlnk', '3', 'Thing takes an object link'],
    ['objlnk', '', 'Thing needs a value'],
    ['time', 'soon', 'Thing takes a date and time'],
  ])('as %s: %j is refused: %s', (type, text, fault) => {
    expect(parseInput(resource(type), text).fault).toContain(fault);
  });

  it('is held against the range, of a text against its length', () => {
    const range = { minimum: 1, maximum: 4 };
    expect(parseInput(resource('integer', { range }), '5').fault).toBe('Thing: 5 is not 1 to 4');
    expect(parseInput(resource('integer', { range }), '4').value).toBe(4);
    expect(parseInput(resource('string', { range }), 'hello').fault).toBe(
      'Thing: a length of 5 is not 1 to 4',
    );
    expect(parseInput(resource('opaque', { range }), '0102030405').fault).toContain('a length of 5');
  });

  it('is held against the values that there are', () => {
    const values = { '0': 'off', '1': 'on' };
    expect(parseInput(resource('integer', { values }), '2').fault).toContain('none of 0 (off), 1 (on)');
    expect(parseInput(resource('integer', { values }), '1').value).toBe(1);
  });
});

describe('the text of a value', () => {
  it.each([
    ['integer', 42],
    ['unsigned', '18446744073709551615'],
    ['float', -0.5],
    ['boolean', true],
    ['opaque', 'deadbeef'],
    ['objlnk', '3:0'],
    ['string', ' spaces '],
    ['time', 1_780_315_200],
    ['time', 0],
    // A night in which clocks are set back or forth somewhere.
    ['time', 1_792_890_000],
  ])('of a %s is taken as the same value again: %j', (type, value) => {
    expect(parseInput(resource(type), inputText(resource(type), value)).value).toBe(value);
  });

  it('is empty where there is none', () => {
    expect(inputText(resource('integer'), undefined)).toBe('');
  });

  it('has a time as the date control takes it', () => {
    expect(localTime(1_780_315_200)).toMatch(/^2026-0[56]-\d\dT\d\d:\d\d:00$/);
  });

  it('has bytes as lower-case hex', () => {
    expect(hexOf(Uint8Array.of(0, 10, 255))).toBe('000aff');
  });
});

describe('resources of the standard objects', () => {
  it('take what their definitions say', () => {
    expect(parseInput(resourceOf(1, 1), '300').value).toBe(300);
    expect(parseInput(resourceOf(3, 14), '+01:00').value).toBe('+01:00');
    expect(inputKind(resourceOf(3, 13))).toBe('time');
    expect(inputKind(resourceOf(19, 0))).toBe('opaque');
  });
});

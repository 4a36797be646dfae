import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../../objects/define-object.ts';
import { type ApiValue, checkValue, fromApiValue, toApiValue } from '../../objects/values.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { ResourceType, ResourceValue } from '../../protocol/lwm2m/value.ts';

const of = (type: ResourceType, more: Partial<ResourceDefinition> = {}): ResourceDefinition => ({
  ...{ id: 1, title: 'Thing', operations: type === 'none' ? 'E' : 'RW', type },
  ...more,
});

describe('a value of the API', () => {
  test.each<[ResourceType, ApiValue, ResourceValue]>([
    ['string', 'x', 'x'],
    ['string', '', ''],
    ['corelnk', '</3/0>', '</3/0>'],
    ['integer', -5, -5],
    ['integer', '-9223372036854775808', -(2n ** 63n)],
    ['integer', '42', 42],
    ['unsigned', '18446744073709551615', 2n ** 64n - 1n],
    ['float', 1.5, 1.5],
    ['boolean', true, true],
    ['opaque', '00ff', Uint8Array.of(0, 255)],
    ['opaque', 'ABcd', Uint8Array.of(0xab, 0xcd)],
    ['opaque', '', new Uint8Array()],
    ['time', 1700000000, 1700000000],
    ['objlnk', '3:0', { objectId: 3, instanceId: 0 }],
    ['objlnk', '65535:65535', { objectId: 65535, instanceId: 65535 }],
  ])('is taken for %s: %s', (type, value, expected) => {
    expect(fromApiValue(of(type), value)).toEqual(expected);
  });

  test.each<[ResourceType, ApiValue]>([
    ['string', 1],
    ['string', true],
    ['string', 'half \ud800'],
    ['integer', 1.5],
    ['integer', '1.5'],
    ['integer', 'x'],
    ['integer', ''],
    ['integer', true],
    ['integer', 2 ** 53],
    ['time', 1e300],
    ['integer', '9223372036854775808'],
    ['unsigned', -1],
    ['unsigned', '-1'],
    ['float', 'x'],
    ['float', '1.5'],
    ['boolean', 1],
    ['boolean', 'true'],
    ['opaque', 'abc'],
    ['opaque', 'zz'],
    ['opaque', 7],
    ['time', 1.5],
    ['objlnk', '3'],
    ['objlnk', '3:70000'],
    ['objlnk', 3],
    ['none', 1],
  ])('is refused for %s: %s', (type, value) => {
    expect(() => fromApiValue(of(type), value)).toThrow(RequestError);
  });

  test('is refused in words that help', () => {
    expect(() => fromApiValue(of('objlnk'), 'x')).toThrow(
      'Thing takes an object link such as "3:0", not "x"',
    );
    expect(() => fromApiValue(of('integer', { range: [0, 100] }), 101)).toThrow('Thing: 101 is not 0 to 100');
    expect(() => fromApiValue(of('string', { range: [0, 3] }), 'long')).toThrow(
      'Thing: a length of 4 is not 0 to 3',
    );
    expect(() => fromApiValue(of('integer', { values: { 0: 'Off', 1: 'On' } }), 2)).toThrow(
      'Thing: 2 is none of 0 (Off), 1 (On)',
    );
  });

  test('lies in the range, bounds included', () => {
    const definition = of('integer', { range: [0, 100] });
    expect(fromApiValue(definition, 0)).toBe(0);
    expect(fromApiValue(definition, 100)).toBe(100);
    expect(() => fromApiValue(definition, '9007199254740993')).toThrow(RequestError);
    expect(fromApiValue(of('opaque', { range: [1, 2] }), 'ffff')).toEqual(Uint8Array.of(255, 255));
    expect(() => fromApiValue(of('opaque', { range: [1, 2] }), '')).toThrow(RequestError);
  });

  test('may have a value without a name where there is a range', () => {
    expect(() => checkValue(of('integer', { range: [0, 32], values: { 0: 'No error' } }), 16)).not.toThrow();
    expect(() => checkValue(of('boolean', { range: [0, 1] }), true)).not.toThrow();
  });

  test('survives the way through JSON', () => {
    const pairs = fc.oneof(
      fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }).map((value) => ['integer', value] as const),
      fc.integer().map((value) => ['integer', value] as const),
      fc.uint8Array().map((value) => ['opaque', value] as const),
      fc
        .record({ objectId: fc.nat(65535), instanceId: fc.nat(65535) })
        .map((value) => ['objlnk', value] as const),
      fc.string({ unit: 'grapheme' }).map((value) => ['string', value] as const),
      fc.boolean().map((value) => ['boolean', value] as const),
    );
    fc.assert(
      fc.property(pairs, ([type, value]) => {
        const json = JSON.parse(JSON.stringify(toApiValue(value))) as ApiValue;
        expect(fromApiValue(of(type), json)).toEqual(value);
      }),
    );
  });

  test('says in words what JSON has no number for', () => {
    expect(toApiValue(Number.NaN)).toBe('NaN');
    expect(toApiValue(Number.NEGATIVE_INFINITY)).toBe('-Infinity');
    expect(toApiValue(Uint8Array.of(0, 171))).toBe('00ab');
    expect(toApiValue({ objectId: 3, instanceId: 0 })).toBe('3:0');
  });
});

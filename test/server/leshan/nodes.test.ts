import { describe, expect, test } from 'vitest';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { nodeAt, nodesAt } from '../../../server/leshan/nodes.ts';
import { allTypesObject } from '../../interop/leshan/all-types.ts';

const registry = createObjectRegistry([...standardObjects(), allTypesObject]);
const now = 1_767_225_600_000;
const at = (path: string, ...records: LwM2mRecord[]) => nodeAt(path, records, registry, now);

describe('the node of a path', () => {
  test.each([
    ['string', 0, 'Grüße', 'STRING', 'Grüße'],
    ['integer', 1, -9_223_372_036_854_775_808n, 'INTEGER', '-9223372036854775808'],
    ['unsigned', 2, 18_446_744_073_709_551_615n, 'UNSIGNED_INTEGER', '18446744073709551615'],
    ['boolean', 4, true, 'BOOLEAN', true],
    ['opaque', 5, Uint8Array.of(0, 255, 16), 'OPAQUE', '00ff10'],
    ['time', 6, 1_700_000_000, 'TIME', 1_700_000_000_000],
    [
      'object link',
      7,
      { objectId: 3, instanceId: 0 },
      'OBJLNK',
      { objectId: 3, objectInstanceId: 0, nullLink: false },
    ],
    [
      'null link',
      7,
      { objectId: 65535, instanceId: 65535 },
      'OBJLNK',
      { objectId: 65535, objectInstanceId: 65535, nullLink: true },
    ],
    ['core link', 8, '</3/0>;rt="x"', 'CORELINK', '</3/0>;rt="x"'],
  ])('has a value of type %s', (_name, id, value, type, shown) => {
    const path = `/42771/0/${id}`;
    expect(at(path, { path, value })).toEqual({ kind: 'singleResource', id, type, value: shown });
  });

  // What java -e 'System.out.println(double)' prints.
  test.each([
    [0, '0.0'],
    [-0, '-0.0'],
    [1, '1.0'],
    [21.5, '21.5'],
    [9_999_999, '9999999.0'],
    [1e7, '1.0E7'],
    [123_456_789.125, '1.23456789125E8'],
    [1e-3, '0.001'],
    [9.999e-4, '9.999E-4'],
    [-1.5e-7, '-1.5E-7'],
    [1e300, '1.0E300'],
    [1e21, '1.0E21'],
  ])('writes the float %f as Java does', (value, text) => {
    expect(at('/42771/0/3', { path: '/42771/0/3', value })).toMatchObject({ type: 'FLOAT', value: text });
  });

  test('has the instances of a resource in the order of their ids', () => {
    const resource = at(
      '/42771/0/10',
      { path: '/42771/0/10/7', value: 'b' },
      { path: '/42771/0/10/0', value: 'a' },
    );
    expect(JSON.stringify(resource)).toBe(
      '{"kind":"multiResource","id":10,"type":"STRING","values":{"0":"a","7":"b"}}',
    );
    expect(at('/42771/0/10')).toMatchObject({ kind: 'multiResource', values: {} });
    expect(at('/42771/0/10/7', { path: '/42771/0/10/7', value: 'b' })).toEqual({
      kind: 'resourceInstance',
      id: 7,
      type: 'STRING',
      value: 'b',
    });
  });

  test('has objects, instances and the root', () => {
    const record = { path: '/3/0/9', value: 80 };
    const resource = { kind: 'singleResource', id: 9, type: 'INTEGER', value: '80' };
    const instance = { kind: 'instance', id: 0, resources: [resource] };
    const object = { kind: 'obj', id: 3, instances: [instance] };
    expect(at('/3/0/9', record)).toEqual(resource);
    expect(at('/3/0', record)).toEqual(instance);
    expect(at('/3', record)).toEqual(object);
    expect(at('/', record)).toEqual({ kind: 'root', objects: [object] });
  });

  test('takes the newest of several values of one place, relative times and those without one as of now', () => {
    const path = '/42771/0/1';
    const of = (...records: Omit<LwM2mRecord, 'path'>[]) =>
      at(path, ...records.map((one) => ({ path, ...one })));
    expect(of({ value: 2, time: 1_767_225_590 }, { value: 1, time: 1_767_225_580 })).toMatchObject({
      value: '2',
    });
    expect(of({ value: 3, time: -1 }, { value: 1, time: 1_767_225_590 })).toMatchObject({ value: '3' });
    expect(of({ value: 4 }, { value: 1, time: 1_767_225_590 })).toMatchObject({ value: '4' });
  });

  test('of what no definition has is typed by its value', () => {
    expect(at('/40000/0/1', { path: '/40000/0/1', value: 1.5 })).toMatchObject({
      type: 'FLOAT',
      value: '1.5',
    });
    expect(at('/40000/0/1', { path: '/40000/0/1', value: 1 })).toMatchObject({ type: 'INTEGER', value: '1' });
  });

  test('is none where a single value is missing', () => {
    expect(() => at('/3/0/9')).toThrow(DecodeError);
  });

  test('by several paths leaves out those without a value', () => {
    const records = [
      { path: '/3/0/9', value: 80 },
      { path: '/4/0/2', value: -70 },
    ];
    expect(Object.keys(nodesAt(['/4/0/2', '/3/0', '/5/0'], records, registry, now))).toEqual([
      '/4/0/2',
      '/3/0',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import {
  definitionOf,
  isExecutable,
  isReadable,
  isWritable,
  resourceTraits,
} from '../../../web/data/resource-definition.ts';
import { resource, resourceOf } from '../support/models.ts';

describe('a resource as the API tells it', () => {
  it('is a definition again, with range, values and units', () => {
    const values = { '0': 'off', '1': 'on' };
    const told = resource('integer', {
      range: { minimum: 0, maximum: 9 },
      values,
      units: 's',
      mandatory: true,
    });
    expect(definitionOf(told)).toEqual({
      id: 1,
      title: 'Thing',
      operations: 'RW',
      type: 'integer',
      multiple: false,
      mandatory: true,
      range: [0, 9],
      values,
      units: 's',
    });
  });

  it.each([
    ['R', [true, false, false]],
    ['W', [false, true, false]],
    ['RW', [true, true, false]],
    ['E', [false, false, true]],
    ['', [false, false, false]],
  ] as const)('with the operations %j', (operations, can) => {
    const told = { operations };
    expect([isReadable(told), isWritable(told), isExecutable(told)]).toEqual(can);
  });

  it('is described in a line', () => {
    expect(resourceTraits(resourceOf(3, 9))).toBe('integer · 0 to 100 · optional');
    expect(resourceTraits(resource('string', { range: { minimum: 1, maximum: 8 }, multiple: true }))).toBe(
      'text · length 1 to 8 · several instances · optional',
    );
    expect(resourceTraits(resourceOf(3, 4))).toBe('executable · mandatory');
  });
});

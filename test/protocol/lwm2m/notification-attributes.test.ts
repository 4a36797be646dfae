import { describe, expect, it } from 'vitest';
import { DecodeError, RequestError } from '../../../protocol/errors.ts';
import {
  type AttributeChanges,
  attributeQueries,
  attributesOfLink,
  contradiction,
  decodeAttributeQueries,
  notificationAttributeNames,
} from '../../../protocol/lwm2m/notification-attributes.ts';

/** Changes and their Uri-Query arguments, OMA-TS-LightweightM2M_Core-V1_2 §5.1.2 and table 7.3.2-1. */
const vectors: readonly (readonly [AttributeChanges, readonly string[]])[] = [
  [{ pmin: 10, pmax: 60 }, ['pmin=10', 'pmax=60']],
  [{ pmin: 0 }, ['pmin=0']],
  [{ gt: 45, lt: -5.25, st: 0.1 }, ['gt=45', 'lt=-5.25', 'st=0.1']],
  [{ gt: 1e-7, lt: -1e21 }, ['gt=0.0000001', 'lt=-1000000000000000000000']],
  [{ epmin: 1, epmax: 2 }, ['epmin=1', 'epmax=2']],
  [{ edge: 1, con: 0, hqmax: 20 }, ['edge=1', 'con=0', 'hqmax=20']],
  [{ pmin: null, st: null }, ['pmin', 'st']],
  [{}, []],
];

describe('notification attributes', () => {
  it.each(vectors)('%o are the queries %o, and back', (changes, queries) => {
    expect(attributeQueries(changes)).toEqual(queries);
    expect(decodeAttributeQueries(queries)).toEqual(changes);
  });

  it('are written in one order, whatever theirs', () => {
    expect(attributeQueries({ hqmax: 1, con: 1, pmax: 3, pmin: 2 })).toEqual([
      'pmin=2',
      'pmax=3',
      'con=1',
      'hqmax=1',
    ]);
  });

  it.each([
    { pmin: -1 },
    { pmin: 0.5 },
    { pmax: Number.NaN },
    { hqmax: 2 ** 53 },
    { gt: Number.POSITIVE_INFINITY },
    { st: -0.1 },
  ])('%o cannot be written', (changes) => {
    expect(() => attributeQueries(changes)).toThrow(RequestError);
  });

  it.each([
    'pmid=1',
    '',
    '=1',
    'pmin=',
    'pmin=x',
    'pmin=-1',
    'pmin=1.5',
    'pmin=1e3',
    'gt=1e3',
    'gt=0x10',
    'gt=.5',
    'gt=5.',
    'gt= 5',
    'st=-1',
    'con=2',
    'edge=',
    '__proto__=1',
    'constructor',
    `gt=${'9'.repeat(31)}`,
    'hqmax=9007199254740993',
  ])("'%s' is refused", (query) => {
    expect(() => decodeAttributeQueries([query])).toThrow(DecodeError);
  });

  it('given twice are refused', () => {
    expect(() => decodeAttributeQueries(['pmin=1', 'pmin=2'])).toThrow('pmin is given twice');
    expect(() => decodeAttributeQueries(['pmin', 'pmin'])).toThrow('pmin is given twice');
  });

  it('are read out of a link beside others, and what cannot be read is left out', () => {
    const link = { ver: '1.1', pmin: '10', pmax: 'soon', gt: '-5.5', con: '7', dim: '3' };
    expect(attributesOfLink(link)).toEqual({ pmin: 10, gt: -5.5 });
  });

  it.each([
    [{ pmin: 5, pmax: 4 }, 'pmax (4) is less than pmin (5)'],
    [{ epmin: 5, epmax: 5 }, 'epmax (5) is not more than epmin (5)'],
    [{ lt: 5, gt: 5 }, 'lt (5) is not less than gt (5)'],
    [{ lt: 1, st: 2, gt: 5 }, 'lt (1) + 2 st (2) is not less than gt (5)'],
  ])('%o contradict each other', (attributes, fault) => {
    expect(contradiction(attributes)).toBe(fault);
  });

  it.each([
    { pmin: 5, pmax: 5 },
    { pmin: 5, pmax: 0 },
    { pmin: null, pmax: 1 },
    { epmin: 5 },
    { lt: 1, st: 2, gt: 5.01 },
    { lt: 5, st: 100 },
    { gt: 1, lt: null },
    {},
  ])('%o do not', (attributes) => {
    expect(contradiction(attributes)).toBeUndefined();
  });

  it('have ten names', () => {
    expect(notificationAttributeNames).toHaveLength(10);
  });
});

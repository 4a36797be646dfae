import { describe, expect, it } from 'vitest';
import {
  attributesText,
  fittingAttributes,
  type NotificationAttributeName,
  parseAttributes,
  withoutRemovals,
} from '../../../web/data/notification-attributes.ts';
import { resource } from '../support/models.ts';

const names = (type: string, version: string | undefined) => fittingAttributes(3, resource(type), version);

describe('the attributes of a place', () => {
  it('are those of the version of LwM2M', () => {
    expect(names('float', '1.0')).toEqual(['pmin', 'pmax', 'gt', 'lt', 'st']);
    expect(names('float', '1.1')).toEqual(['pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax']);
    expect(names('float', '1.2')).toEqual(
      expect.arrayContaining(['pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax', 'con', 'hqmax']),
    );
  });

  it('are the least that there is where no version is known', () => {
    expect(names('float', undefined)).toEqual(names('float', '1.0'));
  });

  it.each([
    ['string', ['pmin', 'pmax', 'epmin', 'epmax', 'con', 'hqmax']],
    ['boolean', ['pmin', 'pmax', 'epmin', 'epmax', 'edge', 'con', 'hqmax']],
    ['unsigned', ['pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax', 'con', 'hqmax']],
  ])('are those that mean something of a %s', (type, expected) => {
    expect(names(type, '1.2')).toEqual(expected);
  });
});

describe('the attributes of objects and instances', () => {
  it('are those that go for all that is in them', () => {
    expect(fittingAttributes(1, undefined, '1.1')).toEqual(['pmin', 'pmax', 'epmin', 'epmax']);
    expect(fittingAttributes(2, undefined, '1.0')).toEqual(['pmin', 'pmax']);
  });
});

describe('a resource without a definition', () => {
  it('may have any: its device knows', () => {
    expect(fittingAttributes(3, undefined, '1.2')).toContain('edge');
    expect(fittingAttributes(4, undefined, '1.2')).toContain('gt');
  });
});

describe('what is typed for attributes', () => {
  const parse = (texts: Partial<Record<NotificationAttributeName, string>>) =>
    parseAttributes(new Map(Object.entries(texts) as [NotificationAttributeName, string][]));

  it('is given as numbers; what is left empty is not named', () => {
    expect(parse({ pmin: '10', pmax: ' ', gt: '-2.5', st: '0.1' })).toEqual({
      changes: { pmin: 10, gt: -2.5, st: 0.1 },
    });
  });

  it('removes by a dash', () => {
    expect(parse({ pmin: '-', gt: '–' })).toEqual({ changes: { pmin: null, gt: null } });
  });

  it.each([
    ['pmin', '1.5'],
    ['pmax', '-1'],
    ['epmin', 'soon'],
    ['gt', 'warm'],
    ['st', '-1'],
    ['edge', '2'],
    ['con', '5'],
  ] as const)('is refused where %s cannot be %s', (name, text) => {
    expect(parse({ [name]: text })).toEqual({ fault: expect.stringContaining(name) });
  });

  it('is refused where attributes contradict each other, as the server would', () => {
    expect(parse({ pmin: '10', pmax: '5' })).toEqual({ fault: expect.stringContaining('pmax') });
    expect(parse({ epmin: '10', epmax: '10' })).toEqual({ fault: expect.stringContaining('epmax') });
    expect(parse({ lt: '10', gt: '12', st: '1' })).toEqual({ fault: expect.stringContaining('gt') });
    expect(parse({ pmin: '10', pmax: '0' })).toEqual({ changes: { pmin: 10, pmax: 0 } });
  });

  it('has nothing to remove where it is the condition of one observation', () => {
    expect(withoutRemovals({ pmin: 5, pmax: null })).toEqual({ pmin: 5 });
  });

  it('is told in the order of the specification', () => {
    expect(attributesText({ gt: 1.5, pmin: 5 })).toBe('pmin=5 gt=1.5');
    expect(attributesText(undefined)).toBe('');
  });
});

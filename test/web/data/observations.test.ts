import { describe, expect, it } from 'vitest';
import type { ApiWantedStatus } from '../../../web/data/api-types.ts';
import { learnModel, pathName, unknownObjects, valueText } from '../../../web/data/last-values.ts';
import {
  byText,
  observationLines,
  observationOf,
  observationSummary,
} from '../../../web/data/observations.ts';

const wanted = (path: string, change: Partial<ApiWantedStatus> = {}): ApiWantedStatus => ({
  paths: [path],
  composite: false,
  by: { kind: 'policy', id: 'p', name: 'Batteries' },
  state: 'observed',
  since: 5,
  ...change,
});

describe('the lines of wanted observations', () => {
  it('begin with what needs a look', () => {
    const states = ['observed', 'pending', 'refused', 'drifted', 'failed'] as const;
    const lines = observationLines({ wanted: states.map((state) => wanted('/3/0/9', { state })) });
    expect(lines.map(({ state }) => state)).toEqual(['failed', 'drifted', 'refused', 'pending', 'observed']);
  });

  it('tell what it is by name, and who wants it', () => {
    const [line] = observationLines({ wanted: [wanted('/3/0/9')] });
    expect(line).toEqual({
      key: '/3/0/9',
      paths: '/3/0/9',
      name: 'Device · Battery Level',
      state: 'observed',
      since: 5,
      reason: '',
      attributes: '',
      by: 'Batteries',
      retryAt: undefined,
    });
    expect(observationLines({ wanted: [wanted('/3/0')] })[0]?.name).toBe('Device');
  });

  it('tell why something is not there, with the answer of the device', () => {
    const [line] = observationLines({
      wanted: [
        wanted('/3/0/9', { state: 'refused', code: '4.04', reason: 'not here', by: { kind: 'hand' } }),
      ],
    });
    expect(line).toMatchObject({ reason: '4.04 not here', by: 'by hand' });
  });

  it('tell attributes, and the paths of a composite observation', () => {
    const [line] = observationLines({
      wanted: [
        wanted('/3/0/9', {
          paths: ['/3/0/9', '/4/0/2', '/6/0/0'],
          composite: true,
          attributes: { pmin: 5, gt: 1.5 },
        }),
      ],
    });
    expect(line).toMatchObject({
      key: 'composite /3/0/9 /4/0/2 /6/0/0',
      paths: '/3/0/9 and 2 more',
      attributes: 'pmin 5 · gt 1.5',
    });
  });

  it('are summed up', () => {
    expect(
      observationSummary({
        wanted: [wanted('/3/0/9'), wanted('/3/0/7'), wanted('/4/0/2', { state: 'failed' })],
      }),
    ).toBe('2 of 3 observed');
  });
});

describe('objects that the console was not built with', () => {
  it('are known by their number until the server tells their definition', () => {
    expect(unknownObjects(['/3/0/9', '/26241/0/0', '/26241/1/0', '/x'])).toEqual(new Set([26241]));
    expect(pathName('/26241/0/0')).toEqual({ object: 'Object 26241', resource: 'Resource 0' });
    learnModel({
      objectId: 26241,
      version: '1.0',
      name: 'Tank',
      urn: 'urn:oma:lwm2m:x:26241',
      source: 'uploaded',
      versions: ['1.0'],
      multiple: true,
      mandatory: false,
      resources: [
        {
          id: 0,
          name: 'Level',
          operations: 'R',
          type: 'integer',
          multiple: false,
          mandatory: true,
          units: '%',
        },
      ],
    });
    expect(unknownObjects(['/26241/0/0']).size).toBe(0);
    expect(pathName('/26241/0/0')).toEqual({ object: 'Tank', resource: 'Level' });
    expect(valueText('/26241/0/0', 55)).toBe('55\u202f%');
  });
});

describe('the observation of one place', () => {
  const status = (change: Partial<Parameters<typeof observationOf>[0]>) => ({
    wanted: [],
    suppressed: [],
    ...change,
  });

  it('is its own, or that of others that it is a part of', () => {
    const own = wanted('/3/0/9');
    const together = wanted('/3/0/9', { paths: ['/3/0/9', '/4/0/2'], composite: true });
    const above = wanted('/3/0');
    const elsewhere = wanted('/3/0/90');
    const found = observationOf(status({ wanted: [together, own, above, elsewhere] }), '/3/0/9');
    expect(found).toEqual({ own, others: [together, above], ruledOut: undefined, byHand: false });
  });

  it('is by hand where a person wants it, or has ruled it out', () => {
    const hand = { by: { kind: 'hand' as const } };
    expect(observationOf(status({ wanted: [wanted('/3/0/9', hand)] }), '/3/0/9').byHand).toBe(true);
    const suppressed = [{ paths: ['/3/0/9'], composite: false, ...hand }];
    expect(observationOf(status({ suppressed }), '/3/0/9')).toMatchObject({
      own: undefined,
      ruledOut: { kind: 'hand' },
      byHand: true,
    });
  });

  it('says who wants it', () => {
    expect(byText({ kind: 'hand' })).toBe('by hand');
    expect(byText({ kind: 'policy', id: 'p', name: 'Batteries' })).toBe('by the policy Batteries');
    expect(byText({ kind: 'policy', id: 'p' })).toBe('by the policy p');
  });
});

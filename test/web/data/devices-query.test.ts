import { describe, expect, it } from 'vitest';
import {
  type DevicesView,
  devicesQuery,
  everything,
  facetQuery,
  isFiltered,
  jobFilter,
  listQuery,
  parseDevicesQuery,
  signalText,
  sortedBy,
} from '../../../web/data/devices-query.ts';

const views: readonly [query: string, Partial<DevicesView>][] = [
  ['', {}],
  ['q=a+b%26c&state=registered', { search: 'a b&c', states: ['registered'] }],
  ['state=asleep%2Clost&sort=-lastSeen', { states: ['asleep', 'lost'], sort: 'lastSeen', descending: true }],
  ['carrier=AT%26T%2CA%5C%2C+B%5C%5C', { texts: { carrier: ['AT&T', 'A, B\\'] } }],
  ['carrier=&model=BG95', { texts: { carrier: [''], model: ['BG95'] } }],
  ['signalMin=-110&signalMax=-95.1', { signalMin: -110, signalMax: -95.1 }],
  ['heard=not-1d', { heard: 'not-1d' }],
];

describe('the query of the list of devices', () => {
  it.each(views)('%s is a view, and the view has this query', (query, view) => {
    expect(parseDevicesQuery(query)).toEqual({ ...everything, ...view });
    expect(devicesQuery({ ...everything, ...view })).toBe(query);
  });

  it('takes nothing that there is not', () => {
    const nonsense = 'state=nonsense,lost&sort=colour&heard=toString&signalMin=loud&page=2';
    expect(parseDevicesQuery(nonsense)).toEqual({ ...everything, states: ['lost'] });
  });

  it('becomes one of the API, with times told from now', () => {
    const view: DevicesView = { ...everything, search: 'x', heard: '1h', sort: 'model', descending: true };
    expect(String(listQuery(view, 3_600_000.5 + 100))).toBe('q=x&seenSince=100&sort=-model');
    const silent: DevicesView = { ...everything, heard: 'not-1d' };
    expect(String(listQuery(silent, 86_400_000 + 7))).toBe('seenBefore=7&sort=endpoint');
  });

  it('asks for what a filter could be set to without that filter', () => {
    const view: DevicesView = { ...everything, states: ['lost'], texts: { carrier: ['x'], model: ['y'] } };
    expect(String(facetQuery(view, 'carrier', 0))).toBe('state=lost&model=y&by=carrier');
    expect(String(facetQuery(view, 'state', 0))).toBe('carrier=x&model=y&by=state');
  });

  it('is the filter of a job', () => {
    const view: DevicesView = {
      ...everything,
      search: 'x',
      states: ['awake'],
      texts: { node: ['n1'] },
      signalMax: -110,
      heard: '5m',
    };
    expect(jobFilter(view, 400_000)).toEqual({
      q: 'x',
      state: ['awake'],
      node: ['n1'],
      signalMax: -110,
      seenSince: 100_000,
    });
    expect(jobFilter(everything, 0)).toEqual({});
  });

  it('knows whether it leaves something out', () => {
    expect(isFiltered({ ...everything, sort: 'model' })).toBe(false);
    for (const [query] of views.slice(1)) expect(isFiltered(parseDevicesQuery(query))).toBe(true);
  });

  it('is turned round by a second wish for the same order, and begins with the newest', () => {
    const byTime = sortedBy(everything, 'lastSeen');
    expect([byTime.sort, byTime.descending]).toEqual(['lastSeen', true]);
    expect(sortedBy(byTime, 'lastSeen').descending).toBe(false);
    expect(sortedBy(byTime, 'model')).toMatchObject({ sort: 'model', descending: false });
  });

  it('has words for ranges of signals', () => {
    expect(signalText(everything)).toBeUndefined();
    expect(signalText({ ...everything, signalMax: -95.1 })).toBe('weak or poor');
    expect(signalText({ ...everything, signalMin: -100, signalMax: -90 })).toBe(
      '−100\u202fdBm to −90\u202fdBm',
    );
    expect(signalText({ ...everything, signalMin: -70 })).toBe('at least −70\u202fdBm');
  });
});

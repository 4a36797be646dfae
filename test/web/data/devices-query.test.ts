import { describe, expect, it } from 'vitest';
import { type DevicesView, devicesQuery, parseDevicesQuery } from '../../../web/data/devices-query.ts';

const views: readonly [query: string, DevicesView][] = [
  ['', { search: '', state: undefined }],
  ['q=a+b%26c&state=registered', { search: 'a b&c', state: 'registered' }],
];

describe('the query of the list of devices', () => {
  it.each(views)('%s is a view, and the view has this query', (query, view) => {
    expect(parseDevicesQuery(query)).toEqual(view);
    expect(devicesQuery(view)).toBe(query);
  });

  it('takes no state that there is not', () => {
    expect(parseDevicesQuery('state=nonsense').state).toBeUndefined();
  });
});

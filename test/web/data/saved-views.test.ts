import { describe, expect, it } from 'vitest';
import { SavedViews } from '../../../web/data/saved-views.ts';
import { isSelected, nothingSelected, selectedCount, withRows } from '../../../web/data/selection.ts';

function storage(text?: string) {
  const kept = new Map<string, string>(text === undefined ? [] : [['simyard-device-views', text]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      kept.set(key, value);
    },
  };
}

describe('saved views', () => {
  it('are kept by name, in its order, and replaced and removed by it', () => {
    const place = storage();
    const views = new SavedViews(place);
    expect(views.save({ name: 'Lost', query: 'state=lost' })).toBe(true);
    views.save({ name: 'Asleep', query: 'state=asleep' });
    views.save({ name: 'Lost', query: 'state=lost&sort=-lastSeen' });
    expect(new SavedViews(place).list()).toEqual([
      { name: 'Asleep', query: 'state=asleep' },
      { name: 'Lost', query: 'state=lost&sort=-lastSeen' },
    ]);
    views.remove('Asleep');
    expect(views.list().map(({ name }) => name)).toEqual(['Lost']);
  });

  it.each(['{', '{}', 'null', '[1,{"name":"x"},{"name":"","query":""}]'])(
    '%s in their place is none',
    (text) => {
      expect(new SavedViews(storage(text)).list()).toEqual([]);
    },
  );

  it('say so where the browser does not keep them', () => {
    expect(new SavedViews(undefined).save({ name: 'x', query: '' })).toBe(false);
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    };
    expect(new SavedViews(full).save({ name: 'x', query: '' })).toBe(false);
  });
});

describe('a selection', () => {
  it('has single rows, or all that match', () => {
    const two = withRows(nothingSelected, ['a', 'b'], true);
    expect([isSelected(two, 'a'), isSelected(two, 'c'), selectedCount(two, 100)]).toEqual([true, false, 2]);
    const one = withRows(two, ['a'], false);
    expect([isSelected(one, 'a'), selectedCount(one, 100)]).toEqual([false, 1]);
    const all = { kind: 'all' } as const;
    expect([isSelected(all, 'c'), selectedCount(all, 100)]).toEqual([true, 100]);
    expect(withRows(all, ['a'], false)).toBe(all);
  });
});

import { describe, expect, test } from 'vitest';
import type { LastValue } from '../../server/ports/last-values.ts';
import { type OpenStores, useStores } from './engine.ts';

function aValue(path: string, value: LastValue['value'], takenAt = 1_760_000_000_000_000): LastValue {
  return { path, value, takenAt, receivedAt: takenAt + 0.5 };
}

export function describeLastValues(name: string, open: OpenStores): void {
  describe(`LastValues, ${name}`, () => {
    const stores = useStores(open);

    test('values of every type come back as they were given, in numeric order of their paths', async () => {
      const { lastValues } = stores();
      const values = [
        aValue('/3/0/7/1', 3.25),
        aValue('/3/0/9', 'ünïcode'),
        aValue('/3/0/10', false),
        aValue('/42769/0/0', ''),
        aValue('/42769/1/0', 0),
      ];
      await lastValues.set('a', values.toReversed());
      expect(await lastValues.get('a')).toEqual(values);
      expect(await lastValues.get('b')).toEqual([]);
    });

    test('those of several devices are set at once, each by itself', async () => {
      const { lastValues } = stores();
      await lastValues.set('a', [aValue('/1/0/1', 'later', 20)]);
      await lastValues.setAll(
        new Map([
          ['a', [aValue('/1/0/1', 'earlier', 10), aValue('/1/0/2', Number.NaN, 10)]],
          ['b', [aValue('/1/0/1', true, 10)]],
          ['c', []],
        ]),
      );
      expect((await lastValues.get('a')).map(({ value }) => value)).toEqual(['later', Number.NaN]);
      expect(await lastValues.get('b')).toEqual([aValue('/1/0/1', true, 10)]);
      expect(await lastValues.get('c')).toEqual([]);
    });

    test('a prefix takes whole segments', async () => {
      const { lastValues } = stores();
      const paths = ['/3/0/1', '/3/0/10', '/3/1/1', '/30/0/1'];
      await lastValues.set(
        'a',
        paths.map((path) => aValue(path, 1)),
      );
      const found = async (prefix: string) => (await lastValues.get('a', prefix)).map(({ path }) => path);
      expect(await found('/3')).toEqual(['/3/0/1', '/3/0/10', '/3/1/1']);
      expect(await found('/3/0')).toEqual(['/3/0/1', '/3/0/10']);
      expect(await found('/3/0/1')).toEqual(['/3/0/1']);
      expect(await found('/')).toEqual(paths);
      expect(await found('/4')).toEqual([]);
    });

    test('the value taken later stays, whichever comes first; of equal times the later call', async () => {
      const { lastValues } = stores();
      await lastValues.set('a', [aValue('/1/0/1', 'new', 20), aValue('/1/0/2', 'old', 10)]);
      await lastValues.set('a', [aValue('/1/0/1', 'old', 10), aValue('/1/0/2', 'new', 20)]);
      await lastValues.set('a', [aValue('/1/0/3', 'one', 20), aValue('/1/0/3', 'two', 20)]);
      expect((await lastValues.get('a')).map(({ value }) => value)).toEqual(['new', 'new', 'two']);
    });

    test('a value of a clock that was far ahead gives way to what is received later', async () => {
      const { lastValues } = stores();
      const now = 1_760_000_000_000_000;
      await lastValues.set('a', [
        aValue('/1/0/1', 'wrong', now + 3_600_000_000),
        aValue('/1/0/2', 'ahead', now + 60_000_000),
      ]);
      await lastValues.set('a', [aValue('/1/0/1', 'right', now), aValue('/1/0/2', 'behind', now)]);
      expect((await lastValues.get('a')).map(({ value }) => value)).toEqual(['right', 'ahead']);
    });
  });
}

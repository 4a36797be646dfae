import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtomicFile, StateFileError } from '../../../client/atomic-file.ts';
import { CarrierIds, fileCarrierIds } from '../../../client/sim/carrier-ids.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-carriers-'));
  path = join(folder, 'carriers.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (): CarrierIds => new CarrierIds(fileCarrierIds(new AtomicFile(path)));
const idsOf = (ids: ReadonlyMap<string, number>, iccids: readonly string[]) =>
  iccids.map((iccid) => ids.get(iccid));

describe('carrier ids', () => {
  it('are places in the list at first', () => {
    expect(idsOf(open().of('eid', ['a', 'b', 'c']), ['a', 'b', 'c'])).toEqual([0, 1, 2]);
  });

  it('stay when others are deleted or listed in another order, also for the next process', () => {
    open().of('eid', ['a', 'b', 'c']);
    expect(idsOf(open().of('eid', ['c', 'a']), ['a', 'c'])).toEqual([0, 2]);
  });

  it('are never given to another profile, and a profile that comes back has its own', () => {
    open().of('eid', ['a', 'b', 'c']);
    open().of('eid', ['a', 'b']);
    expect(open().of('eid', ['a', 'b', 'd']).get('d')).toBe(3);
    expect(idsOf(open().of('eid', ['a', 'c', 'd']), ['a', 'c', 'd'])).toEqual([0, 2, 3]);
  });

  it('pass over the id of Disconnect', () => {
    const iccids = Array.from({ length: 17 }, (_, index) => `p${index}`);
    expect([...open().of('eid', iccids).values()].slice(14)).toEqual([14, 16, 17]);
  });

  it('are of one card: another card begins at 0', () => {
    open().of('eid', ['a', 'b']);
    expect(open().of('another', ['x']).get('x')).toBe(0);
    expect(open().of('eid', ['b']).get('b')).toBe(1);
  });

  it('of a card that makes ICCIDs up stay bounded, and go on rising', () => {
    const ids = open();
    for (let i = 0; i < 600; i++) ids.of('eid', [`made-up-${i}`]);
    expect(ids.of('eid', []).size).toBeLessThanOrEqual(258);
    expect(ids.of('eid', ['next']).get('next')).toBe(601);
  });

  it('begin anew where a card has had all that there are', () => {
    writeFileSync(path, JSON.stringify({ format: 1, cards: [{ card: 'eid', ids: { a: 65_534 } }] }));
    expect(idsOf(open().of('eid', ['a', 'b']), ['a', 'b'])).toEqual([0, 1]);
  });

  it.each([
    '{}',
    '{"format":2,"cards":[]}',
    '{"format":1,"cards":[{"card":"e"}]}',
    '{"format":1,"cards":[{"card":"e","ids":{"a":-1}}]}',
    '{"format":1,"cards":[{"card":"e","ids":{"a":1,"b":1}}]}',
  ])('are not made up from a damaged file: %s', (text) => {
    writeFileSync(path, text);
    expect(open).toThrow(StateFileError);
  });
});

import { describe, expect, test, vi } from 'vitest';
import type { Cell, Row } from '../../bench/measure.ts';
import type { Peer } from '../../bench/peers/target.ts';
import { type Found, oneLine, type RowsRun, runRows } from '../../bench/run-rows.ts';
import { chosenRows, fullRows, shortRows } from '../../bench/suite.ts';
import { cellOf } from './cells.ts';

function peerOf(name: string, reason?: string): Peer {
  return {
    name,
    warmUp: 0,
    prepare: async () => reason,
    start: () => Promise.reject(new Error('is not started by these tests')),
  };
}

const [one, two] = [peerOf('one'), peerOf('two')];
const rowOf = (title: string, peers: readonly Peer[]): Row => ({
  ...{ title, work: 'update', devices: 1, readings: 0, rate: 1, peers },
});
const nothing: Found = { cells: [], missing: [] };

function runOf(measure: (row: Row, peer: Peer) => Cell, change: Partial<RowsRun> = {}): RowsRun {
  return {
    measure: async (row, peer) => measure(row, peer),
    ...{ found: nothing, keep: () => undefined, isStopped: () => false, tell: () => undefined },
    ...change,
  };
}

const measured = ({ title }: Row, { name }: Peer): Cell => cellOf(title, name, 1);
const namesOf = ({ cells }: Found): string[] => cells.map(({ title, peer }) => `${title} ${peer}`);

describe('a run over several rows', () => {
  test('goes on where one server fails, and names it with the row and the reason', async () => {
    const fails = (row: Row, peer: Peer): Cell => {
      if (row.title === 'a' && peer === two) throw new Error('it fell over');
      return measured(row, peer);
    };
    const found = await runRows([rowOf('a', [one, two]), rowOf('b', [one, two])], runOf(fails));
    expect(namesOf(found)).toEqual(['a one', 'b one', 'b two']);
    expect(found.missing).toEqual([{ peer: 'two, a', reason: 'it fell over' }]);
  });

  test('does not start a server that cannot run here', async () => {
    const measure = vi.fn(measured);
    const unable = peerOf('Leshan', 'mvn is not installed');
    const found = await runRows([rowOf('a', [unable, one])], runOf(measure));
    expect(measure.mock.calls.map(([, { name }]) => name)).toEqual(['one']);
    expect(found.missing).toEqual([{ peer: 'Leshan', reason: 'mvn is not installed' }]);
  });

  test('keeps what it has after each server, so that nothing is lost when it is stopped', async () => {
    const kept: string[][] = [];
    let isStopped = false;
    const found = await runRows(
      [rowOf('a', [one, two]), rowOf('b', [one])],
      runOf(measured, {
        keep(sofar) {
          kept.push(namesOf(sofar));
          isStopped = kept.length === 2;
        },
        isStopped: () => isStopped,
      }),
    );
    expect(kept).toEqual([['a one'], ['a one', 'a two']]);
    expect(namesOf(found)).toEqual(['a one', 'a two']);
  });

  test('does not blame a server that was ended because the run was stopped', async () => {
    let isStopped = false;
    const measure = (): Cell => {
      isStopped = true;
      throw new Error('ended: SIGINT');
    };
    const found = await runRows([rowOf('a', [one, two])], runOf(measure, { isStopped: () => isStopped }));
    expect(found).toEqual(nothing);
  });

  test('measures only what an earlier run has not, and tells all in the order of the rows', async () => {
    const measure = vi.fn(measured);
    const found = await runRows(
      [rowOf('a', [one, two]), rowOf('b', [one])],
      runOf(measure, { found: { cells: [cellOf('a', 'two', 1), cellOf('b', 'one', 1)], missing: [] } }),
    );
    expect(measure).toHaveBeenCalledOnce();
    expect(namesOf(found)).toEqual(['a one', 'a two', 'b one']);
  });
});

describe('the reason why a server could not', () => {
  test.each([
    ['it fell over', 'it fell over'],
    ['The program ended. It had said:\n{"port":5683}\n{"cpu":1}\n', 'The program ended'],
    [
      'The program ended. It had said:\n{"port":1}\nOutOfMemoryError: heap\n',
      'The program ended: OutOfMemoryError: heap',
    ],
  ])('%j is one line without JSON', (message, line) => {
    expect(oneLine(message)).toBe(line);
  });
});

describe('the rows', () => {
  test.each([
    ['short', shortRows()],
    ['full', fullRows()],
  ])('of the %s set have a title each, and the floor first', (_set, rows) => {
    const titles = rows.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    expect(rows[0]?.work).toBe('echo');
  });

  test('are chosen by their name, or by a part of it or of a server; the floor is there always', () => {
    const chosen = (only: string) => chosenRows(fullRows(), only).map(({ title }) => title);
    expect(chosen('')).toHaveLength(fullRows().length);
    expect(chosen('update')).toEqual(['datagram in and out', 'update']);
    expect(chosen('update, ')).toEqual(['datagram in and out', 'update, DTLS', 'update, Redis']);
    const ofLeshan = chosenRows(fullRows(), 'leshan').slice(1);
    expect(ofLeshan.every(({ peers }) => peers.every(({ name }) => name.startsWith('Leshan')))).toBe(true);
    expect(chosen('no such thing')).toEqual(['datagram in and out']);
  });

  test('that are read by programs are of servers that programs can ask', () => {
    const readers = fullRows().filter(({ work }) => work === 'read');
    expect(readers).toHaveLength(1);
    for (const { readPath } of readers.flatMap(({ peers }) => peers))
      expect(readPath?.('device-1', '/42770/0/2')).toMatch(/^\/api\/.*device-1.*\/42770\/0\/2$/);
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  checkWritable,
  dropUnfinished,
  type Results,
  readUnfinished,
  writeUnfinished,
} from '../../bench/results.ts';
import { cellOf } from './cells.ts';

const results: Results = {
  version: 1,
  ...{ when: '2026-01-01T00:00:00.000Z', runs: 5, seconds: 4, minutes: 3, set: 'full' },
  machine: { cpu: 'C', cores: 2, memoryGib: 8, kernel: '6', node: 'v24', loadBefore: 0, loadAfter: 1 },
  ...{ cells: [cellOf('update', 'x', 30)], missing: [] },
};

describe('the folder of results', () => {
  test('is looked at before the first row', () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-results-'));
    try {
      checkWritable(pathToFileURL(`${folder}/new/`));
      expect(readdirSync(`${folder}/new`)).toEqual([]);
      writeFileSync(`${folder}/file`, '');
      expect(() => checkWritable(pathToFileURL(`${folder}/file/`))).toThrow(/^results cannot be written/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what a run that was stopped has left', () => {
  let folder = '';
  let place = new URL('file:///');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-results-'));
    place = pathToFileURL(`${folder}/`);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is found by one of the same set and lengths', () => {
    writeUnfinished(results, place);
    expect(readUnfinished({ set: 'full', runs: 5, seconds: 4 }, place)).toEqual(results);
  });

  test.each([
    ['set', { set: 'short', runs: 5, seconds: 4 }],
    ['number of runs', { set: 'full', runs: 3, seconds: 4 }],
    ['length of runs', { set: 'full', runs: 5, seconds: 5 }],
  ] as const)('is not mixed with figures of another %s', (_what, wanted) => {
    writeUnfinished(results, place);
    expect(readUnfinished(wanted, place)).toBeUndefined();
  });

  test('is gone when a run has come to its end', () => {
    writeUnfinished(results, place);
    dropUnfinished('full', place);
    dropUnfinished('full', place);
    expect(readUnfinished(results, place)).toBeUndefined();
  });
});

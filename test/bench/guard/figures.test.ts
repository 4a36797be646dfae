import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFigures, writeFigures } from '../../../bench/guard/figures.ts';

describe('the figures that are kept', () => {
  let folder: string;
  let file: URL;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-test-'));
    file = pathToFileURL(join(folder, 'guard.json'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('are read as they were written, to two places; none where there is no file', () => {
    expect(readFigures(file)).toEqual({});
    writeFigures(file, { update: 4.512, send: 7 });
    expect(readFigures(file)).toEqual({ update: 4.51, send: 7 });
  });

  test.each(['', '{"update": 4.5', '{"update": null}', '{"update": "4"}', '3', 'null'])(
    'are damaged as %j, and what helps is told',
    (text) => {
      writeFileSync(file, text);
      expect(() => readFigures(file)).toThrow(/guard\.json is damaged: .*--update$/);
    },
  );

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 0])('are left as they were in place of %d', (figure) => {
    writeFigures(file, { update: 4.5 });
    expect(() => writeFigures(file, { update: figure })).toThrow('update');
    expect(readFileSync(file, 'utf8')).toBe('{\n  "update": 4.5\n}\n');
  });
});

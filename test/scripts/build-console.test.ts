import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isConsoleStale } from '../../scripts/build-console.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-console-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, second: number): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  utimesSync(file, second, second);
}

test('a console that was never built is stale', () => {
  write('web/index.html', 1);
  expect(isConsoleStale(folder)).toBe(true);
});

test('a console newer than its sources is not', () => {
  write('web/elements/sy-app.ts', 1);
  write('objects/carrier.ts', 2);
  write('web/dist/index.html', 3);
  write('web/dist/assets/later.js', 9);
  expect(isConsoleStale(folder)).toBe(false);
});

test.each(['web/elements/sy-app.ts', 'objects/carrier.ts', 'protocol/lwm2m/path.ts', 'package-lock.json'])(
  'a change of %s makes it stale',
  (source) => {
    write('web/dist/index.html', 3);
    write(source, 4);
    expect(isConsoleStale(folder)).toBe(true);
  },
);

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isInstalled } from '../../scripts/requirements.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-path-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a program on the path is installed', () => {
  writeFileSync(join(folder, 'coap-client'), '');
  chmodSync(join(folder, 'coap-client'), 0o755);
  expect(isInstalled('coap-client', `/nowhere${delimiter}${delimiter}${folder}`)).toBe(true);
});

test('a file that cannot be run is no program', () => {
  writeFileSync(join(folder, 'coap-client'), '');
  chmodSync(join(folder, 'coap-client'), 0o644);
  expect(isInstalled('coap-client', folder)).toBe(false);
});

test('a program that is nowhere is not installed', () => {
  expect(isInstalled('coap-client', folder)).toBe(false);
  expect(isInstalled('coap-client', '')).toBe(false);
});

test('what is named by its path is installed when its file is there', () => {
  const file = join(folder, 'winscard.h');
  expect(isInstalled(file)).toBe(false);
  writeFileSync(file, '');
  expect(isInstalled(file)).toBe(true);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BuildError, buildReader, whyNotLoaded } from '../../scripts/build-reader.ts';

describe('the build of pcsclite', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-build-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function packaged(source: string): void {
    const place = join(folder, 'node_modules', 'pcsclite');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'index.js'), source);
  }

  test('is not needed where the package loads', () => {
    packaged('module.exports = () => {};');
    expect(whyNotLoaded(folder)).toBeUndefined();
    expect(buildReader(folder)).toBe(false);
  });

  test('tells why the package does not load', () => {
    expect(whyNotLoaded(folder)).toMatch(/Cannot find module 'pcsclite'/);
    packaged("throw new Error('Could not locate the bindings file.');");
    expect(whyNotLoaded(folder)).toBe('Could not locate the bindings file.');
  });

  test('names the packages that are missing, before it begins', () => {
    packaged("throw new Error('Could not locate the bindings file.');");
    const build = (): boolean => buildReader(folder, ['libpcsclite-dev', 'g++']);
    expect(build).toThrow(BuildError);
    expect(build).toThrow('libpcsclite-dev g++');
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeBinary, whyInstall } from '../../scripts/setup.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-setup-'));
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(nodeBinary(folder), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

const fastify = { version: '5.0.0', integrity: 'sha512-a' };

function given(wanted: Record<string, object>, installed: Record<string, object>): string | undefined {
  const entry = { '': { name: 'simyard' } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { ...entry, ...wanted } }));
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), JSON.stringify({ packages: installed }));
  return whyInstall(folder);
}

describe('an install is needed', () => {
  test('where nothing was installed', () => {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    expect(whyInstall(folder)).toBe('node_modules is missing');
  });

  test('where the binary of Node 24 is missing', () => {
    rmSync(nodeBinary(folder));
    expect(given({}, {})).toBe('Node 24 is missing from node_modules');
  });

  test('where a package is missing', () => {
    expect(given({ 'node_modules/a/node_modules/@x/fastify': fastify }, {})).toBe('@x/fastify is missing');
  });

  test('where a package has another version, or other bytes', () => {
    const wanted = { 'node_modules/fastify': fastify };
    expect(given(wanted, { 'node_modules/fastify': { ...fastify, version: '4.9.9' } })).toBe(
      'fastify has changed',
    );
    expect(given(wanted, { 'node_modules/fastify': { ...fastify, integrity: 'x' } })).toBe(
      'fastify has changed',
    );
  });

  test('where a package was dropped', () => {
    expect(given({}, { 'node_modules/fastify': fastify })).toMatch('no longer asks for');
  });
});

describe('no install is needed', () => {
  test('where both lists agree', () => {
    expect(given({ 'node_modules/fastify': fastify }, { 'node_modules/fastify': fastify })).toBeUndefined();
  });

  test('for an optional package of another platform', () => {
    expect(given({ 'node_modules/@x/win32': { ...fastify, optional: true } }, {})).toBeUndefined();
  });
});

test('this very checkout needs none, for its packages run this test', () => {
  expect(whyInstall()).toBeUndefined();
});

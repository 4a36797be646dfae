import { describe, expect, test } from 'vitest';
import { checkImports, cycles, readProject } from '../../scripts/check-imports.ts';

function check(files: Record<string, string>): string[] {
  return checkImports(new Map(Object.entries(files)));
}

describe('the import rules', () => {
  test.each([
    ['protocol/coap/a.ts', '../../objects/b.ts'],
    ['protocol/coap/a.ts', '../lwm2m/b.ts'],
    ['protocol/lwm2m/a.ts', '../coap/b.ts'],
    ['protocol/dtls/a.ts', '../coap/b.ts'],
    ['protocol/coap/a.ts', '../dtls/b.ts'],
    ['objects/a.ts', '../protocol/coap/b.ts'],
    ['client/lwm2m/a.ts', '../../server/lwm2m/b.ts'],
    ['server/lwm2m/a.ts', '../../client/b.ts'],
    ['server/lwm2m/a.ts', '../embedded/b.ts'],
    ['server/lwm2m/a.ts', '../main.ts'],
    ['server/lwm2m/a.ts', '../../redis/b.ts'],
    ['redis/a.ts', '../server/lwm2m/b.ts'],
    ['web/a.ts', '../server/lwm2m/b.ts'],
    ['web/a.ts', '../protocol/coap/b.ts'],
    ['server/a.ts', '../test/support/b.ts'],
    ['client/a.ts', '../scripts/b.ts'],
    ['protocol/coap/a.ts', '../../bench/b.ts'],
  ])('%s may not import %s', (from, specifier) => {
    const target = new URL(specifier, `file:///${from}`).pathname.slice(1);
    const files = {
      [from]: `import { b } from '${specifier}';\nb();`,
      [target]: 'export const b = () => 1;',
    };
    expect(check(files)).toEqual([expect.stringMatching(`^${from}:1: .* may not import ${target}$`)]);
  });

  test.each([
    ['server/main.ts', './embedded/b.ts'],
    ['server/main.ts', '../redis/b.ts'],
    ['server/embedded/a.ts', '../ports/b.ts'],
    ['client/modem/a.ts', '../../protocol/coap/b.ts'],
    ['objects/a.ts', '../protocol/lwm2m/b.ts'],
    ['protocol/dtls/handshake/a.ts', '../../coap/datagram-port.ts'],
    ['protocol/dtls/a.ts', '../clock.ts'],
    ['web/elements/a.ts', '../../objects/b.ts'],
    ['test/server/a.test.ts', '../../server/embedded/b.ts'],
  ])('%s may import %s', (from, specifier) => {
    const target = new URL(specifier, `file:///${from}`).pathname.slice(1);
    expect(
      check({ [from]: `import { b } from '${specifier}';\nb();`, [target]: 'export const b = () => 1;' }),
    ).toEqual([]);
  });

  test.each([
    ['a type import', `import type { B } from '../embedded/b.ts';`],
    ['an inline type import', `let b: import('../embedded/b.ts').B;`],
    ['a re-export', `export * from '../embedded/b.ts';`],
    ['a named re-export', `export { b } from '../embedded/b.ts';`],
    ['a dynamic import', `const b = await import('../embedded/b.ts');`],
    ['an import for its effect', `import '../embedded/b.ts';`],
    ['the address of a worker', `const b = new URL('../embedded/b.ts', import.meta.url);`],
  ])('see %s', (_, source) => {
    expect(check({ 'server/lwm2m/a.ts': source, 'server/embedded/b.ts': 'export {};' })).toHaveLength(1);
  });

  test('let the console have the types of the API, and nothing that runs', () => {
    const schemas = { 'server/api/schemas.ts': 'export type A = 1; export const a = 1;' };
    expect(check({ ...schemas, 'web/a.ts': `import type { A } from '../server/api/schemas.ts';` })).toEqual(
      [],
    );
    for (const source of [`import { a } from`, `import { type A } from`]) {
      expect(check({ ...schemas, 'web/a.ts': `${source} '../server/api/schemas.ts';` })).toEqual([
        'web/a.ts:1: web/ may import only types of server/api/schemas.ts: write import type',
      ]);
    }
  });

  test('want a rule for every folder', () => {
    expect(check({ 'elsewhere/a.ts': '' })).toEqual([expect.stringContaining('no rule')]);
  });

  test('tell an import of a file that is not there', () => {
    expect(check({ 'client/a.ts': `import './b.ts';` })).toEqual(['client/a.ts:1: there is no client/b.ts']);
  });
});

describe('what runs in browsers', () => {
  test.each([
    [`import { readFileSync } from 'node:fs';`, 'node:fs'],
    [`import fs from 'fs';`, 'fs'],
    [`import type { Socket } from 'node:net';`, 'node:net'],
    ['export const bytes = Buffer.alloc(1);', 'Buffer'],
    ['export function f(bytes: Buffer) {}', 'Buffer'],
    ['export const a = globalThis.Buffer;', 'Buffer'],
    ['export const a = process.argv;', 'process'],
  ])('cannot say %s', (source, what) => {
    for (const file of ['protocol/lwm2m/a.ts', 'objects/a.ts', 'web/a.ts']) {
      expect(check({ [file]: source })).toContain(`${file}:1: ${what} is not there in a browser`);
    }
  });

  test('may use the words as names of properties', () => {
    expect(
      check({
        'objects/a.ts': 'interface A { process: 1 }\nexport const a = (b: A) => ({ Buffer: b.process });',
      }),
    ).toEqual([]);
  });

  test('are not all rooms', () => {
    expect(check({ 'protocol/coap/a.ts': `import 'node:fs';\nexport const a = Buffer.alloc(1);` })).toEqual(
      [],
    );
  });
});

describe('the environment', () => {
  test.each(['process.env.A', 'globalThis.process.env', `process['argv'] && process.env`])(
    'is read by %s in server/config.ts only',
    (source) => {
      expect(check({ 'server/lwm2m/a.ts': `export const a = ${source};` })).toEqual([
        'server/lwm2m/a.ts:1: only server/config.ts of server/ reads the environment',
      ]);
      expect(check({ 'server/config.ts': `export const a = ${source};` })).toEqual([]);
    },
  );

  test('cannot be had by importing the process either', () => {
    expect(check({ 'server/main.ts': `import { env } from 'node:process';` })).toHaveLength(1);
  });
});

describe('cycles', () => {
  test('are found, and told as a path', () => {
    expect(
      check({
        'client/a.ts': `import './b.ts';`,
        'client/b.ts': `import type { C } from './c.ts';`,
        'client/c.ts': `export * from './a.ts';`,
      }),
    ).toEqual(['client/a.ts: import cycle: client/a.ts → client/b.ts → client/c.ts → client/a.ts']);
  });

  test('are found where a file imports itself', () => {
    expect(check({ 'client/a.ts': `import './a.ts';` })).toEqual([
      'client/a.ts: import cycle: client/a.ts → client/a.ts',
    ]);
  });

  test('are not seen where two ways lead to one file', () => {
    const diamond = { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] };
    expect(cycles(new Map(Object.entries(diamond)))).toEqual([]);
  });

  test('are each told once', () => {
    const two = { a: ['b'], b: ['a'], c: ['d', 'a'], d: ['c'] };
    expect(cycles(new Map(Object.entries(two)))).toEqual([
      ['a', 'b', 'a'],
      ['c', 'd', 'c'],
    ]);
  });
});

test('the project is read whole, without what was built or installed', () => {
  const files = [...readProject().keys()];
  expect(files).toContain('scripts/check-imports.ts');
  expect(files).toContain('test/scripts/check-imports.test.ts');
  // The folder that a server keeps its data in has a namesake that is source.
  expect(files).toContain('web/data/time.ts');
  expect(files.filter((file) => /node_modules|dist\//.test(file))).toEqual([]);
});

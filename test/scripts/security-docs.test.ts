import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cipherSuites } from '../../protocol/dtls/crypto/cipher-suites.ts';
import { root } from '../../scripts/root.ts';
import { settings } from '../../server/settings.ts';

const text = readFileSync(join(root, 'docs/security.md'), 'utf8');

/** The lines of the first table below a heading, cell by cell. */
function table(heading: string): readonly (readonly string[])[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| |'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
}

describe('docs/security.md', () => {
  test('has the suites of the program, in their order, and says which have forward secrecy', () => {
    const listed = table('Cipher suites').slice(1);
    expect(listed.map(([name, secrecy]) => [name, secrecy])).toEqual(
      cipherSuites.map(({ name, keyExchange }) => [`\`${name}\``, keyExchange === 'psk' ? 'no' : 'yes']),
    );
  });

  test('has the ports that the server opens', () => {
    const ports = [
      'SIMYARD_COAPS_PORT',
      'SIMYARD_COAP_PORT',
      'SIMYARD_BOOTSTRAPS_PORT',
      'SIMYARD_BOOTSTRAP_PORT',
    ];
    const found = table('Who can reach what').flatMap(([port]) => /^(\d+)\//.exec(port ?? '')?.[1] ?? []);
    const set = [...ports, 'SIMYARD_HTTP_PORT'].map(
      (name) => settings.find((one) => one.name === name)?.default,
    );
    expect(found).toEqual(set);
  });

  test('names tests and settings that exist', () => {
    const tests = [...text.matchAll(/`(test\/[^`\s]+)`/g)].map(([, path]) => path as string);
    expect(tests.length).toBeGreaterThan(30);
    expect(tests.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const named = [...text.matchAll(/SIMYARD_[A-Z_]+/g)].map(([name]) => name);
    expect(named.filter((name) => !settings.some((setting) => setting.name === name))).toEqual([]);
  });

  test('answers each of OWASP’s ten, with a test', () => {
    const rows = table('OWASP API Security Top 10 (2023)');
    expect(rows.map(([name]) => /API\d+/.exec(name ?? '')?.[0])).toEqual(
      Array.from({ length: 10 }, (_, index) => `API${index + 1}`),
    );
    for (const [name, , proof] of rows)
      expect([name, proof]).toEqual([name, expect.stringMatching(/`test\//)]);
  });
});

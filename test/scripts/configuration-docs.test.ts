import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/root.ts';
import { settings } from '../../server/settings.ts';

const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8');

test('docs/configuration.md has one row for each setting of server/settings.ts, and says of it what the code says', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `SIMYARD_'));
  const expected = settings.map(({ name, flag, type, meaning, ...setting }) => {
    const initial = setting.default === undefined ? 'none' : `\`${setting.default}\``;
    return `| \`${name}\` | \`--${flag}\` | ${type} | ${initial} | ${meaning} |`;
  });
  expect(rows).toEqual(expected);
});

test.each([
  'docs/configuration.md',
  'docs/guides/cluster.md',
  'docs/scaling.md',
  'README.md',
  'docker-compose.yml',
  'docker-compose.single.yml',
  'deploy/kubernetes/kustomization.yaml',
  'deploy/kubernetes/nodes.yaml',
])('%s names no setting that is none', (file) => {
  const named = readFileSync(join(root, file), 'utf8').match(/SIMYARD_[A-Z_]*[A-Z]/g) ?? [];
  const known = new Set<string>(settings.map((setting) => setting.name));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

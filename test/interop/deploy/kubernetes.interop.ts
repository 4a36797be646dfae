import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../../../scripts/root.ts';
import { pythonWithPeers } from '../../support/python-peers.ts';

const folder = join(root, 'deploy/kubernetes');
const scratch = mkdtempSync(join(tmpdir(), 'simyard-kubernetes-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Held against the schemas of Kubernetes itself; strictly: a field that it does not know is an error. */
function validate(file: string): { readonly status: number | null; readonly output: string } {
  const args = ['-m', 'kubernetes_validate', '--strict', file];
  const { status, stdout, stderr } = spawnSync(pythonWithPeers(), args, { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const manifests = readdirSync(folder).filter((file) => file !== 'kustomization.yaml');

test.each(manifests)('deploy/kubernetes/%s fits the schemas of Kubernetes', (file) => {
  const { status, output } = validate(join(folder, file));
  expect(output).not.toMatch(/ERROR/);
  expect(status).toBe(0);
});

test('a field that Kubernetes does not know is found', () => {
  const wrong = readFileSync(join(folder, 'nodes.yaml'), 'utf8').replace('hostNetwork:', 'hostNetwrok:');
  const file = join(scratch, 'wrong.yaml');
  writeFileSync(file, wrong);
  const { status, output } = validate(file);
  expect(status).not.toBe(0);
  expect(output).toContain('hostNetwrok');
});

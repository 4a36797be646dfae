import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/root.ts';

const folder = join(root, '.cache', 'venv');
/** What the suites were written against; pinned, so that a release elsewhere does not fail a run here. */
const packages: Readonly<Record<string, string>> = {
  aiocoap: '0.4.17',
  // Generate and use a client of the API's document (with the formatter that it calls), and fuzz the API by it.
  'openapi-python-client': '0.29.1',
  ruff: '0.17.6',
  // The schemas of Kubernetes, for deploy/kubernetes.
  'kubernetes-validate': '1.37.0',
  schemathesis: '4.32.5',
};

const checkScript = `import importlib.metadata as m, json
assert all(m.version(name) == version for name, version in json.loads('${JSON.stringify(packages)}').items())`;

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
}

/**
 * The Python interpreter of an environment that has the peers written in Python; made when it is not
 * there yet, which takes a package index.
 * @throws Error with what Python said, where that fails.
 */
export function pythonWithPeers(): string {
  const python = join(folder, 'bin', 'python');
  const installed = (): boolean => existsSync(python) && spawnSync(python, ['-c', checkScript]).status === 0;
  if (!installed()) {
    const pinned = Object.entries(packages).map(([name, version]) => `${name}==${version}`);
    run('python3', ['-m', 'venv', folder]);
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...pinned]);
  }
  return python;
}

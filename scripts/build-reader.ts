import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isInstalled } from './requirements.ts';
import { root } from './root.ts';

const help = `Builds pcsclite, by which --card pcsc talks to a PC/SC reader. Nothing else needs it.

Usage: npm run build:reader

On Debian: apt-get install libpcsclite-dev g++ make python3`;

/** Something is missing, or did not work: for the user, who needs no stack trace. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}

/** Packages of Debian that the build needs and that are not there. */
export function missingForReader(): string[] {
  const needed = [
    { found: existsSync('/usr/include/PCSC/winscard.h'), name: 'libpcsclite-dev' },
    { found: isInstalled('g++'), name: 'g++' },
    { found: isInstalled('make'), name: 'make' },
    { found: isInstalled('python3'), name: 'python3' },
  ];
  return process.platform === 'linux' ? needed.filter(({ found }) => !found).map(({ name }) => name) : [];
}

/** Why pcsclite cannot be loaded by the Node that runs; undefined: it can. */
export function whyNotLoaded(folder: string = root): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, ['-e', "require('pcsclite')"], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? stderr.trim();
}

/**
 * Builds pcsclite for the Node that runs, unless it is built. `npm ci` does not: it has to succeed without a
 * compiler, and it may run under another Node than ours, for which it would build.
 * @returns whether there was something to do
 * @throws BuildError
 */
export function buildReader(folder: string = root, missing = missingForReader()): boolean {
  if (whyNotLoaded(folder) === undefined) return false;
  if (missing.length > 0) {
    throw new BuildError(`To build pcsclite, install these packages (of Debian): ${missing.join(' ')}`);
  }
  // An npm that does not know allowScripts has tried to build it, and taken it away again where that failed.
  const sources = ['pcsclite', 'nan', 'bindings'].map((name) => join(folder, 'node_modules', name));
  if (!sources.every((source) => existsSync(source))) {
    npm(folder, ['install', '--no-save', '--ignore-scripts', '--include=optional']);
  }
  const downloads = mkdtempSync(join(tmpdir(), 'simyard-headers-'));
  try {
    const headers = findHeaders(folder) ?? bringHeaders(downloads);
    npm(folder, ['explore', 'pcsclite', '--', 'node-gyp', 'rebuild'], { npm_config_nodedir: headers });
  } finally {
    rmSync(downloads, { recursive: true });
  }
  const why = whyNotLoaded(folder);
  if (why !== undefined) throw new BuildError(`pcsclite was built, and does not load: ${why}`);
  return true;
}

/** Folder with `include/node` of a Node of our ABI: of the npm package `node`, or of who installed Node with headers. */
function findHeaders(folder: string): string | undefined {
  const packaged = join(folder, 'node_modules', 'node', 'node_modules');
  const names = existsSync(packaged) ? readdirSync(packaged).filter((name) => name.startsWith('node-')) : [];
  const places = [
    ...names.map((name) => join(packaged, name)),
    join(dirname(process.execPath), '..'),
    '/usr',
  ];
  return places.find(hasHeaders);
}

function hasHeaders(place: string): boolean {
  const header = join(place, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return false;
  const abi = /#define NODE_MODULE_VERSION (\d+)/.exec(readFileSync(header, 'utf8'))?.[1];
  return abi === process.versions.modules && existsSync(join(place, 'include', 'node', 'common.gypi'));
}

/** The package that `node` itself is installed from holds them; npm takes it away whenever it installs something. */
function bringHeaders(folder: string): string {
  const name = `node-${process.platform}-${process.arch}`;
  npm(folder, [
    ...['install', '--no-save', '--ignore-scripts', '--prefix', folder],
    `${name}@${process.versions.node}`,
  ]);
  const place = join(folder, 'node_modules', name);
  if (!hasHeaders(place)) {
    throw new BuildError(`the package ${name} ${process.versions.node} holds no headers of Node`);
  }
  return place;
}

/** @throws BuildError with what npm said */
function npm(cwd: string, args: readonly string[], settings: Readonly<Record<string, string>> = {}): void {
  // Not the variables of an npm that runs us: they are settings for another folder.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?:config_(?:(?:local_|global_)?prefix|node_gyp)$|package_|lifecycle_)/i.test(name),
  );
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => !entry.endsWith(join('node_modules', '.bin')))
    .join(delimiter);
  const { status, error, stdout, stderr } = spawnSync('npm', [...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...Object.fromEntries(inherited), PATH: path, ...settings },
  });
  if (error !== undefined) throw new BuildError(`npm cannot be run: ${error.message}`);
  if (status !== 0) {
    throw new BuildError(`npm ${args.join(' ')} failed with exit code ${status}:\n${stdout}\n${stderr}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--help')) {
    console.log(help);
  } else {
    try {
      console.log(buildReader() ? 'pcsclite is built.' : 'pcsclite is built already.');
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      console.error(error.message);
      process.exitCode = 1;
    }
  }
}

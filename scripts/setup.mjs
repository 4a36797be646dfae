// Plain JavaScript that runs under Node 20: it brings the packages, and with them the Node 24 that runs everything else.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

/** What the user has to be told; no stack trace helps with it. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Where the npm package `node` puts its binary. */
export function nodeBinary(folder = root) {
  return join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
}

/**
 * Why node_modules does not hold what package-lock.json asks for; undefined where it does.
 * npm writes what it has installed to node_modules/.package-lock.json.
 */
export function whyInstall(folder = root) {
  const installedPath = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(installedPath)) return 'node_modules is missing';
  if (!existsSync(nodeBinary(folder))) return 'Node 24 is missing from node_modules';
  const wanted = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedPath, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const present = installed[path];
    // An optional package of another platform is in the lockfile, and rightly not installed.
    if (present === undefined && (entry.optional === true || entry.peer === true)) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (present === undefined) return `${name} is missing`;
    if (present.version !== entry.version || present.integrity !== entry.integrity)
      return `${name} has changed`;
  }
  for (const path of Object.keys(installed)) {
    if (wanted[path] === undefined) return 'node_modules holds what package-lock.json no longer asks for';
  }
  return undefined;
}

/** Runs `npm ci` if it is needed; one line tells that, one how it went. */
export async function install(folder = root) {
  const reason = whyInstall(folder);
  if (reason === undefined) return;
  const started = Date.now();
  say(`Installing packages with npm ci (${reason}) …`);
  const { code, output } = await capture('npm', ['ci', '--loglevel=error', '--no-progress'], folder);
  if (code !== 0) {
    throw new SetupError(
      `npm ci failed with exit code ${code}. It said:\n\n${indent(output)}\n\n` +
        'Is the package registry reachable, and are package.json and package-lock.json in step?',
    );
  }
  if (!existsSync(nodeBinary(folder))) {
    throw new SetupError(
      'npm ci ran, but brought no Node 24 (the package `node`, installed by its own script). ' +
        'Is `ignore-scripts` set in your npm configuration? Then run: npm rebuild node --ignore-scripts=false',
    );
  }
  say(`Packages installed in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
}

/**
 * Runs a TypeScript file under Node 24, as a child whose output and exit code become ours. On Ctrl-C the terminal
 * signals every process of its group, and npm hands the signal on once more; the child has a group of its own and
 * gets it from here, once, so that it can take a second one for impatience.
 */
export async function runNode(args, folder = root) {
  const child = spawn(nodeBinary(folder), ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: 'inherit',
    detached: true,
    env: { NODE_COMPILE_CACHE: compileCache(folder), ...process.env, PATH: binFirst(folder) },
  });
  let last = Number.NEGATIVE_INFINITY;
  const pass = (signal) => {
    if (performance.now() - last < 1_000 || child.exitCode !== null || child.signalCode !== null) return;
    last = performance.now();
    // A terminal that is closed asks for the same orderly end as a service manager does.
    process.kill(-child.pid, signal === 'SIGHUP' ? 'SIGTERM' : signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, pass);
  // A signal to npm reaches the shell between it and us, and nobody else: that we are orphaned is all that we notice.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event !== undefined && process.ppid !== parent) pass('SIGTERM');
  }, 250);
  try {
    process.exitCode = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    clearInterval(watch);
    for (const signal of signals) process.off(signal, pass);
  }
}

/** Runs an entry point, and prints what a user has to know in place of a stack trace. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function binFirst(folder) {
  return [join(folder, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter);
}

/** Where Node keeps what it has compiled: a second start, and the processes that tests start, take half the CPU. */
function compileCache(folder) {
  return join(folder, 'node_modules', '.cache', 'node');
}

function capture(command, args, cwd) {
  // npm must not run under the Node that it is about to replace.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((entry) => !entry.endsWith(join('node_modules', '.bin')))
    .join(delimiter);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      if (error.code === 'ENOENT')
        reject(new SetupError(`${command} was not found; Node 20 or newer brings it.`));
      else reject(error);
    });
    child.on('close', (code) => resolve({ code, output: output.trim() }));
  });
}

function indent(text) {
  return text.replace(/^/gm, '  ');
}

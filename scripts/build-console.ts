import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.ts';
import { runToEnd } from './run-to-end.ts';

/** What the bundle is made of: if one of these is newer than the bundle, it is built again. */
const sources = [
  'web',
  'objects',
  'protocol/lwm2m',
  'server/api/schemas.ts',
  'server/api/schemas',
  'package-lock.json',
];

/** Milliseconds since the epoch at which the newest file under a path was changed; 0 where there is none. */
export function newestChange(path: string): number {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  let newest = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    newest = Math.max(newest, newestChange(join(path, entry.name)));
  }
  return newest;
}

/** True if web/dist is missing, or older than what it is made of. */
export function isConsoleStale(folder: string = root): boolean {
  const bundle = join(folder, 'web/dist/index.html');
  if (!existsSync(bundle)) return true;
  const built = statSync(bundle).mtimeMs;
  return sources.some((source) => newestChange(join(folder, source)) > built);
}

/** Builds the console into web/dist if that is needed. */
export async function buildConsole(): Promise<void> {
  if (!isConsoleStale()) return;
  const started = Date.now();
  console.error('Building the console …');
  const { code, output } = await runToEnd(process.execPath, [
    'node_modules/vite/bin/vite.js',
    'build',
    'web',
  ]);
  if (code !== 0)
    throw new Error(`The console does not build (vite build web, exit code ${code}):\n${output}`);
  console.error(`Console built in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildConsole();

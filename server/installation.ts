import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Of package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

/** The folder of the built console; undefined where it was not built. */
export function consoleRoot(): string | undefined {
  const folder = fileURLToPath(new URL('../web/dist', import.meta.url));
  return existsSync(`${folder}/index.html`) ? folder : undefined;
}

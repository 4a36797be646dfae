import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the built console', () => {
  let folder: string;
  let files: string[];
  const read = (name: string) => readFile(join(folder, name));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simyard-bundle-'));
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    await promisify(execFile)(process.execPath, [vite, 'build', 'web', '--outDir', folder, '--emptyOutDir'], {
      cwd: root,
    });
    files = await readdir(folder, { recursive: true });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('has in its page no script and no style that a content policy would have to allow', async () => {
    const page = (await read('index.html')).toString();
    for (const [tag] of page.matchAll(/<script[^>]*>/g)) expect(tag).toContain('src="/');
    expect(page).not.toMatch(/<style|style=|\son\w+=/);
    for (const [, address] of page.matchAll(/(?:src|href)="([^"]*)"/g)) expect(address).toMatch(/^\/[^/]/);
  });

  it('names its scripts and styles by their content', () => {
    const named = files.filter((name) => /^assets\/.*\.(js|css)$/.test(name));
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) expect(name).toMatch(/-[\w-]{8}\.(js|css)$/);
  });

  it('has beside each script the same one compressed, and is the edition for production', async () => {
    const scripts = files.filter((name) => /^assets\/.*\.js$/.test(name));
    for (const name of scripts) {
      const script = await read(name);
      expect(script.includes('Lit is in dev mode')).toBe(false);
      if (!files.includes(`${name}.br`)) {
        expect(script.length).toBeLessThan(1024);
        continue;
      }
      expect(brotliDecompressSync(await read(`${name}.br`)).equals(script)).toBe(true);
      expect(gunzipSync(await read(`${name}.gz`)).equals(script)).toBe(true);
    }
  });

  it('has colours in one file only', async () => {
    const sources = (await readdir(join(root, 'web'), { recursive: true })).filter(
      (name) => /\.(ts|css)$/.test(name) && !name.startsWith('dist') && name !== 'styles/tokens.css',
    );
    for (const name of sources) {
      const text = await readFile(join(root, 'web', name), 'utf8');
      expect([
        name,
        ...(text.match(/:[^;{}\n]*(?<![\w.])#[0-9a-f]{3,8}\b|\b(rgba?|hsla?|oklch)\(/gi) ?? []),
      ]).toEqual([name]);
    }
  });
});

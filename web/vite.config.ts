import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Puts a .br and a .gz beside each text that is worth it: the server sends them as they are. */
function compressed(): Plugin {
  const brotli = promisify(brotliCompress);
  const deflate = promisify(gzip);
  const best = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  return {
    name: 'compressed',
    apply: 'build',
    // Not before the files are written: until then, names of chunks are still put into them.
    async writeBundle({ dir }, bundle) {
      const texts = Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name));
      await Promise.all(
        texts.map(async (name) => {
          const path = join(dir ?? '', name);
          const source = await readFile(path);
          if (source.length < 1024) return;
          await writeFile(`${path}.br`, await brotli(source, best));
          await writeFile(`${path}.gz`, await deflate(source, { level: 9 }));
        }),
      );
    },
  };
}

/** The console as static files in web/dist; nothing in them asks for anything beyond their own origin. */
export default defineConfig(({ command }) => {
  // Whoever builds it, a test runner too, builds what is shipped: Lit has another edition for development.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return {
    root: here('.'),
    plugins: [compressed()],
    build: {
      outDir: here('dist'),
      emptyOutDir: true,
      target: 'es2023',
      // light-dark() as it is written: every browser that has what the rest needs knows it.
      cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
      // An inlined asset would be a data: address, which the server's content policy does not allow.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: true,
    },
    worker: { format: 'es' },
    server: {
      host: '127.0.0.1',
      // `vite web` beside a server that runs: its API under the console's own origin.
      proxy: { '/api': { target: 'http://127.0.0.1:8080', changeOrigin: true, headers: { origin: '' } } },
    },
  };
});

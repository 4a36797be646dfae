import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The console as static files in web/dist; nothing in them asks for anything beyond their own origin. */
export default defineConfig(({ command }) => {
  // Whoever builds it, a test runner too, builds what is shipped: Lit has another edition for development.
  if (command === 'build') process.env['NODE_ENV'] = 'production';
  return {
    root: here('.'),
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
    server: {
      host: '127.0.0.1',
      // `vite web` beside a server that runs: its API under the console's own origin.
      proxy: { '/api': { target: 'http://127.0.0.1:8080', changeOrigin: true, headers: { origin: '' } } },
    },
  };
});

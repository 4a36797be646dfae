import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { loadPcsclite } from '../../../../client/sim/pcsc/pcsclite.ts';
import { root } from '../../../../scripts/root.ts';

const failing =
  (message: string, code?: string): ((name: string) => unknown) =>
  () => {
    throw Object.assign(new Error(message), code === undefined ? {} : { code });
  };

describe('pcsclite', () => {
  it('is what the package gives', () => {
    const open = (): never => {
      throw new Error();
    };
    expect(loadPcsclite((name) => (name === 'pcsclite' ? open : undefined))).toBe(open);
  });

  it.each([
    [
      'is not installed',
      failing("Cannot find module 'pcsclite'", 'MODULE_NOT_FOUND'),
      /not installed.*npm run build:reader/,
    ],
    [
      'is not built',
      failing('Could not locate the bindings file. Tried:\n → x'),
      /not built yet.*libpcsclite-dev, g\+\+/,
    ],
    [
      'is built, and its library is missing',
      failing('libpcsclite.so.1: cannot open shared object file: No such file', 'ERR_DLOPEN_FAILED'),
      /install the package libpcsclite1/,
    ],
    [
      'is built for another Node',
      failing(
        'was compiled against a different Node.js version using NODE_MODULE_VERSION 115',
        'ERR_DLOPEN_FAILED',
      ),
      /another version of Node.*npm run build:reader/,
    ],
    [
      'is built for another Node, told otherwise',
      failing("Module did not self-register: 'x'."),
      /another version of Node/,
    ],
    ['is broken', failing('invalid ELF header'), /invalid ELF header/],
  ])('that %s says what to do', (_, load, message) => {
    expect(() => loadPcsclite(load)).toThrow(message);
  });

  it('is refused in a worker thread, where it would end the process', async () => {
    const worker = new Worker(
      `import(${JSON.stringify(`${root}/client/sim/pcsc/pcsclite.ts`)}).then(({ loadPcsclite }) => {
        try { loadPcsclite(() => 'loaded'); } catch (error) { require('node:worker_threads').parentPort.postMessage(error.message); }
      })`,
      { eval: true },
    );
    expect(await once(worker, 'message')).toEqual([expect.stringMatching(/main thread/)]);
    await worker.terminate();
  });
});

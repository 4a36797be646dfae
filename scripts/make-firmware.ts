// Makes a firmware package of the simulated modem; the layout is in client/modem/firmware/package.ts.
//
//   npm run make-firmware -- --version 2.0.0 --out firmware.bin
//   npm run make-firmware -- --version 2.0.0 --content image.bin --hardware 1.0 --out firmware.bin

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { encodePackage, parseHardwareVersion } from '../client/modem/firmware/package.ts';
import { DecodeError, RequestError } from '../protocol/errors.ts';

const usage = `Usage: npm run make-firmware -- --version V --out FILE [options]

  --name TEXT       of the firmware                       (simyard-modem)
  --version TEXT    that the modem tells when it runs
  --content FILE    what is installed                     (as many zero bytes as --size says)
  --size BYTES      of a content that is made up          (65536)
  --hardware M.N    lowest hardware that takes it         (any)
  --out FILE        the package`;

function make(): string {
  const { values } = parseArgs({
    options: {
      name: { type: 'string', default: 'simyard-modem' },
      version: { type: 'string' },
      content: { type: 'string' },
      size: { type: 'string', default: '65536' },
      hardware: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { name, version, content, size, hardware, out } = values;
  if (values.help) return usage;
  if (version === undefined || out === undefined) throw new RequestError(usage);
  if (!/^\d{1,9}$/.test(size)) throw new RequestError(`--size is a number of bytes, not ${size}`);
  const bytes = encodePackage(
    { name, version, minimumHardware: hardware === undefined ? undefined : parseHardwareVersion(hardware) },
    content === undefined ? new Uint8Array(Number(size)) : readFileSync(content),
  );
  writeFileSync(out, bytes);
  return `${out}: ${name} ${version}, ${bytes.length} bytes`;
}

try {
  console.log(make());
} catch (error) {
  const told =
    error instanceof RequestError ||
    error instanceof DecodeError ||
    error instanceof TypeError ||
    (error instanceof Error && 'syscall' in error);
  if (!told) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

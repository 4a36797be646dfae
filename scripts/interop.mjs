import { install, main, root, runNode } from './setup.mjs';

await main(async () => {
  await install();
  await runNode([`${root}/scripts/interop.ts`, ...process.argv.slice(2)]);
});

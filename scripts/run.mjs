// node scripts/run.mjs [--console] FILE [flags]: sets up, then runs FILE under Node 24.
import { install, main, root, runNode } from './setup.mjs';

await main(async () => {
  const args = process.argv.slice(2);
  await install();
  if (args[0] === '--console') {
    args.shift();
    await runNode([`${root}/scripts/build-console.ts`]);
    if (process.exitCode !== 0) return;
  }
  await runNode(args);
});

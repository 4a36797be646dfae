import { isInstalled } from '../scripts/requirements.ts';

/** Ends this process with one line where there is no redis-server to be started. */
export function redisOrExit(): void {
  if (isInstalled('redis-server')) return;
  process.stderr.write('redis-server is not installed: apt install redis-server, or take another --store\n');
  process.exit(1);
}

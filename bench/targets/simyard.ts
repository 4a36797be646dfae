/** The server as it ships, on the embedded store of the folder given, in memory, or on the Redis given. */
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { startServer } from '../../server/main.ts';
import { reportTo } from './report.ts';

const [folder = ':memory:', node = 'bench'] = process.argv.slice(2);
const config = loadConfig({}, [
  '--coap-port',
  '0',
  '--http-port',
  '0',
  ...(folder.startsWith('redis') ? ['--redis-url', folder, '--node', node] : ['--data', folder]),
  '--log-level',
  'error',
]);
const server = await startServer(config, { log: createLog('error') });
reportTo(process, Number(new URL(server.coapUri ?? '').port), { http: server.httpAddress });

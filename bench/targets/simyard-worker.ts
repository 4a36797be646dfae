/** `simyard-worker.ts REDIS-URL PORT NAME`: one of several servers on the same port, as the supervisor starts them. */
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { startServer } from '../../server/main.ts';
import { reportTo } from './report.ts';

const [redis = '', port = '', name = ''] = process.argv.slice(2);
const config = loadConfig({}, [
  ...['--redis-url', redis, '--reuse-port', 'true', '--coap-port', port, '--http-port', '0'],
  ...['--node', name, '--log-level', 'error'],
]);
const server = await startServer(config, { log: createLog('error') });
reportTo(process, Number(port), { http: server.httpAddress });

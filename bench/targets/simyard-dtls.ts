/** `simyard-dtls.ts FOLDER DEVICES PREFIX KEY`: the server as it ships, with so many devices enrolled by a pre-shared key; tells the port of DTLS. */
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { startServer } from '../../server/main.ts';
import { reportTo } from './report.ts';

const [folder = ':memory:', devices = '0', prefix = '', key = ''] = process.argv.slice(2);
const config = loadConfig({}, [
  ...['--coap-port', '0', '--coaps-port', '0', '--http-port', '0', '--data', folder, '--log-level', 'error'],
]);
const server = await startServer(config, { log: createLog('error') });
const rows = Array.from({ length: Number(devices) }, (_, number) => {
  const name = `${prefix}${number}`;
  return `${name},${name},${key}`;
});
const response = await fetch(`${server.httpAddress}/api/credentials/import`, {
  method: 'POST',
  headers: { 'content-type': 'text/csv' },
  body: ['endpoint,identity,key', ...rows].join('\n'),
});
if (!response.ok)
  throw new Error(`the devices are not enrolled: ${response.status} ${await response.text()}`);
reportTo(process, Number(new URL(server.coapsUri ?? '').port));

/**
 * The main job through the generated client: find the modem, read it, write to it, switch its carrier and follow that
 * to its end by events, and get what its sensors said. Prints what it saw as one line of JSON.
 */
import { client } from './simyard/client.gen.js';
import {
  getCarrier,
  getCommand,
  getDevice,
  listDevices,
  listReadings,
  readObject,
  streamEvents,
  switchCarrier,
  writeObject,
} from './simyard/sdk.gen.js';
import type { Command, ReadResult } from './simyard/types.gen.js';

const [baseUrl, endpoint, token] = process.argv.slice(2);
if (baseUrl === undefined || endpoint === undefined)
  throw new Error('usage: main-job BASE-URL ENDPOINT [TOKEN]');
client.setConfig({ baseUrl, ...(token !== undefined && { auth: token }) });

/** A Read answers with its result; with a command only where the caller prefers not to wait. */
function valueRead(answer: ReadResult | Command) {
  if (!('contentFormat' in answer)) throw new Error('the read was held, although nobody asked for that');
  return answer.value;
}

const found = await listDevices({ query: { q: endpoint, state: 'registered' }, throwOnError: true });
const device = await getDevice({ path: { endpoint }, throwOnError: true });
const battery = await readObject({ path: { endpoint, path: '3/0/9' }, throwOnError: true });

const period = { endpoint, path: '42770/0/7' };
await writeObject({ path: period, body: { value: 250_000 }, throwOnError: true });
const written = await readObject({ path: period, throwOnError: true });

const finished = new AbortController();
const { stream } = await streamEvents({
  query: { endpoint, types: 'command' },
  signal: finished.signal,
});
const states: string[] = [];
let made: Command | undefined;
const followed = (async () => {
  for await (const message of stream) {
    const { data } = message as unknown as { readonly data?: { readonly command?: Command } };
    const command = data?.command;
    if (command === undefined || (made !== undefined && command.id !== made.id)) continue;
    states.push(command.state);
    if (['done', 'failed', 'cancelled', 'expired', 'unknown'].includes(command.state)) {
      finished.abort();
      return;
    }
  }
})();
const key = `generated-${Date.now()}`;
const headers = { 'idempotency-key': key };
const first = await switchCarrier({
  path: { endpoint },
  body: { carrier: 'Verizon' },
  headers,
  throwOnError: true,
});
made = first.data;
const again = await switchCarrier({
  path: { endpoint },
  body: { carrier: 'Verizon' },
  headers,
  throwOnError: true,
});
await followed;
const ended = await getCommand({ path: { id: made.id }, throwOnError: true });
const carrier = await getCarrier({ path: { endpoint }, throwOnError: true });
const readings = await listReadings({
  path: { endpoint },
  query: { path: '/42770/0/2', limit: 5 },
  throwOnError: true,
});
const refused = await getDevice({ path: { endpoint: 'nobody/here' } });

console.log(
  JSON.stringify({
    found: found.data.items.map((item) => item.endpoint),
    model: device.data.model,
    battery: valueRead(battery.data),
    period: valueRead(written.data),
    states,
    repeated: { status: again.response.status, sameCommand: again.data.id === made.id },
    state: ended.data.state,
    carrier: carrier.data.current,
    readings: readings.data.items.map(({ value }) => value),
    refused: { status: refused.response?.status, code: refused.error?.code },
  }),
);

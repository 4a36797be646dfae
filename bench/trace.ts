/**
 * What the flight recorder costs: CPU of one datagram that passes while nobody looks, and how long it takes to find a
 * device's messages among all. `node bench/trace.ts`
 */

import { systemClock } from '../protocol/clock.ts';
import type { DatagramHandler, DatagramPort } from '../protocol/coap/datagram-port.ts';
import { tapPort } from '../protocol/coap/tapped-port.ts';
import { openEmbeddedStores } from '../server/embedded/index.ts';
import { DeviceTraces } from '../server/trace/device-traces.ts';
import { FlightRecorder } from '../server/trace/flight-recorder.ts';
import { registrationOf } from '../test/support/api/api-harness.ts';

const RING = 16 * 1024 * 1024;
const DATAGRAMS = 2_000_000;
const peers = Array.from({ length: 500 }, (_, at) => `192.0.2.${at % 250}:${40_000 + at}`);

const stores = await openEmbeddedStores({ path: ':memory:' });
const recorder = new FlightRecorder(RING, 1);
const traces = new DeviceTraces({
  recorder,
  clock: systemClock,
  stores,
  onLive: () => undefined,
  onError: (error) => console.error(error),
});

/** A port whose datagrams go nowhere: what is left is what stands between it and the endpoint. */
function silentPort(): DatagramPort & { arrive: DatagramHandler } {
  let handler: DatagramHandler = () => undefined;
  return {
    local: '127.0.0.1:5683',
    send: () => undefined,
    onDatagram: (receiver) => {
      handler = receiver;
    },
    onError: () => undefined,
    close: async () => undefined,
    arrive: (...datagram) => handler(...datagram),
  };
}

/** ns of CPU for each datagram. */
function cost(run: (at: number) => void): number {
  for (let at = 0; at < DATAGRAMS / 4; at++) run(at);
  const before = process.cpuUsage();
  for (let at = 0; at < DATAGRAMS; at++) run(at);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / DATAGRAMS;
}

const notification = Buffer.alloc(100, 7);
const acknowledgement = new Uint8Array(4);
for (const [name, tapped] of [
  ['without a recorder', false],
  ['with a recorder', true],
] as const) {
  const port = silentPort();
  const shown = tapped ? tapPort(port, traces.tap) : port;
  shown.onDatagram(() => undefined);
  const nanoseconds = cost((at) => {
    const peer = peers[at % peers.length] as string;
    if (at % 2 === 0) port.arrive(notification, peer, undefined);
    else shown.send(acknowledgement, peer);
  });
  console.log(`${name.padEnd(24)} ${nanoseconds.toFixed(0).padStart(6)} ns per datagram`);
}

const records = recorder.nextId - recorder.oldestId;
await stores.registrations.register(registrationOf('device', { address: peers[3] as string }));
const start = performance.now();
const { messages } = await traces.read('device', { limit: 1000 });
console.log(
  `${messages.length} messages of a device found among ${records} in ${(performance.now() - start).toFixed(0)} ms`,
);
traces.close();
await stores.close();

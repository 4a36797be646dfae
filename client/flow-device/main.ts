import { parseArgs } from 'node:util';
import { systemClock } from '../../protocol/clock.ts';
import { createUdpPort, resolvePeer } from '../../protocol/coap/udp-port.ts';
import { FlowCarrier, flowCarrierNames } from '../../protocol/flow/names.ts';
import { number, UsageError } from '../flag-values.ts';
import { SimulatedDevice, type SimulatedSensor, sensorIds } from './simulated-device.ts';

const help = `A simulated device that speaks the binary UDP protocol of docs/guides/gateway.md, and nothing else.

Usage: npm run flow-device -- [flags]

  --server HOST:PORT    where the gateway listens (default 127.0.0.1:6001)
  --host ADDRESS        numeric address that it sends from (default 127.0.0.1)
  --port PORT           UDP port, one for both directions; 0 takes any free one (default 6002)
  --rate NAME=HZ,...    readings a second by sensor: imu, gyro, temp, or a device id (default imu=1,gyro=1,temp=1)
  --carrier NAME        carrier at the start: AT&T, T-Mobile, Verizon or Disconnect (default AT&T)
  --refuse NAME,...     carriers that its card does not have, and that it answers with NACK
  --switch-time MS      from a request to its answer (default 500)
  --status-interval S   seconds between two statuses, which keep a NAT's port open; 0: only the first (default 20)
  --zone-offset MIN     minutes that its clock is ahead of UTC (default 0)
  --quiet               tells nothing of what it is asked
`;

const names: ReadonlyMap<string, number> = new Map([
  ...[...flowCarrierNames].map(([id, name]) => [name.toLowerCase(), id] as const),
  ['disconnect', FlowCarrier.DISCONNECT],
]);

/** @throws UsageError */
function carrierOf(flag: string, name: string): number {
  const carrier = names.get(name.trim().toLowerCase());
  if (carrier === undefined) throw new UsageError(`${flag}: there is no carrier '${name}'`);
  return carrier;
}

/** @throws UsageError */
function sensorsOf(text: string): readonly SimulatedSensor[] {
  return text.split(',').map((entry) => {
    const match = /^([a-z]+|\d{1,10})=(\d+(?:\.\d+)?)$/.exec(entry.trim());
    const deviceId = sensorIds.get(match?.[1] ?? '') ?? Number(match?.[1]);
    const rate = Number(match?.[2]);
    if (!Number.isInteger(deviceId) || deviceId > 0xffff_ffff || !(rate <= 1000)) {
      throw new UsageError(`--rate has entries as imu=1 or 77=0.5, by comma, not '${entry}'`);
    }
    return { deviceId, rate };
  });
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      server: { type: 'string', default: '127.0.0.1:6001' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '6002' },
      rate: { type: 'string', default: 'imu=1,gyro=1,temp=1' },
      carrier: { type: 'string', default: 'AT&T' },
      refuse: { type: 'string' },
      'switch-time': { type: 'string', default: '500' },
      'status-interval': { type: 'string', default: '20' },
      'zone-offset': { type: 'string', default: '0' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const server = /^(.+):(\d{1,5})$/.exec(values.server);
  if (server === null) throw new UsageError(`--server is HOST:PORT, not '${values.server}'`);
  const refused = (values.refuse?.split(',') ?? []).map((name) => carrierOf('--refuse', name));
  const port = await createUdpPort({
    host: values.host,
    port: number('--port', values.port, 0, 65_535),
  });
  const device = new SimulatedDevice({
    port,
    server: await resolvePeer(server[1] ?? '', Number(server[2])),
    clock: systemClock,
    sensors: sensorsOf(values.rate),
    carrier: carrierOf('--carrier', values.carrier),
    carriers: [...flowCarrierNames.keys()].filter((id) => !refused.includes(id)),
    switchTime: number('--switch-time', values['switch-time'], 0, 600_000),
    statusInterval: number('--status-interval', values['status-interval'], 0, 86_400) * 1000,
    zoneOffset: zoneOffset(values['zone-offset']),
    ...(values.quiet ? {} : { onLog: (line: string) => process.stdout.write(`flow-device: ${line}\n`) }),
  });
  process.stdout.write(`flow-device: at ${port.local}, to ${values.server}\n`);
  device.start();
  const stop = (): void => {
    device.close();
    port.close().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** @throws UsageError */
function zoneOffset(text: string): number {
  const minutes = Number(text);
  if (!/^-?\d{1,3}$/.test(text) || Math.abs(minutes) > 840) {
    throw new UsageError(`--zone-offset is whole minutes from -840 to 840, not ${text}`);
  }
  return minutes;
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  if (!isUsage && !(error instanceof Error && 'syscall' in error)) throw error;
  process.stderr.write(`${(error as Error).message} (--help tells more)\n`);
  process.exitCode = 2;
}

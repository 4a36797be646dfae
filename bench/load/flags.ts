import { isIPv4 } from 'node:net';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { canonicalPath, pathIds } from '../../protocol/lwm2m/path.ts';
import { decimal, given, parseFlags, text, whole } from '../flags.ts';
import type { FleetOptions } from './fleet.ts';
import { defaults } from './load-report.ts';
import { tooManySockets } from './open-files.ts';
import { ReadingPack } from './reading-pack.ts';
import { sourceAddress } from './source-address.ts';
import { parseWorkMix } from './work-mix.ts';

export const usage = `Simulated LwM2M devices that load a server, each with an address of its own.

Usage: npm run load -- [options]

Server and devices
  --server HOST:PORT     IPv4, numeric                                         (127.0.0.1:5683)
  --devices N            15 000 are as many as one process takes               (1000)
  --processes N          share the devices                                     (1)
  --first N              number of the first device                            (0)
  --prefix TEXT          endpoint names: the prefix and the number             (load-)
  --source ADDRESS       the first device's; the others count up from there; any: the system's (127.0.1.1)
  --psk-identity TEXT    DTLS with a pre-shared key; {name} is the endpoint name
  --psk-key HEX          the same for all
  --lifetime S           of a registration                                     (86400)
  --objects LINKS        what a Register lists, RFC 6690
  --resource PATH        what they report                                      (/42770/0/2)

Work
  --work MIX             echo, register, come-and-go, take-over, update, deregister,
                         notify, send, or several with weights: notify:90,update:9,register:1 (update)
  --rate N               exchanges a second in all; without it each device begins the next when the last has ended
  --window N             so many devices at a time, where there is no --rate   (all)
  --readings N           in a notification or a Send                           (1)
  --non                  notifications without acknowledgement
  --seconds N            how long                                              (10)
  --warm-up N            s before that are not counted                         (0)
  --register-rate N      devices a second that register at first; all: at one instant (1000)
  --leave                deregister at the end

Network
  --loss SHARE           of datagrams, in each direction, 0 to 1               (0)
  --duplicates SHARE     of those that arrive                                  (0)
  --delay MS             in each direction                                     (0)
  --ack-timeout MS       RFC 7252 §4.8                                         (2000)
  --seed N               of all that is random                                 (1)

  --json                 the report as JSON
  --help`;

export interface LoadFlags {
  readonly fleet: FleetOptions;
  readonly processes: number;
  readonly rate?: number;
  readonly window?: number;
  readonly seconds: number;
  readonly warmUp: number;
  /** Devices a second; Infinity: all at one instant. */
  readonly registerRate: number;
  readonly leave: boolean;
  readonly json: boolean;
}

/** Exchanges a second: more than that no machine begins. */
const MOST_RATE = 1_000_000;
/** s: a week. */
const MOST_SECONDS = 604_800;
/** Bytes of a payload that fit one datagram with the header and the options; and one record of DTLS (RFC 6347 §4.1). */
const [MOST_PAYLOAD, MOST_SECURED] = [65_000, 16_000];

/**
 * The command line; undefined where it asks for help.
 * @throws RangeError with one clear line
 */
export function parseLoadFlags(args: readonly string[]): LoadFlags | undefined {
  const values = parseFlags(args, {
    server: text('127.0.0.1:5683'),
    devices: whole(1_000, { to: 1_000_000 }),
    processes: whole(1, { to: 1_000 }),
    first: whole(0, { from: 0, to: 16_000_000 }),
    prefix: text('load-'),
    source: text(defaults.source),
    'psk-identity': text(undefined),
    'psk-key': text(undefined),
    lifetime: whole(defaults.lifetime, { to: 2 ** 32 - 1 }),
    objects: text(defaults.links),
    resource: text(defaults.resource),
    work: text('update'),
    rate: decimal(undefined, { from: 0.001, to: MOST_RATE }),
    window: whole(undefined),
    readings: whole(1, { to: 10_000 }),
    seconds: decimal(10, { from: 0.1, to: MOST_SECONDS }),
    'warm-up': decimal(0, { to: MOST_SECONDS }),
    'register-rate': text('1000'),
    loss: decimal(0, { to: 0.99 }),
    duplicates: decimal(0, { to: 1 }),
    delay: decimal(0, { to: 60_000 }),
    'ack-timeout': decimal(defaults.ackTimeout, { from: 8, to: 600_000 }),
    seed: whole(1, { from: 0 }),
    non: given,
    leave: given,
    json: given,
  });
  if (values === undefined) return undefined;
  const { devices, processes, first, prefix, source, readings, rate, window } = values;
  const [, host = '', port = ''] = /^([\d.]+):(\d{1,5})$/.exec(values.server) ?? [];
  if (!isIPv4(host) || Number(port) < 1 || Number(port) > 65_535) {
    throw new RangeError(`--server takes an IPv4 address and a port, not ${JSON.stringify(values.server)}`);
  }
  const mix = parseWorkMix(values.work);
  const { 'psk-identity': identity, 'psk-key': key } = values;
  if ((identity === undefined) !== (key === undefined)) {
    throw new RangeError('--psk-identity and --psk-key go together');
  }
  if (key !== undefined && !/^([0-9a-f]{2})+$/i.test(key)) throw new RangeError('--psk-key takes hex');
  if (processes > devices) throw new RangeError('--processes: there are not so many devices');
  if (values.non && rate === undefined) {
    throw new RangeError('--non needs --rate: no answer comes upon which a device could begin the next');
  }
  checkSource(source, first + devices - 1);
  const resource = canonicalResource(values.resource);
  checkPack(resource, readings, key === undefined ? MOST_PAYLOAD : MOST_SECURED);
  const files = tooManySockets(devices, processes);
  if (files !== undefined) throw new RangeError(`--devices: ${files}`);
  const fleet: FleetOptions = {
    ...defaults,
    ...{ host, port: Number(port), devices, first, prefix, source, mix, readings, resource },
    confirmable: !values.non,
    links: values.objects,
    lifetime: values.lifetime,
    ...(identity === undefined || key === undefined ? {} : { psk: { identity, key } }),
    ...{ loss: values.loss, duplicates: values.duplicates, delay: values.delay, seed: values.seed },
    ackTimeout: values['ack-timeout'],
  };
  return {
    ...{ fleet, processes, seconds: values.seconds, warmUp: values['warm-up'] },
    ...(rate === undefined ? {} : { rate }),
    ...(window === undefined ? {} : { window }),
    registerRate: registerRate(values['register-rate']),
    ...{ leave: values.leave, json: values.json },
  };
}

/** Devices a second; Infinity: all at one instant. */
function registerRate(value: string): number {
  if (value === 'all') return Number.POSITIVE_INFINITY;
  return decimal(1_000, { from: 1, to: MOST_RATE }).read('register-rate', value);
}

/** @throws RangeError where `source` is no address, or has not so many behind it */
function checkSource(source: string, last: number): void {
  if (source === 'any') return;
  try {
    sourceAddress(source, 0);
    sourceAddress(source, last);
  } catch (error) {
    throw new RangeError(`--source takes an IPv4 address or any: ${(error as RangeError).message}`);
  }
}

/** @throws RangeError where it is the path of no resource */
function canonicalResource(path: string): string {
  if ([3, 4].includes(pathIds(path)?.length ?? 0)) return canonicalPath(path);
  throw new RangeError(`--resource takes a path as /42770/0/2, not ${JSON.stringify(path)}`);
}

/** @throws RangeError where the readings do not fit into one datagram */
function checkPack(resource: string, readings: number, most: number): void {
  const bytes = (count: number): number =>
    new ReadingPack(resource, ContentFormat.SENML_CBOR, count).next(0, 0).length;
  if (bytes(readings) <= most) return;
  const each = (bytes(readings) - bytes(1)) / (readings - 1);
  throw new RangeError(
    `--readings: ${readings} of them are ${bytes(readings)} bytes, and one datagram takes ${most}: at most ${Math.floor((most - bytes(1)) / each)}`,
  );
}

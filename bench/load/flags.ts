import { parseArgs } from 'node:util';
import type { FleetOptions } from './fleet.ts';
import { defaults } from './load-report.ts';
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

const text = { type: 'string' } as const;

/**
 * The command line; undefined where it asks for help.
 * @throws RangeError, or TypeError of `parseArgs`, with one clear line
 */
export function parseLoadFlags(args: readonly string[]): LoadFlags | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ server: text, devices: text, processes: text, first: text, prefix: text, source: text },
      ...{ 'psk-identity': text, 'psk-key': text, lifetime: text, objects: text, resource: text },
      ...{ work: text, rate: text, window: text, readings: text, seconds: text, 'warm-up': text },
      ...{
        'register-rate': text,
        loss: text,
        duplicates: text,
        delay: text,
        'ack-timeout': text,
        seed: text,
      },
      non: { type: 'boolean', default: false },
      leave: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const number = (
    name: keyof typeof values,
    unless: number,
    from = 0,
    to = Number.MAX_SAFE_INTEGER,
  ): number => {
    const value = values[name] === undefined ? unless : Number(values[name]);
    if (values[name] === '' || !(value >= from && value <= to)) {
      throw new RangeError(
        `--${name} takes a number from ${from} to ${to}, not ${JSON.stringify(values[name])}`,
      );
    }
    return value;
  };
  const whole = (name: keyof typeof values, unless: number, from = 0): number => {
    const value = number(name, unless, from);
    if (!Number.isInteger(value)) throw new RangeError(`--${name} takes a whole number`);
    return value;
  };
  const [, host = '', port = ''] = /^([\d.]+):(\d{1,5})$/.exec(values.server ?? '127.0.0.1:5683') ?? [];
  if (host === '' || Number(port) < 1 || Number(port) > 65_535) {
    throw new RangeError(`--server takes an IPv4 address and a port, not ${JSON.stringify(values.server)}`);
  }
  const { 'psk-identity': identity, 'psk-key': key } = values;
  if ((identity === undefined) !== (key === undefined)) {
    throw new RangeError('--psk-identity and --psk-key go together');
  }
  if (key !== undefined && !/^([0-9a-f]{2})+$/i.test(key)) throw new RangeError('--psk-key takes hex');
  const processes = whole('processes', 1, 1);
  const fleet: FleetOptions = {
    ...defaults,
    host,
    port: Number(port),
    devices: whole('devices', 1_000, 1),
    first: whole('first', 0),
    prefix: values.prefix ?? 'load-',
    mix: parseWorkMix(values.work ?? 'update'),
    readings: whole('readings', 1, 1),
    confirmable: !values.non,
    resource: values.resource ?? defaults.resource,
    links: values.objects ?? defaults.links,
    lifetime: whole('lifetime', defaults.lifetime, 1),
    source: values.source ?? defaults.source,
    ...(identity === undefined || key === undefined ? {} : { psk: { identity, key } }),
    loss: number('loss', 0, 0, 1),
    duplicates: number('duplicates', 0, 0, 1),
    delay: number('delay', 0),
    ackTimeout: number('ack-timeout', defaults.ackTimeout, 8),
    seed: whole('seed', 1),
  };
  if (processes > fleet.devices) throw new RangeError('--processes: there are not so many devices');
  return {
    fleet,
    processes,
    ...(values.rate === undefined ? {} : { rate: number('rate', 0, 0.001) }),
    ...(values.window === undefined ? {} : { window: whole('window', 0, 1) }),
    seconds: number('seconds', 10, 0.1),
    warmUp: number('warm-up', 0),
    registerRate:
      values['register-rate'] === 'all' ? Number.POSITIVE_INFINITY : number('register-rate', 1_000, 1),
    leave: values.leave,
    json: values.json,
  };
}

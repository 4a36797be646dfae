import { describe, expect, test } from 'vitest';
import { parseLoadFlags } from '../../../bench/load/flags.ts';
import { tooManySockets } from '../../../bench/load/open-files.ts';

describe('the flags of the load', () => {
  test('have defaults for all that is not given', () => {
    expect(parseLoadFlags([])).toMatchObject({
      ...{ processes: 1, seconds: 10, warmUp: 0, registerRate: 1_000, leave: false, json: false },
      fleet: { host: '127.0.0.1', port: 5683, devices: 1_000, prefix: 'load-', mix: { update: 1 } },
    });
    expect(parseLoadFlags(['--register-rate', 'all'])?.registerRate).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    [['--source', 'foo'], '--source takes an IPv4 address or any'],
    [['--source', '127.255.255.1'], 'there are no'],
    [['--server', '999.1.1.1:5683'], '--server takes an IPv4 address and a port'],
    [['--server', 'localhost:5683'], '--server takes an IPv4 address and a port'],
    [['--resource', 'nonsense'], '--resource takes a path'],
    [['--resource', '/3'], '--resource takes a path'],
    [['--rate', '1e12'], '--rate takes a number'],
    [['--register-rate', 'slow'], '--register-rate takes a number'],
    [['--readings', '100000'], '--readings takes a whole number'],
    [['--readings', '5000'], 'at most 3821'],
    [['--loss', '1'], '--loss takes a number from 0 to 0.99'],
    [['--processes', '2', '--devices', '1'], '--processes'],
    [['--psk-key', '00'], '--psk-identity and --psk-key go together'],
    [['--non'], '--non needs --rate'],
    [['--work', 'sleep'], '--work knows'],
  ])('%s are refused', (args, message) => {
    expect(() => parseLoadFlags(args)).toThrow(RangeError);
    expect(() => parseLoadFlags(args)).toThrow(message);
  });
});

describe('more sockets than a process may have open', () => {
  test('are told with what helps', () => {
    expect(tooManySockets(20_000, 1, { limit: 20_000 })).toMatch(/ulimit -n 20064.*--processes 2$/);
    expect(tooManySockets(1_000, 1, { limit: 256 })).toMatch(/--processes 6$/);
    expect(tooManySockets(1_000, 1, { limit: 256, canShare: false })).not.toContain('--processes');
  });

  test.each([
    [15_000, 1, 20_000],
    [20_000, 2, 20_000],
    [20_000, 1, Number.POSITIVE_INFINITY],
  ])('%i devices in %i processes are not', (devices, processes, limit) => {
    expect(tooManySockets(devices, processes, { limit })).toBeUndefined();
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderName, parseCommandLine, UsageError } from '../../client/command-line.ts';

function parse(...args: string[]) {
  const line = parseCommandLine(args);
  if (line === 'help') throw new Error('not help');
  return line;
}

describe('a bootstrap server', () => {
  it('takes the place of servers, at the ports that ours has where none is given', () => {
    const { servers, bootstrap } = parse('--bootstrap', 'coap://host').modem;
    expect(servers).toEqual([]);
    expect(bootstrap).toEqual({
      host: 'host',
      port: 5686,
      uri: 'coap://host:5686',
      credentials: undefined,
      pack: false,
    });
    const key = ['--identity', 'of {name}', '--key', '00ff'];
    const secured = parse(
      '--bootstrap',
      'coaps://[::1]',
      ...key,
      '--version',
      '1.2',
      '--bootstrap-pack',
    ).modem;
    expect(secured.bootstrap).toMatchObject({ port: 5685, uri: 'coaps://[::1]:5685', pack: true });
    expect(secured.bootstrap?.credentials?.({ endpoint: 'm' })).toEqual({
      kind: 'psk',
      identity: new TextEncoder().encode('of m'),
      key: Buffer.of(0, 255),
    });
    expect(parse('--bootstrap', 'coap://host:1').modem.bootstrap?.uri).toBe('coap://host:1');
  });
});

describe('the command line', () => {
  it('without anything is one modem that keeps its state in ./data', () => {
    expect(parse()).toMatchObject({
      logLevel: 'info',
      modem: {
        servers: [
          {
            host: '127.0.0.1',
            port: 5683,
            uri: 'coap://127.0.0.1:5683',
            shortServerId: 101,
            instanceId: 0,
            lifetime: undefined,
            version: '1.1',
          },
        ],
        sharedRights: 1,
        queueMode: false,
        awakeTime: 93_000,
        report: 'observe',
        sendAtStart: [],
        notificationStoring: true,
        storeReadings: true,
        rates: { imu: 50, gyro: 50, temperature: 1 },
        carrier: 0,
        packs: true,
      },
      mode: { kind: 'single', endpoint: 'modem-1', state: join('data', 'modem', 'modem-1') },
    });
  });

  it.each([
    ['coap://example.org', 'example.org', 5683],
    ['coap://example.org:5700/', 'example.org', 5700],
    ['coap://[::1]:5683', '[::1]', 5683],
  ])('takes the server %s', (uri, host, port) => {
    expect(parse('--server', uri).modem.servers).toMatchObject([{ host, port }]);
  });

  it('takes several servers, each with what is its own', () => {
    const { modem } = parse(
      ...[
        '--server',
        'coap://a',
        '--server',
        'coap://b:5700,id=7,instance=4,lifetime=60,version=1.0,priority=1',
      ],
      ...['--lifetime', '0', '--share', 'rwe'],
    );
    expect(modem.servers).toMatchObject([
      { uri: 'coap://a:5683', shortServerId: 101, instanceId: 0, lifetime: 0, version: '1.1' },
      { uri: 'coap://b:5700', shortServerId: 7, instanceId: 4, lifetime: 60, version: '1.0', priority: 1 },
    ]);
    expect(modem.sharedRights).toBe(7);
    const two = ['--server', 'coap://a', '--server', 'coap://b'];
    expect(parse(...two, '--share', 'none').modem.sharedRights).toBe(0);
  });

  it('takes queue mode, Send, profile ids and a port that changes', () => {
    const { modem } = parse(
      ...['--queue-mode', '--awake-time', '5', '--report', 'send', '--send', '/3/0/9', '--send', '/4'],
      ...[
        '--root-path',
        '/lwm2m',
        '--rebind-every',
        '10',
        '--version',
        '1.2',
        '--profile',
        'oma:a,v:b',
        '--no-storing',
        '--state',
        ':memory:',
      ],
    );
    expect(modem).toMatchObject({
      queueMode: true,
      awakeTime: 5_000,
      report: 'send',
      sendAtStart: ['/3/0/9', '/4'],
      rebindEvery: 10_000,
      rootPath: '/lwm2m',
      notificationStoring: false,
      storeReadings: false,
    });
    expect(modem.profiles?.([], undefined)).toBe('"oma:a,v:b"');
    expect(parse('--fleet', '--state', '/tmp/f', '--store-readings', 'yes').modem.storeReadings).toBe(true);
    expect(parse('--fleet', '--state', '/tmp/f').modem.storeReadings).toBe(false);
  });

  it('takes rates, carriers by any case, and folders', () => {
    const line = parse(
      ...['--rate', 'imu=1000,gyro=0', '--carrier', 't-mobile', '--endpoint', 'a/b', '--data', '/tmp/x'],
    );
    expect(line.modem.rates).toEqual({ imu: 1000, gyro: 0, temperature: 1 });
    expect(line.modem.carrier).toBe(1);
    expect(line.mode).toMatchObject({ state: join('/tmp/x', 'a%2Fb') });
    expect(parse('--state', ':memory:').mode).toMatchObject({ state: undefined });
    expect(parse('--state', '/tmp/s', '--card', 'virtual:/tmp/card').mode).toMatchObject({
      state: '/tmp/s',
      card: { kind: 'virtual', file: '/tmp/card' },
    });
    expect(parse('--card', 'pcsc').mode).toMatchObject({ card: { kind: 'pcsc', reader: undefined } });
    expect(parse('--card', 'pcsc:Reader 00 00', '--trace-apdu')).toMatchObject({
      mode: { card: { kind: 'pcsc', reader: 'Reader 00 00' } },
      modem: { traceApdu: true },
    });
  });

  it('of a fleet keeps nothing and samples slowly unless told otherwise', () => {
    const line = parse('--fleet', '--count', '1000', '--prefix', 'x-', '--ramp', '200');
    expect(line.mode).toEqual({ kind: 'fleet', count: 1000, prefix: 'x-', ramp: 200, state: undefined });
    expect(line.modem.rates).toEqual({ imu: 1, gyro: 1, temperature: 1 });
  });

  it('asked for help gives help, whatever else is there', () => {
    expect(parseCommandLine(['--help'])).toBe('help');
  });

  it.each([
    [['--bogus'], /--bogus/],
    [['stray'], /stray/],
    [['--server', 'http://x'], /coap:\/\/HOST:PORT/],
    [['--server', 'coaps://x'], /what does the modem prove itself by/],
    [['--server', 'coaps://x', '--identity', 'a'], /--key or by --key-file/],
    [['--server', 'coaps://x', '--key', '0'], /as hex digits/],
    [['--server', 'coaps://x', '--key', '00'.repeat(65)], /1 to 64 bytes/],
    [['--server', 'coaps://x', '--key-file', '/nowhere'], /'\/nowhere' cannot be read \(ENOENT\)/],
    [['--server', 'coaps://x', '--key', '00', '--private-key', 'k'], /not both/],
    [['--server', 'coaps://x', '--private-key', 'k'], /--server-public-key/],
    [['--server', 'coaps://x', '--certificate', 'c'], /needs its --private-key/],
    [['--bootstrap', 'coaps://x'], /what does the modem prove itself by/],
    [['--bootstrap', 'http://x'], /--bootstrap is coap/],
    [['--bootstrap', 'coap://x', '--server', 'coap://y'], /--server is what the bootstrap server gives/],
    [['--bootstrap', 'coap://x', '--key', '00'], /needs a --server, or a --bootstrap, with coaps/],
    [['--bootstrap', 'coap://x', '--bootstrap-pack'], /--version 1.2/],
    [['--bootstrap-pack'], /needs --bootstrap/],
    [['--server', 'coap://x,key=00'], /takes no credentials: use coaps/],
    [['--server', 'coap://x', '--key', '00'], /--key is for DTLS/],
    [['--server', 'coap://x:0'], /coap:\/\/HOST:PORT/],
    [['--server', 'coap://x,id=0'], /--server id is a whole number from 1/],
    [['--server', 'coap://x,colour=red'], /a setting is one of id, instance/],
    [['--server', 'coap://x,id=1,id=2'], /id twice/],
    [['--server', 'coap://x', '--server', 'coap://x'], /two servers have coap:\/\/x:5683/],
    [['--server', 'coap://x,id=5', '--server', 'coap://y,id=5'], /two servers have short server id 5/],
    [['--server', 'coap://a', '--server', 'coap://b', '--share', 'rx'], /letters of rwed/],
    [['--profile', 'x:1'], /--profile is hash/],
    [['--send', 'battery'], /--send is a path/],
    [['--root-path', 'lwm2m'], /--root-path is/],
    [['--root-path', '/1'], /--root-path is/],
    [['--fleet', '--send', '/3'], /not for a fleet/],
    [['--fleet', '--state', ':memory:', '--store-readings', 'yes'], /needs a state folder/],
    [['--profile', 'hash'], /needs --version 1\.2/],
    [['--version', '1.0', '--report', 'send'], /--report send: LwM2M 1\.0 has no Send/],
    [['--server', 'coap://a,version=1.0', '--send', '/3'], /--send: LwM2M 1\.0 has no Send/],
    [['--share', 'rw'], /needs another --server/],
    [['--quiet', '--log-level', 'debug'], /one of them is enough/],
    [['--state', ''], /--state is a folder/],
    [['--lifetime', '-1'], /--lifetime' argument is ambiguous/],
    [['--report', 'loudly'], /observe, send/],
    [['--rebind-every', '0'], /whole number from 1/],
    [['--store-readings', 'maybe'], /yes, no/],
    [['--fleet', '--store-readings', 'yes'], /needs a state folder/],
    [['--lifetime', '1.5'], /--lifetime is a whole number/],
    [['--lifetime', 'long'], /--lifetime is a whole number/],
    [['--version', '2.0'], /--version is one of/],
    [['--rate', 'imu=2000'], /0.001 to 1000/],
    [['--rate', 'imu'], /samples per second/],
    [['--rate', 'sonar=1'], /imu, gyro, temperature/],
    [['--carrier', 'Vodafone'], /AT&T, T-Mobile, Verizon/],
    [['--card', 'real'], /pcsc:READER/],
    [['--card', 'pcsc:X', '--carrier', 'Verizon'], /--carrier is of a virtual card/],
    [['--card', 'pcsc', '--card-fault', 'busy'], /--card-fault is of a virtual card/],
    [['--carrier-object', '42770'], /are the same/],
    [['--sensor-object', '3'], /1024 to 65534/],
    [['--crash-at', 'lunch'], /journal-written/],
    [['--card-fault', 'random', '--card-fault', 'random:seed=2'], /one set of random faults/],
    [['--card-fault', 'x'], /busy, policy/],
    [['--count', '3'], /needs --fleet/],
    [['--fleet', '--endpoint', 'x'], /not for a fleet/],
    [['--endpoint', ''], /1 to 240 bytes/],
    [['--log-level', 'loud'], /error, warn, info, debug/],
  ])('%j is wrong, and told in one line', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
    expect(() => parseCommandLine(args)).toThrow(message);
    try {
      parseCommandLine(args);
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });
});

it.each([
  ['modem-1', 'modem-1'],
  ['../../etc', '..%2F..%2Fetc'],
  ['..', '%2E%2E'],
  ['urn:imei:1', 'urn%3Aimei%3A1'],
])('the endpoint %s keeps its state in the folder %s', (endpoint, folder) => {
  expect(folderName(endpoint)).toBe(folder);
});

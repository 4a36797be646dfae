import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../client/flag-values.ts';
import { help, parseSimCommandLine } from '../../../../client/sim/cli/command-line.ts';
import { fromHex } from '../../../../client/sim/hex.ts';

const pcsc = { kind: 'pcsc', reader: undefined };

describe('the command line of sim', () => {
  it('looks at the only card in a reader unless told otherwise', () => {
    expect(parseSimCommandLine(['readers'])).toEqual({ kind: 'readers', json: false });
    expect(parseSimCommandLine(['info', '--json'])).toEqual({
      kind: 'info',
      card: pcsc,
      json: true,
      traceApdu: false,
    });
    expect(parseSimCommandLine(['profiles', '--card', 'pcsc:Reader 00 00', '--trace-apdu'])).toMatchObject({
      card: { kind: 'pcsc', reader: 'Reader 00 00' },
      traceApdu: true,
    });
    expect(parseSimCommandLine(['switch', 'T-Mobile', '--card', 'virtual:/tmp/card'])).toMatchObject({
      profile: 'T-Mobile',
      card: { kind: 'virtual', file: '/tmp/card' },
    });
  });

  it('takes APDUs in hex, however they are set', () => {
    expect(parseSimCommandLine(['trace', '00 A4 08 04 02 2f e2', '00:B0:00:00:0A'])).toMatchObject({
      commands: [fromHex('00A40804022FE2'), fromHex('00B000000A')],
    });
    expect(parseSimCommandLine(['trace'])).toMatchObject({ commands: [] });
  });

  it('serves a card of a kind to a port, and sets what goes wrong with it', () => {
    expect(parseSimCommandLine(['serve-virtual-card'])).toMatchObject({
      file: 'data/virtual-card.json',
      host: '127.0.0.1',
      port: 35_963,
      applet: { cardKind: 'auto', gateway: undefined },
    });
    const flags = ['--port', '35964', '--card-kind', 'applet', '--gateway', '192.0.2.7'];
    expect(parseSimCommandLine(['serve-virtual-card', '--card', 'virtual:x', ...flags])).toMatchObject({
      file: 'x',
      port: 35_964,
      applet: { cardKind: 'applet', gateway: { address: '192.0.2.7', port: 6001 } },
    });
    expect(parseSimCommandLine(['faults'])).toMatchObject({ set: undefined });
    expect(parseSimCommandLine(['faults', 'busy', 'mute:on=read'])).toMatchObject({
      set: ['busy', 'mute:on=read'],
    });
  });

  it.each([[], ['--help'], ['help'], ['info', '-h']])('gives help for %j', (...args) => {
    expect(parseSimCommandLine(args)).toBe('help');
  });

  it.each([
    [['look'], /no command look: there are readers, info/],
    [['info', '--port', '1'], /--port is not of info/],
    [['info', 'more'], /what is more after info/],
    [['info', '--card', 'usb'], /pcsc:READER/],
    [['info', '--card', 'virtual'], /needs its file/],
    [['switch'], /needs the profile/],
    [['switch', 'a', 'b'], /what is b/],
    [['trace', '00A4'], /4 to 261 bytes/],
    [['trace', 'select'], /in hex/],
    [['serve-virtual-card', '--card', 'pcsc'], /is for a virtual card/],
    [['serve-virtual-card', '--port', '0'], /--port/],
    [['serve-virtual-card', '--card-kind', 'odd'], /--card-kind/],
    [['faults', '--bogus'], /--bogus/],
  ])('refuses %j in a line', (args, message) => {
    expect(() => parseSimCommandLine(args)).toThrow(message);
    expect(() => parseSimCommandLine(args)).toThrow(UsageError);
  });

  it('has help of lines that fit a terminal', () => {
    expect(help.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });
});

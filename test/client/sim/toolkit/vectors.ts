import { fromHex } from '../../../../client/sim/hex.ts';
import type { Envelope } from '../../../../client/sim/toolkit/envelope.ts';
import type { ProactiveCommand } from '../../../../client/sim/toolkit/proactive-command.ts';
import type { TerminalResponse } from '../../../../client/sim/toolkit/terminal-response.ts';

export interface Vector<T> {
  readonly name: string;
  readonly hex: string;
  readonly value: T;
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));
const bearer = { type: 0x02, parameters: fromHex('03040304 1F02'.replace(' ', '')) };
const udp = { protocol: 0x01, port: 44_444 };

export const commands: readonly Vector<ProactiveCommand>[] = [
  {
    name: 'OPEN CHANNEL of a UDP channel',
    hex: 'D036810301400182028182350702030403041F0239020578 0D08F4557365724C6F67 0D08F4557365725077643C0301AD9C3E052101010101',
    value: {
      kind: 'open-channel',
      details: { number: 1, type: 0x40, qualifier: 1 },
      bearer,
      bufferSize: 1_400,
      login: { coding: 0xf4, text: text('UserLog') },
      password: { coding: 0xf4, text: text('UserPwd') },
      transport: udp,
      destination: '1.1.1.1',
    },
  },
  {
    name: 'OPEN CHANNEL with all it may have',
    hex: 'D04281030140068202818205 04494F5400 350103 39020200 470A06696F746170 6E02746D 3E00 0D01F4 0D01F4 3C0302 1771 3E1157 20010DB8000000000000000000000001',
    value: {
      kind: 'open-channel',
      details: { number: 1, type: 0x40, qualifier: 6 },
      alphaIdentifier: fromHex('494F5400'),
      bearer: { type: 0x03, parameters: new Uint8Array(0) },
      bufferSize: 512,
      accessPoint: 'iotapn.tm',
      localAddress: 'dynamic',
      login: { coding: 0xf4, text: text('') },
      password: { coding: 0xf4, text: text('') },
      transport: { protocol: 0x02, port: 6_001 },
      destination: '2001:db8:0:0:0:0:0:1',
    },
  },
  {
    name: 'SEND DATA',
    hex: 'D013810301430182028121B6080001020304050607',
    value: {
      kind: 'send-data',
      details: { number: 1, type: 0x43, qualifier: 1 },
      channel: 1,
      data: fromHex('0001020304050607'),
    },
  },
  {
    name: 'SEND DATA with a length in two bytes',
    hex: `D081D4810301430082028127B681C8${'5A'.repeat(200)}`,
    value: {
      kind: 'send-data',
      details: { number: 1, type: 0x43, qualifier: 0 },
      channel: 7,
      data: new Uint8Array(200).fill(0x5a),
    },
  },
  {
    name: 'RECEIVE DATA of 200 bytes',
    hex: 'D00C810301420082028121B701C8',
    value: {
      kind: 'receive-data',
      details: { number: 1, type: 0x42, qualifier: 0 },
      channel: 1,
      length: 200,
    },
  },
  {
    name: 'CLOSE CHANNEL',
    hex: 'D009810301410082028121',
    value: { kind: 'close-channel', details: { number: 1, type: 0x41, qualifier: 0 }, channel: 1 },
  },
  {
    name: 'GET CHANNEL STATUS',
    hex: 'D009810301440082028182',
    value: { kind: 'get-channel-status', details: { number: 1, type: 0x44, qualifier: 0 } },
  },
  {
    name: 'REFRESH with a file that changed',
    hex: 'D0108103010101820281829205013F002FE2',
    value: {
      kind: 'refresh',
      details: { number: 1, type: 0x01, qualifier: 0x01 },
      files: [[0x3f00, 0x2fe2]],
    },
  },
  {
    name: 'REFRESH with files of an application',
    hex: 'D02181030101028202818292 0D 03 3F002FE27FFF6F077FFF6F46 AF07A0000000871002',
    value: {
      kind: 'refresh',
      details: { number: 1, type: 0x01, qualifier: 0x02 },
      files: [
        [0x3f00, 0x2fe2],
        [0x7fff, 0x6f07],
        [0x7fff, 0x6f46],
      ],
      aid: fromHex('A0000000871002'),
    },
  },
  {
    name: 'REFRESH as a reset of the UICC',
    hex: 'D009810301010482028182',
    value: { kind: 'refresh', details: { number: 1, type: 0x01, qualifier: 0x04 } },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, date and time',
    hex: 'D009810301260382028182',
    value: { kind: 'provide-local-information', details: { number: 1, type: 0x26, qualifier: 0x03 } },
  },
  {
    name: 'SET UP EVENT LIST',
    hex: 'D00D8103010500820281829902090A',
    value: {
      kind: 'set-up-event-list',
      details: { number: 1, type: 0x05, qualifier: 0 },
      events: [0x09, 0x0a],
    },
  },
  {
    name: 'SET UP EVENT LIST that takes all events off',
    hex: 'D00B8103010500820281829900',
    value: { kind: 'set-up-event-list', details: { number: 1, type: 0x05, qualifier: 0 }, events: [] },
  },
  {
    name: 'POLL INTERVAL of 20 seconds',
    hex: 'D00D8103010300820281828402 02C8',
    value: {
      kind: 'poll-interval',
      details: { number: 1, type: 0x03, qualifier: 0 },
      milliseconds: 20_000,
    },
  },
  {
    name: 'POLLING OFF',
    hex: 'D009810301040082028182',
    value: { kind: 'polling-off', details: { number: 1, type: 0x04, qualifier: 0 } },
  },
  {
    name: 'MORE TIME',
    hex: 'D009810301020082028182',
    value: { kind: 'more-time', details: { number: 1, type: 0x02, qualifier: 0 } },
  },
  {
    name: 'TIMER MANAGEMENT, start',
    hex: 'D01181030127008202818 2A40101A503000500'.replaceAll(' ', ''),
    value: {
      kind: 'timer-management',
      details: { number: 1, type: 0x27, qualifier: 0 },
      timer: 1,
      seconds: 3_000,
    },
  },
  {
    name: 'TIMER MANAGEMENT, deactivate',
    hex: 'D00C810301270182028182A40108',
    value: { kind: 'timer-management', details: { number: 1, type: 0x27, qualifier: 1 }, timer: 8 },
  },
  {
    name: 'a command of another type',
    hex: 'D0118103012100820281828D0 6F4 4869212121'.replaceAll(' ', ''),
    value: {
      kind: 'other',
      details: { number: 1, type: 0x21, qualifier: 0 },
      others: [{ tag: 0x0d, required: true, value: fromHex('F44869212121') }],
    },
  },
].map((vector) => ({
  ...vector,
  hex: vector.hex.replaceAll(' ', ''),
})) as readonly Vector<ProactiveCommand>[];

const details = (type: number, qualifier = 0) => ({ number: 1, type, qualifier });
const ok = { general: 0x00 };

export const responses: readonly Vector<TerminalResponse>[] = [
  {
    name: 'OPEN CHANNEL',
    hex: '81030140018202828183010038028100350702030403041F0239020578',
    value: {
      details: details(0x40, 1),
      result: ok,
      channels: [{ channel: 1, linked: true, information: 0 }],
      bearer,
      bufferSize: 1_400,
    },
  },
  {
    name: 'SEND DATA',
    hex: '810301430182028281830100B701FF',
    value: { details: details(0x43, 1), result: ok, length: 255 },
  },
  {
    name: 'SEND DATA on a channel that is not there',
    hex: '81030143018202828183023A03',
    value: { details: details(0x43, 1), result: { general: 0x3a, additional: 0x03 } },
  },
  {
    name: 'RECEIVE DATA',
    hex: `810301420082028281830100B681C8${'A5'.repeat(200)}B701FF`,
    value: { details: details(0x42), result: ok, data: new Uint8Array(200).fill(0xa5), length: 255 },
  },
  {
    name: 'CLOSE CHANNEL of a channel that is closed',
    hex: '81030141008202828183023A02',
    value: { details: details(0x41), result: { general: 0x3a, additional: 0x02 } },
  },
  {
    name: 'GET CHANNEL STATUS without channels',
    hex: '810301440082028281830100B8020000',
    value: {
      details: details(0x44),
      result: ok,
      channels: [{ channel: 0, linked: false, information: 0 }],
    },
  },
  {
    name: 'GET CHANNEL STATUS with a link',
    hex: '810301440082028281830100B8028100',
    value: { details: details(0x44), result: ok, channels: [{ channel: 1, linked: true, information: 0 }] },
  },
  {
    name: 'GET CHANNEL STATUS with a link that was dropped',
    hex: '810301440082028281830100B8020105',
    value: {
      details: details(0x44),
      result: ok,
      channels: [{ channel: 1, linked: false, information: 5 }],
    },
  },
  {
    name: 'GET CHANNEL STATUS of two channels',
    hex: '810301440082028281830100B8028100B8020205',
    value: {
      details: details(0x44),
      result: ok,
      channels: [
        { channel: 1, linked: true, information: 0 },
        { channel: 2, linked: false, information: 5 },
      ],
    },
  },
  {
    name: 'REFRESH',
    hex: '810301010182028182830100'.replace('82028182', '82028281'),
    value: { details: details(0x01, 1), result: ok },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, date and time',
    hex: '810301260382028281830100A607205070418071FF',
    value: {
      details: details(0x26, 3),
      result: ok,
      time: { year: 2002, month: 5, day: 7, hour: 14, minute: 8, second: 17, zone: undefined },
    },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, date and time west of Greenwich',
    hex: '810301260382028281830100A607621192801500 2B'.replaceAll(' ', ''),
    value: {
      details: details(0x26, 3),
      result: ok,
      time: { year: 2026, month: 11, day: 29, hour: 8, minute: 51, second: 0, zone: -480 },
    },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, IMEI',
    hex: '81030126018202828183010094081A32547698103254',
    value: { details: details(0x26, 1), result: ok, imei: '123456789012345' },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, IMEISV',
    hex: '810301260882028281830100E2091332547698103254F6',
    value: { details: details(0x26, 8), result: ok, imeisv: '1234567890123456' },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, a cell of E-UTRAN',
    hex: '810301260082028281830100930900F11000010000001F',
    value: {
      details: details(0x26, 0),
      result: ok,
      location: { mcc: '001', mnc: '01', areaCode: 1, cell: { id: 1, bits: 28 } },
    },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, a cell of GSM',
    hex: '81030126008202828183010093071300140001ABCD',
    value: {
      details: details(0x26, 0),
      result: ok,
      location: { mcc: '310', mnc: '410', areaCode: 1, cell: { id: 0xabcd, bits: 16 } },
    },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, access technology',
    hex: '810301260682028281830100BF0108',
    value: { details: details(0x26, 6), result: ok, accessTechnology: 8 },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, battery',
    hex: '810301260A82028281830100E30103',
    value: { details: details(0x26, 0x0a), result: ok, battery: 3 },
  },
  {
    name: 'PROVIDE LOCAL INFORMATION, language',
    hex: '810301260482028281830100AD02656E',
    value: { details: details(0x26, 4), result: ok, language: 'en' },
  },
  {
    name: 'POLL INTERVAL',
    hex: '810301030082028281830100840202C8',
    value: { details: details(0x03), result: ok, milliseconds: 20_000 },
  },
  {
    name: 'TIMER MANAGEMENT, get',
    hex: '810301270282028281830100A40101A503001200',
    value: { details: details(0x27, 2), result: ok, timer: 1, seconds: 1_260 },
  },
  {
    name: 'a command that is beyond the terminal',
    hex: '810301210082028281830130',
    value: { details: details(0x21), result: { general: 0x30 } },
  },
];

export const envelopes: readonly Vector<Envelope>[] = [
  {
    name: 'data available',
    hex: 'D60E99010982028281B8028100B701FF',
    value: {
      kind: 'data-available',
      status: { channel: 1, linked: true, information: 0 },
      length: 255,
    },
  },
  {
    name: 'channel status, dropped',
    hex: 'D60B99010A82028281B8020105',
    value: { kind: 'channel-status', status: { channel: 1, linked: false, information: 5 } },
  },
  {
    name: 'location status, normal service',
    hex: 'D61599010382028281 9B0100 930900F11000010000001F'.replaceAll(' ', ''),
    value: {
      kind: 'location-status',
      service: 0,
      location: { mcc: '001', mnc: '01', areaCode: 1, cell: { id: 1, bits: 28 } },
    },
  },
  {
    name: 'location status, no service',
    hex: 'D60A990103820282819B0102',
    value: { kind: 'location-status', service: 2 },
  },
  {
    name: 'timer expiration',
    hex: 'D70C82028281A40101A503000500',
    value: { kind: 'timer-expiration', timer: 1, seconds: 3_000 },
  },
  {
    name: 'an event that is another',
    hex: 'D60799010582028281',
    value: { kind: 'other-event', event: 5 },
  },
];

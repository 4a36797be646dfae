import { describe, expect, it } from 'vitest';
import type { ApiTraceMessage } from '../../../web/data/api-types.ts';
import {
  elapsedText,
  everything,
  exchangesOf,
  filterMessages,
  hexLines,
  isTrouble,
  mostMessages,
  parseTraceView,
  summaryOf,
  type TraceView,
  traceFileUrl,
  traceQuery,
  withMessages,
} from '../../../web/data/trace.ts';

function message(fields: Partial<ApiTraceMessage> & { readonly id: number }): ApiTraceMessage {
  return {
    at: fields.id,
    direction: 'in',
    peer: '127.0.0.1:1',
    size: 4,
    hex: '40010001',
    type: 'CON',
    code: '0.01',
    name: 'GET',
    messageId: fields.id,
    token: '',
    options: [],
    ...fields,
  };
}

const ids = (messages: readonly ApiTraceMessage[]) => messages.map(({ id }) => id);

describe('the messages on the page', () => {
  it('are in the order of their ids, each once, however they came', () => {
    const some = [1, 3, 5].map((id) => message({ id }));
    expect(ids(withMessages(some, [message({ id: 6 }), message({ id: 7 })]))).toEqual([1, 3, 5, 6, 7]);
    expect(ids(withMessages(some, [message({ id: 4 }), message({ id: 5 }), message({ id: 2 })]))).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(withMessages(some, [])).toBe(some);
  });

  it('are the newest where there are too many', () => {
    const many = Array.from({ length: mostMessages + 10 }, (_, at) => message({ id: at + 1 }));
    const kept = withMessages([], many);
    expect(kept).toHaveLength(mostMessages);
    expect(kept[0]?.id).toBe(11);
  });
});

describe('an exchange', () => {
  it('is a request with its repetitions, acknowledgement, response, and the acknowledgement of that', () => {
    const messages = [
      message({ id: 1, direction: 'out', messageId: 9 }),
      message({ id: 2, direction: 'out', messageId: 9, retransmission: 1 }),
      message({ id: 3, type: 'ACK', code: '0.00', messageId: 9, answers: 1 }),
      message({ id: 4, code: '2.05', messageId: 77, answers: 1 }),
      message({ id: 5, direction: 'out', type: 'ACK', code: '0.00', messageId: 77, answers: 4 }),
      message({ id: 6, direction: 'out', messageId: 10 }),
      // A message id of the other side is another message.
      message({ id: 7, direction: 'in', messageId: 9, duplicate: true }),
    ];
    expect([...exchangesOf(messages)]).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
      [6, 6],
      [7, 7],
    ]);
  });
});

describe('the filter', () => {
  const messages = [
    message({ id: 1, path: '/rd', options: [{ number: 15, name: 'Uri-Query', value: 'ep=modem-1' }] }),
    message({ id: 2, direction: 'out', type: 'ACK', code: '2.05', name: 'Content', path: '/3/0/9' }),
    message({ id: 3, code: '4.04', name: 'Not Found', path: '/3/0/99' }),
    message({ id: 4, type: 'RST', code: '0.00', name: 'Reset' }),
    message({ id: 5, malformed: 'the token is cut short', options: [] }),
    message({ id: 6, retransmission: 2, hex: 'deadbeef' }),
    message({
      id: 7,
      duplicate: true,
      payload: { length: 1, values: [{ path: '/3/0/9', value: 87, name: 'Battery Level', units: '/100' }] },
    }),
  ];

  it.each([
    [{}, [1, 2, 3, 4, 5, 6, 7]],
    [{ direction: 'out' }, [2]],
    [{ types: ['ACK', 'RST'] }, [2, 4]],
    [{ trouble: true }, [3, 4, 5, 6, 7]],
    [{ text: 'ep=modem-1' }, [1]],
    [{ text: '/3/0 FOUND' }, [3]],
    [{ text: 'battery 87' }, [7]],
    [{ text: 'beef' }, [6]],
    [{ text: '87\u202f%' }, [7]],
    [{ text: 'cut short', trouble: true }, [5]],
    [{ text: 'nothing like it' }, []],
  ] as const)('%j leaves %j', (filter, expected) => {
    expect(ids(filterMessages(messages, { ...everything, ...filter }))).toEqual(expected);
  });

  it('takes a plain message for no trouble', () => {
    expect(isTrouble(message({ id: 1 }))).toBe(false);
    expect(isTrouble(message({ id: 1, code: '2.31' }))).toBe(false);
    expect(isTrouble(message({ id: 1, code: '5.03' }))).toBe(true);
  });

  it.each<TraceView>([
    { filter: everything, message: undefined },
    {
      filter: { text: 'a & b=c', direction: 'in', types: ['CON', 'RST'], trouble: true },
      message: 179_000_000_000_001,
    },
  ])('%j is the same out of the address again', (view) => {
    expect(parseTraceView(traceQuery(view))).toEqual(view);
  });

  it('takes nonsense in the address for no filter', () => {
    expect(parseTraceView('direction=up&type=XYZ&message=-3')).toEqual({
      filter: everything,
      message: undefined,
    });
  });
});

describe('a message in a line', () => {
  it.each([
    [
      {
        path: '/rd',
        options: [{ number: 15, name: 'Uri-Query', value: 'ep=m' }],
        payload: { length: 9, links: [] },
      },
      'ep=m · 0 links',
    ],
    [{ code: '2.01', options: [{ number: 8, name: 'Location-Path', value: 'rd' }] }, 'at /rd'],
    [{ options: [{ number: 6, name: 'Observe', value: '0 register' }] }, 'observe'],
    [{ options: [{ number: 6, name: 'Observe', value: '1 deregister' }] }, 'stop observing'],
    [
      {
        code: '2.05',
        options: [{ number: 6, name: 'Observe', value: '17' }],
        payload: { length: 2, values: [{ path: '/3/0/9', value: 87, units: '/100' }] },
      },
      'notification · 87\u202f%',
    ],
    [
      {
        options: [{ number: 27, name: 'Block1', value: '3/1/1024' }],
        payload: { length: 1024, fragment: { number: 3, more: true, size: 1024 } },
      },
      'block 3 · 1024 bytes',
    ],
    [{ code: '4.12', payload: { length: 4, text: 'no' } }, '“no”'],
    [{ payload: { length: 3, problem: 'not CBOR' } }, 'unreadable: not CBOR'],
    [{ malformed: 'version 2 is not 1', size: 12 }, 'version 2 is not 1 · 12 bytes'],
  ] as const)('%j says %s', (fields, detail) => {
    expect(summaryOf(message({ id: 1, ...(fields as Partial<ApiTraceMessage>) })).detail).toBe(detail);
  });
});

describe('a hex dump', () => {
  it('has sixteen bytes to a line, what is printable as it is, and knows the payload', () => {
    const hex = Buffer.from('\x60\x45\x00\x01 A~\x7f and what is more').toString('hex');
    const lines = hexLines(hex, hex.length / 2, 4);
    expect(lines.map(({ offset }) => offset)).toEqual(['0000', '0010']);
    expect(lines[0]?.bytes.map(({ character }) => character).join('')).toBe('`E·· A~· and wha');
    const payload = lines.flatMap(({ bytes }) => bytes.filter((byte) => byte.payload));
    expect(payload.map(({ character }) => character).join('')).toBe('more');
  });

  it('of a datagram that is cut has the part of the payload that is there', () => {
    const lines = hexLines('aabbccdd', 100, 97);
    expect(lines[0]?.bytes.map(({ payload }) => payload)).toEqual([false, false, false, true]);
    expect(hexLines('aabb', 2, 0)[0]?.bytes.some(({ payload }) => payload)).toBe(false);
  });
});

it.each([
  [0.0421, '0.04 ms'],
  [1.24, '1.2 ms'],
  [93.6, '94 ms'],
  [1_250, '1.25 s'],
  [45_000, '45.0 s'],
])('%f ms reads %s', (milliseconds, text) => {
  expect(elapsedText(milliseconds)).toBe(text.replace(' ', '\u202f'));
});

it('names of devices are written into addresses of files', () => {
  expect(traceFileUrl('urn:imei:49/7', 'pcapng')).toBe('/api/devices/urn%3Aimei%3A49%2F7/trace/pcapng');
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SseEvent, SseParser } from '../../../web/data/sse-parser.ts';

function parse(...chunks: string[]): SseEvent[] {
  const parser = new SseParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

// The examples of the HTML Living Standard §9.2.6, and the corners that its rules make.
const vectors: { name: string; stream: string; events: SseEvent[] }[] = [
  {
    name: 'a type, an id and data',
    stream: 'id: 5-17\nevent: updated\ndata: {"a":1}\n\n',
    events: [{ type: 'updated', data: '{"a":1}', lastEventId: '5-17' }],
  },
  {
    name: 'data of several lines',
    stream: 'data: YHOO\ndata: +2\ndata: 10\n\n',
    events: [{ type: 'message', data: 'YHOO\n+2\n10', lastEventId: '' }],
  },
  {
    name: 'a comment, then an event with an id, then one that keeps it, then one that takes it away',
    stream: ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\n\ndata: x\nid\n\n',
    events: [
      { type: 'message', data: 'first event', lastEventId: '1' },
      { type: 'message', data: 'second event', lastEventId: '1' },
      { type: 'message', data: 'x', lastEventId: '' },
    ],
  },
  {
    name: 'an empty data field dispatches, an event without data does not',
    stream: 'data\n\nevent: lost\n\ndata:\n\n',
    events: [
      { type: 'message', data: '', lastEventId: '' },
      { type: 'message', data: '', lastEventId: '' },
    ],
  },
  {
    name: 'only one space after the colon is not data',
    stream: 'data:  two\n\n',
    events: [{ type: 'message', data: ' two', lastEventId: '' }],
  },
  {
    name: 'an id with a NUL is passed over, as are fields that nobody knows',
    stream: 'id: 1\nid: a\0b\nretry: 10\nfoo: bar\ndata: x\n\n',
    events: [{ type: 'message', data: 'x', lastEventId: '1' }],
  },
  {
    name: 'lines that end in CR LF, and in CR',
    stream: 'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
    events: ['a', 'b', 'c'].map((data) => ({ type: 'message', data, lastEventId: '' })),
  },
  {
    name: 'a byte order mark before all',
    stream: '\ufeffdata: x\n\n',
    events: [{ type: 'message', data: 'x', lastEventId: '' }],
  },
];

describe('SseParser', () => {
  it.each(vectors)('reads $name', ({ stream, events }) => {
    expect(parse(stream)).toEqual(events);
  });

  it.each(vectors)('reads $name in single characters', ({ stream, events }) => {
    expect(parse(...stream)).toEqual(events);
  });

  it('reads the same events however the stream is cut', () => {
    const stream = vectors.map((vector) => vector.stream.replace('\ufeff', '')).join('');
    const whole = parse(stream);
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), stream.length];
        const chunks = places.slice(1).map((end, index) => stream.slice(places[index], end));
        expect(parse(...chunks)).toEqual(whole);
      }),
    );
  });

  it('keeps an event back until it is whole', () => {
    expect(parse('data: x\n')).toEqual([]);
  });

  it('refuses an event that never ends', () => {
    const parser = new SseParser();
    const line = `data: ${'x'.repeat(1 << 20)}\n`;
    expect(() => {
      for (let count = 0; count < 32; count++) parser.push(line);
    }).toThrow(RangeError);
  });
});

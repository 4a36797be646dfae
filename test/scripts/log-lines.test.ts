import { describe, expect, test } from 'vitest';
import { lineCutter, readable } from '../../scripts/log-lines.ts';

const time = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('a line of structured log', () => {
  test('shows time, part, message and the rest by name', () => {
    const line = JSON.stringify({
      level: 30,
      time,
      pid: 7,
      hostname: 'h',
      part: 'registration',
      endpoint: 'modem-1',
      lifetime: 60,
      msg: 'registered',
    });
    expect(readable(line)).toBe('03:04:05 registration: registered endpoint=modem-1 lifetime=60');
  });

  test('names a level that is not info', () => {
    expect(readable(JSON.stringify({ level: 40, time, msg: 'careful' }))).toBe('03:04:05 WARN careful');
  });

  test('may have its level and its time as text', () => {
    const line = { level: 'warn', time: '2026-01-02T03:04:05.678Z', msg: 'careful' };
    expect(readable(JSON.stringify(line))).toBe('03:04:05 WARN careful');
    expect(readable(JSON.stringify({ ...line, level: 'info' }))).toBe('03:04:05 careful');
  });

  test('shows the stack of an error', () => {
    const err = { type: 'Error', message: 'm', stack: 'Error: m\n    at x' };
    expect(readable(JSON.stringify({ level: 50, msg: 'm', err }))).toBe('ERROR m err=Error: m\n    at x');
  });

  test('quotes a text with a space', () => {
    expect(readable(JSON.stringify({ msg: 'm', carrier: 'AT&T US' }))).toBe('m carrier="AT&T US"');
  });
});

test.each(['plain words', '{ not json', '{"json":"but no log"}', '[1]', ''])('%j stays as it is', (line) => {
  expect(readable(line)).toBe(line);
});

describe('a stream', () => {
  function cut(...chunks: string[]): string[] {
    const lines: string[] = [];
    const cutter = lineCutter((line) => lines.push(line));
    for (const chunk of chunks) cutter.push(chunk);
    cutter.end();
    return lines;
  }

  test('is cut into lines wherever its chunks end', () => {
    expect(cut('a\nb', 'c\r\n', '\nd')).toEqual(['a', 'bc', '', 'd']);
  });

  test('without an end of line is cut after 64 KiB', () => {
    expect(cut('x'.repeat(150_000)).map((line) => line.length)).toEqual([65_536, 65_536, 18_928]);
  });
});

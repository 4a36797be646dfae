import { describe, expect, it } from 'vitest';
import { TextMemo } from '../../../protocol/lwm2m/text-memo.ts';

describe('TextMemo', () => {
  it('reads a text once', () => {
    const read: string[] = [];
    const memo = new TextMemo((text) => {
      read.push(text);
      return { text };
    });
    expect(memo.get('a')).toBe(memo.get('a'));
    expect(memo.get('b')).toEqual({ text: 'b' });
    expect(read).toEqual(['a', 'b']);
  });

  it('keeps what is asked for, and forgets what is not, however many come', () => {
    const read: string[] = [];
    const memo = new TextMemo((text) => {
      read.push(text);
      return { text };
    }, 4);
    for (let i = 0; i < 100; i++) {
      memo.get('often');
      memo.get(`once ${i}`);
    }
    expect(read.filter((text) => text === 'often')).toHaveLength(1);
    memo.get('once 0');
    expect(read.filter((text) => text === 'once 0')).toHaveLength(2);
  });

  it('does not keep what is long', () => {
    const memo = new TextMemo((text) => ({ text }));
    const long = 'x'.repeat(5_000);
    expect(memo.get(long)).not.toBe(memo.get(long));
  });

  it('throws what reading throws, each time', () => {
    const memo = new TextMemo((text) => {
      throw new RangeError(text);
    });
    expect(() => memo.get('a')).toThrow(RangeError);
    expect(() => memo.get('a')).toThrow(RangeError);
  });

  it('remembers few texts where they are long: whoever sends many of them does not fill the memory', () => {
    let reads = 0;
    const memo = new TextMemo((text) => {
      reads++;
      return { text };
    }, 256);
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(4_000, 'x'));
    for (const text of texts) memo.get(text);
    reads = 0;
    for (const text of texts.toReversed()) memo.get(text);
    expect(reads).toBeGreaterThan(130);
    reads = 0;
    for (const text of texts.slice(0, 20)) memo.get(text);
    expect(reads).toBe(0);
  });
});

import { describe, expect, test } from 'vitest';
import { RequestError } from '../../../protocol/errors.ts';
import { type CsvRecord, CsvRows } from '../../../server/enrolment/csv-rows.ts';

function read(text: string, size = text.length): readonly CsvRecord[] {
  const rows = new CsvRows();
  const found: CsvRecord[] = [];
  for (let from = 0; from < text.length; from += size)
    found.push(...rows.push(text.slice(from, from + size)));
  return [...found, ...rows.end()];
}

const cases: readonly (readonly [string, readonly CsvRecord[]])[] = [
  ['', []],
  ['a', [{ line: 1, fields: ['a'] }]],
  [
    'a,b\r\nc,d\r\n',
    [
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['c', 'd'] },
    ],
  ],
  [
    'a,\n,b\n,',
    [
      { line: 1, fields: ['a', ''] },
      { line: 2, fields: ['', 'b'] },
      { line: 3, fields: ['', ''] },
    ],
  ],
  [
    'a\rb\r\rc',
    [
      { line: 1, fields: ['a'] },
      { line: 2, fields: ['b'] },
      { line: 4, fields: ['c'] },
    ],
  ],
  ['\ufeffa;b,c', [{ line: 1, fields: ['a;b', 'c'] }]],
  [
    'a;b\n"c;d";e',
    [
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['c;d', 'e'] },
    ],
  ],
  ['a\tb', [{ line: 1, fields: ['a', 'b'] }]],
  ['"a ""b""",c', [{ line: 1, fields: ['a "b"', 'c'] }]],
  ['"",""', [{ line: 1, fields: ['', ''] }]],
  [
    '"a\r\nb\rc\n",d\ne',
    [
      { line: 1, fields: ['a\r\nb\rc\n', 'd'] },
      { line: 5, fields: ['e'] },
    ],
  ],
  ['\n \n,a\n\n', [{ line: 3, fields: ['', 'a'] }]],
  ['"a"b,c', [{ line: 1, fields: ['a', 'c'], problem: 'there is text behind a field in quotes' }]],
  [
    'a"b,c\nd',
    [
      { line: 1, fields: ['a"b', 'c'], problem: 'there is a quote in a field without quotes' },
      { line: 2, fields: ['d'] },
    ],
  ],
  [
    'a\n"b,c\nd',
    [
      { line: 1, fields: ['a'] },
      { line: 2, fields: ['b,c\nd'], problem: 'a quote is not closed' },
    ],
  ],
];

describe('rows of CSV', () => {
  test.each(cases)('%j', (text, records) => {
    expect(read(text)).toEqual(records);
  });

  test.each(cases)('%j is the same in parts, wherever they are cut', (text, records) => {
    for (const size of [1, 2, 3, 5]) expect(read(text, size)).toEqual(records);
  });

  test('a record without an end is refused, in one part and in many', () => {
    const endless = `a\n"${'x'.repeat(20_000)}`;
    expect(() => read(endless)).toThrow(RequestError);
    expect(() => read(endless, 100)).toThrow('line 2');
  });
});

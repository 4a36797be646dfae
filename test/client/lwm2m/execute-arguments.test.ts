import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeExecuteArguments } from '../../../client/lwm2m/execute-arguments.ts';
import { DecodeError } from '../../../protocol/errors.ts';

const decode = (text: string) => decodeExecuteArguments(new TextEncoder().encode(text));

describe('the arguments of an Execute', () => {
  it.each([
    ['', []],
    ['5', [[5, undefined]]],
    ["2='10.3'", [[2, '10.3']]],
    [
      "7,0='https://www.oma.org'",
      [
        [7, undefined],
        [0, 'https://www.oma.org'],
      ],
    ],
    [
      "0='1',1='1790000000000'",
      [
        [0, '1'],
        [1, '1790000000000'],
      ],
    ],
    [
      '0,1,2,3,4',
      [
        [0, undefined],
        [1, undefined],
        [2, undefined],
        [3, undefined],
        [4, undefined],
      ],
    ],
    ["1=''", [[1, '']]],
    ["1='a,b=c'", [[1, 'a,b=c']]],
  ] as const)('%s are read', (text, expected) => {
    expect([...decode(text)]).toEqual(expected);
  });

  it.each([
    'x',
    "10='1'",
    '0=1',
    "0='1",
    "0='1''",
    "0='1',",
    ',0',
    "0='1'1='2'",
    '0,0',
    "0='a b'",
    "0='\\'",
    "0='\"'",
    "0='é'",
  ])('that break the grammar are refused: %s', (text) => {
    expect(() => decode(text)).toThrow(DecodeError);
  });

  it('throw nothing but DecodeError whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          expect(decodeExecuteArguments(bytes).size).toBeLessThanOrEqual(10);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

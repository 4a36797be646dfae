import { describe, expect, test } from 'vitest';
import { chosenBy, decimal, given, oneOf, parseFlags, text, whole } from '../../bench/flags.ts';

const flags = {
  rounds: whole(5),
  seconds: decimal(2, { from: 0.1, to: 60 }),
  store: oneOf(['disk', 'memory'], 'disk'),
  only: text(''),
  rate: decimal(undefined),
  write: given,
};

describe('the command line of a bench script', () => {
  test('has its defaults, and what was given', () => {
    expect(parseFlags([], flags)).toEqual({
      ...{ rounds: 5, seconds: 2, store: 'disk', only: '', rate: undefined, write: false },
    });
    const args = ['--rounds', '3', '--seconds=0.5', '--store', 'memory', '--rate', '1e3', '--write'];
    expect(parseFlags(args, flags)).toMatchObject({
      ...{ rounds: 3, seconds: 0.5, store: 'memory', rate: 1_000, write: true },
    });
  });

  test.each([['--help'], ['-h']])('asks for help by %s', (flag) => {
    expect(parseFlags([flag], flags)).toBeUndefined();
  });

  test.each([
    [['--rounds', '0'], '--rounds takes a whole number from 1, not "0"'],
    [['--rounds', 'NaN'], '--rounds takes a whole number from 1, not "NaN"'],
    [['--rounds', '2x'], '--rounds takes a whole number from 1, not "2x"'],
    [['--rounds', '1.5'], '--rounds takes a whole number from 1, not "1.5"'],
    [['--rounds='], '--rounds takes a whole number from 1, not ""'],
    [['--seconds', '61'], '--seconds takes a number from 0.1 to 60, not "61"'],
    [['--seconds', 'Infinity'], '--seconds takes a number from 0.1 to 60, not "Infinity"'],
    [['--store', 'tape'], '--store knows disk, memory, not "tape"'],
    [['--turns', '3'], "Unknown option '--turns'"],
    [['more'], "Unexpected argument 'more'"],
    [['--rounds', '-1'], "use '--rounds=-XYZ'"],
  ])('%s is refused in one line', (args, message) => {
    expect(() => parseFlags(args, flags)).toThrow(RangeError);
    expect(() => parseFlags(args, flags)).toThrow(message);
    expect(() => parseFlags(args, flags)).toThrow(/^[^\n]+$/);
  });

  test('chooses by a part of the name, in any case, and names what there is where nothing fits', () => {
    const names = ['Leshan, in memory', 'Simyard, on disk'];
    expect(chosenBy('leshan', names, String)).toEqual(['Leshan, in memory']);
    expect(chosenBy('', names, String)).toEqual(names);
    expect(() => chosenBy('tape', names, String)).toThrow(
      '--only "tape" is in none of: Leshan, in memory; Simyard, on disk',
    );
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFileError } from '../../../../client/atomic-file.ts';
import { CardFaults, faultKinds, faultTargets } from '../../../../client/sim/virtual-card/card-faults.ts';
import {
  FaultFileFollower,
  faultFileOf,
  readFaultFile,
  writeFaultFile,
} from '../../../../client/sim/virtual-card/fault-file.ts';
import {
  formatFault,
  formatRandomFaults,
  parseFault,
  parseRandomFaults,
} from '../../../../client/sim/virtual-card/fault-text.ts';
import { RequestError } from '../../../../protocol/errors.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';

describe('a fault in words', () => {
  it.each([
    ['mute', { kind: 'mute' }],
    ['slow:delay=500,times=3', { kind: 'slow', delay: 500, times: 3 }],
    [
      'removed:on=switch,when=after,delay=2000',
      { kind: 'removed', on: 'switch', when: 'after', delay: 2000 },
    ],
  ])('%s', (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  it('reads as it is written', () => {
    const fault = fc.record(
      {
        kind: fc.constantFrom(...(Object.keys(faultKinds) as (keyof typeof faultKinds)[])),
        on: fc.constantFrom(...faultTargets),
        times: fc.integer({ min: 1, max: 999_999_999 }),
        when: fc.constantFrom('before' as const, 'after' as const),
        delay: fc.integer({ min: 0, max: 999_999_999 }),
      },
      { requiredKeys: ['kind'] },
    );
    fc.assert(
      fc.property(fault, (one) => {
        expect(parseFault(formatFault(one))).toEqual(one);
      }),
    );
    const random = {
      seed: 7,
      probability: 0.25,
      kinds: ['mute', 'removed'] as const,
      on: 'read' as const,
      delay: 5,
    };
    expect(parseRandomFaults(formatRandomFaults(random))).toEqual(random);
    expect(parseRandomFaults('random')).toEqual({ seed: 1, probability: 0.01 });
  });

  it.each([
    ['nonsense', 'no fault nonsense: busy, policy'],
    ['mute:on=never', 'on is one of any, switch, read, toolkit'],
    ['mute:times=0', 'times is a whole number from 1'],
    ['mute:times=1.5', 'times is a whole number'],
    ['slow:delay=-1', 'delay is a whole number from 0'],
    ['removed:when=later', 'when is before or after'],
    ['mute:loud=yes', 'on, times, when, delay can be given'],
    ['mute:times', 'can be given'],
    ['toString', 'no fault toString'],
  ])('%s is refused, and says why', (text, said) => {
    expect(() => parseFault(text)).toThrow(RequestError);
    expect(() => parseFault(text)).toThrow(said);
  });

  it.each(['random:probability=2', 'random:kinds=x', 'random:seed=a', 'mute', 'random:on=x'])(
    'by chance, %s is refused',
    (text) => expect(() => parseRandomFaults(text)).toThrow(RequestError),
  );

  it('of any other text is refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseFault(formatFault(parseFault(text)))).toEqual(parseFault(text));
        } catch (error) {
          expect(error).toBeInstanceOf(RequestError);
        }
      }),
    );
  });
});

describe('the fault file beside a card', () => {
  let folder: string;
  let card: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-faults-'));
    card = join(folder, 'card.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('says what was written, and is gone with the last fault', () => {
    expect(readFaultFile(card)).toEqual({ faults: [], random: undefined });
    const set = {
      faults: [{ kind: 'busy' }, { kind: 'slow', delay: 5 }],
      random: { seed: 1, probability: 0.5 },
    } as const;
    writeFaultFile(card, set);
    expect(readFaultFile(card)).toEqual(set);
    writeFaultFile(card, { faults: [], random: undefined });
    writeFaultFile(card, { faults: [], random: undefined });
    expect(readFaultFile(card)).toEqual({ faults: [], random: undefined });
  });

  it.each([
    '',
    '[]',
    '{"faults":1}',
    '{"faults":[1]}',
    '{"faults":["nonsense"]}',
    '{"faults":["random:seed=x"]}',
  ])('that is none (%s) is refused by whoever writes, and changes nothing for a card that runs', (text) => {
    const clock = new FakeClock();
    const faults = new CardFaults();
    const log: string[] = [];
    const end = new FaultFileFollower(card, clock, (line) => log.push(line)).follow(faults);
    faults.set({ kind: 'mute' });
    writeFileSync(faultFileOf(card), text);
    clock.advance(1_000);
    expect(log).toEqual([expect.stringContaining('is no list of card faults')]);
    expect(faults.list()).toEqual([{ kind: 'mute' }]);
    expect(() => readFaultFile(card)).toThrow(StateFileError);
    end();
  });

  it('is followed by a card that runs, from its start to its end', () => {
    const clock = new FakeClock();
    const faults = new CardFaults();
    writeFaultFile(card, { faults: [{ kind: 'busy' }], random: undefined });
    const end = new FaultFileFollower(card, clock, () => {}).follow(faults);
    expect(faults.list()).toEqual([{ kind: 'busy' }]);
    writeFaultFile(card, { faults: [{ kind: 'absent' }], random: { seed: 1, probability: 0 } });
    clock.advance(100);
    expect([faults.absent, faults.refuse, faults.random?.seed]).toEqual([true, undefined, 1]);
    writeFaultFile(card, { faults: [], random: undefined });
    clock.advance(100);
    expect([faults.list(), faults.random]).toEqual([[], undefined]);
    end();
    expect(clock.pending).toBe(0);
    writeFaultFile(card, { faults: [{ kind: 'busy' }], random: undefined });
    clock.advance(1_000);
    expect(faults.list()).toEqual([]);
  });
});

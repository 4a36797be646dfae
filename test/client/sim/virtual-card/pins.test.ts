import { beforeEach, describe, expect, it } from 'vitest';
import { type CardMemory, volatileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { talk } from '../../../support/sim/talk.ts';

/** 4 to 8 digits as a PIN command carries them. */
const pin = (digits: string): string => Buffer.from(digits).toString('hex').padEnd(16, 'F').toUpperCase();
const verify = (digits: string, key = '01'): string => `002000${key}08${pin(digits)}`;
const enable = (digits: string): string => `0028000108${pin(digits)}`;
const disable = (digits: string): string => `0026000108${pin(digits)}`;
const change = (from: string, to: string, key = '01'): string => `002400${key}10${pin(from)}${pin(to)}`;
const unblock = (puk: string, to: string): string => `002C000110${pin(puk)}${pin(to)}`;
const readImsi = ['00A4040C07A0000000871002', '00A4000C026F07', '00B0000009'];

let card: VirtualCard;
let memory: CardMemory;
beforeEach(() => {
  memory = volatileCardMemory();
  card = new VirtualCard({ serial: 1, memory });
});

async function imsi(): Promise<string | undefined> {
  return (await talk(card, ...readImsi))[2];
}

describe('PIN1', () => {
  it('is disabled on a new card: files are read without it', async () => {
    expect(await imsi()).toMatch(/^08.{16}9000$/);
    expect(await talk(card, verify('0000'))).toEqual(['6984']);
    expect(await talk(card, '00200001')).toEqual(['63C3']);
  });

  it('once enabled guards the files from the next power-up on, until it is verified', async () => {
    expect(await talk(card, enable('0000'))).toEqual(['9000']);
    expect(await imsi()).toMatch(/9000$/);
    await card.reset();
    expect(await imsi()).toBe('6982');
    expect(await talk(card, '00A4000C022FE2')).toEqual(['6A82']);
    expect(await talk(card, '00A4080C022FE2', '00B000000A')).toEqual([
      '9000',
      expect.stringMatching(/9000$/),
    ]);
    expect(await talk(card, verify('0000'))).toEqual(['9000']);
    expect(await imsi()).toMatch(/9000$/);
    expect(await talk(card, disable('0000'))).toEqual(['9000']);
    await card.reset();
    expect(await imsi()).toMatch(/9000$/);
  });

  it('counts wrong attempts down, through a reset and a new process, and starts anew after a right one', async () => {
    await talk(card, enable('0000'));
    expect(await talk(card, verify('1111'), verify('1111'))).toEqual(['63C2', '63C1']);
    await card.reset();
    expect(await talk(card, '00200001')).toEqual(['63C1']);
    card = new VirtualCard({ serial: 1, memory });
    expect(await talk(card, '00200001')).toEqual(['63C1']);
    expect(await talk(card, verify('0000'), '00200001')).toEqual(['9000', '63C3']);
  });

  it('is blocked after three, and a right one comes too late', async () => {
    await talk(card, enable('0000'));
    expect(await talk(card, verify('1'.repeat(4)), verify('11111111'), verify('9999'))).toEqual([
      '63C2',
      '63C1',
      '63C0',
    ]);
    expect(await talk(card, verify('0000'), change('0000', '1234'), disable('0000'))).toEqual([
      '6983',
      '6983',
      '6983',
    ]);
    expect(await imsi()).toBe('6982');
  });

  it('is unblocked by the PUK, with a new value', async () => {
    await talk(card, enable('0000'), verify('1111'), verify('1111'), verify('1111'));
    expect(await talk(card, '002C0001', unblock('12345678', '4711'))).toEqual(['63CA', '63C9']);
    expect(await talk(card, unblock('00000000', '4711'))).toEqual(['9000']);
    expect(await imsi()).toMatch(/9000$/);
    await card.reset();
    expect(await talk(card, '002C0001', verify('4711'))).toEqual(['63CA', '9000']);
  });

  it('is lost with ten wrong PUKs', async () => {
    await talk(card, enable('0000'));
    const answers = await talk(card, ...Array.from({ length: 10 }, () => unblock('12345678', '1111')));
    expect(answers.at(-1)).toBe('63C0');
    expect(await talk(card, unblock('00000000', '1111'))).toEqual(['6983']);
  });

  it('is changed only by who knows it', async () => {
    await talk(card, enable('0000'));
    expect(await talk(card, change('1111', '2222'), change('0000', '2222'))).toEqual(['63C2', '9000']);
    await card.reset();
    expect(await talk(card, verify('0000'), verify('2222'))).toEqual(['63C2', '9000']);
  });

  it('that was verified is forgotten when another profile is enabled', async () => {
    await talk(card, enable('0000'), '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    const iccid = card.profiles[1]?.iccid ?? '';
    const swapped = `${iccid}F`.replace(/(.)(.)/g, '$2$1');
    await talk(card, `81E2910014BF3111A00C5A0A${swapped}810100`);
    expect(card.enabledProfile?.iccid).toBe(iccid);
    expect(await imsi()).toMatch(/9000$/);
    const back = `${card.profiles[0]?.iccid}F`.replace(/(.)(.)/g, '$2$1');
    await talk(card, `81E2910014BF3111A00C5A0A${back}810100`);
    expect(await imsi()).toBe('6982');
  });

  it.each([
    ['a PIN of three digits', `0024000110${pin('0000')}${pin('123')}`, '6A80'],
    ['a PIN with letters', `0024000110${pin('0000')}41424344FFFFFFFF`, '6A80'],
    ['a PIN with digits after its end', `0024000110${pin('0000')}30303030FF303030`, '6A80'],
    ['seven bytes', '002000010730303030FFFFFF', '6700'],
    ['P1 that is not 0', `0020010108${pin('0000')}`, '6A86'],
    ['a key that is not there', `0020000208${pin('0000')}`, '6A88'],
    ['changing the administrator’s', `0024000A10${pin('0000')}${pin('1111')}`, '6A88'],
  ])('refuses %s', async (_, apdu, sw) => {
    await talk(card, enable('0000'));
    expect(await talk(card, apdu)).toEqual([sw]);
  });
});

describe('the other keys', () => {
  it('PIN2 cannot be disabled, and guards EF_EST', async () => {
    expect(await talk(card, '00A4040C07A0000000871002', '00A4000C026F56', '00D600000101')).toEqual([
      '9000',
      '9000',
      '6982',
    ]);
    expect(await talk(card, `0026008108${pin('0000')}`, verify('0000', '81'), '00D600000101')).toEqual([
      '6A81',
      '9000',
      '9000',
    ]);
    expect(await talk(card, '00B0000001')).toEqual(['019000']);
  });

  it('the administrator’s code lets IMSI and SPN be written, and nothing lets the ICCID be', async () => {
    const write = '00D6000009082901010000000000';
    expect(await talk(card, '00A4040C07A0000000871002', '00A4000C026F07', write)).toEqual([
      '9000',
      '9000',
      '6982',
    ]);
    expect(await talk(card, verify('11111111', '0A'), verify('00000000', '0A'), write)).toEqual([
      '6982',
      '9000',
      '9000',
    ]);
    expect(await talk(card, '00B0000009')).toEqual(['0829010100000000009000']);
    expect(await talk(card, '00A4080C022FE2', '00D600000A98000000000000000000')).toEqual(['9000', '6982']);
  });
});

describe('the fault that the PIN is blocked', () => {
  it('shuts the files and the PIN, from when it is set until the PIN is unblocked or the fault cleared', async () => {
    card.faults.set({ kind: 'pin-blocked' });
    expect(await imsi()).toBe('6982');
    expect(await talk(card, verify('0000'), '00200001')).toEqual(['6983', '63C0']);
    card.faults.clear('pin-blocked');
    expect(await imsi()).toMatch(/9000$/);
    card.faults.set({ kind: 'pin-blocked' });
    expect(await talk(card, unblock('00000000', '0000'))).toEqual(['9000']);
    expect(await imsi()).toMatch(/9000$/);
    expect(card.faults.list()).toEqual([]);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import type { CardApplication, CardServices } from '../../../../client/sim/virtual-card/card-application.ts';
import { maxProactiveBytes } from '../../../../client/sim/virtual-card/card-application.ts';
import { newCardContents } from '../../../../client/sim/virtual-card/card-contents.ts';
import { volatileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { openVirtualCard } from '../../../../client/sim/virtual-card/open-virtual-card.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { DecodeError, RequestError } from '../../../../protocol/errors.ts';
import { ask, talk } from '../../../support/sim/talk.ts';

const aid = 'F053494D594152440101';
const provideTime = 'D009810301260382028182';
const moreTime = 'D009810302260382028182';
const response = (number: string, result = '00'): string =>
  `801400000C810301260382028281830100`.replace('8103012603', `8103${number}2603`).slice(0, -2) + result;

/** An application that writes down what it is told. */
class Recorder implements CardApplication {
  readonly aid: Uint8Array;
  readonly told: string[] = [];
  card!: CardServices;

  constructor(name = aid) {
    this.aid = fromHex(name);
  }

  onInstall(card: CardServices): void {
    this.card = card;
  }

  onReset(): void {
    this.told.push('reset');
  }

  onTerminalProfile(profile: Uint8Array): void {
    this.told.push(`profile ${toHex(profile)}`);
  }

  onStatus(): void {
    this.told.push('status');
  }

  onEnvelope(envelope: Uint8Array): Uint8Array | undefined {
    this.told.push(`envelope ${toHex(envelope)}`);
    if (envelope[0] === 0xd1) throw new DecodeError('no event download');
    return envelope[0] === 0xd6 ? undefined : fromHex('0102');
  }

  onTerminalResponse(command: Uint8Array, answer: Uint8Array): void {
    this.told.push(`response ${toHex(command)} ${toHex(answer)}`);
  }

  process = (command: { readonly ins: number }): { data: Uint8Array; sw: number; announce?: boolean } => {
    if (command.ins === 0x10) return { data: fromHex('AA'), sw: 0x9000 };
    if (command.ins === 0x12) return { data: fromHex('BBCC'), sw: 0x9000, announce: true };
    if (command.ins === 0x14) return { data: new Uint8Array(600).fill(7), sw: 0x9000 };
    return { data: new Uint8Array(0), sw: 0x6985 };
  };

  processUnselected = (command: { readonly cla: number; readonly ins: number }) =>
    command.cla === 0 && command.ins === 0xf3 ? { data: fromHex('D00E'), sw: 0x9000 } : undefined;
}

let card: VirtualCard;
let application: Recorder;
beforeEach(() => {
  application = new Recorder();
  card = new VirtualCard({ serial: 1, kind: 'applet', applications: [application] });
  application.told.length = 0;
});

describe('proactive commands', () => {
  it('are announced by any command that is answered with 9000, and fetched one after the other', async () => {
    application.card.queueProactive(fromHex(provideTime));
    application.card.queueProactive(fromHex(moreTime));
    expect(application.card.proactivePending).toBe(2);
    expect(await talk(card, '00A4000C022FE2', '00A4000C026F99', '00B000000A', '80F2000C')).toEqual([
      '910B',
      '6A82',
      expect.stringMatching(/910B$/),
      '910B',
    ]);
    expect(await talk(card, '8012000000', '801200000B', '00A4000C022FE2', '801200000B')).toEqual([
      '6C0B',
      `${provideTime}9000`,
      '9000',
      '6985',
    ]);
    expect(await talk(card, response('01'), '801200000B', response('02', '20'), '801200000B')).toEqual([
      '910B',
      `${moreTime}9000`,
      '9000',
      '6985',
    ]);
    expect(application.told).toEqual([
      'status',
      `response ${provideTime} 810301260382028281830100`,
      `response ${moreTime} 810302260382028281830120`,
    ]);
    expect(application.card.proactivePending).toBe(0);
  });

  it('are answered only by a response with their details', async () => {
    application.card.queueProactive(fromHex(provideTime));
    expect(
      await talk(
        card,
        response('01'),
        '801200000B',
        response('02'),
        '80140000',
        response('01'),
        response('01'),
      ),
    ).toEqual(['6985', `${provideTime}9000`, '6A80', '6A80', '9000', '6985']);
  });

  it('are forgotten with a reset, as the one that was being performed', async () => {
    application.card.queueProactive(fromHex(provideTime));
    application.card.queueProactive(fromHex(moreTime));
    await talk(card, '801200000B');
    await card.reset();
    expect(application.told).toEqual(['reset']);
    expect(await talk(card, '00A4000C022FE2', response('01'))).toEqual(['9000', '6985']);
  });

  it('queued by the handler of a response are announced by that very response', async () => {
    application.card.queueProactive(fromHex(provideTime));
    application.onTerminalResponse = () => application.card.queueProactive(fromHex(moreTime));
    expect(await talk(card, '801200000B', response('01'), '801200000B')).toEqual([
      `${provideTime}9000`,
      '910B',
      `${moreTime}9000`,
    ]);
  });

  it('with a REFRESH that resets refuse everything else until the reset, where it was performed', async () => {
    application.card.queueProactive(fromHex('D009810301010482028182'));
    await talk(card, '801200000B');
    expect(await talk(card, '00A4000C022FE2', '00F3000000')).toEqual(['6985', '6985']);
    expect(await talk(card, '801400000C810301010482028281830100', '00A4000C022FE2')).toEqual([
      '9000',
      '6985',
    ]);
    await card.reset();
    application.card.queueProactive(fromHex('D0108103010101820281829205013F002FE2'));
    expect(await talk(card, '8012000012', '00A4080C022FE2')).toEqual([
      'D0108103010101820281829205013F002FE29000',
      '9000',
    ]);
  });

  it.each([
    ['nothing', ''],
    ['no D0', 'D609810301260382028182'],
    ['no details', 'D00482028182'],
    ['details of two bytes', 'D0088102012682028182'],
    ['two objects', `${provideTime}${provideTime}`],
    ['half of one', provideTime.slice(0, -2)],
    ['one that is too long', `D081FE8103012603${'00'.repeat(249)}`],
  ])('that are %s are a bug of the application', (_, hex) => {
    expect(() => application.card.queueProactive(fromHex(hex))).toThrow(RequestError);
  });

  it('are not taken without end, and may have all the bytes of a response', async () => {
    for (let i = 0; i < 16; i++) application.card.queueProactive(fromHex(provideTime));
    expect(() => application.card.queueProactive(fromHex(provideTime))).toThrow('16 proactive commands wait');
    await card.reset();
    const longest = `D081FA810301430182028121B681EE${'00'.repeat(238)}`;
    expect(longest.length / 2).toBe(maxProactiveBytes);
    application.card.queueProactive(fromHex(longest));
    expect(await talk(card, '80F2000C', '80120000FD')).toEqual(['91FD', `${longest}9000`]);
  });

  it('survive any terminal response', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (data) => {
        const victim = new Recorder();
        const of = new VirtualCard({ serial: 1, applications: [victim] });
        victim.card.queueProactive(fromHex(provideTime));
        await talk(of, '801200000B');
        const answer = toHex(await of.transmit(Uint8Array.of(0x80, 0x14, 0, 0, data.length, ...data)));
        expect(['9000', '6A80']).toContain(answer);
        expect(victim.told.length).toBe(answer === '9000' ? 2 : 1);
      }),
    );
  });
});

describe('what an application is told', () => {
  it('is the terminal’s profile, its polls and its envelopes, to which it may answer', async () => {
    expect(await talk(card, '8010000002FFFF', '80F2000C', '80C2000004D6020102')).toEqual([
      '9000',
      '9000',
      '9000',
    ]);
    expect(await ask(card, '80C2000002D400')).toBe('01029000');
    expect(await ask(card, '80C2000002D100')).toBe('6A80');
    expect(application.told).toEqual([
      'profile FFFF',
      'status',
      'envelope D6020102',
      'envelope D400',
      'envelope D100',
    ]);
  });

  it('is no envelope while a proactive session is under way: 9300', async () => {
    application.card.queueProactive(fromHex(provideTime));
    expect(await talk(card, '801200000B', '80C2000002D600', response('01'), '80C2000002D600')).toEqual([
      `${provideTime}9000`,
      '9300',
      '9000',
      '9000',
    ]);
    expect(application.told.filter((line) => line.startsWith('envelope'))).toEqual(['envelope D600']);
  });

  it('is what comes on a channel where it is selected, and instructions of its own on any', async () => {
    expect(await talk(card, '0070000001', `01A404000A${aid}`, '01C000000E')).toEqual([
      '019000',
      '6110',
      '6F0E840AF053494D5941524401016102',
    ]);
    expect(await talk(card, '0110000000', '0112000000', '01C0000002', '0199000000')).toEqual([
      'AA9000',
      '6102',
      'BBCC9000',
      '6985',
    ]);
    expect(await ask(card, '0114000000')).toBe(`${'07'.repeat(600)}9000`);
    expect(await talk(card, '00F3000000', '00F1000000')).toEqual(['D00E9000', '6D00']);
    expect(await talk(card, '01A4040C10A0000005591010FFFFFFFF8900000100')).toEqual(['6A82']);
  });
});

describe('what an application keeps', () => {
  it('is its own, in the card’s memory', async () => {
    const memory = volatileCardMemory();
    const [first, second] = [new Recorder(), new Recorder('F000000001')];
    new VirtualCard({ serial: 1, memory, applications: [first, second] });
    expect(first.card.read()).toBeUndefined();
    first.card.write({ carrier: 2, done: [1, 2] });
    second.card.write('x');
    const [again, other] = [new Recorder(), new Recorder('F000000001')];
    new VirtualCard({ serial: 1, memory, applications: [again, other] });
    expect([again.card.read(), other.card.read()]).toEqual([{ carrier: 2, done: [1, 2] }, 'x']);
  });

  it('is in the card’s file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-application-'));
    try {
      const file = join(folder, 'card.json');
      const first = new Recorder();
      const kept = openVirtualCard(file, { kind: 'applet', applications: [first] });
      first.card.write({ carrier: 1 });
      await kept.close();
      const again = new Recorder();
      const next = openVirtualCard(file, { applications: [again] });
      expect([next.kind, again.card.read()]).toEqual(['applet', { carrier: 1 }]);
      await next.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('an application that switches the profile', () => {
  it('changes what the files say at once, and in the card’s memory', async () => {
    const [, tmobile] = application.card.profiles;
    expect(application.card.switchProfile(tmobile?.iccid)).toBe(0);
    expect(application.card.enabledProfile?.name).toBe('T-Mobile');
    expect(card.contents.enabled).toBe(tmobile?.iccid);
    expect(application.card.switchProfile(undefined)).toBe(0);
    expect(await talk(card, '00A4080C022FE2')).toEqual(['6A82']);
    expect(application.card.switchProfile(undefined)).toBe(1);
    expect(application.card.switchProfile(tmobile?.iccid)).toBe(0);
  });

  it('gets the card’s no: not found, not disabled, a policy, a fault', () => {
    const [att, tmobile] = application.card.profiles;
    expect(application.card.switchProfile('8901999999999999999')).toBe(1);
    expect(application.card.switchProfile(att?.iccid)).toBe(2);
    card.faults.refuse = 'busy';
    expect(application.card.switchProfile(tmobile?.iccid)).toBe(5);
    card.faults.refuse = undefined;
    const memory = volatileCardMemory();
    const made = newCardContents(1, 0, 'applet');
    const [first, ...rest] = made.profiles;
    if (first === undefined) throw new Error('a profile');
    memory.write({ ...made, profiles: [{ ...first, policyRules: ['disable-not-allowed'] }, ...rest] });
    const bound = new Recorder();
    new VirtualCard({ serial: 1, memory, applications: [bound] });
    expect([bound.card.switchProfile(tmobile?.iccid), bound.card.switchProfile(undefined)]).toEqual([3, 3]);
  });
});

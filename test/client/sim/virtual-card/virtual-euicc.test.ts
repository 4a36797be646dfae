import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeTlvs, encodeTlv, findTlv } from '../../../../client/sim/ber-tlv.ts';
import { encodeIccid } from '../../../../client/sim/files.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { newCardContents, type StoredProfile } from '../../../../client/sim/virtual-card/card-contents.ts';
import { volatileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { ask, talk } from '../../../support/sim/talk.ts';

/** A card with changes to its profiles, by place; its ISD-R is selected on channel 1. */
async function cardWith(...changes: readonly Partial<StoredProfile>[]): Promise<VirtualCard> {
  const memory = volatileCardMemory();
  const made = newCardContents(123456789, 0);
  memory.write({ ...made, profiles: made.profiles.map((profile, i) => ({ ...profile, ...changes[i] })) });
  const card = new VirtualCard({ serial: 1, memory });
  await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
  return card;
}

let card: VirtualCard;
beforeEach(async () => {
  card = await cardWith();
});

/** One request by STORE DATA, and its whole answer without the status word. */
async function request(hex: string, of = card): Promise<string> {
  const answer = await ask(of, `81E29100${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`);
  expect(answer).toMatch(/(9000|91..)$/);
  return answer.slice(0, -4);
}

const iccid = (place: number, of = card): string => toHex(encodeIccid(of.profiles[place]?.iccid ?? ''));
const tlv = (tag: number, hex: string): string => toHex(encodeTlv(tag, fromHex(hex)));
const enable = (place: number, refresh = 'FF'): string =>
  tlv(0xbf31, `A00C5A0A${iccid(place)}8101${refresh}`);
const disable = (place: number, refresh = 'FF'): string =>
  tlv(0xbf32, `A00C5A0A${iccid(place)}8101${refresh}`);
const remove = (place: number): string => `BF330C5A0A${iccid(place)}`;

describe('the bytes of a real LPA', () => {
  it('are answered: terminal capability, channel, ISD-R, list', async () => {
    const fresh = new VirtualCard({ serial: 123456789 });
    expect(
      await talk(
        fresh,
        '80AA00000AA9088100820101830107',
        '0070000001',
        '01A4040010A0000005591010FFFFFFFF8900000100',
        '81C0000016',
        '81E2910003BF2D00',
      ),
    ).toEqual(['9000', '019000', '6116', `6F148410A0000005591010FFFFFFFF8900000100A5009000`, '61AE']);
    const list = await talk(fresh, '81C00000AE');
    expect(list).toEqual([expect.stringMatching(/^BF2D81AAA081A7E3.*9000$/)]);
    expect(await talk(fresh, '00708001')).toEqual(['9000']);
  });

  it('enable a profile with refresh, and without', async () => {
    expect(await talk(card, `81E2910014${enable(1)}`, '81C0000006', '801200000B')).toEqual([
      '6106',
      'BF3103800100910B',
      'D0098103010104820281829000',
    ]);
    expect(await talk(card, '801400000C810301010482028281830100')).toEqual(['9000']);
    expect(card.enabledProfile?.name).toBe('T-Mobile');
    const other = await cardWith();
    expect(await request(enable(1, '00'), other)).toBe('BF3103800100');
    expect(other.enabledProfile?.name).toBe('T-Mobile');
    expect(await talk(other, '00A4080C022FE2', '00B000000A')).toEqual(['9000', `${iccid(1)}9000`]);
  });

  it('enable by AID, in segments of 120 bytes, with the outer tag echoed', async () => {
    const aid = toHex(card.profiles[2]?.aid ?? new Uint8Array(0));
    expect(await request(tlv(0xbf31, `A0124F10${aid}810100`))).toBe('BF3103800100');
    expect(card.enabledProfile?.name).toBe('Verizon');
    const name = 'x'.repeat(64);
    const whole = tlv(0xbf29, `5A0A${iccid(0)}9040${Buffer.from(name).toString('hex')}`);
    expect(
      await talk(
        card,
        `81E2110028${whole.slice(0, 80)}`,
        `81E29101${(whole.length / 2 - 40).toString(16)}${whole.slice(80)}`,
        '81C0000006',
      ),
    ).toEqual(['9000', '6106', 'BF29038001009000']);
    expect(card.profiles[0]?.nickname).toBe(name);
  });

  it('nickname, EID and chip information', async () => {
    expect(
      await request(`BF29195A0A${iccid(1)}900B${Buffer.from('Büro Fürth').toString('hex').slice(0, 22)}`),
    ).toBe('BF2903800100');
    expect(await request('BF3E035C015A')).toBe(`BF3E125A10${card.eid}`);
    expect(BigInt(card.eid) % 97n).toBe(1n);
    expect(await request('BF4300')).toBe('BF4302A000');
    expect(await request('BF2800')).toBe('BF2802A000');
    const info = fromHex(await request('BF2200'));
    const fields = decodeTlvs(findTlv(info, 0xbf22) ?? new Uint8Array(0)).map(({ tag }) => tag);
    expect(fields).toEqual([0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0xa9, 0xaa, 0x8b, 0x04, 0x0c]);
    expect(decodeTlvs(findTlv(info, 0xbf22, 0x84) ?? new Uint8Array(0)).map(({ tag }) => tag)).toEqual([
      0x81, 0x82, 0x83,
    ]);
    expect(findTlv(info, 0xbf22, 0xa9, 0x04)).toHaveLength(20);
    expect(findTlv(fromHex(await request('BF2000')), 0xbf20, 0x82)).toEqual(fromHex('020202'));
    expect(findTlv(fromHex(await request('BF3C00')), 0xbf3c, 0x80)).toBeUndefined();
    expect(findTlv(fromHex(await request('BF2E00')), 0xbf2e, 0x80)).toHaveLength(16);
  });
});

describe('the list of profiles', () => {
  it('has what its tag list asks for, and no more', async () => {
    expect(await request('BF2D045C025A95')).toBe(
      tlv(0xbf2d, tlv(0xa0, [0, 1, 2].map((place) => tlv(0xe3, `5A0A${iccid(place)}950102`)).join(''))),
    );
    expect(await request('BF2D055C039F7091')).toBe(
      tlv(
        0xbf2d,
        tlv(
          0xa0,
          ['01', '00', '00']
            .map((state, i) =>
              tlv(
                0xe3,
                `9F7001${state}${tlv(0x91, Buffer.from(card.profiles[i]?.name ?? '').toString('hex'))}`,
              ),
            )
            .join(''),
        ),
      ),
    );
  });

  it('can be asked for one profile by ICCID or AID, and for a class', async () => {
    const aid = toHex(card.profiles[1]?.aid ?? new Uint8Array(0));
    const one = tlv(0xbf2d, tlv(0xa0, tlv(0xe3, `5A0A${iccid(1)}`)));
    expect(await request(tlv(0xbf2d, `A00C5A0A${iccid(1)}5C015A`))).toBe(one);
    expect(await request(tlv(0xbf2d, `A0124F10${aid}5C015A`))).toBe(one);
    expect(await request(tlv(0xbf2d, 'A0039501005C015A'))).toBe('BF2D02A000');
    expect(await request(tlv(0xbf2d, 'A0035001005C015A'))).toBe('BF2D03810101');
  });

  it('tells nicknames, owners and policy rules', async () => {
    card = await cardWith(
      { policyRules: ['disable-not-allowed'] },
      { nickname: 'Büro', policyRules: ['disable-not-allowed', 'delete-not-allowed'] },
      { policyRules: ['delete-not-allowed'] },
    );
    const list = findTlv(fromHex(await request('BF2D055C039099B7')), 0xbf2d, 0xa0);
    expect(decodeTlvs(list ?? new Uint8Array(0)).map(({ value }) => toHex(value))).toEqual(
      ['99020640B7058003130014', '900542C3BC726F99020560B7058003130062', '99020520B7058003130184'].map(
        (hex) => hex.replace('130062', '130062'),
      ),
    );
  });

  it('longer than one response comes in pieces', async () => {
    card = await cardWith(...[0, 1, 2].map((i) => ({ nickname: `${i}`.repeat(64) })));
    const [first = ''] = await talk(card, '81E2910003BF2D00');
    expect(first).toBe('61FD');
    const list = await request('BF2D00');
    expect(list).toMatch(/^BF2D82/);
    expect(list.length / 2).toBeGreaterThan(256);
    await talk(card, '81E2910003BF2D00');
    const [piece = ''] = await talk(card, '81C0000010');
    expect([piece.slice(0, 32), piece.slice(32)]).toEqual([list.slice(0, 32), '61FD']);
    expect(await talk(card, '81C0000000')).toEqual(['6CFD']);
  });
});

describe('results that are a no', () => {
  it('of enable: not found, not disabled, a policy that keeps the old one', async () => {
    expect(await request(`BF3111A00C5A0A${'98'.repeat(10)}8101FF`)).toBe('BF3103800101');
    expect(await request(enable(0))).toBe('BF3103800102');
    expect(await request('BF3103810100')).toBe('BF3103800101');
    card = await cardWith({ policyRules: ['disable-not-allowed'] });
    expect(await request(enable(1))).toBe('BF3103800103');
    expect(await request(disable(0))).toBe('BF3203800103');
    expect(card.enabledProfile?.name).toBe('AT&T');
  });

  it('of disable: not found, not enabled', async () => {
    expect(await request(`BF3211A00C5A0A${'98'.repeat(10)}8101FF`)).toBe('BF3203800101');
    expect(await request(disable(1))).toBe('BF3203800102');
    expect(await request(disable(0, '00'))).toBe('BF3203800100');
    expect(card.enabledProfile).toBeUndefined();
  });

  it('of any change while another one waits for its REFRESH: busy', async () => {
    await request(enable(1));
    expect(await request(enable(2))).toBe('BF3103800105');
    expect(await request(enable(2, '00'))).toBe('BF3103800105');
    expect(await request(disable(0))).toBe('BF3203800105');
    expect(await request(remove(1))).toBe('BF330380017F');
    expect(await request('BF340482020780')).toBe('BF3403800105');
    await card.reset();
    expect(card.enabledProfile?.name).toBe('T-Mobile');
  });

  it('of enable with refresh while a proactive session is under way: busy', async () => {
    card.install({
      aid: fromHex('A000000099'),
      onInstall: (services) => services.queueProactive(fromHex('D009810301260382028182')),
    });
    expect(await talk(card, '801200000B')).toEqual(['D0098103012603820281829000']);
    expect(await request(enable(1))).toBe('BF3103800105');
    expect(await request(enable(1, '00'))).toBe('BF3103800100');
    expect(await talk(card, '801400000C810301260382028281830130')).toEqual(['9000']);
    expect(await request(enable(2))).toBe('BF3103800100');
  });

  it('of delete: not found, not disabled, a policy; a deleted one is gone for good', async () => {
    card = await cardWith({}, { policyRules: ['delete-not-allowed'] });
    expect(await request(`BF330C5A0A${'98'.repeat(10)}`)).toBe('BF3303800101');
    expect(await request(remove(0))).toBe('BF3303800102');
    expect(await request(remove(1))).toBe('BF3303800103');
    expect(await request(remove(2))).toBe('BF3303800100');
    expect(card.profiles.map(({ name }) => name)).toEqual(['AT&T', 'T-Mobile']);
    await card.reset();
    expect(card.profiles).toHaveLength(2);
  });

  it('of nickname: not found, too long, no UTF-8; an empty one removes it', async () => {
    expect(await request(`BF290F5A0A${'98'.repeat(10)}900141`)).toBe('BF2903800101');
    expect(await request(tlv(0xbf29, `5A0A${iccid(0)}9041${'41'.repeat(65)}`))).toBe('BF290380017F');
    expect(await ask(card, `81E2910011BF290E5A0A${iccid(0)}9000`)).toBe('BF29038001009000');
    expect(await ask(card, `81E2910012BF290F5A0A${iccid(0)}9001FF`)).toBe('6A88');
    expect(card.profiles[0]?.nickname).toBe('');
  });

  it('of what the ISD-R does not know, or what is no object, is a status word', async () => {
    expect(await ask(card, '81E2910003BF7F00')).toBe('6A88');
    expect(await ask(card, '81E2910003BF2D05')).toBe('6A88');
    expect(await ask(card, '81E2910006BF2D00BF2D00')).toBe('6A88');
    expect(await ask(card, '81E2910005BF2D025C9F')).toBe('6A88');
  });
});

describe('a memory reset', () => {
  it('deletes the operational profiles, the enabled one with a REFRESH', async () => {
    card = await cardWith({ policyRules: ['delete-not-allowed'] }, { profileClass: 0 });
    expect(await ask(card, '81E2910007BF340482020780')).toBe('BF3403800100910B');
    expect(card.profiles).toHaveLength(3);
    expect(await talk(card, '801200000B', '801400000C810301010482028281830100')).toEqual([
      'D0098103010104820281829000',
      '9000',
    ]);
    await card.reset();
    expect(card.profiles.map(({ name }) => name)).toEqual(['T-Mobile']);
    expect(card.enabledProfile).toBeUndefined();
  });

  it('deletes test profiles alone, or the address, at once; and says when there is nothing', async () => {
    card = await cardWith({}, { profileClass: 0 });
    expect(await request('BF340482020640')).toBe('BF3403800100');
    expect(card.profiles.map(({ name }) => name)).toEqual(['AT&T', 'Verizon']);
    expect(await request('BF340482020640')).toBe('BF3403800101');
    expect(await request(tlv(0xbf3f, tlv(0x80, Buffer.from('smdp.example').toString('hex'))))).toBe(
      'BF3F03800100',
    );
    expect(await request('BF3C00')).toContain(Buffer.from('smdp.example').toString('hex').toUpperCase());
    expect(await request('BF340482020520')).toBe('BF3403800100');
    expect(card.contents.smdpAddress).toBe('');
  });
});

describe('whatever is asked of the ISD-R', () => {
  it('leaves at most one enabled profile, and one that there is', async () => {
    const tag = fc.constantFrom(
      'BF20',
      'BF22',
      'BF28',
      'BF2D',
      'BF2E',
      'BF29',
      'BF30',
      'BF31',
      'BF32',
      'BF33',
      'BF34',
      'BF3C',
      'BF3E',
      'BF3F',
      'BF43',
    );
    const part = fc.oneof(
      fc.constantFrom(
        `5A0A${iccid(0)}`,
        `5A0A${iccid(1)}`,
        `A00C5A0A${iccid(1)}`,
        `A00C5A0A${iccid(2)}`,
        '8101FF',
        '810100',
        '82020780',
        '5C015A',
        '900141',
        '8001FF',
      ),
      fc.uint8Array({ maxLength: 6 }).map(toHex),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(tag, fc.array(part, { maxLength: 3 })), { maxLength: 12 }),
        async (requests) => {
          const victim = await cardWith();
          for (const [outer, parts] of requests) {
            const body = tlv(Number.parseInt(outer, 16), parts.join(''));
            const answer = await ask(
              victim,
              `81E29100${(body.length / 2).toString(16).padStart(2, '0')}${body}`,
            );
            expect(answer).toMatch(/(9000|91..|6A8.)$/);
            if (/^BF/.test(answer)) expect(answer.startsWith(outer)).toBe(true);
          }
          await victim.reset();
          const { enabled, profiles } = victim.contents;
          expect(enabled === undefined || profiles.some(({ iccid }) => iccid === enabled)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatCardContents,
  newCardContents,
  parseCardContents,
} from '../../../../client/sim/virtual-card/card-contents.ts';
import { cardEid, cardProfiles } from '../../../../client/sim/virtual-card/card-profiles.ts';
import { DecodeError } from '../../../../protocol/errors.ts';

const parse = (text: string): ReturnType<typeof parseCardContents> => parseCardContents(JSON.parse(text));

describe('a card file', () => {
  it('reads as what was written', () => {
    const made = newCardContents(123456789, 1);
    const profiles = made.profiles.map((profile, index) => ({
      ...profile,
      nickname: `née ${index}`,
      policyRules: index === 2 ? (['disable-not-allowed', 'delete-not-allowed'] as const) : [],
      sequence: index === 0 ? [0, 5, 2 ** 43 - 1] : [],
      files: index === 1 ? { '7FFF6F7E': 'FFFFFFFFFFFFFFFFFFFF01' } : {},
      pin1: { value: '1234', enabled: true, tries: 1, puk: '87654321', pukTries: 9 },
    }));
    const contents = {
      ...made,
      kind: 'applet' as const,
      profiles,
      smdpAddress: 'smdp.example.com',
      applications: { A000000099: { carrier: 2, log: [1, 'x', null] } },
    };
    expect(parse(formatCardContents(contents))).toEqual(contents);
  });

  it('reads as a card without an enabled profile, and without any', () => {
    const contents = newCardContents(1, -1);
    expect(contents.enabled).toBeUndefined();
    expect(parse(formatCardContents(contents))).toEqual(contents);
    const empty = { ...contents, profiles: [] };
    expect(parse(formatCardContents(empty))).toEqual(empty);
  });

  it('of format 1 becomes the card that it stood for', () => {
    const [, tmobile] = cardProfiles(123456789);
    const card = parse('{"format":1,"serial":123456789,"enabled":1}');
    expect(card.enabled).toBe(tmobile?.iccid);
    expect(card.profiles.map(({ iccid }) => iccid)).toEqual(cardProfiles(123456789).map((p) => p.iccid));
    expect([card.kind, card.eid]).toEqual(['euicc', cardEid(123456789)]);
    expect(parse('{"format":1,"serial":5,"enabled":null}').enabled).toBeUndefined();
    expect(parse(formatCardContents(card))).toEqual(card);
  });

  it('may be written by hand, with no more than names and numbers of the profiles', () => {
    const card = parse(
      `{"format":2,"serial":7,"enabled":"8949000000000000013","profiles":[
        {"name":"Eins","iccid":"8949000000000000005","imsi":"262010000000001"},
        {"name":"Zwei","iccid":"8949000000000000013","imsi":"262020000000001","policyRules":["delete-not-allowed"]}]}`,
    );
    expect(
      card.profiles.map(({ name, carrier, pin1, policyRules }) => [name, carrier, pin1.enabled, policyRules]),
    ).toEqual([
      ['Eins', 0, false, []],
      ['Zwei', 1, false, ['delete-not-allowed']],
    ]);
    const [first, second] = card.profiles;
    expect(first?.ki).toMatch(/^[0-9A-F]{32}$/);
    expect(new Set([first?.ki, first?.opc, second?.ki, second?.opc]).size).toBe(4);
  });

  const profile = { name: 'A', iccid: '8949000000000000005', imsi: '262010000000001' };
  it.each([
    ['another format', { format: 3, serial: 1, profiles: [] }, 'format 3'],
    ['no serial', { format: 2, profiles: [] }, 'serial'],
    ['a serial of ten digits', { format: 2, serial: 1e9, profiles: [] }, 'serial'],
    ['no profiles', { format: 2, serial: 1 }, 'profiles'],
    ['sixteen profiles', { format: 2, serial: 1, profiles: Array(16).fill(profile) }, 'at most 15'],
    ['two of one ICCID', { format: 2, serial: 1, profiles: [profile, profile] }, 'one iccid'],
    [
      'two of one carrier',
      {
        format: 2,
        serial: 1,
        profiles: [
          { ...profile, carrier: 1 },
          { ...profile, iccid: '8949000000000000013' },
        ],
      },
      'one carrier',
    ],
    [
      'an enabled profile that is none',
      { format: 2, serial: 1, profiles: [profile], enabled: '1' },
      'enabled',
    ],
    ['an ICCID with letters', { format: 2, serial: 1, profiles: [{ ...profile, iccid: 'x' }] }, 'iccid'],
    ['a short Ki', { format: 2, serial: 1, profiles: [{ ...profile, ki: '00' }] }, 'ki'],
    [
      'a PIN of three digits',
      { format: 2, serial: 1, profiles: [{ ...profile, pin1: { value: '123' } }] },
      'value',
    ],
    ['eleven tries', { format: 2, serial: 1, profiles: [{ ...profile, pin1: { tries: 4 } }] }, 'tries'],
    [
      'a rule that is none',
      { format: 2, serial: 1, profiles: [{ ...profile, policyRules: ['x'] }] },
      'policyRules',
    ],
    [
      'a file with a bad path',
      { format: 2, serial: 1, profiles: [{ ...profile, files: { x: '00' } }] },
      'files',
    ],
    [
      'a nickname of 65 bytes',
      { format: 2, serial: 1, profiles: [{ ...profile, nickname: 'ü'.repeat(33) }] },
      '64',
    ],
    ['an enabled profile of format 1 that is none', { format: 1, serial: 1, enabled: 3 }, 'enabled'],
    ['a kind that is none', { format: 2, serial: 1, profiles: [], kind: 'x' }, 'kind'],
    ['an EID of 31 digits', { format: 2, serial: 1, profiles: [], eid: '1'.repeat(31) }, 'eid'],
  ])('with %s is refused, and says why', (_, value, said) => {
    expect(() => parseCardContents(value)).toThrow(DecodeError);
    expect(() => parseCardContents(value)).toThrow(said);
  });

  it('of any other contents is refused, or is a card that reads as it is written', () => {
    const made = JSON.parse(formatCardContents(newCardContents(1, 0))) as Record<string, unknown>;
    const key = fc.constantFrom(...Object.keys(made));
    const profileKey = fc.constantFrom(...Object.keys((made.profiles as Record<string, unknown>[])[0] ?? {}));
    fc.assert(
      fc.property(key, profileKey, fc.jsonValue(), fc.jsonValue(), (name, inProfile, value, inner) => {
        const [first, ...rest] = made.profiles as Record<string, unknown>[];
        const profiles = [{ ...first, [inProfile]: inner }, ...rest];
        for (const changed of [
          { ...made, [name]: value },
          { ...made, profiles },
        ]) {
          let contents: ReturnType<typeof parseCardContents>;
          try {
            contents = parseCardContents(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
            continue;
          }
          const text = formatCardContents(contents);
          expect(formatCardContents(parse(text))).toBe(text);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

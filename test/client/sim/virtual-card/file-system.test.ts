import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { findTlv } from '../../../../client/sim/ber-tlv.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { volatileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { ask, talk } from '../../../support/sim/talk.ts';

const usim = '00A4040C07A0000000871002';
let card: VirtualCard;
beforeEach(() => {
  card = new VirtualCard({ serial: 123456789 });
});

describe('the files of the USIM', () => {
  it.each([
    ['EF_LI', '6F05', '656EFFFF'],
    ['EF_IMSI', '6F07', '083901143210325476'],
    ['EF_Keys', '6F08', `07${'FF'.repeat(32)}`],
    ['EF_KeysPS', '6F09', `07${'FF'.repeat(32)}`],
    ['EF_HPPLMN', '6F31', '0A'],
    ['EF_UST', '6F38', '00000C040006000000001000'],
    ['EF_SPN', '6F46', `0141542654${'FF'.repeat(12)}`],
    ['EF_EST', '6F56', '00'],
    ['EF_START-HFN', '6F5B', 'F00000F00000'],
    ['EF_THRESHOLD', '6F5C', 'F00000'],
    ['EF_PLMNwAcT', '6F60', 'FFFFFF0000'.repeat(8)],
    ['EF_OPLMNwAcT', '6F61', 'FFFFFF0000'.repeat(8)],
    ['EF_HPLMNwAcT', '6F62', '1300144000'],
    ['EF_PSLOCI', '6F73', `${'FF'.repeat(13)}01`],
    ['EF_ACC', '6F78', '0200'],
    ['EF_FPLMN', '6F7B', 'FF'.repeat(12)],
    ['EF_LOCI', '6F7E', `${'FF'.repeat(10)}01`],
    ['EF_AD', '6FAD', '00000003'],
    ['EF_NETPAR', '6FC4', 'FF'.repeat(46)],
    ['EF_EPSLOCI', '6FE3', `${'FF'.repeat(17)}01`],
  ])('%s is there, with its size in the FCP', async (_, id, body) => {
    await talk(card, usim);
    const fcp = fromHex((await ask(card, `00A4000402${id}`)).slice(0, -4));
    const size = findTlv(fcp, 0x62, 0x80);
    expect(toHex(size ?? new Uint8Array(0))).toBe(
      (body.length / 2).toString(16).toUpperCase().padStart(4, '0'),
    );
    expect(toHex(findTlv(fcp, 0x62, 0x83) ?? new Uint8Array(0))).toBe(id);
    const length = (body.length / 2).toString(16).padStart(2, '0');
    if (id !== '6F07') expect(await talk(card, `00B00000${length}`)).toEqual([`${body}9000`]);
    expect(await talk(card, '00B0000000')).toEqual([`6C${length.toUpperCase()}`]);
  });

  it('are the enabled profile’s own: IMSI, name, home network and access class', async () => {
    const iccid = card.profiles[2]?.iccid ?? '';
    await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    await talk(card, `81E2910014BF3111A00C5A0A${`${iccid}F`.replace(/(.)(.)/g, '$2$1')}810100`);
    await talk(card, usim);
    expect(await talk(card, '00A4000C026F46', '00B0000011')).toEqual([
      '9000',
      `01566572697A6F6E${'FF'.repeat(9)}9000`,
    ]);
    expect(await talk(card, '00A4000C026F62', '00B0000005')).toEqual(['9000', '13018440009000']);
  });
});

describe('SELECT', () => {
  it('gives the FCP of the MF, of the USIM, and of a file with records', async () => {
    expect(await ask(card, '00A40004023F00')).toBe(
      '62238202782183023F00A5038001718A01058B032F0601C60C90014083010183018183010A9000',
    );
    expect(await ask(card, '00A4040407A0000000871002')).toBe(
      '622C82027821' +
        '8410A0000000871002FFFFFFFF8907090000' +
        '8A01058B032F0601C60C90014083010183018183010A9000',
    );
    expect(await ask(card, '00A40004026FB7')).toBe(
      '621A8205422100040283026FB78A01058B032F0601800200088801089000',
    );
  });

  it('says in the PIN status whether PIN1 is enabled', async () => {
    expect(await ask(card, '00A40004023F00')).toContain('900140');
    await talk(card, '002800010830303030FFFFFFFF');
    expect(await ask(card, '00A40004023F00')).toContain('9001C0');
  });

  it('finds what is below, beside and above, and nothing else', async () => {
    expect(await talk(card, '00A4000C026F07', usim, '00A4000C026F07', '00A4000C022FE2')).toEqual([
      '6A82',
      '9000',
      '9000',
      '6A82',
    ]);
    expect(await talk(card, '00A4000C027F20', '00A4000C026FAD', '00A4030C', '00A4000C022FE2')).toEqual([
      '9000',
      '9000',
      '9000',
      '9000',
    ]);
    expect(await talk(card, '00A4080C047F206F46', '00A4080C063F007F206F46', '00A4090C026F07')).toEqual([
      '9000',
      '9000',
      '9000',
    ]);
  });

  it('knows 7FFF only where the USIM was selected by its AID, on that channel', async () => {
    expect(await talk(card, '00A4080C047FFF6F07', '00A4000C027FFF', '0070000001', usim)).toEqual([
      '6A82',
      '6A82',
      '019000',
      '9000',
    ]);
    expect(
      await talk(card, '00A4080C047FFF6F07', '00A4000C023F00', '00A4000C027FFF', '01A4080C047FFF6F07'),
    ).toEqual(['9000', '9000', '9000', '6A82']);
  });

  it.each([
    ['half a file id', '00A4000C036F0700', '6A82'],
    ['a path through a file', '00A4080C042FE26F07', '6A82'],
    ['two ids where one is', '00A4000C047FFF6F07', '6A82'],
    ['a way that is none', '00A4070C022FE2', '6A86'],
    ['an AID of another application', '00A4040C07A0000000871004', '6A82'],
    ['an AID that goes on otherwise', '00A4040C08A000000087100201', '6A82'],
    ['no AID', '00A4040C', '6A82'],
  ])('of %s is refused, and what was selected stays so', async (_, apdu, sw) => {
    await talk(card, '00A4000C022FE2');
    expect(await talk(card, apdu, '00B000000A')).toEqual([sw, expect.stringMatching(/9000$/)]);
  });

  it('of a card without an enabled profile finds the MF, and nothing in it', async () => {
    const memory = volatileCardMemory();
    const empty = new VirtualCard({ serial: 1, memory, initialProfile: -1 });
    expect(await talk(empty, '00A4000C023F00', '00A4000C022FE2', usim, '00B0820000')).toEqual([
      '9000',
      '6A82',
      '6A82',
      '6986',
    ]);
  });
});

describe('READ BINARY', () => {
  it('by short file id makes that file the current one', async () => {
    await talk(card, usim);
    expect(await talk(card, '00B0870009', '00B0000001')).toEqual([
      expect.stringMatching(/^08.{16}9000$/),
      '089000',
    ]);
    expect(await talk(card, '00B0830301')).toEqual(['039000']);
    expect(await talk(card, '00B09F0001')).toEqual(['6A82']);
  });

  it('from beyond the end, and of a file with records, is refused', async () => {
    await talk(card, usim, '00A4000C026FAD');
    expect(await talk(card, '00B0000401', '00B0000302')).toEqual(['6B00', '6C01']);
    expect(await talk(card, '00A4000C026FB7', '00B0000004')).toEqual(['9000', '6981']);
  });
});

describe('UPDATE BINARY', () => {
  it('is kept by the profile: through resets and for the next process, not by the other profiles', async () => {
    const memory = volatileCardMemory();
    const first = new VirtualCard({ serial: 1, memory });
    await talk(first, usim, '00A4000C026F7E');
    expect(await talk(first, '00D6000404130014FF', '00B000000B')).toEqual([
      '9000',
      'FFFFFFFF130014FFFFFF019000',
    ]);
    const next = new VirtualCard({ serial: 1, memory });
    await talk(next, usim, '00A4000C026F7E');
    expect(await talk(next, '00B000000B')).toEqual(['FFFFFFFF130014FFFFFF019000']);
    const iccid = `${next.profiles[1]?.iccid}F`.replace(/(.)(.)/g, '$2$1');
    await talk(next, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    await talk(next, `81E2910014BF3111A00C5A0A${iccid}810100`);
    await talk(next, usim, '00A4000C026F7E');
    expect(await talk(next, '00B000000B')).toEqual([`${'FF'.repeat(10)}019000`]);
  });

  it('beyond the end, without data or without a file is refused', async () => {
    expect(await talk(card, '00D600000101')).toEqual(['6986']);
    await talk(card, usim, '00A4000C026F7E');
    expect(await talk(card, '00D6000A020101', '00D60000', '00D6000B0101')).toEqual(['6700', '6700', '6B00']);
    expect(await talk(card, '00B000000B')).toEqual([`${'FF'.repeat(10)}019000`]);
  });
});

describe('records', () => {
  it('are read by number, and one after the other', async () => {
    await talk(card, usim, '00A4000C026FB7');
    expect(await talk(card, '00B2010404', '00B2020404', '00B2030404', '00B2000404')).toEqual([
      '11F2FF009000',
      '19F1FF009000',
      '6A83',
      '6A83',
    ]);
    expect(await talk(card, '00B2000204', '00B2000204', '00B2000204', '00B2000304', '00B2000404')).toEqual([
      '11F2FF009000',
      '19F1FF009000',
      '6A83',
      '11F2FF009000',
      '11F2FF009000',
    ]);
    expect(await talk(card, '00B2010400', '00B2010403', '00B2010704')).toEqual(['6C04', '6C04', '6A83']);
  });

  it('tell which application there is, and who may do what', async () => {
    expect(await talk(card, '00A4000C022F00', '00B2010426')).toEqual([
      '9000',
      `61184F10A0000000871002FFFFFFFF890709000050045553494D`.padEnd(76, 'F').concat('9000'),
    ]);
    expect(await talk(card, '00A4000C022F06', '00B2040420')).toEqual([
      '9000',
      '800101A406830101950108800102A40683010A950108'.padEnd(64, 'F').concat('9000'),
    ]);
  });

  it('are written by who may, whole', async () => {
    await talk(card, usim, '00A4000C026FE4');
    const body = 'A0'.padEnd(108, '1');
    expect(await talk(card, `00DC010436${body}`, '00B2010436', '00DC010401A0')).toEqual([
      '9000',
      `${body}9000`,
      '6700',
    ]);
  });
});

describe('STATUS', () => {
  it('gives what is selected, its application, or nothing', async () => {
    await talk(card, usim, '00A4000C026F07');
    expect(await talk(card, '80F2000C', '80F2000000', '80F2000001', '80F2000112')).toEqual([
      '9000',
      '6C2E',
      '6C2E',
      '8410A0000000871002FFFFFFFF89070900009000',
    ]);
    expect((await talk(card, '80F200002E'))[0]).toMatch(/^622C82027821.*9000$/);
  });
});

describe('whatever the terminal sends', () => {
  it('gets an answer of 2 to 255 bytes, and the card is as sound as before', async () => {
    const instruction = fc.constantFrom(
      0x10,
      0x12,
      0x14,
      0x20,
      0x24,
      0x26,
      0x28,
      0x2c,
      0x70,
      0x88,
      0xa4,
      0xaa,
      0xb0,
      0xb2,
      0xc0,
      0xc2,
      0xd6,
      0xdc,
      0xe2,
      0xf2,
    );
    const byte = fc.integer({ min: 0, max: 255 });
    const command = fc
      .tuple(
        fc.constantFrom(0x00, 0x01, 0x80, 0x81, 0x83, 0xa0),
        instruction,
        byte,
        byte,
        fc.uint8Array({ maxLength: 40 }),
        byte,
      )
      .map(([cla, ins, p1, p2, data, le]) =>
        data.length === 0
          ? Uint8Array.of(cla, ins, p1, p2, le)
          : Uint8Array.of(cla, ins, p1, p2, data.length, ...data, le),
      );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(command, fc.uint8Array({ maxLength: 300 })), { maxLength: 30 }),
        async (commands) => {
          const victim = new VirtualCard({ serial: 5 });
          for (const bytes of commands) {
            const answer = await victim.transmit(bytes);
            expect(answer.length).toBeGreaterThanOrEqual(2);
            expect(answer.length).toBeLessThanOrEqual(255);
            expect([
              0x61, 0x62, 0x63, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x90, 0x91, 0x93, 0x98,
            ]).toContain(answer.at(-2));
          }
          await victim.reset();
          expect((await talk(victim, '00A4000C023F00'))[0]).toBe('9000');
        },
      ),
      { numRuns: 500 },
    );
  });
});

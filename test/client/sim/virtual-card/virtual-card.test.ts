import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtomicFile } from '../../../../client/atomic-file.ts';
import { CardSession } from '../../../../client/sim/card-session.ts';
import { CardAbsentError, CardStatusError } from '../../../../client/sim/card-transport.ts';
import { Euicc, ProfileOperationError } from '../../../../client/sim/euicc.ts';
import { decodeIccid, decodeImsi, decodeSpn, FileId, readFile } from '../../../../client/sim/files.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { fileCardMemory } from '../../../../client/sim/virtual-card/card-memory.ts';
import { cardEid, cardProfiles, cardSerialOf } from '../../../../client/sim/virtual-card/card-profiles.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';

/** Sends a line of APDUs and gives the answers, both in hex. */
async function talk(card: VirtualCard, ...apdus: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const apdu of apdus) answers.push(toHex(await card.transmit(fromHex(apdu))));
  return answers;
}

const serial = 123456789;
const [att, tmobile, verizon] = cardProfiles(serial);
if (att === undefined || tmobile === undefined || verizon === undefined) throw new Error('three profiles');
const iccidHex = (index: number): string => {
  const iccid = cardProfiles(serial)[index]?.iccid ?? '';
  const digits = `${iccid}F`;
  return digits.replace(/(.)(.)/g, '$2$1');
};

describe('the profiles of a card', () => {
  it('carry the issuers and networks of the three carriers, each number with its check digit', () => {
    expect([att, tmobile, verizon].map((p) => [p.name, p.iccid.slice(0, 7), p.imsi.slice(0, 6)])).toEqual([
      ['AT&T', '8901410', '310410'],
      ['T-Mobile', '8901260', '310260'],
      ['Verizon', '8901480', '311480'],
    ]);
    for (const { iccid, imsi } of [att, tmobile, verizon]) {
      expect(iccid).toHaveLength(19);
      expect(imsi).toHaveLength(15);
      const sum = [...iccid].reverse().reduce((total, digit, i) => {
        const doubled = Number(digit) * 2;
        return total + (i % 2 === 0 ? Number(digit) : doubled > 9 ? doubled - 9 : doubled);
      }, 0);
      expect(sum % 10).toBe(0);
    }
  });

  it('differ from card to card', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `modem-${i}`);
    expect(new Set(names.map((name) => cardProfiles(cardSerialOf(name))[0]?.iccid)).size).toBe(1000);
  });

  it('belong to an eUICC whose EID is 1 modulo 97', () => {
    for (const serial of [0, 1, 42, 999_999_999]) {
      expect(cardEid(serial)).toMatch(/^[0-9]{32}$/);
      expect(BigInt(cardEid(serial)) % 97n).toBe(1n);
    }
  });
});

describe('the virtual card', () => {
  it('gives its ICCID to SELECT, GET RESPONSE and READ BINARY', async () => {
    const card = new VirtualCard({ serial });
    expect(await talk(card, '00A40000022FE2', '00C0000011', '00B000000A')).toEqual([
      '6111',
      '620F8202412183022FE28A01058002000A9000',
      `${iccidHex(0)}9000`,
    ]);
  });

  it('corrects a wrong length with 6CXX', async () => {
    const card = new VirtualCard({ serial });
    await talk(card, '00A4000C022FE2');
    expect(await talk(card, '00B0000000')).toEqual(['6C0A']);
    expect(await talk(card, '00B0000803')).toEqual(['6C02']);
    expect(await talk(card, '00B0000A01')).toEqual(['6B00']);
  });

  it('is selected by path, by file id and by application', async () => {
    const card = new VirtualCard({ serial });
    const session = new CardSession(card);
    expect(decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID))).toBe(att.iccid);
    expect(decodeImsi(await readFile(session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI))).toBe(att.imsi);
    expect(decodeImsi(await readFile(session, 'EF_IMSI', FileId.DF_GSM, FileId.EF_IMSI))).toBe(att.imsi);
    expect(decodeSpn(await readFile(session, 'EF_SPN', FileId.ADF_USIM, FileId.EF_SPN))).toBe('AT&T');
    const [selected] = await talk(card, '00A4040407A0000000871002');
    expect(selected).toMatch(/^61/);
    expect(await talk(card, '00A40004026F07', '00B0000009')).toEqual([
      '6119',
      expect.stringMatching(/^08.{16}9000$/),
    ]);
  });

  it.each([
    ['a file that is not there', '00A40000026F99', '6A82'],
    ['a file below the wrong parent', '00A40804042FE26F07', '6A82'],
    ['an application that is not there', '00A4040005A000000099', '6A82'],
    ['reading with nothing selected', '00B000000A', '6986'],
    ['a channel that is not open', '01A40000022FE2', '6881'],
    ['closing a channel that is not open', '00708002', '6881'],
    ['an unknown instruction', '00EE0000', '6D00'],
    ['an unknown class', '40A40000022FE2', '6E00'],
    ['bytes that are no APDU', '00A4', '6700'],
    ['GET RESPONSE with nothing to get', '00C0000010', '6985'],
    ['FETCH with nothing to fetch', '801200000B', '6985'],
    ['STORE DATA outside the ISD-R', '80E2910003BF2D00', '6985'],
  ])('says what is wrong with %s', async (_, apdu, sw) => {
    expect(await talk(new VirtualCard({ serial }), apdu)).toEqual([sw]);
  });

  it('opens three logical channels and no more', async () => {
    const card = new VirtualCard({ serial });
    const open = '0070000001';
    expect(await talk(card, open, open, open, open)).toEqual(['019000', '029000', '039000', '6A81']);
    expect(await talk(card, '00708002', open)).toEqual(['9000', '029000']);
  });

  it('lists its profiles as a real LPA asks for them', async () => {
    const card = new VirtualCard({ serial });
    const answers = await talk(
      card,
      '80AA00000AA9088100820101830107',
      '0070000001',
      '01A4040010A0000005591010FFFFFFFF8900000100',
      '81E2910003BF2D00',
    );
    expect(answers[1]).toBe('019000');
    expect(answers[2]).toMatch(/^61/);
    expect(answers[3]).toMatch(/^61/);
    const [list] = await talk(card, `81C00000${answers[3]?.slice(2)}`);
    expect(list).toMatch(/^BF2D81..A081..E3/);
    expect(list).toContain(`5A0A${iccidHex(0)}`);
    expect(list).toMatch(/9000$/);
  });

  it('switches its profile with REFRESH and a reset, in the bytes of a real card', async () => {
    const card = new VirtualCard({ serial });
    await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    expect(await talk(card, `81E2910014BF3111A00C5A0A${iccidHex(1)}8101FF`, '81C0000006')).toEqual([
      '6106',
      'BF3103800100910B',
    ]);
    expect(await talk(card, '801200000B')).toEqual(['D0098103010104820281829000']);
    expect(card.enabledProfile?.name).toBe('AT&T');
    expect(await talk(card, '00A40000022FE2')).toEqual(['6985']);
    expect(await talk(card, '801400000C810301010482028281830100')).toEqual(['9000']);
    expect(card.enabledProfile?.name).toBe('T-Mobile');
    expect(await talk(card, '00A40000022FE2')).toEqual(['6985']);
    await card.reset();
    expect(await talk(card, '00A4000C022FE2', '00B000000A')).toEqual(['9000', `${iccidHex(1)}9000`]);
  });

  it('stays where it is when the terminal could not perform the REFRESH', async () => {
    const card = new VirtualCard({ serial });
    await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    await talk(card, `81E2910014BF3111A00C5A0A${iccidHex(1)}8101FF`, '81C0000006', '801200000B');
    expect(await talk(card, '801400000C810301010482028281830120')).toEqual(['9000']);
    await card.reset();
    expect(card.enabledProfile?.name).toBe('AT&T');
  });

  it('takes a request in segments, and refuses one out of order', async () => {
    const card = new VirtualCard({ serial });
    await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    expect(await talk(card, '81E2110002BF2D', '81E291010100')).toEqual([
      '9000',
      expect.stringMatching(/^61/),
    ]);
    expect(await talk(card, '81E2910103BF2D00')).toEqual(['6A86']);
    expect(await talk(card, '81E2910003BF9900')).toEqual(['6A88']);
    expect(await talk(card, '81E2910003BF2D05')).toEqual(['6A88']);
  });
});

describe('the eUICC as the modem drives it', () => {
  it('enables, disables and lists profiles', async () => {
    const card = new VirtualCard({ serial });
    const session = new CardSession(card);
    const euicc = new Euicc(session);
    await card.connect();
    expect((await euicc.listProfiles()).map((p) => [p.name, p.iccid, p.enabled])).toEqual([
      ['AT&T', att.iccid, true],
      ['T-Mobile', tmobile.iccid, false],
      ['Verizon', verizon.iccid, false],
    ]);
    await euicc.enable(verizon.iccid);
    expect(decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID))).toBe(verizon.iccid);
    expect(decodeImsi(await readFile(session, 'EF_IMSI', FileId.ADF_USIM, FileId.EF_IMSI))).toBe(
      verizon.imsi,
    );
    await euicc.disable(verizon.iccid);
    await expect(readFile(session, 'EF_ICCID', FileId.EF_ICCID)).rejects.toThrow(CardStatusError);
    expect((await euicc.listProfiles()).some((p) => p.enabled)).toBe(false);
    expect(await euicc.eid()).toBe(cardEid(serial));
  });

  it('reports the card’s own no, and leaves no channel open', async () => {
    const card = new VirtualCard({ serial });
    const euicc = new Euicc(new CardSession(card));
    await expect(euicc.enable(att.iccid)).rejects.toThrow('the profile is not disabled');
    await expect(euicc.disable(verizon.iccid)).rejects.toThrow('the profile is not enabled');
    await expect(euicc.enable('8901999999999999999')).rejects.toThrow('no such profile');
    card.faults.refuse = 'policy';
    await expect(euicc.enable(verizon.iccid)).rejects.toThrow(new ProfileOperationError('enable', 3));
    card.faults.refuse = 'busy';
    await expect(euicc.enable(verizon.iccid)).rejects.toThrow('busy');
    expect(card.enabledProfile?.name).toBe('AT&T');
    expect(await talk(card, '0070000001')).toEqual(['019000']);
    card.faults.absent = true;
    await expect(euicc.listProfiles()).rejects.toThrow(CardAbsentError);
  });
});

describe('a card in a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-card-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('outlives the process that switched it', async () => {
    const memory = (): ReturnType<typeof fileCardMemory> =>
      fileCardMemory(new AtomicFile(join(folder, 'card.json')));
    const card = new VirtualCard({ serial, memory: memory() });
    await new Euicc(new CardSession(card)).enable(tmobile.iccid);
    const again = new VirtualCard({ serial: 1, memory: memory() });
    expect([again.serial, again.enabledProfile?.name]).toEqual([serial, 'T-Mobile']);
    await new Euicc(new CardSession(again)).disable(tmobile.iccid);
    expect(new VirtualCard({ serial: 1, memory: memory() }).enabledProfile).toBeUndefined();
  });

  it('is as it was when the power goes before the REFRESH was answered', async () => {
    const memory = fileCardMemory(new AtomicFile(join(folder, 'card.json')));
    const card = new VirtualCard({ serial, memory });
    await talk(card, '0070000001', '01A4040010A0000005591010FFFFFFFF8900000100');
    await talk(card, `81E2910014BF3111A00C5A0A${iccidHex(1)}8101FF`, '81C0000006', '801200000B');
    expect(new VirtualCard({ serial, memory }).enabledProfile?.name).toBe('AT&T');
  });

  it('is not made up from a file that is none', () => {
    const file = new AtomicFile(join(folder, 'card.json'));
    file.write('{}');
    expect(() => new VirtualCard({ serial, memory: fileCardMemory(file) })).toThrow('is no virtual card');
  });
});

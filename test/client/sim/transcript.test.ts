import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedTransport } from '../../../client/sim/bounded-transport.ts';
import { CardSession } from '../../../client/sim/card-session.ts';
import { Euicc } from '../../../client/sim/euicc.ts';
import { decodeIccid, FileId, readFile } from '../../../client/sim/files.ts';
import { fromHex } from '../../../client/sim/hex.ts';
import { TracedTransport } from '../../../client/sim/traced-transport.ts';
import { Transcript } from '../../../client/sim/transcript.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { systemClock } from '../../../protocol/clock.ts';
import { commands, envelopes, responses } from './toolkit/vectors.ts';

/** The lines of one exchange. */
function lines(command: string, response: string, transcript = new Transcript()): string[] {
  const sent = fromHex(command);
  return [...transcript.command(sent), ...transcript.response(sent, fromHex(response))];
}

describe('a transcript', () => {
  it('says of a command what it is, and of a status word what it means', () => {
    expect(lines('00A40804047FFF6F07', '6119')).toEqual([
      '→ 00A4080404 7FFF6F07  SELECT ADF_USIM/EF_IMSI',
      '← 6119 25 bytes available',
    ]);
    expect(lines('01A4040010A0000005591010FFFFFFFF8900000100', '6A82')).toEqual([
      '→ 01A4040010 A0000005591010FFFFFFFF8900000100  SELECT ISD-R (channel 1)',
      '← 6A82 file not found',
    ]);
    expect(lines('0070800100', '9000')[0]).toContain('MANAGE CHANNEL, close 1');
    expect(lines('00', '9000')).toEqual(['→ 00', '    no command APDU', '← 9000']);
  });

  it('reads the files that people ask for', () => {
    const transcript = new Transcript();
    lines('00A40000022FE2', '6111', transcript);
    expect(lines('00B000000A', '981014301211111111F19000', transcript).at(-1)).toBe(
      '    ICCID 8901410321111111111',
    );
    transcript.reset();
    expect(lines('00B000000A', '981014301211111111F19000', transcript)).toHaveLength(2);
  });

  it('shows no control characters of a card', () => {
    const transcript = new Transcript();
    lines('00A40804047FFF6F46', '6111', transcript);
    const shown = lines('00B0000011', '0180001B005B0032004A000AD8009000', transcript);
    expect(shown.at(-1)).toBe('    service provider [2J \ufffd');
  });

  it('says that a file is not what it should be', () => {
    const transcript = new Transcript();
    lines('00A40000022FE2', '6111', transcript);
    expect(lines('00B000000A', '98109000', transcript).at(-1)).toBe(
      '    not understood: EF_ICCID has 10 bytes, not 2',
    );
  });

  it('shows the objects of an answer that came in pieces, under what was asked', () => {
    const transcript = new Transcript();
    lines('81E2910003BF2D00', '6108', transcript);
    lines('81C0000008', 'BF2D0FA00DE30B5A6107', transcript);
    expect(lines('81C0000007', 'AA9000', transcript).at(-1)).toContain('ok');
    const told = lines('81E2910014BF3111A00C5A0A981014301211111111F1810100', '6106');
    expect(told.slice(1, -1)).toEqual([
      '    BF31 EnableProfile',
      '      A0 profile',
      '        5A ICCID 8901410321111111111',
      '      81 refresh 00',
    ]);
  });

  it('shows no PIN, and no key', () => {
    const verify = lines('00200001083132333435363738', '63C2');
    expect(verify).toEqual([
      '→ 00200001 (not shown)  VERIFY PIN PIN1',
      '← 63C2 verification failed, 2 tries left',
    ]);
    const transcript = new Transcript();
    const asked = `0088008122${'10'.repeat(34)}`;
    lines(asked, '6105', transcript);
    const answer = lines('00C0000005', 'DB031122339000', transcript);
    expect(answer.join('\n')).not.toContain('112233');
    expect(answer.join('\n')).toContain('not shown');
  });

  it.each(commands)('reads a proactive command: $name', ({ hex }) => {
    const length = (hex.length / 2).toString(16).padStart(2, '0');
    const [, , words] = lines(`80120000${length}`, `${hex}9000`);
    expect(words).toMatch(/^ {4}(?!not understood)\S/);
  });

  it.each(responses)('reads a terminal response: $name', ({ hex }) => {
    const length = (hex.length / 2).toString(16).padStart(2, '0');
    expect(lines(`80140000${length}${hex}`, '9000')[1]).toMatch(/^ {4}(?!not understood)\S/);
  });

  it.each(envelopes)('reads an envelope: $name', ({ hex }) => {
    const length = (hex.length / 2).toString(16).padStart(2, '0');
    expect(lines(`80C20000${length}${hex}`, '9000')[1]).toMatch(/^ {4}(?!not understood)\S/);
  });

  it('tells of a channel what is asked for and what came of it', () => {
    expect(lines('8012000038', `${commands[0]?.hex}9000`)[2]).toBe(
      '    OPEN CHANNEL: UDP 1.1.1.1 port 44444, buffer 1400, at once',
    );
    expect(lines(`801400001D${responses[0]?.hex}`, '9000')[1]).toBe(
      '    OPEN CHANNEL: performed, channel 1 linked, buffer 1400',
    );
    expect(lines('801400000D81030143018202828183023A03', '9000')[1]).toBe(
      '    SEND DATA: bearer-independent protocol error, channel identifier not valid',
    );
  });

  it('takes whatever goes over the interface', () => {
    const bytes = fc.uint8Array({ maxLength: 60 });
    const ins = fc.constantFrom(0x12, 0x14, 0x10, 0x70, 0xa4, 0xb0, 0xc0, 0xc2, 0xe2, 0xf2, 0x88, 0x20);
    const command = fc
      .tuple(fc.integer({ min: 0, max: 255 }), ins, bytes)
      .map(([cla, code, data]) => Uint8Array.of(cla, code, 0, 0, data.length, ...data));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(command, bytes), bytes), { maxLength: 6 }), (exchanges) => {
        const transcript = new Transcript();
        for (const [sent, received] of exchanges) {
          const told = [...transcript.command(sent), ...transcript.response(sent, received)];
          expect(told.every((line) => !line.includes('undefined'))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a card that is traced', () => {
  it('tells a switch so that a person can follow it', async () => {
    const told: string[] = [];
    const card = new BoundedTransport(new VirtualCard({ serial: 42 }), systemClock);
    const session = new CardSession(new TracedTransport(card, (line) => told.push(line)));
    await session.connect();
    const iccid = decodeIccid(await readFile(session, 'EF_ICCID', FileId.EF_ICCID));
    const euicc = new Euicc(session);
    const other = (await euicc.listProfiles()).find((profile) => profile.iccid !== iccid);
    await euicc.enable(other?.iccid ?? '');
    const text = told.join('\n');
    expect(text).toContain(`    ICCID ${iccid}`);
    expect(text).toContain('SELECT ISD-R (channel 1)');
    expect(text).toContain('    BF31 EnableProfile');
    expect(text).toContain(`        5A ICCID ${other?.iccid}`);
    expect(text).toContain('      80 result 00');
    expect(text).toContain('    REFRESH: UICC reset');
    expect(text).toContain('    REFRESH: performed');
    expect(text).toMatch(/reset\nATR 3B/);
  });
});

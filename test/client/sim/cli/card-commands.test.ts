import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFileError } from '../../../../client/atomic-file.ts';
import { CardTransportError } from '../../../../client/sim/card-transport.ts';
import { CardRefusalError } from '../../../../client/sim/carrier-card.ts';
import { setFaults, tellFaults } from '../../../../client/sim/cli/faults.ts';
import { withCard } from '../../../../client/sim/cli/open.ts';
import { listReaders, tellReaders } from '../../../../client/sim/cli/readers.ts';
import { jsonOf, linesOf, profileLines, reportOf } from '../../../../client/sim/cli/report.ts';
import { switchProfile } from '../../../../client/sim/cli/switch.ts';
import { Euicc } from '../../../../client/sim/euicc.ts';
import { fromHex } from '../../../../client/sim/hex.ts';
import { openVirtualCard } from '../../../../client/sim/virtual-card/open-virtual-card.ts';
import { RequestError } from '../../../../protocol/errors.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { ScriptedDaemon } from '../../../support/sim/scripted-pcsc.ts';

describe('the commands of sim', () => {
  let folder: string;
  let file: string;
  let said: string[];
  const tell = (line: string): void => {
    said.push(line);
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-sim-'));
    file = join(folder, 'card.json');
    said = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const card = () => ({ kind: 'virtual', file }) as const;
  const iccid = (): Promise<string> =>
    withCard(card(), undefined, async (open) => JSON.parse(jsonOf(await reportOf(open))).iccid);

  it('report what a card says of itself', async () => {
    const report = await withCard(card(), undefined, reportOf);
    expect(linesOf(report)).toEqual(
      expect.arrayContaining([
        ['ICCID', expect.stringMatching(/^8901410\d{12}$/)],
        ['IMSI', expect.stringMatching(/^310410\d{9}$/)],
        ['operator', 'AT&T'],
        ['EID', expect.stringMatching(/^89\d{30}$/)],
        ['SGP.22 version', expect.stringMatching(/^\d+\.\d+\.\d+$/)],
      ]),
    );
  });

  it('tell that there was no card in a file, once', async () => {
    for (let i = 0; i < 2; i++) await withCard(card(), undefined, async () => {}, tell);
    expect(said).toEqual([`There was no card in ${file}: a new one is made.`]);
  });

  it('report what a card refuses, in its own words', async () => {
    setFaults(file, ['pin-blocked']);
    const report = await withCard(card(), undefined, reportOf);
    expect(linesOf(report)).toContainEqual(['IMSI', expect.stringMatching(/^- .*(6982|6983)/)]);
    expect(JSON.parse(jsonOf(report))).toMatchObject({ imsi: null, atr: expect.stringMatching(/^3B/) });
  });

  it('report a card that is no eUICC as what it is', async () => {
    await openVirtualCard(file, { kind: 'legacy' }).close();
    const lines = linesOf(await withCard(card(), undefined, reportOf));
    expect(lines.at(-1)).toEqual(['eUICC', expect.stringMatching(/^no: select the ISD-R: 6A82/)]);
  });

  it('list the profiles, and switch by number, name and ICCID, as the card’s file says', async () => {
    const list = await withCard(card(), undefined, ({ session }) => new Euicc(session).listProfiles());
    expect(profileLines(list)).toEqual([
      expect.stringMatching(/^1 {2}enabled {3}8901410\d+ {2}AT&T$/),
      expect.stringMatching(/^2 {2}disabled {2}8901260\d+ {2}T-Mobile$/),
      expect.stringMatching(/^3 {2}disabled {2}8901480\d+ {2}Verizon$/),
    ]);
    for (const [wanted, prefix] of [
      ['2', '8901260'],
      ['verizon', '8901480'],
      [list[0]?.iccid ?? '', '8901410'],
      ['none', 'none'],
      ['AT&T', '8901410'],
    ] as const) {
      await withCard(card(), undefined, (open) => switchProfile(open, wanted, tell));
      expect(said.at(-1)).toMatch(`ICCID now:    ${prefix}`);
    }
    await withCard(card(), undefined, (open) => switchProfile(open, 'AT&T', tell));
    expect(said.at(-1)).toMatch(/enabled already/);
    expect(profileLines([])).toEqual(['The card has no profile.']);
  });

  it('refuse what is no profile, and tell the card’s no', async () => {
    const before = await iccid();
    const wish = (wanted: string): Promise<void> =>
      withCard(card(), undefined, (open) => switchProfile(open, wanted, tell));
    await expect(wish('Vodafone')).rejects.toThrow(RequestError);
    setFaults(file, ['policy']);
    await expect(wish('Verizon')).rejects.toThrow(CardRefusalError);
    setFaults(file, ['absent']);
    await expect(wish('Verizon')).rejects.toThrow(CardTransportError);
    setFaults(file, ['none']);
    expect(await iccid()).toBe(before);
  });

  it('trace what goes over the card’s interface', async () => {
    await withCard(card(), tell, (open) => switchProfile(open, 'Verizon', () => {}));
    expect(said.join('\n')).toMatch(/EnableProfile.*910B.*REFRESH.*reset/s);
  });

  it('leave a card alone that another one has', async () => {
    const held = openVirtualCard(file);
    await expect(withCard(card(), undefined, reportOf)).rejects.toThrow(StateFileError);
    await held.close();
    await withCard(card(), undefined, reportOf);
  });

  it('set faults, tell them, and what there could be', () => {
    tellFaults(file, tell);
    expect(said.join('\n')).toMatch(/Nothing goes wrong.*mute.*pin-blocked/s);
    said = [];
    setFaults(file, ['mute:on=switch,times=1', 'random:seed=3,probability=0.5']);
    tellFaults(file, tell);
    expect(said).toEqual([
      expect.stringMatching(/^mute:on=switch,times=1 {2}\(the card does not answer/),
      expect.stringMatching(/^random:seed=3,probability=0.5/),
    ]);
    expect(() => setFaults(file, ['odd'])).toThrow(/no fault odd/);
    expect(() => setFaults(file, ['random', 'random:seed=2'])).toThrow(/one set/);
    setFaults(file, ['none']);
    said = [];
    tellFaults(file, tell);
    expect(said[0]).toMatch(/Nothing goes wrong/);
  });

  it('list readers as soon as it is known what is in them', async () => {
    const daemon = new ScriptedDaemon();
    const clock = new FakeClock();
    const listing = listReaders(daemon.open, clock);
    const readers = ['A 00 00', 'B 00 00', 'C 00 00'].map((name) => daemon.plugIn(name));
    const [a, b, c] = readers;
    if (a === undefined || b === undefined || c === undefined) throw new Error('three readers');
    ScriptedDaemon.status(a, 0x20 | 0x80, 1, fromHex('3B00'));
    ScriptedDaemon.status(b, 0x10, 0);
    ScriptedDaemon.status(c, 0x20 | 0x200, 1);
    const list = await listing;
    tellReaders(list, false, tell);
    expect(said).toEqual([
      'A 00 00: card, ATR 3B00; another program has it for itself',
      'B 00 00: no card',
      'C 00 00: a card that does not answer: is it the right way round?',
    ]);
    said = [];
    tellReaders(list, true, tell);
    expect(JSON.parse(said.join(''))).toMatchObject([{ atr: '3B00' }, { card: 'absent' }, { card: 'mute' }]);
    expect(readers.map(({ closed }) => closed)).toEqual([true, true, true]);
    expect(daemon.contexts).toBe(0);
  });

  it('say that there is no reader, or no daemon', async () => {
    const daemon = new ScriptedDaemon();
    const clock = new FakeClock();
    const listing = listReaders(daemon.open, clock);
    await clock.run(1_000);
    tellReaders(await listing, false, tell);
    expect(said).toEqual([expect.stringMatching(/libccid/)]);
    daemon.running = false;
    await expect(listReaders(daemon.open, clock)).rejects.toThrow(/install the package pcscd/);
  });
});

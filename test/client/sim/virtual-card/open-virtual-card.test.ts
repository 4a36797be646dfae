import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StateFileError } from '../../../../client/atomic-file.ts';
import { CardSession } from '../../../../client/sim/card-session.ts';
import { Euicc } from '../../../../client/sim/euicc.ts';
import { cardProfiles } from '../../../../client/sim/virtual-card/card-profiles.ts';
import { writeFaultFile } from '../../../../client/sim/virtual-card/fault-file.ts';
import { openVirtualCard } from '../../../../client/sim/virtual-card/open-virtual-card.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { talk } from '../../../support/sim/talk.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-card-'));
  file = join(folder, 'card.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a card in a file', () => {
  it('is made where there is none, for its owner alone, with a serial of its own', async () => {
    const card = openVirtualCard(file);
    await card.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = openVirtualCard(file, { serial: 5 });
    expect(again.serial).toBe(card.serial);
    await again.close();
  });

  it('of format 1 is the same card, and becomes format 2 with its first change', async () => {
    writeFileSync(file, '{"format":1,"serial":123456789,"enabled":1}\n');
    const card = openVirtualCard(file);
    const [, tmobile, verizon] = cardProfiles(123456789);
    expect(card.enabledProfile?.iccid).toBe(tmobile?.iccid);
    expect(JSON.parse(readFileSync(file, 'utf8')).format).toBe(1);
    await card.connect();
    await new Euicc(new CardSession(card)).enable(verizon?.iccid ?? '');
    const written = JSON.parse(readFileSync(file, 'utf8'));
    expect([written.format, written.enabled]).toEqual([2, verizon?.iccid]);
    await card.close();
    const again = openVirtualCard(file);
    expect(again.enabledProfile?.name).toBe('Verizon');
    await again.close();
  });

  it('is for one process at a time, from when it is opened until it is closed, and again after', async () => {
    const card = openVirtualCard(file);
    const inUse = new StateFileError(`the card ${file} is in use by another process`);
    expect(() => openVirtualCard(file)).toThrow(inUse);
    await card.close();
    await card.close();
    const other = openVirtualCard(file);
    await new Euicc(new CardSession(other)).enable(other.profiles[2]?.iccid ?? '');
    await expect(card.connect()).rejects.toThrow('in use by another process');
    await other.close();
    await card.connect();
    expect(card.enabledProfile?.name).toBe('Verizon');
    await card.close();
  });

  it('that is none says what is wrong with it, and is not held', () => {
    writeFileSync(file, '{"format":2,"serial":1,"profiles":[{"name":"A","iccid":"1"}]}');
    expect(() => openVirtualCard(file)).toThrow(/card.json is no virtual card: iccid .*restore it/);
    writeFileSync(file, 'nonsense');
    expect(() => openVirtualCard(file)).toThrow('is no virtual card');
    rmSync(file);
    openVirtualCard(file).close();
  });

  it('that cannot be read, or made, is told in a line, and not held', () => {
    mkdirSync(file);
    const unread = /^the card .*card.json cannot be read: EISDIR/;
    for (let i = 0; i < 2; i++) expect(() => openVirtualCard(file)).toThrow(unread);
    expect(() => openVirtualCard(file)).toThrow(StateFileError);
    const other = join(folder, 'other.json');
    mkdirSync(`${other}.new`);
    expect(() => openVirtualCard(other)).toThrow(/^the card .*other.json cannot be written: /);
    rmSync(`${other}.new`, { recursive: true });
    openVirtualCard(other).close();
  });

  it('that takes no more has a memory problem, and stays as it was until it takes it', async () => {
    const card = openVirtualCard(file);
    const euicc = new Euicc(new CardSession(card));
    const target = card.profiles[2]?.iccid ?? '';
    const before = card.enabledProfile;
    mkdirSync(`${file}.new`);
    await expect(euicc.enable(target)).rejects.toThrow(/6581 memory problem/);
    await card.reset();
    expect(card.enabledProfile).toEqual(before);
    await expect(euicc.setNickname(target, 'X')).rejects.toThrow(/6581 memory problem/);
    rmSync(`${file}.new`, { recursive: true });
    await card.reset();
    await euicc.enable(target);
    expect(card.enabledProfile?.iccid).toBe(target);
    await card.close();
  });

  it('takes its faults from the file beside it while it is open', async () => {
    const clock = new FakeClock();
    const card = openVirtualCard(file, { clock });
    writeFaultFile(file, { faults: [{ kind: 'technical' }], random: undefined });
    clock.advance(100);
    expect(await talk(card, '00A4080C022FE2')).toEqual(['6F00']);
    await card.close();
    expect(clock.pending).toBe(0);
    writeFaultFile(file, { faults: [], random: undefined });
    await card.connect();
    clock.advance(100);
    expect(await talk(card, '00A4080C022FE2')).toEqual(['9000']);
    await card.close();
  });
});

describe('a card without a file', () => {
  it('lasts as long as its object, and leaves nothing', async () => {
    const card = openVirtualCard(undefined, { serial: 3, initialProfile: 2 });
    expect([card.serial, card.enabledProfile?.name]).toEqual([3, 'Verizon']);
    await card.close();
    expect(existsSync(file)).toBe(false);
  });
});

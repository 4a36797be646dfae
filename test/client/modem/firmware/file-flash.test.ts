import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AtomicFile, StateFileError } from '../../../../client/atomic-file.ts';
import { FileFlash } from '../../../../client/modem/firmware/file-flash.ts';
import { FlashFullError } from '../../../../client/modem/firmware/flash.ts';
import { MemoryFlash } from '../../../../client/modem/firmware/memory-flash.ts';
import { fileFirmware, newRecord } from '../../../../client/modem/firmware/record.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';

let folder: string;
let clock: FakeClock;
const piece = (length: number, value: number) => new Uint8Array(length).fill(value);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-flash-'));
  clock = new FakeClock();
});

afterEach(() => rmSync(folder, { recursive: true }));

it.each(['file', 'memory'] as const)(
  'a flash in %s gives back what it was given, up to its capacity',
  async (kind) => {
    const path = join(folder, 'sub', 'firmware.bin');
    const flash = kind === 'file' ? new FileFlash(path, clock, 200_000) : new MemoryFlash(clock, 200_000);
    flash.append(piece(100_000, 1));
    flash.append(piece(70_000, 2));
    flash.flush();
    expect(() => flash.append(piece(30_001, 3))).toThrow(FlashFullError);
    expect(flash.length).toBe(170_000);
    const read = Buffer.concat([...flash.read()]);
    expect(read.equals(Buffer.concat([piece(100_000, 1), piece(70_000, 2)]))).toBe(true);
    flash.erase();
    expect([flash.length, [...flash.read()]]).toEqual([0, []]);
    expect(existsSync(path)).toBe(false);
    flash.append(piece(200_000, 4));
    expect(flash.length).toBe(200_000);
    flash.erase();
  },
);

it('a flash in a file goes on behind what another process left in it', () => {
  const path = join(folder, 'firmware.bin');
  const before = new FileFlash(path, clock, 1_000);
  before.append(piece(10, 1));
  const after = new FileFlash(path, clock, 1_000);
  expect(after.length).toBe(10);
  after.append(piece(5, 2));
  after.flush();
  expect([...readFileSync(path)]).toEqual([...piece(10, 1), ...piece(5, 2)]);
  before.flush();
});

it('the record of firmware survives in its file, and a damaged one is told', () => {
  const path = join(folder, 'firmware.json');
  const storage = fileFirmware(new AtomicFile(path));
  expect(storage.read()).toBeUndefined();
  const record = {
    ...newRecord,
    state: 2,
    uri: 'coap://192.0.2.1/fw',
    entityTag: 'a1',
    changedAt: 5,
    deferredUntil: 7,
    staged: { name: 'n', version: '2' },
    running: { name: 'n', version: '1' },
  } as const;
  storage.write(record);
  expect(fileFirmware(new AtomicFile(path)).read()).toEqual(record);
  for (const change of [{ state: 4 }, { uri: 5 }, { staged: {} }, { running: null }, { format: 2 }]) {
    writeFileSync(path, JSON.stringify({ format: 1, ...record, ...change }));
    expect(() => storage.read()).toThrow(StateFileError);
  }
});

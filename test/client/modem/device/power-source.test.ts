import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BatteryStatus,
  battery,
  machinePower,
  simulatedPower,
} from '../../../../client/modem/device/power-source.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';

let folder: string;
let clock: FakeClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-power-'));
  clock = new FakeClock();
});

afterEach(() => rmSync(folder, { recursive: true }));

function supply(name: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), `${text}\n`);
}

describe('the battery of the machine', () => {
  it('is not there on a machine without one, or without such a folder', () => {
    supply('AC', { type: 'Mains', online: '1' });
    expect(machinePower(clock, folder)).toBeUndefined();
    expect(machinePower(clock, join(folder, 'nothing'))).toBeUndefined();
  });

  it('is read with its charge, state, voltage and current, and the mains beside it', () => {
    supply('AC', { type: 'Mains', online: '1' });
    supply('BAT0', {
      type: 'Battery',
      capacity: '83',
      status: 'Charging',
      voltage_now: '12300000',
      current_now: '1499600',
    });
    supply('mouse', { type: 'Battery', scope: 'Device', capacity: '5', status: 'Discharging' });
    expect(machinePower(clock, folder)?.read()).toEqual({
      level: 83,
      status: BatteryStatus.CHARGING,
      supplies: [
        { kind: 1, voltage: 12_300, current: 1_500 },
        { kind: 6, voltage: undefined, current: undefined },
      ],
    });
  });

  it.each([
    ['Full', '100', BatteryStatus.CHARGE_COMPLETE],
    ['Discharging', '50', BatteryStatus.NORMAL],
    ['Discharging', '9', BatteryStatus.LOW],
    ['Unknown', '50', BatteryStatus.UNKNOWN],
  ])('that is %s at %s %% has status %i', (status, capacity, expected) => {
    supply('BAT0', { type: 'Battery', capacity, status });
    expect(machinePower(clock, folder)?.read().status).toBe(expected);
  });

  it('is read again after ten seconds, and is unknown when it was taken out', () => {
    supply('BAT0', { type: 'Battery', capacity: '50', status: 'Discharging' });
    const power = machinePower(clock, folder);
    expect(power?.read().level).toBe(50);
    supply('BAT0', { capacity: '49' });
    expect(power?.read().level).toBe(50);
    clock.advance(10_000);
    expect(power?.read().level).toBe(49);
    rmSync(join(folder, 'BAT0'), { recursive: true });
    clock.advance(10_000);
    expect(power?.read()).toMatchObject({ level: 49, status: BatteryStatus.UNKNOWN });
  });
});

describe('the simulated battery', () => {
  it('goes down and is charged again, always within its bounds', () => {
    const levels = Array.from({ length: 100 }, (_, hour) => battery(hour * 3_600_000));
    expect(Math.min(...levels.map(({ level }) => level))).toBeGreaterThanOrEqual(20);
    expect(Math.max(...levels.map(({ level }) => level))).toBe(100);
    expect(new Set(levels.map(({ charging }) => charging))).toEqual(new Set([true, false]));
  });

  it('is on USB while it is charged, and modems are not all charged at once', () => {
    const readings = Array.from({ length: 50 }, (_, seed) => simulatedPower(clock, seed).read());
    expect(new Set(readings.map(({ level }) => level)).size).toBeGreaterThan(20);
    for (const { status, supplies } of readings) {
      const [cell, usb] = supplies;
      expect(usb?.voltage).toBe(status === BatteryStatus.CHARGING ? 5_000 : 0);
      expect((cell?.current ?? 0) > 0).toBe(status === BatteryStatus.CHARGING);
      expect(cell?.voltage).toBeGreaterThanOrEqual(3_400);
      expect(cell?.voltage).toBeLessThanOrEqual(4_200);
    }
  });
});

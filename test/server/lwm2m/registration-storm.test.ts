import { describe, expect, test } from 'vitest';
import { RegistrationStorm } from '../../../server/lwm2m/registration-storm.ts';
import { ManualClock } from '../../support/api/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  const storm = new RegistrationStorm(clock);
  const seen: number[] = [];
  let next = 0;
  const devices: object[] = [];
  /** So many devices register at once. */
  const register = (count: number): void => {
    for (let index = 0; index < count; index++) {
      const number = next++;
      const who = {};
      devices.push(who);
      storm.registered();
      const turn = storm.enter(who);
      if (turn === undefined) seen.push(number);
      else void turn.then(() => seen.push(number));
    }
  };
  const pass = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  return { clock, storm, seen, devices, register, pass };
}

describe('devices that have registered', () => {
  test('are seen to at once where they come one by one, and no timer is left', async () => {
    const { register, seen, pass, clock } = setUp();
    for (let count = 0; count < 500; count++) {
      register(1);
      expect(seen).toHaveLength(count + 1);
      await pass(2);
    }
    await pass(100);
    expect(clock.timers).toBe(0);
  });

  test('wait where a fleet comes at once, but for a few, and are seen to in order when the storm is over', async () => {
    const { register, seen, pass, clock } = setUp();
    for (let tick = 0; tick < 20; tick++) {
      register(250);
      await pass(50);
    }
    expect(seen).toHaveLength(50 + 20 * 10);
    await pass(50);
    expect(seen).toHaveLength(350);
    for (let tick = 0; tick < 47; tick++) await pass(50);
    expect(seen).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
    await pass(100);
    expect(clock.timers).toBe(0);
  });

  test('are seen to at once where somebody asks for it, or the registration has ended', async () => {
    const { register, seen, storm, devices, pass } = setUp();
    register(300);
    expect(seen).toHaveLength(50);
    storm.leave(devices[299] as object);
    await pass(0);
    expect(seen.at(-1)).toBe(299);
    storm.leave(devices[299] as object);
    storm.leave({});
    expect(seen).toHaveLength(51);
  });

  test('are let in when the server closes', async () => {
    const { register, seen, storm, pass, clock } = setUp();
    register(300);
    storm.close();
    await pass(0);
    expect(seen).toHaveLength(300);
    expect(clock.timers).toBe(0);
  });
});

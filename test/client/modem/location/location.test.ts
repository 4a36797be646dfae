import { afterEach, describe, expect, it } from 'vitest';
import { horizontalVelocity } from '../../../../client/modem/location/location-instance.ts';
import { Track, trackOf } from '../../../../client/modem/location/track.ts';
import { Whereabouts } from '../../../../client/modem/location/whereabouts.ts';
import { ContentFormat } from '../../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../../support/client/client-world.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';

describe('a track', () => {
  it.each([0, 1, 17, 63])('number %i is one unbroken round, at speeds of a town', (seed) => {
    const track = new Track(seed);
    expect(track.period).toBeGreaterThan(600);
    let before = track.at(0);
    let stands = 0;
    for (let time = 1; time <= track.period + 10; time++) {
      const now = track.at(time);
      const moved = Math.hypot(now.x - before.x, now.y - before.y);
      // As far as the faster of the two speeds allows, and no faster than 60 km/h.
      expect(moved).toBeLessThanOrEqual(Math.max(now.speed, before.speed) + 1.4);
      expect(now.speed).toBeLessThan(16.7);
      expect(Math.abs(now.speed - before.speed)).toBeLessThanOrEqual(1.31);
      if (now.speed === 0) stands++;
      before = now;
    }
    expect(stands).toBeGreaterThan(200);
    const [first, again] = [track.at(5), track.at(5 + track.period)];
    expect(again.x).toBeCloseTo(first.x, 6);
    expect(again.y).toBeCloseTo(first.y, 6);
  });

  it('is shared by modems of a fleet, and each is elsewhere on it', () => {
    expect(trackOf(3)).toBe(trackOf(67));
    const clock = new FakeClock();
    const places = Array.from({ length: 200 }, (_, seed) => {
      const { latitude, longitude } = new Whereabouts(clock, seed).fix();
      return `${latitude.toFixed(4)} ${longitude.toFixed(4)}`;
    });
    expect(new Set(places).size).toBeGreaterThan(190);
  });
});

describe('where a modem is', () => {
  it('follows from seed and clock alone', () => {
    const [one, other] = [new Whereabouts(new FakeClock(), 7), new Whereabouts(new FakeClock(), 7)];
    expect(one.fix()).toEqual(other.fix());
  });

  it('is measured within the radius that is told, nearly always', () => {
    const clock = new FakeClock();
    const whereabouts = new Whereabouts(clock, 7);
    let outside = 0;
    for (let i = 0; i < 500; i++) {
      const before = whereabouts.fix();
      clock.advance(1_000);
      const after = whereabouts.fix();
      const north = (after.latitude - before.latitude) * 111_320;
      const east =
        (after.longitude - before.longitude) * 111_320 * Math.cos((after.latitude * Math.PI) / 180);
      if (Math.hypot(north, east) > 17 + after.radius) outside++;
      expect(Math.abs(after.takenAt * 1_000 - clock.wallTime())).toBeLessThanOrEqual(1_000);
    }
    expect(outside).toBe(0);
  });
});

it.each([
  [0, 0, '00000000'],
  [13.9, 90, '005a0032'],
  [100, 359.7, '00000168'],
])('a velocity of %d m/s to %d degrees is %s (3GPP TS 23.032)', (speed, heading, hex) => {
  expect(Buffer.from(horizontalVelocity(speed, heading)).toString('hex')).toBe(hex);
});

describe('the Location object', () => {
  let world: ClientWorld;
  afterEach(() => expect(world.faults).toEqual([]));

  it('can be read: one fix, with its time (ETS 801)', async () => {
    world = new ClientWorld();
    await world.modem().start();
    await world.registered();
    const values = await world.settle(world.server.values('/6/0'));
    expect(Object.keys(values)).toEqual(Array.from({ length: 7 }, (_, id) => `/6/0/${id}`));
    expect(Number(values['/6/0/0'])).toBeGreaterThan(25);
    expect(Number(values['/6/0/0'])).toBeLessThan(49);
    expect(Number(values['/6/0/1'])).toBeGreaterThan(-125);
    expect(Number(values['/6/0/1'])).toBeLessThan(-66);
    expect(Math.abs(Number(values['/6/0/5']) - world.clock.wallTime() / 1_000)).toBeLessThan(2);
    expect(values['/6/0/4']).toBeInstanceOf(Uint8Array);
  });

  it('tells observers where it goes (ETS 810)', async () => {
    world = new ClientWorld();
    await world.modem().start();
    await world.registered();
    const { told } = await world.settle(world.server.observe('/6/0', { accept: ContentFormat.SENML_CBOR }));
    await world.clock.run(1_200_000);
    const fixes = told.map(({ payload }) => world.server.decode('/6/0', payload));
    expect(fixes.length).toBeGreaterThan(30);
    const speeds = fixes.map((fix) => Number(fix['/6/0/6']));
    expect(Math.max(...speeds)).toBeGreaterThan(8);
    expect(new Set(fixes.map((fix) => fix['/6/0/0'])).size).toBeGreaterThan(20);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import type { Modem } from '../../../client/modem/modem.ts';
import { observe as observeOf } from '../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import type { Notification } from '../../support/client/scripted-server.ts';
import type { LinkQuality } from '../../support/coap/lossy-link.ts';

const imu = '/42770/0/2';
let world: ClientWorld;
let modem: Modem;

async function start(options: Parameters<ClientWorld['modem']>[0] = {}, quality: LinkQuality = {}) {
  world = new ClientWorld(quality);
  modem = world.modem({ rates: { imu: 50, gyro: 0, temperature: 0 }, ...options });
  await modem.start();
  await world.registered();
}

afterEach(() => expect(world.faults).toEqual([]));

/** Times in µs of all readings, packs that came twice taken once. */
function times(told: readonly Notification[]): number[] {
  const packs = new Map(told.map((each) => [Buffer.from(each.payload).toString('hex'), each]));
  return [...packs.values()].flatMap(({ payload }) =>
    world.server.records(imu, payload).map((record) => Math.round((record.time ?? 0) * 1e6)),
  );
}

function expectEvery(taken: readonly number[], period: number): void {
  for (let i = 1; i < taken.length; i++) expect((taken[i] ?? 0) - (taken[i - 1] ?? 0)).toBe(period);
}

describe('observed readings', () => {
  it('arrive in packs, each with the time at which it was taken, none left out', async () => {
    await start();
    const { first, told } = await world.settle(
      world.server.observe(imu, { accept: ContentFormat.SENML_CBOR }),
    );
    expect(observeOf(first.options)).toBeDefined();
    expect(world.server.records(imu, first.payload)).toHaveLength(1);
    await world.clock.run(10_000);
    const taken = times(told);
    expect(taken.length).toBeGreaterThan(480);
    expectEvery(taken, 20_000);
    expect(told.every((each) => each.confirmable && each.payload.length <= 1024)).toBe(true);
    expect(told.length).toBeLessThan(taken.length / 5);
  });

  it('the answer to the Observe is a reading of its own: no pack repeats it', async () => {
    await start();
    const { first, told } = await world.settle(world.server.observe(imu));
    await world.clock.run(3_000);
    const answered = Math.round((world.server.records(imu, first.payload)[0]?.time ?? 0) * 1e6);
    expect(times(told)).not.toContain(answered);
  });

  it('arrive one by one where the format carries no time, or packs are off', async () => {
    await start();
    const text = await world.settle(world.server.observe(imu, { accept: ContentFormat.TEXT }));
    await world.clock.run(1_000);
    expect(text.told.length).toBeGreaterThan(10);
    expect(Number(new TextDecoder().decode(text.told[0]?.payload))).toBeGreaterThan(5);
    await world.settle(modem.close());
    await start({ packs: false });
    const single = await world.settle(world.server.observe(imu));
    await world.clock.run(1_000);
    expect(single.told.length).toBeGreaterThan(10);
    for (const { payload } of single.told) expect(world.server.records(imu, payload)).toHaveLength(1);
  });

  it('arrive complete over a link that loses, doubles and reorders', async () => {
    await start({}, { loss: 0.15, duplicate: 0.1, reorder: 0.2, seed: 11 });
    const { told } = await world.settle(world.server.observe(imu));
    await world.clock.run(60_000);
    const taken = times(told);
    expect(taken.length).toBeGreaterThan(1_500);
    expectEvery(taken, 20_000);
  });

  it('taken while the server was away arrive afterwards, the pack under way as the same bytes', async () => {
    await start({ rates: { imu: 10, gyro: 0, temperature: 0 } });
    const before = await world.settle(world.server.observe(imu));
    await world.clock.run(5_000);
    let silenced = 0;
    world.link.filter = () => ++silenced > 0;
    // Longer than the notification's last retransmission: the observation is void then.
    await world.clock.run(120_000);
    expect(modem.client.observations).toBe(0);
    world.link.filter = undefined;
    await world.registered(2);
    expect(world.server.of('register')).toHaveLength(2);
    const after = await world.settle(world.server.observe(imu));
    await world.clock.run(30_000);
    const taken = times([...before.told, ...after.told]);
    expectEvery(taken, 100_000);
    expect(taken.length).toBeGreaterThan(1_450);
    expect(modem.client.readings.dropped).toBe(0);
  });

  it('whose acknowledgement was lost come again as the same bytes, so that the server can tell', async () => {
    await start({ rates: { imu: 10, gyro: 0, temperature: 0 } });
    let acknowledge = true;
    const before = await world.settle(
      world.server.observe(imu, {
        decide: (notification) => (acknowledge ? notification.accept() : notification.ignore()),
      }),
    );
    await world.clock.run(2_000);
    acknowledge = false;
    await world.registered(2);
    const unacknowledged = before.told.at(-1);
    const after = await world.settle(world.server.observe(imu));
    await world.until('told', () => after.told.length > 0);
    expect(after.told[0]?.payload).toEqual(unacknowledged?.payload);
    await world.clock.run(5_000);
    expectEvery(times([...before.told, ...after.told]), 100_000);
  });

  it('flow on with the same observation when the server process dies and comes back soon', async () => {
    await start({ rates: { imu: 10, gyro: 0, temperature: 0 } });
    const { told } = await world.settle(world.server.observe(imu));
    await world.clock.run(2_000);
    let packets = 0;
    world.link.filter = () => ++packets > 0;
    await world.clock.run(20_000);
    world.link.filter = undefined;
    await world.clock.run(30_000);
    expect(world.server.of('register')).toHaveLength(1);
    expectEvery(times(told), 100_000);
    expect(times(told).length).toBeGreaterThan(500);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { AppletCard } from '../../../client/sim/applet/applet-card.ts';
import { LegacyCard } from '../../../client/sim/applet/legacy-card.ts';
import { Terminal } from '../../../client/sim/toolkit/terminal.ts';
import { seededRandom } from '../../../client/sim/virtual-card/seeded-random.ts';
import { CarrierResult, DISCONNECT_CARRIER_ID } from '../../../objects/carrier.ts';
import { Network, someInformation } from '../../support/sim/applet-world.ts';
import { CarrierWorld } from '../../support/sim/carrier-world.ts';

const names = ['AT&T', 'T-Mobile', 'Verizon'];
const gateway = { address: '192.0.2.7', port: 6001 };
let network: Network;
let world: CarrierWorld;

afterEach(() => expect(world.faults).toEqual([]));

/** A modem with an applet card whose toolkit it serves. */
function withApplet(): CarrierWorld {
  network = new Network();
  return new CarrierWorld({}, 0, {
    kind: 'applet',
    gateway,
    drive: (parts, { clock, faults, lines }) => {
      const card = new AppletCard(parts);
      const terminal = new Terminal({
        session: parts.session,
        clock,
        openChannel: network.open,
        localInformation: someInformation,
        onRefresh: () => card.refreshed(),
        onBroken: () => card.broken(),
        onLog: (line) => lines.push(line),
        onFault: (error) => faults.push(error),
      });
      void terminal.start();
      return card;
    },
  });
}

function withLegacy(): CarrierWorld {
  network = new Network();
  return new CarrierWorld({}, 0, {
    kind: 'legacy',
    drive: (parts, { clock, faults, lines }) =>
      new LegacyCard({
        ...parts,
        clock,
        openChannel: network.open,
        gateway,
        log: (line) => lines.push(line),
        onFault: (error) => faults.push(error),
      }),
  });
}

/** What the card itself says, asked without faults: the applet's carrier. */
function cardSays(): string | undefined {
  if (world.card.kind === 'applet') return world.card.enabledProfile?.name;
  const kept = world.card.contents.applications.F04C454741435901;
  const carrier = typeof kept === 'number' ? kept : (world.card.enabledProfile?.carrier ?? 15);
  return carrier === DISCONNECT_CARRIER_ID ? undefined : names[carrier];
}

describe.each([
  ['the carrier applet', 1_000, withApplet],
  ['the old applet, which is polled all the time', 150, withLegacy],
] as const)('switches in a row through %s, with random faults', (_what, count, open) => {
  it(`${count} of them end, each on what the card says`, { timeout: 300_000 }, async () => {
    world = open();
    const random = seededRandom(20_261_129);
    const pick = (count: number): number => Math.floor(random() * count);
    await world.start();
    const ended = { ACK: 0, NACK: 0 };
    for (let id = 1; id <= count; id++) {
      world.card.faults.random = { seed: id, probability: 0.03 };
      const chance = random();
      if (chance < 0.02) world.card.faults.set({ kind: 'absent', delay: pick(60_000) });
      network.up = chance < 0.9;
      const target = pick(3);
      await world.begin(target, id);
      if (chance > 0.96) {
        await world.clock.run(pick(600));
        await world.restart();
      }
      await world.idle();
      // The gateway orders too, now and then, whatever is under way.
      if (chance > 0.5 && chance < 0.7 && network.isOpen) {
        network.say(`10${pick(3)}0`);
        await world.clock.run(pick(2_000));
      }
      world.card.faults.replace([]);
      network.up = true;
      await world.clock.run(60_000);
      await world.idle();
      const { snapshot } = world.control;
      expect([id, snapshot.current, snapshot.lastCommand]).toEqual([id, cardSays(), id]);
      expect([world.attached, world.cardTrouble]).toEqual([true, false]);
      if (snapshot.lastResult === CarrierResult.NACK) expect(snapshot.lastReason).not.toBe('');
      ended[snapshot.lastResult === CarrierResult.ACK ? 'ACK' : 'NACK']++;
    }
    expect(ended.ACK).toBeGreaterThan(count / 2);
    expect(ended.NACK).toBeGreaterThan(count / 20);
  });
});

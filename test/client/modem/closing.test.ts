import { expect, it } from 'vitest';
import { encodePackage } from '../../../client/modem/firmware/package.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ModemWorld } from '../../support/client/modem-world.ts';

// A modem that is closed, whatever it was doing, leaves nothing behind that goes on.

const opaque = { format: ContentFormat.OPAQUE };
const firmware = encodePackage(
  { name: 'simyard-modem', version: '9', minimumHardware: undefined },
  new Uint8Array(2_000),
);

/** The clock of a world, which knows the timers that were set by it and are still to fire. */
function watched(clock: Clock): { readonly clock: Clock; readonly waiting: Set<string> } {
  const waiting = new Set<string>();
  return {
    waiting,
    clock: {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      setTimer(delay, callback) {
        const from = new Error(`${delay} ms`).stack ?? '';
        const timer = clock.setTimer(delay, () => {
          waiting.delete(from);
          callback();
        });
        waiting.add(from);
        return {
          cancel() {
            waiting.delete(from);
            timer.cancel();
          },
        };
      },
    },
  };
}

it.each<[string, (world: ModemWorld) => Promise<unknown>]>([
  ['has nothing to do', async () => {}],
  [
    'is observed',
    async (world) => {
      await world.settle(world.server.send(Code.PUT, '/3', { query: ['pmax=60', 'epmax=10'] }));
      await world.settle(world.server.observe('/3'));
      await world.settle(world.server.observe('/42770/0/2'));
      await world.clock.run(3_000);
    },
  ],
  ['is about to reboot', (world) => world.execute('/3/0/4')],
  [
    'reboots',
    async (world) => {
      await world.execute('/3/0/4');
      await world.clock.run(1_000);
    },
  ],
  [
    'is disabled',
    async (world) => {
      await world.execute('/1/0/4');
      await world.clock.run(1_000);
    },
  ],
  ['is about to update its registration', (world) => world.write('/1/0/1', '100')],
  [
    'has its radio off',
    async (world) => {
      await world.write('/10/0/1', '5');
      await world.clock.run(2_000);
    },
  ],
  ['is about to connect anew', (world) => world.write('/11/0/1', 'iot')],
  [
    'collects statistics',
    async (world) => {
      await world.write('/7/0/8', '100');
      await world.execute('/7/0/6');
    },
  ],
  [
    'has a log to send',
    async (world) => {
      await world.write('/20/0/4017', '10');
      await world.execute('/3/0/4');
    },
  ],
  [
    'installs firmware',
    async (world) => {
      await world.settle(world.server.send(Code.PUT, '/5/0/0', { ...opaque, payload: firmware }));
      await world.execute('/5/0/2');
      await world.clock.run(1_500);
    },
  ],
  [
    'fetches firmware from where nobody is',
    async (world) => {
      await world.write('/5/0/1', 'coap://203.0.113.5/x');
      await world.clock.run(100);
    },
  ],
  [
    'is off the network for a while',
    async (world) => {
      await world.execute('/42769/0/3', "0='15',1='7'");
      await world.clock.run(5_000);
    },
  ],
])('a modem that %s leaves no timer when it is closed', async (_what, work) => {
  const world = new ModemWorld();
  const { clock, waiting } = watched(world.clock);
  const card = new VirtualCard({ serial: 42, switchLatency: 300, clock });
  await world.start({ clock, card, rates: { imu: 10, gyro: 0, temperature: 0 } });
  expect(waiting.size).toBeGreaterThan(0);
  await work(world);
  await world.settle(world.modemNow.close({ deregister: false }));
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  expect([...waiting]).toEqual([]);
  expect(world.faults).toEqual([]);
});

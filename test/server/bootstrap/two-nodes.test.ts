import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Bootstrap, composeBootstrap } from '../../../server/bootstrap/compose-bootstrap.ts';
import { credentialKeys } from '../../../server/bootstrap/credential-keys.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import { EventPublisher } from '../../../server/live/publisher.ts';
import { createLog } from '../../../server/log.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { registry, ScriptedBootstrapClient } from '../../support/bootstrap/scripted-client.ts';
import { World } from '../../support/coap/world.ts';
import { watchStores } from '../../support/watched-stores.ts';

// Two nodes on the same stores, each with a bootstrap server of its own.
let world: World & { wait<T>(promise: Promise<T>): Promise<T> };
let stores: Stores;
let idle: () => Promise<void>;
let nodes: Bootstrap[];

beforeEach(async () => {
  const watched = watchStores(await openEmbeddedStores({ path: ':memory:' }));
  stores = watched.stores;
  idle = () => watched.idle();
  const made = new World({ delay: 2 });
  world = Object.assign(made, {
    async wait<T>(promise: Promise<T>): Promise<T> {
      let settled = false;
      const settle = () => {
        settled = true;
      };
      promise.then(settle, settle);
      await until('a promise', () => settled);
      return promise;
    },
  });
  const log = createLog('silent');
  nodes = ['node-1', 'node-2'].map((node) => {
    const port = world.link.port(`${node}:5686`);
    return composeBootstrap({
      config: { node, shortServerId: undefined },
      port: Object.assign(port, { transportAddress: (peer: string) => peer }),
      stores,
      keys: credentialKeys({ credentials: stores.credentials, clock: world.clock }),
      addresses: { coap: 'coap://here:5683', coaps: 'coaps://here:5684' },
      registry,
      onRefused: () => undefined,
      events: new EventPublisher(stores.events, { publishEvent: () => undefined }, log, world.clock),
      clock: world.clock,
      log,
    });
  });
});
afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await stores.close();
});

async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  for (let turn = 0; turn < 5_000; turn++) {
    if (await ask()) return;
    await world.clock.run(5);
    await idle();
  }
  throw new Error(`waited in vain: ${what}`);
}

const sessions = async () => (await stores.bootstrap.sessions({ endpoint: 'meter-1', limit: 5 })).items;

test('a device that goes to another node begins anew there, and the first one lets go', async () => {
  const device = new ScriptedBootstrapClient(world, '192.0.2.9:5683', 'node-1:5686');
  device.answers.set('PUT /1/0', () => undefined);
  await device.ask('ep=meter-1', 'pct=112');
  await until('the write', () => device.asked.includes('PUT /1/0'));
  const elsewhere = new ScriptedBootstrapClient(world, '192.0.2.10:5683', 'node-2:5686');
  expect(await elsewhere.ask('ep=meter-1', 'pct=112')).toBe('2.04');
  await until('the end', async () => (await sessions())[0]?.state === 'finished');
  const [second, first] = await sessions();
  expect([second?.node, first?.node, first?.state]).toEqual(['node-2', 'node-1', 'replaced']);
  // The first node goes no further with what the device answers late.
  const asked = device.asked.length;
  await world.clock.run(100_000);
  await idle();
  expect(device.asked.length).toBe(asked);
  expect((await sessions()).map(({ state }) => state)).toEqual(['finished', 'replaced']);
});

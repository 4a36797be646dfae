import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ApiCommand, ApiCommandPage } from '../../server/api/schemas.ts';
import { seededRandom } from '../support/coap/lossy-link.ts';
import { JOURNAL_OBJECT, RestlessDevice } from '../support/restless-device.ts';
import { ServerWorld } from '../support/server-world.ts';

let world: ServerWorld;
let folder: string | undefined;
afterEach(async () => {
  await world.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

/** A step of simulated time in which devices sleep, ms: the store may have something to answer, though little happens. */
const LONG_STEP = 1_000;

/** The kinds of the mix, by turns. */
const KINDS = ['write', 'execute', 'create', 'read'] as const;

/** The request with that number, and what the journal of the device says of it. */
function numbered(number: number): { readonly body: object; readonly entry: string } {
  const kind = KINDS[number % KINDS.length] as (typeof KINDS)[number];
  const at = `/${JOURNAL_OBJECT}/0`;
  const body = {
    write: { operation: 'write', path: `${at}/${number}`, value: number },
    execute: { operation: 'execute', path: `${at}/1`, arguments: [String(number)] },
    create: { operation: 'create', path: `/${JOURNAL_OBJECT}/${number}`, values: { 1: number } },
    read: { operation: 'read', path: `${at}/${number}` },
  }[kind];
  return { body, entry: `${kind} ${number}` };
}

const hold = (name: string, body: object): Promise<ApiCommand> =>
  world.api.post<ApiCommand>(`/api/devices/${name}/requests`, body);

async function commands(name: string): Promise<ApiCommand[]> {
  const { items } = await world.api.get<ApiCommandPage>(`/api/devices/${name}/commands?limit=1000`);
  return items.toReversed();
}

const isOpen = ({ state }: ApiCommand): boolean =>
  state === 'queued' || state === 'sent' || state === 'accepted';

/**
 * A link that loses one datagram in five each way, but never lets more than three attempts at the same
 * exchange fail: CoAP's retransmissions get through, so that every request has to be carried out, and once.
 */
function loses(seed: number, share = 0.2, most = 3): NonNullable<ServerWorld['link']['filter']> {
  const random = seededRandom(seed);
  const failures = new Map<string, number>();
  return (data, from) => {
    const [header = 0, , high = 0, low = 0] = data;
    const reply = ((header >> 4) & 3) >= 2;
    const exchange = `${(from === 'server:5683') !== reply} ${high} ${low}`;
    const failed = failures.get(exchange) ?? 0;
    if (failed >= most || random() >= share) return false;
    failures.set(exchange, failed + 1);
    return true;
  };
}

describe('a hundred requests of all kinds, on a link that loses, doubles and reorders', () => {
  const COUNT = 100;
  const expected = Array.from({ length: COUNT }, (_, i) => numbered(i + 10).entry);

  async function open(): Promise<void> {
    folder = mkdtempSync(join(tmpdir(), 'simyard-held-'));
    world = await ServerWorld.open((stores) => stores, folder);
  }

  async function holdAll(name: string, from: number, to: number): Promise<void> {
    for (let i = from; i < to; i++) await world.wait(hold(name, numbered(i + 10).body));
  }

  async function ended(name: string): Promise<void> {
    await world.until('all commands have ended', async () => {
      await world.pass(5_000);
      return (await commands(name)).every((one) => !isOpen(one));
    });
  }

  it('reach a device that sleeps once, in order, over several windows and a restart of the server (ETS 108, 109)', async () => {
    await open();
    const device = new RestlessDevice(world, 'sleepy', 20_000);
    await device.register();
    await world.pass(60_000);
    expect(device.asleep).toBe(true);
    world.link.quality = { delay: 300, duplicate: 0.1, reorder: 0.1, jitter: 500 };
    world.link.filter = loses(11);
    for (let held = 25; held <= COUNT; held += 25) {
      const before = device.journal.length;
      await holdAll('sleepy', held - 25, held);
      await world.pass(5_000);
      await world.pass(115_000, LONG_STEP);
      expect(device.journal).toHaveLength(before);
      if (held === 50) await world.restart();
      for (let windows = 0; (await commands('sleepy')).some(isOpen); windows++) {
        expect(windows).toBeLessThan(20);
        device.wake().catch(() => undefined);
        await world.until('it sleeps again', async () => {
          await world.pass(5_000);
          return device.asleep;
        });
        await world.pass(200_000, LONG_STEP);
      }
    }
    expect(device.journal).toEqual(expected);
    const all = await commands('sleepy');
    expect(all.map(({ state }) => state)).toEqual(all.map(() => 'done'));
    expect(all.map(({ kind }) => kind)).toEqual(all.map(() => 'request'));
  });

  it('reach a device that is at a new address every ten seconds once, in order, through a restart of the server', async () => {
    await open();
    const device = new RestlessDevice(world, 'nomad');
    await device.register();
    world.link.quality = { delay: 300, duplicate: 0.1, reorder: 0.1, jitter: 500 };
    world.link.filter = loses(23);
    const stop = device.moveEvery(10_000);
    await holdAll('nomad', 0, COUNT / 2);
    await ended('nomad');
    await world.restart();
    await holdAll('nomad', COUNT / 2, COUNT);
    await ended('nomad');
    stop();
    expect(device.moves).toBeGreaterThan(10);
    expect(device.journal).toEqual(expected);
    const all = await commands('nomad');
    expect(all.map(({ state }) => state)).toEqual(all.map(() => 'done'));
  });

  it('reach one that sleeps and moves, whatever is lost: in order, and nothing twice that may not be', async () => {
    await open();
    const device = new RestlessDevice(world, 'elusive', 15_000);
    await device.register();
    await world.pass(60_000);
    await holdAll('elusive', 0, COUNT);
    // Nothing bounds what is lost: CoAP gives up now and then, in the middle of what the device has carried out.
    world.link.quality = { delay: 300, loss: 0.35, duplicate: 0.1, reorder: 0.1, jitter: 500, seed: 5 };
    for (let windows = 0; windows < 200; windows++) {
      device.wake().catch(() => undefined);
      const stop = device.moveEvery(10_000);
      await world.pass(60_000);
      stop();
      await world.pass(120_000, LONG_STEP);
      if (windows === 2) await world.restart();
      if ((await commands('elusive')).every((one) => !isOpen(one))) break;
    }
    const all = await commands('elusive');
    const carriedOut = device.journal.filter((entry, i) => entry !== device.journal[i - 1]);
    // In order, each at its place, however often what may be repeated was.
    const places = carriedOut.map((entry) => expected.indexOf(entry));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    for (const [i, { state, parameters }] of all.entries()) {
      const times = device.journal.filter((entry) => entry === expected[i]).length;
      const mayRepeat = parameters['operation'] === 'write' || parameters['operation'] === 'read';
      if (mayRepeat) {
        expect([state, times > 0]).toEqual(['done', true]);
      } else if (state === 'done') expect(times).toBe(1);
      else {
        expect(state).toBe('unknown');
        expect(times).toBeLessThanOrEqual(1);
      }
    }
  });
});

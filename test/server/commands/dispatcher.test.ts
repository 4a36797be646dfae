import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandDispatcher } from '../../../server/commands/dispatcher.ts';
import { askLater } from '../../../server/commands/waits.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { Command, CommandQueue, CommandState } from '../../../server/ports/command-queue.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { Stores } from '../../../server/ports/stores.ts';
import { aRegistration } from '../../contract/engine.ts';
import { FakeClock } from '../../support/coap/fake-clock.ts';

describe('a step of a command of which the store could not tell whether it took place', () => {
  let stores: Stores;
  let clock: FakeClock;
  let dispatcher: CommandDispatcher;
  let told: CommandState[];
  let advanced: number;
  /** What the next step meets. */
  let next: 'answered' | 'answer lost' | 'not done';

  beforeEach(async () => {
    stores = await openEmbeddedStores({ path: ':memory:' });
    clock = new FakeClock();
    told = [];
    advanced = 0;
    next = 'answered';
    const { commands } = stores;
    const queue: CommandQueue = Object.assign(Object.create(commands) as CommandQueue, {
      transition: async (step: Parameters<CommandQueue['transition']>[0]) => {
        const met = next;
        next = 'answered';
        if (met === 'not done') throw new StoreUnavailableError('the store is away');
        const after = await commands.transition(step);
        if (met === 'answer lost') throw new StoreUnavailableError('the answer is lost');
        return after;
      },
    });
    dispatcher = new CommandDispatcher({
      queue,
      kinds: {
        request: {
          advance: async (command, turn) => {
            advanced += 1;
            await turn.step(command, { from: ['queued'], to: 'done' });
            return undefined;
          },
        },
      },
      place: async () => ({ reachability: 'awake' }),
      clock,
      log: pino({ level: 'silent' }),
      onStep: ({ state }) => told.push(state),
    });
    await dispatcher.start();
  });
  afterEach(async () => {
    await dispatcher.close();
    await stores.close();
  });

  async function enqueue(): Promise<Command> {
    const at = clock.wallTime();
    const { command } = await stores.commands.enqueue({
      ...{ endpoint: 'a', kind: 'request', parameters: {}, createdAt: at, expiresAt: at + 3_600_000 },
    });
    dispatcher.kick('a');
    await expect.poll(() => advanced).toBe(1);
    return command;
  }
  /** Lets the sweeps of so many seconds take place. */
  async function pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1_000);
      for (let turn = 0; turn < 5; turn++) await stores.commands.countOpen('request');
    }
  }

  test('is told where it did, once, and not taken again', async () => {
    next = 'answer lost';
    const { id } = await enqueue();
    await expect.poll(async () => (await stores.commands.get(id))?.state).toBe('done');
    expect(told).toEqual([]);
    await pass(60);
    expect(told).toEqual(['done']);
    expect(advanced).toBe(1);
  });

  test('is taken again where it did not', async () => {
    next = 'not done';
    const { id } = await enqueue();
    await pass(60);
    expect((await stores.commands.get(id))?.state).toBe('done');
    expect(told).toEqual(['done']);
    expect(advanced).toBe(2);
  });
});

describe('the outcome of a command among readings', () => {
  let stores: Stores;
  let dispatcher: CommandDispatcher;
  let told: CommandState[];
  /** Calls of the queue, by name. */
  let asked: string[];
  let registration: unknown;
  const pack = { endpoint: 'a', receivedAt: 1, overtaken: false, series: [] };

  beforeEach(async () => {
    stores = await openEmbeddedStores({ path: ':memory:' });
    told = [];
    asked = [];
    registration = undefined;
    const { commands } = stores;
    const queue: CommandQueue = Object.assign(Object.create(commands) as CommandQueue, {
      head: (endpoint: string) => {
        asked.push('head');
        return commands.head(endpoint);
      },
      transition: (step: Parameters<CommandQueue['transition']>[0]) => {
        asked.push(step.to);
        return commands.transition(step);
      },
    });
    dispatcher = new CommandDispatcher({
      queue,
      kinds: {
        'carrier-switch': {
          advance: async (command, turn) => {
            registration = turn.registration;
            if (command.state === 'queued') await turn.step(command, { from: ['queued'], to: 'sent' });
            return askLater;
          },
          concerns: () => true,
          observed: async (command, _, turn) => {
            await turn.step(command, { from: ['sent', 'accepted'], to: 'done' });
            return true;
          },
        },
      },
      place: async () => ({ reachability: 'awake', registration: aRegistration('a') }),
      clock: new FakeClock(),
      log: pino({ level: 'silent' }),
      onStep: ({ state }) => told.push(state),
    });
    await dispatcher.start();
  });
  afterEach(async () => {
    await dispatcher.close();
    await stores.close();
  });

  const enqueue = (job?: { readonly id: string; readonly attempt: number }) =>
    stores.commands.enqueue({
      ...{ endpoint: 'a', kind: 'carrier-switch', parameters: {}, createdAt: 1, expiresAt: 9e15 },
      ...(job === undefined ? {} : { job }),
    });
  const stateOf = async (id: string) => (await stores.commands.get(id))?.state;
  /** Everything that is under way with the store has been answered. */
  const answered = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await stores.commands.countOpen('carrier-switch');
  };

  test('is stored while the readings are, and told behind them', async () => {
    const { command } = await enqueue();
    dispatcher.kick('a');
    expect(dispatcher.isAwaited(pack)).toBe(false);
    await expect.poll(() => told).toEqual(['sent']);
    expect(dispatcher.isAwaited(pack)).toBe(true);
    asked = [];
    const settled = dispatcher.arriving(pack);
    // In the very turn: the store takes it together with the readings.
    expect(asked).toEqual(['done']);
    await answered();
    expect(await stateOf(command.id)).toBe('done');
    expect(told).toEqual(['sent']);
    settled?.(true);
    await answered();
    expect(told).toEqual(['sent', 'done']);
    expect(dispatcher.arriving(pack)).toBeUndefined();
    expect(dispatcher.isAwaited(pack)).toBe(false);
  });

  test('is not waited for where the command is one of a job', async () => {
    await enqueue({ id: 'job', attempt: 1 });
    dispatcher.kick('a');
    await expect.poll(() => told).toEqual(['sent']);
    expect(dispatcher.isAwaited(pack)).toBe(false);
  });

  test('is told too where the log did not take the readings: the device has said it', async () => {
    await enqueue();
    dispatcher.kick('a');
    await expect.poll(() => told).toEqual(['sent']);
    dispatcher.arriving(pack)?.(false);
    await answered();
    expect(told).toEqual(['sent', 'done']);
  });

  test('is looked up behind the readings where it is not known that the command was sent', async () => {
    const { command } = await enqueue();
    // Nothing is known of it before the queue has answered.
    dispatcher.kick('a');
    const refused = dispatcher.arriving(pack);
    const settled = dispatcher.arriving(pack);
    await expect.poll(() => told).toEqual(['sent']);
    asked = [];
    refused?.(false);
    await answered();
    expect(asked).toEqual([]);
    settled?.(true);
    await answered();
    expect(asked.slice(0, 2)).toEqual(['head', 'done']);
    expect(told).toEqual(['sent', 'done']);
    expect(await stateOf(command.id)).toBe('done');
  });

  test('a command that was looked up while it was queued is sent without another look', async () => {
    const queued = enqueue();
    const looked = dispatcher.lookAhead('a');
    expect(asked).toEqual(['head']);
    await queued;
    dispatcher.kick('a', looked);
    await expect.poll(() => told).toEqual(['sent']);
    expect(asked).toEqual(['head', 'sent']);
    expect(registration).toEqual(aRegistration('a'));
    // Of a device that has a command the dispatcher knows best itself.
    expect(dispatcher.lookAhead('a')).toBeUndefined();
  });

  test('a look that came before the command is not gone by', async () => {
    const looked = dispatcher.lookAhead('a');
    await looked;
    await enqueue();
    dispatcher.kick('a', looked);
    await expect.poll(() => told).toEqual(['sent']);
    expect(asked).toEqual(['head', 'head', 'sent']);
  });
});

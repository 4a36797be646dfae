import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandDispatcher } from '../../../server/commands/dispatcher.ts';
import { openEmbeddedStores } from '../../../server/embedded/index.ts';
import type { Command, CommandQueue, CommandState } from '../../../server/ports/command-queue.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import type { Stores } from '../../../server/ports/stores.ts';
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

import { describe, expect, it } from 'vitest';
import { CoapResponseError, ResetError } from '../../../protocol/coap/errors.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../../protocol/errors.ts';
import {
  type CommandStep,
  type CommandTurn,
  SessionEndedError,
} from '../../../server/commands/command-kind.ts';
import { HeldRequest, type HeldRequestOptions, isIdempotent } from '../../../server/commands/held-request.ts';
import { noAnswer, notRegistered } from '../../../server/commands/waits.ts';
import { DoneUnreadableError, NotRegisteredError } from '../../../server/errors.ts';
import { NotSentError } from '../../../server/lwm2m/device-reach.ts';
import type { Command } from '../../../server/ports/command-queue.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';

function aCommand(parameters: Command['parameters'], change: Partial<Command> = {}): Command {
  return {
    id: 'c1',
    endpoint: 'd',
    number: 1,
    kind: 'request',
    parameters,
    state: 'queued',
    attempts: 0,
    createdAt: 0,
    updatedAt: 0,
    expiresAt: 1e6,
    history: [],
    ...change,
  };
}

/** One command on its way, with what was stored of it. */
class Life {
  command: Command;
  readonly steps: CommandStep[] = [];
  closing = false;
  failSteps = 0;
  readonly #kind: HeldRequest;

  constructor(
    parameters: Command['parameters'],
    perform: HeldRequestOptions['perform'],
    change: Partial<Command> = {},
  ) {
    this.command = aCommand(parameters, change);
    this.#kind = new HeldRequest({ perform });
  }

  advance() {
    const turn: CommandTurn = {
      signal: new AbortController().signal,
      closing: () => this.closing,
      step: async (_command, step) => {
        if (this.failSteps-- > 0) throw new StoreUnavailableError('the disk is full');
        if (!step.from.includes(this.command.state)) return undefined;
        this.steps.push(step);
        this.command = {
          ...this.command,
          state: step.to,
          attempts: this.command.attempts + (step.attempt ? 1 : 0),
          ...(step.reason === undefined ? {} : { reason: step.reason }),
          ...(step.result === undefined ? {} : { result: step.result }),
        };
        return this.command;
      },
    };
    return this.#kind.advance(this.command, turn);
  }
}

const READ = { operation: 'read', path: '/3/0' };
const EXECUTE = { operation: 'execute', path: '/3/0/4' };
const UPDATE = { operation: 'write', path: '/1/0', mode: 'update', values: { 1: 5 } };

/** Sends, and then meets that error. */
const sends =
  (error: Error): HeldRequestOptions['perform'] =>
  async (_command, options) => {
    await options.beforeSend?.();
    throw error;
  };

describe('a held request', () => {
  it('is on disk as sent before anything goes out, and ends with its result', async () => {
    const seen: string[] = [];
    const life = new Life(READ, async (_command, { beforeSend }) => {
      seen.push(life.command.state);
      await beforeSend?.();
      await beforeSend?.();
      seen.push(life.command.state);
      return { path: '/3/0', items: [] };
    });
    expect(await life.advance()).toBeUndefined();
    expect(seen).toEqual(['queued', 'sent']);
    expect(life.command).toMatchObject({ state: 'done', attempts: 1, result: { path: '/3/0' } });
  });

  it.each([
    ['silence', new TimeoutError('no answer'), noAnswer],
    ['a new registration', new SessionEndedError('the device registered anew'), noAnswer],
    ['the end of the registration', new NotRegisteredError('d'), notRegistered],
  ])(
    'is queued again after %s where it may be done twice, and is unknown where not',
    async (_what, error, wait) => {
      const read = new Life(READ, sends(error));
      expect(await read.advance()).toEqual(wait);
      expect(read.command).toMatchObject({ state: 'queued', attempts: 1 });
      for (const parameters of [EXECUTE, UPDATE, { operation: 'create', path: '/1', values: {} }]) {
        const once = new Life(parameters, sends(error));
        expect(await once.advance()).toBeUndefined();
        expect(once.command.state).toBe('unknown');
        expect(once.command.reason).toContain('nobody can tell');
      }
    },
  );

  it('stays queued where nothing was sent, whatever it is', async () => {
    const life = new Life(EXECUTE, () => Promise.reject(new TimeoutError('the device sleeps')));
    expect(await life.advance()).toEqual(noAnswer);
    const away = new Life(EXECUTE, () => Promise.reject(new NotRegisteredError('d')));
    expect(await away.advance()).toEqual(notRegistered);
    expect([life.command.state, away.command.state, life.steps.length]).toEqual(['queued', 'queued', 0]);
  });

  it('is queued again where it was noted as sent and never went out, also when the server closes', async () => {
    for (const closing of [false, true]) {
      const life = new Life(EXECUTE, sends(new NotSentError('it was ended before it went out')));
      life.closing = closing;
      expect(await life.advance()).toBe(noAnswer);
      expect(life.command).toMatchObject({ state: 'queued', reason: 'it was ended before it went out' });
    }
  });

  it('is taken up after the end of the server that had sent it', async () => {
    const read = new Life(READ, async () => ({}), { state: 'sent' });
    expect(await read.advance()).toBeUndefined();
    expect(read.command.state).toBe('queued');
    const execute = new Life(EXECUTE, async () => ({}), { state: 'sent' });
    await execute.advance();
    expect(execute.command.state).toBe('unknown');
  });

  it.each([
    ['its refusal', new CoapResponseError(Code.FORBIDDEN), { coapCode: '4.03' }],
    ['what the caller got wrong', new RequestError('no such path'), undefined],
  ])('fails with %s', async (_what, error, result) => {
    const life = new Life(EXECUTE, sends(error));
    expect(await life.advance()).toBeUndefined();
    expect(life.command.state).toBe('failed');
    expect(life.command.result).toEqual(result);
  });

  it.each([
    [EXECUTE, 'unknown'],
    [{ operation: 'create', path: '/5', values: {} }, 'unknown'],
    [{ operation: 'write', path: '/1/0/1', value: 1 }, 'unknown'],
    [{ operation: 'read', path: '/1/0/1' }, 'failed'],
  ])('of %o nobody can tell more than the answer that cannot be read: %s', async (parameters, state) => {
    const life = new Life(parameters, sends(new DecodeError('garbage')));
    expect(await life.advance()).toBeUndefined();
    expect(life.command).toMatchObject({ state, reason: expect.stringContaining('garbage') });
  });

  it('is done where the device says so and leaves out what it made', async () => {
    const life = new Life(
      { operation: 'create', path: '/5', values: {} },
      sends(new DoneUnreadableError('it did not say which')),
    );
    expect(await life.advance()).toBeUndefined();
    expect(life.command).toMatchObject({
      state: 'done',
      reason: 'the answer cannot be read: it did not say which',
    });
  });

  it('is tried again later, and longer, where the device is busy or rejects the message, but not for ever', async () => {
    const busy = new Life(EXECUTE, sends(new CoapResponseError(Code.SERVICE_UNAVAILABLE)));
    const [first, second] = [await busy.advance(), await busy.advance()];
    expect(busy.command).toMatchObject({ state: 'queued', attempts: 2 });
    expect(second?.delay).toBeGreaterThan(first?.delay ?? 0);
    const rejected = new Life(EXECUTE, sends(new ResetError('RST')));
    for (let i = 0; i < 10 && rejected.command.state === 'queued'; i++) await rejected.advance();
    expect(rejected.command).toMatchObject({ state: 'failed', attempts: 5 });
  });

  it('does not go out when it was cancelled meanwhile', async () => {
    let sent = false;
    const life = new Life(EXECUTE, async (_command, options) => {
      life.command = { ...life.command, state: 'cancelled' };
      await options.beforeSend?.();
      sent = true;
      return {};
    });
    expect(await life.advance()).toBeUndefined();
    expect([sent, life.command.state]).toEqual([false, 'cancelled']);
  });

  it('ends as it did although the store took it later, and is not carried out again', async () => {
    let times = 0;
    const life = new Life(EXECUTE, async (_command, options) => {
      await options.beforeSend?.();
      times++;
      life.failSteps = 1;
      return {};
    });
    await expect(life.advance()).rejects.toThrow('the disk is full');
    expect(life.command.state).toBe('sent');
    expect(await life.advance()).toBeUndefined();
    expect([times, life.command.state]).toEqual([1, 'done']);
  });

  it('that the device would not take is sent again also where the store took that later', async () => {
    for (const error of [new CoapResponseError(Code.SERVICE_UNAVAILABLE), new ResetError('RST')]) {
      let sent = 0;
      const life = new Life(EXECUTE, async (_command, options) => {
        await options.beforeSend?.();
        if (sent++ > 0) return {};
        life.failSteps = 1;
        throw error;
      });
      await expect(life.advance()).rejects.toThrow(StoreUnavailableError);
      expect(life.command.state).toBe('sent');
      await life.advance();
      expect(life.command.state).toBe('queued');
      await life.advance();
      expect([life.command.state, sent]).toEqual(['done', 2]);
    }
  });

  it('waits where too much waits for the device already', async () => {
    const busy = new BusyError("64 requests wait for 'd' already");
    for (const perform of [sends(busy), () => Promise.reject(busy)]) {
      const life = new Life(EXECUTE, perform);
      expect(await life.advance()).toMatchObject({ unreachable: false });
      expect(life.command.state).toBe('queued');
    }
  });

  it('is left as it is when the server closes', async () => {
    const life = new Life(EXECUTE, async (_command, options) => {
      await options.beforeSend?.();
      life.closing = true;
      throw new Error('the server is closing');
    });
    expect(await life.advance()).toBeUndefined();
    expect(life.command.state).toBe('sent');
  });

  it('keeps the outline of a result that is too large', async () => {
    const items = Array.from({ length: 20_000 }, (_, i) => ({ path: `/33000/0/${i}`, value: i }));
    const life = new Life(READ, async () => ({ path: '/33000', contentFormat: 112, items }));
    await life.advance();
    expect(life.command.result).toEqual({ path: '/33000', contentFormat: 112, omitted: expect.any(Number) });
  });

  it('tells a bug, and stays where it is', async () => {
    const life = new Life(READ, () => Promise.reject(new TypeError('undefined is not a function')));
    await expect(life.advance()).rejects.toThrow(TypeError);
    expect(life.command.state).toBe('queued');
  });
});

describe('what may be done twice', () => {
  it.each([
    [{ operation: 'read' }, true],
    [{ operation: 'write' }, true],
    [{ operation: 'write', mode: 'replace' }, true],
    [{ operation: 'write', mode: 'update', values: {} }, false],
    // One value goes by PUT.
    [{ operation: 'write', mode: 'update', value: 1 }, true],
    [{ operation: 'write-composite' }, true],
    [{ operation: 'execute' }, false],
    [{ operation: 'create' }, false],
    [{ operation: 'what a later version knows' }, false],
  ])('%o: %s', (parameters, expected) => {
    expect(isIdempotent({ parameters })).toBe(expected);
  });
});

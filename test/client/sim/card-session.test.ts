import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CardSession } from '../../../client/sim/card-session.ts';
import {
  CardStatusError,
  type CardTransport,
  CardTransportError,
} from '../../../client/sim/card-transport.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import { DecodeError } from '../../../protocol/errors.ts';

/** A card that gives the answers in order and notes what it was asked. */
function scripted(answers: readonly string[]): { transport: CardTransport; asked: string[] } {
  const asked: string[] = [];
  const left = [...answers];
  const transport: CardTransport = {
    connect: async () => new Uint8Array(0),
    reset: async () => new Uint8Array(0),
    close: async () => {},
    async transmit(command) {
      asked.push(toHex(command));
      return fromHex(left.shift() ?? '6F00');
    },
  };
  return { transport, asked };
}

describe('a card session', () => {
  it('fetches what 61XX announces, in as many pieces as the card wants', async () => {
    const { transport, asked } = scripted(['6102', 'AABB6101', 'CC9000']);
    const answer = await new CardSession(transport).send({
      cla: 0x81,
      ins: 0xe2,
      p1: 0x91,
      p2: 0,
      data: fromHex('00'),
    });
    expect(answer).toEqual({ data: fromHex('AABBCC'), sw: 0x9000 });
    expect(asked).toEqual(['81E291000100', '81C0000002', '81C0000001']);
  });

  it('asks again with the length that 6CXX names', async () => {
    const { transport, asked } = scripted(['6C0A', '981014301211111111F19000']);
    const answer = await new CardSession(transport).send({ cla: 0, ins: 0xb0, p1: 0, p2: 0, le: 256 });
    expect(toHex(answer.data)).toBe('981014301211111111F1');
    expect(asked).toEqual(['00B0000000', '00B000000A']);
  });

  it('gives up on a card that announces data and has none', async () => {
    const { transport } = scripted(['6102', '6102']);
    await expect(new CardSession(transport).send({ cla: 0, ins: 0xa4, p1: 0, p2: 0 })).rejects.toThrow(
      CardTransportError,
    );
  });

  it('names what was asked for when the card says no', async () => {
    const { transport } = scripted(['6A82']);
    await expect(
      new CardSession(transport).expectOk('select EF_ICCID', { cla: 0, ins: 0xa4, p1: 0, p2: 0 }),
    ).rejects.toThrow(new CardStatusError('select EF_ICCID', 0x6a82));
  });
});

const select = { cla: 0, ins: 0xa4, p1: 0, p2: 0 };

describe('a piece of work', () => {
  it('has the card for itself, and others come in their order', async () => {
    const { transport, asked } = scripted(Array(8).fill('9000'));
    const session = new CardSession(transport);
    const command = (p1: number) => ({ ...select, p1 });
    const first = session.exclusive(async () => {
      await session.send(command(1));
      await Promise.resolve();
      await session.exclusive(() => session.send(command(2)));
      await session.send(command(3));
    });
    const alone = session.send(command(4));
    const second = session.exclusive(async () => {
      await session.send(command(5));
    });
    await Promise.all([first, alone, second]);
    expect(asked.map((apdu) => apdu[5])).toEqual(['1', '2', '3', '4', '5']);
  });

  it('that fails lets the next one at the card', async () => {
    const { transport } = scripted(['9000']);
    const session = new CardSession(transport);
    const failed = session.exclusive(async () => {
      throw new RangeError('no');
    });
    await expect(failed).rejects.toThrow(RangeError);
    expect((await session.send(select)).sw).toBe(0x9000);
  });

  it('is not joined by what it began, and what comes after it has ended', async () => {
    const { transport, asked } = scripted(Array(4).fill('9000'));
    const session = new CardSession(transport);
    let late: (() => Promise<unknown>) | undefined;
    let event: Promise<unknown> | undefined;
    await session.exclusive(async () => {
      late = () => session.exclusive(() => session.send({ ...select, p1: 3 }));
      event = session.later(() => session.send({ ...select, p1: 2 }));
      await session.send({ ...select, p1: 1 });
    });
    await Promise.all([event, late?.()]);
    expect(asked.map((apdu) => apdu[5])).toEqual(['1', '2', '3']);
  });

  it('does not put one command between another and its answer', async () => {
    const { transport, asked } = scripted(['6101', 'AA9000', '9000']);
    const session = new CardSession(transport);
    const [first] = await session.exclusive(() =>
      Promise.all([session.send(select), session.send({ ...select, p1: 4 })]),
    );
    expect(toHex(first?.data ?? new Uint8Array(0))).toBe('AA');
    expect(asked).toEqual(['00A40000', '00C0000001', '00A40400']);
  });
});

describe('a proactive command', () => {
  it('is for the caller where nobody serves the session', async () => {
    const { transport } = scripted(['910B']);
    expect((await new CardSession(transport).send(select)).sw).toBe(0x910b);
  });

  it('is served before the command that announced it ends, with all that come after', async () => {
    const { transport, asked } = scripted(['6101', 'AA9100', 'BB9000', '9102', '9000']);
    const session = new CardSession(transport);
    const lengths: number[] = [];
    session.onProactive = async (length) => {
      lengths.push(length);
      await session.send({ cla: 0x80, ins: 0x12, p1: 0, p2: 0, le: length });
      if (lengths.length === 1) await session.send({ cla: 0x80, ins: 0x14, p1: 0, p2: 0 });
    };
    expect(await session.send(select)).toEqual({ data: fromHex('AA'), sw: 0x9000 });
    expect(lengths).toEqual([256, 2]);
    expect(asked).toEqual(['00A40000', '00C0000001', '8012000000', '80140000', '8012000002']);
  });

  it('that cannot be served is the fault of the command that announced it, and of no other', async () => {
    const { transport } = scripted(['910B', '9000']);
    const session = new CardSession(transport);
    session.onProactive = async () => {
      throw new CardTransportError('gone');
    };
    await expect(session.send(select)).rejects.toThrow('gone');
    expect((await session.send(select)).sw).toBe(0x9000);
  });
});

describe('power', () => {
  it('begins another generation, which is told before anything else is sent', async () => {
    const { transport, asked } = scripted(['9000', '9000', '9000']);
    const session = new CardSession(transport);
    session.onReset = async () => {
      await session.send({ cla: 0x80, ins: 0x10, p1: 0, p2: 0 });
    };
    const both = Promise.all([session.connect(), session.send(select)]);
    await both;
    expect(asked).toEqual(['80100000', '00A40000']);
    expect(session.generation).toBe(1);
    await session.reset();
    expect(session.generation).toBe(2);
  });

  it('that cannot be had begins none', async () => {
    const { transport } = scripted([]);
    const session = new CardSession({
      ...transport,
      reset: () => Promise.reject(new CardTransportError('gone')),
    });
    await expect(session.reset()).rejects.toThrow('gone');
    expect(session.generation).toBe(0);
  });
});

describe('an application', () => {
  const aid = fromHex('A0000000871002');
  const ask = (session: CardSession) => (channel: number) =>
    session.send({ cla: channel, ins: 0xf2, p1: 0, p2: 0 });

  it('is selected on a channel of its own, which is closed again', async () => {
    const { transport, asked } = scripted(['029000', '9000', '9000', '9000']);
    const session = new CardSession(transport);
    await session.onApplication('the USIM', aid, ask(session));
    expect(asked).toEqual(['0070000001', '02A4040007A0000000871002', '02F20000', '00708002']);
  });

  it('that is not there, or fails, leaves no channel open', async () => {
    const { transport, asked } = scripted(['019000', '6A82', '9000', '019000', '9000', '9000']);
    const session = new CardSession(transport);
    await expect(session.onApplication('the USIM', aid, ask(session))).rejects.toThrow(
      new CardStatusError('select the USIM', 0x6a82),
    );
    const failing = session.onApplication('the USIM', aid, async () => {
      throw new RangeError('no');
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(asked.filter((apdu) => apdu.startsWith('007080'))).toHaveLength(2);
  });

  it('that fails tells what failed first, whatever comes of closing; and is let be when it cannot be talked to', async () => {
    const { transport, asked } = scripted(['019000', '6A82', '6985', '019000', '9000']);
    const session = new CardSession(transport);
    await expect(session.onApplication('the USIM', aid, ask(session))).rejects.toThrow(
      new CardStatusError('select the USIM', 0x6a82),
    );
    expect(asked).toHaveLength(3);
    const failing = session.onApplication('the USIM', aid, async () => {
      throw new CardTransportError('no answer');
    });
    await expect(failing).rejects.toThrow('no answer');
    expect(asked).toHaveLength(5);
  });

  it('loses its channel in a reset, and none is closed then', async () => {
    const { transport, asked } = scripted(['019000', '9000']);
    const session = new CardSession(transport);
    await session.onApplication('the USIM', aid, () => session.reset());
    expect(asked).toHaveLength(2);
  });

  it.each(['9000', '009000', '149000'])('gets no channel from a card that opens none: %s', async (answer) => {
    const { transport } = scripted([answer]);
    const session = new CardSession(transport);
    await expect(session.onApplication('the USIM', aid, ask(session))).rejects.toThrow(DecodeError);
  });
});

describe('a card that answers anything', () => {
  it('ends each command with an answer, or with an error that says that it is the card', async () => {
    const answer = fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc.constantFrom('6100', '6101', '6C05', '910B', '9000', '019000', '6A82').map((hex) => fromHex(hex)),
    );
    const piece = fc.constantFrom<(session: CardSession) => Promise<unknown>>(
      (session) => session.send(select),
      (session) => session.expectOk('select', select),
      (session) => session.reset(),
      (session) =>
        session.onApplication('the USIM', fromHex('A0000000871002'), (n) =>
          session.send({ ...select, cla: n }),
        ),
      (session) => session.later(() => session.send(select)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { maxLength: 30 }), fc.array(piece), async (answers, pieces) => {
        const { transport } = scripted(answers.map((bytes) => toHex(bytes)));
        const session = new CardSession(transport);
        session.onProactive = async (length) => {
          await session.send({ cla: 0x80, ins: 0x12, p1: 0, p2: 0, le: length });
        };
        const ends = await Promise.allSettled(pieces.map((begin) => begin(session)));
        for (const end of ends) {
          if (end.status === 'fulfilled') continue;
          const { reason } = end;
          const known = [CardStatusError, CardTransportError, DecodeError];
          expect(known.some((kind) => reason instanceof kind)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

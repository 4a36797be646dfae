import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  CardAbsentError,
  type CardPresence,
  type CardTransport,
  CardTransportError,
} from '../../../../client/sim/card-transport.ts';
import { fromHex, toHex } from '../../../../client/sim/hex.ts';
import { VirtualCard } from '../../../../client/sim/virtual-card/virtual-card.ts';
import { VpcdCard } from '../../../../client/sim/vpcd/vpcd-card.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { until } from '../../../support/until.ts';

/** vpcd's side of the connection. */
class Reader {
  readonly server: Server;
  #socket: Socket | undefined;
  received = '';
  connections = 0;

  constructor() {
    this.server = createServer((socket) => {
      this.connections++;
      this.#socket = socket;
      this.received = '';
      socket.on('data', (bytes) => {
        this.received += toHex(bytes);
      });
      socket.on('close', () => {
        if (this.#socket === socket) this.#socket = undefined;
      });
      socket.on('error', () => socket.destroy());
    });
  }

  get hasCard(): boolean {
    return this.#socket !== undefined;
  }

  send(hex: string): void {
    this.#socket?.write(fromHex(hex));
  }

  /** What the card answers to these bytes. */
  async ask(hex: string): Promise<string> {
    this.received = '';
    this.send(hex);
    return until(`an answer to ${hex}`, () => {
      const length = Number.parseInt(this.received.slice(0, 4), 16);
      return this.received.length === 4 + length * 2 ? this.received.slice(4) : undefined;
    });
  }

  /** As pcscd does when it ends. */
  drop(): void {
    this.#socket?.destroy();
  }
}

const atr = '3B9F96801FC78031A073BE21136743200718000001A5';
const getAtr = '000104';
const apdu = '000400000000';

/** A card that does one thing wrong, or otherwise. */
const odd = (thing: Partial<CardTransport>): CardTransport => ({
  connect: async () => fromHex(atr),
  reset: async () => fromHex(atr),
  transmit: async () => fromHex('9000'),
  close: async () => {},
  ...thing,
});

describe('a card in vpcd’s reader', () => {
  let reader: Reader;
  let clock: FakeClock;
  let served: VpcdCard | undefined;
  let said: string[];
  let port: number;

  beforeEach(async () => {
    reader = new Reader();
    clock = new FakeClock();
    said = [];
    reader.server.listen(0, '127.0.0.1');
    await once(reader.server, 'listening');
    port = (reader.server.address() as AddressInfo).port;
  });
  afterEach(() => {
    served?.stop();
    reader.drop();
    reader.server.close();
  });

  function serve(card: CardTransport): VpcdCard {
    served = new VpcdCard({
      card,
      clock,
      port,
      onState: (state, reason) => said.push(`${state}: ${reason}`),
      onFault: (error) => {
        throw error;
      },
    });
    served.start();
    return served;
  }
  const seated = (connections: number): Promise<true> =>
    until('the card is in', () => {
      if (reader.connections >= connections && reader.hasCard) return true;
      clock.advance(1_000);
      return undefined;
    });

  it('answers for its ATR, its powers and its commands', async () => {
    serve(new VirtualCard({ serial: 7 }));
    await seated(1);
    expect(await reader.ask(getAtr)).toBe(atr);
    reader.send('000101');
    expect(await reader.ask('000700A40804022FE2')).toMatch(/^61/);
    reader.send('000102');
    reader.send('000100');
    expect(await reader.ask(getAtr)).toBe(atr);
    expect(await reader.ask(apdu)).toBe('6D00');
    expect(said).toEqual([expect.stringMatching(/^in: 127/)]);
  });

  it('sends the first byte of its answer when a length came alone, so that the body comes at once', async () => {
    serve(new VirtualCard({ serial: 7 }));
    await seated(1);
    await reader.ask(getAtr);
    reader.received = '';
    reader.send('0005');
    await until('the first byte', () => reader.received === '00');
    reader.send('00F2000000');
    const answer = await until('the rest', () => (reader.received.length > 6 ? reader.received : undefined));
    expect(Number.parseInt(answer.slice(0, 4), 16)).toBe((answer.length - 4) / 2);
  });

  it('sends no byte early for a control message, which gets no answer', async () => {
    serve(new VirtualCard({ serial: 7 }));
    await seated(1);
    reader.send('0001');
    reader.send('01');
    expect(await reader.ask(getAtr)).toBe(atr);
  });

  it('is put in again when pcscd was restarted', async () => {
    serve(new VirtualCard({ serial: 7 }));
    await seated(1);
    await reader.ask(getAtr);
    reader.drop();
    await until('it is told', () => said.length === 2);
    await seated(2);
    await reader.ask(getAtr);
    expect(said.map((text) => text.split(':')[0])).toEqual(['in', 'out', 'in']);
  });

  it('waits for a pcscd that does not run yet, and says so once', async () => {
    reader.server.close();
    await once(reader.server, 'close');
    serve(new VirtualCard({ serial: 7 }));
    await until('it is told', () => said.length === 1);
    expect(said[0]).toMatch(/^out: .*ECONNREFUSED/);
    for (let i = 0; i < 3; i++) {
      clock.advance(1_000);
      await until('it has tried', () => clock.pending === 1);
    }
    reader.server.listen(port, '127.0.0.1');
    await once(reader.server, 'listening');
    await seated(1);
    await reader.ask(getAtr);
    expect(said).toHaveLength(2);
  });

  it('is out of the reader while it is out of its slot', async () => {
    const card = new VirtualCard({ serial: 7 });
    serve(card);
    await seated(1);
    await reader.ask(getAtr);
    card.faults.absent = true;
    await until('it is out', () => !reader.hasCard);
    expect(clock.pending).toBe(0);
    card.faults.absent = false;
    await until('it is in again', () => reader.hasCard);
    expect(await reader.ask(getAtr)).toBe(atr);
  });

  it('says so when pcscd does not look for it: another card has the reader', async () => {
    serve(new VirtualCard({ serial: 7 }));
    await until('it is in', () => reader.hasCard);
    await until('it is told', () => {
      clock.advance(1_000);
      return said.length > 0;
    });
    expect(said[0]).toMatch(/another card in the reader/);
  });

  it('that breaks off is out, and in again a little later', async () => {
    let fails = true;
    serve(
      odd({
        transmit: async () => {
          if (fails) throw new CardTransportError('no contact');
          return fromHex('9000');
        },
      }),
    );
    await seated(1);
    await reader.ask(getAtr);
    reader.send(apdu);
    await until('it is out', () => !reader.hasCard);
    expect(said.at(-1)).toBe('out: no contact');
    fails = false;
    await seated(2);
    expect(await reader.ask(apdu)).toBe('9000');
  });

  it.each<[string, Partial<CardTransport>, string]>([
    ['to a command', { transmit: async () => new Uint8Array(0) }, apdu],
    ['to power', { connect: async () => new Uint8Array(0) }, getAtr],
  ])('that answers nothing %s is out: pcscd would wait for ever', async (_, thing, asked) => {
    serve(odd(thing));
    await seated(1);
    reader.send(asked);
    await until('it is out', () => !reader.hasCard);
    expect(said).toContain('out: the card answered nothing');
    await seated(2);
  });

  it('that is mute is given up, as a reader does: pcscd would wait for ever; it is powered up anew', async () => {
    const card = new VirtualCard({ serial: 7 });
    card.faults.set({ kind: 'mute', times: 1 });
    serve(card);
    await seated(1);
    await reader.ask(getAtr);
    reader.send(apdu);
    await until('it is out', () => {
      clock.advance(1_000);
      return !reader.hasCard;
    });
    expect(said.at(-1)).toBe('out: the card did not answer within 15 s');
    await seated(2);
    expect(await reader.ask(getAtr)).toBe(atr);
    expect(await reader.ask('000500A4000C00')).not.toBe('');
  });

  it('that is mute keeps its reader waiting for a while, which pcscd may end', async () => {
    serve(odd({ transmit: () => new Promise(() => {}) }));
    await seated(1);
    await reader.ask(getAtr);
    reader.send(apdu);
    reader.drop();
    await seated(2);
    expect(await reader.ask(getAtr)).toBe(atr);
  });

  it('that is taken out while its answer was begun ends it: pcscd dies of half a length', async () => {
    const card = new VirtualCard({ serial: 7 });
    card.faults.set({ kind: 'mute' });
    serve(card);
    await seated(1);
    await reader.ask(getAtr);
    reader.received = '';
    reader.send('0005');
    await until('the first byte', () => reader.received === '00');
    reader.send('00B0000000');
    card.faults.absent = true;
    await until('it is out', () => !reader.hasCard);
    expect(reader.received).toBe('0000');
  });

  it('without a way to tell when it is back is tried again', async () => {
    let absent = true;
    serve(
      odd({
        connect: async () => {
          if (absent) throw new CardAbsentError('no card');
          return fromHex(atr);
        },
      }),
    );
    await until('it is out', () => said.includes('out: no card'));
    absent = false;
    await seated(2);
    expect(await reader.ask(getAtr)).toBe(atr);
  });

  it('gives up a peer that does not speak vpcd’s protocol', async () => {
    serve(odd({ transmit: () => new Promise(() => {}) }));
    await seated(1);
    reader.send('0000');
    await until('it is out', () => /0 bytes/.test(said.at(-1) ?? ''));
    await seated(2);
    reader.send(apdu.repeat(20));
    await until('it is out again', () => /take turns/.test(said.at(-1) ?? ''));
  });

  it('is out at once when it is stopped', async () => {
    const card = serve(new VirtualCard({ serial: 7 }));
    await seated(1);
    card.stop();
    card.stop();
    await until('it is out', () => !reader.hasCard);
  });

  it('goes in and out as its transport tells', async () => {
    let listener: (presence: CardPresence) => void = () => {};
    serve(
      odd({
        subscribe: (given) => {
          listener = given;
          return () => {};
        },
      }),
    );
    await seated(1);
    listener('absent');
    await until('it is out', () => !reader.hasCard);
    listener('present');
    await until('it is in again', () => reader.hasCard);
  });
});

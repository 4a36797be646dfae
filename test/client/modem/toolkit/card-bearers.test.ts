import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Radio } from '../../../../client/modem/radio.ts';
import { CardBearers, type OpenSocket } from '../../../../client/modem/toolkit/card-bearers.ts';
import { channelNetworks } from '../../../../client/modem/toolkit/channel-networks.ts';
import type { BearerChannel, ChannelOptions } from '../../../../client/sim/toolkit/bearer-channel.ts';
import { systemClock } from '../../../../protocol/clock.ts';
import type { DatagramPort } from '../../../../protocol/coap/datagram-port.ts';
import { createUdpPort } from '../../../../protocol/coap/udp-port.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let radio: Radio;
let lines: string[];
let server: Socket;
let bearers: CardBearers;

async function serverAt(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

function options(port: number, destination = '127.0.0.1'): ChannelOptions {
  return {
    protocol: 'udp',
    destination,
    port,
    bearer: { type: 3, parameters: new Uint8Array(0) },
    bufferSize: 1_400,
  };
}

function make(openSocket?: OpenSocket): CardBearers {
  const onLog = (line: string): void => void lines.push(line);
  return new CardBearers({ radio, onLog, ...(openSocket === undefined ? {} : { openSocket }) });
}

/** The next datagram of the channel. */
function heard(channel: BearerChannel): Promise<string> {
  return new Promise((resolve) => channel.onData((data) => resolve(new TextDecoder().decode(data))));
}

beforeEach(async () => {
  radio = new Radio(await createUdpPort({ host: '127.0.0.1', port: 0 }), systemClock);
  lines = [];
  server = await serverAt('127.0.0.1');
  bearers = make();
});

afterEach(async () => {
  bearers.dropAll();
  await radio.close();
  server.close();
});

describe('a channel of the card over UDP', () => {
  it('reaches the remote end and is answered, over the modem’s radio', async () => {
    const channel = await bearers.open(options(server.address().port));
    await channel.send(bytes('hello'));
    const [data, from] = await once(server, 'message');
    expect(String(data)).toBe('hello');
    const answer = heard(channel);
    server.send('world', from.port, from.address);
    expect(await answer).toBe('world');
    const traffic = { packetsIn: 1, packetsOut: 1, bytesIn: 33, bytesOut: 33 };
    expect(radio.traffic).toEqual(traffic);
    await channel.close();
    await channel.close();
  });

  it('is over IPv6 where the address is, however it is written', async () => {
    const six = await serverAt('::1');
    const channel = await bearers.open(options(six.address().port, '0:0:0:0:0:0:0:1'));
    await channel.send(bytes('six'));
    const [data, from] = await once(six, 'message');
    expect(String(data)).toBe('six');
    const answer = heard(channel);
    six.send('back', from.port, from.address);
    expect(await answer).toBe('back');
    await channel.close();
    six.close();
  });

  it('hears nobody but the remote end', async () => {
    const channel = await bearers.open(options(server.address().port));
    await channel.send(bytes('hello'));
    const [, from] = await once(server, 'message');
    const stranger = await serverAt('127.0.0.1');
    const answer = heard(channel);
    stranger.send('from a stranger', from.port, from.address, () =>
      server.send('from the remote end', from.port, from.address),
    );
    expect(await answer).toBe('from the remote end');
    stranger.close();
    await channel.close();
  });

  it('is dropped when the radio goes off, and takes nothing any more', async () => {
    const channel = await bearers.open(options(server.address().port));
    const reasons: string[] = [];
    channel.onDropped((reason) => reasons.push(reason));
    radio.turn('off');
    bearers.dropAll();
    bearers.dropAll();
    expect(reasons).toEqual(['the modem left the network']);
    await expect(channel.send(bytes('x'))).rejects.toMatchObject({
      result: { general: 0x3a, additional: 0x02 },
    });
  });

  it('leads nowhere but where it may', async () => {
    const networks = channelNetworks(['192.0.2.0/24']);
    const bounded = new CardBearers({
      radio,
      networks,
      onLog: (line) => lines.push(line),
      openSocket: async () => port(() => {}),
    });
    await bounded.open(options(7, '192.0.2.9'));
    await expect(bounded.open(options(7))).rejects.toMatchObject({
      message: 'its channels may not lead there',
      result: { general: 0x3a, additional: 0x07 },
    });
  });

  it.each([
    ['0.0.0.0', 7],
    ['0.1.2.3', 7],
    ['224.0.0.1', 7],
    ['239.255.255.255', 7],
    ['255.255.255.255', 7],
    ['0:0:0:0:0:0:0:0', 7],
    ['ff02:0:0:0:0:0:0:1', 7],
    ['0:0:0:0:0:ffff:e000:1', 7],
    ['127.0.0.1', 0],
  ])('leads to no %s, port %i: that is no host', async (destination, to) => {
    await expect(bearers.open(options(to, destination))).rejects.toMatchObject({
      message: 'that is no host',
      result: { general: 0x3a, additional: 0x07 },
    });
  });

  it('is not there while the radio is off', async () => {
    radio.turn('off');
    await expect(bearers.open(options(server.address().port))).rejects.toMatchObject({
      result: { general: 0x20, additional: 0x04 },
    });
  });

  it('is not there when the radio goes off while it is opened, and leaves no socket', async () => {
    const made: string[] = [];
    const slow = make(async () => {
      radio.turn('off');
      return port(() => made.push('closed'));
    });
    await expect(slow.open(options(1))).rejects.toMatchObject({ result: { general: 0x20 } });
    expect(made).toEqual(['closed']);
  });

  it('is out of reach where the system has no socket for it', async () => {
    const none = make(async () => {
      throw Object.assign(new Error('bind EMFILE'), { syscall: 'bind' });
    });
    await expect(none.open(options(1))).rejects.toMatchObject({
      message: 'bind EMFILE',
      result: { general: 0x3a, additional: 0x07 },
    });
  });

  it('passes a bug on', async () => {
    const broken = make(async () => {
      throw new TypeError('a bug');
    });
    await expect(broken.open(options(1))).rejects.toThrow(TypeError);
  });

  it('says in the log what the system says', async () => {
    let fail: (error: Error) => void = () => {};
    const failing = make(async () => ({
      ...port(() => {}),
      onError(handler: (error: Error, peer: undefined) => void) {
        fail = (error) => handler(error, undefined);
      },
    }));
    await failing.open(options(7));
    fail(new Error('send EMSGSIZE'));
    expect(lines).toEqual(['channel of the card to 127.0.0.1:7: send EMSGSIZE']);
  });
});

function port(onClose: () => void): DatagramPort {
  return {
    local: '127.0.0.1:9',
    send: () => {},
    onDatagram: () => {},
    onError: () => {},
    close: async () => onClose(),
  };
}

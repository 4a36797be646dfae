import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Fleet, type FleetOptions, type FleetReport } from '../../../bench/load/fleet.ts';
import { defaults, summed } from '../../../bench/load/load-report.ts';
import { systemClock } from '../../../protocol/clock.ts';
import { decodeMessage, encodeMessage } from '../../../protocol/coap/codec.ts';
import { createCoapEndpoint } from '../../../protocol/coap/endpoint.ts';
import { type CoapMessage, Code, MessageType } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  contentFormat,
  locationPathOptions,
  observe,
  pathOptions,
  uintOption,
  uriPath,
} from '../../../protocol/coap/options.ts';
import { createUdpPort, parsePeer } from '../../../protocol/coap/udp-port.ts';
import { createDtlsServerPort } from '../../../protocol/dtls/server-port.ts';
import { decodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';

const floats = { resourceType: () => ({ type: 'float', multiple: false }) as const };
const empty = new Uint8Array(0);

/** A server that registers whoever comes, observes it in the format told, and keeps what came. */
class SmallServer {
  readonly socket: Socket = createSocket('udp4');
  readonly received: { readonly message: CoapMessage; readonly from: RemoteInfo }[] = [];
  format: number = ContentFormat.SENML_CBOR;
  /** Answers nothing to so many requests. */
  deaf = 0;
  /** In place of 2.04. */
  answer: number = Code.CHANGED;
  /** Answers so many requests that are no Register by 4.04. */
  forgetful = 0;
  /** Answers so many notifications by a reset. */
  resets = 0;
  observes = true;
  #registrations = 0;

  constructor() {
    this.socket.on('message', (data, from) => this.#take(decodeMessage(data), from));
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Requests of that code, or notifications. */
  of(code: number): CoapMessage[] {
    return this.received.map(({ message }) => message).filter((message) => message.code === code);
  }

  #take(message: CoapMessage, from: RemoteInfo): void {
    this.received.push({ message, from });
    if (this.deaf > 0) {
      this.deaf--;
      return;
    }
    const send = (answer: Partial<CoapMessage>): void => {
      const whole = {
        type: MessageType.ACK,
        code: 0,
        messageId: message.messageId,
        token: empty,
        options: [],
        payload: empty,
      };
      this.socket.send(encodeMessage({ ...whole, ...answer }), from.port, from.address);
    };
    if (message.type === MessageType.ACK) return;
    if (message.code === Code.CONTENT) {
      if (this.resets > 0) {
        this.resets--;
        send({ type: MessageType.RST });
      } else if (message.type === MessageType.CON) send({});
      return;
    }
    if (uriPath(message.options).join('/') === 'rd') {
      const options = locationPathOptions(`/rd/${++this.#registrations}`);
      send({ code: Code.CREATED, token: message.token, options });
      if (!this.observes) return;
      send({
        ...{
          type: MessageType.CON,
          code: Code.GET,
          messageId: this.#registrations,
          token: Uint8Array.of(9, 9),
        },
        options: [uintOption(6, 0), ...pathOptions('/42770/0/2'), acceptOption(this.format)],
      });
      return;
    }
    const isForgotten = this.forgetful > 0;
    if (isForgotten) this.forgetful--;
    send({ code: isForgotten ? Code.NOT_FOUND : this.answer, token: message.token });
  }
}

describe('simulated devices', () => {
  let server: SmallServer;
  let fleet: Fleet | undefined;

  beforeEach(async () => {
    server = new SmallServer();
    server.socket.bind(0, '127.0.0.1');
    await once(server.socket, 'listening');
  });

  afterEach(() => {
    fleet?.close();
    fleet = undefined;
    server.socket.close();
  });

  const open = async (change: Partial<FleetOptions>): Promise<Fleet> => {
    fleet = await Fleet.open({ ...defaults, port: server.port, devices: 3, ...change });
    return fleet;
  };

  /** Each begins the next when the last has ended, until that is seen. */
  const runUntil = async (devices: Fleet, isSeen: () => boolean): Promise<FleetReport> => {
    const running = devices.run(60_000);
    await vi.waitUntil(isSeen, { timeout: 5_000, interval: 5 });
    devices.stop();
    return running;
  };

  test('come from addresses of their own, and register once each', async () => {
    const report = summed(await (await open({})).register(Number.POSITIVE_INFINITY));
    expect(report).toMatchObject({ done: 3, failed: 0, retransmissions: 0 });
    expect(new Set(server.received.map(({ from }) => from.address))).toEqual(
      new Set(['127.0.1.1', '127.0.1.2', '127.0.1.3']),
    );
  });

  test('come under a name that nobody has heard, and go, by turns', async () => {
    const devices = await open({ devices: 1, mix: { 'come-and-go': 1 } });
    const report = summed(await devices.pace(50, 200));
    expect(report).toMatchObject({ failed: 0, skipped: 0 });
    const asked = server.received.map(({ message }) => message);
    const names = asked
      .filter(({ code }) => code === Code.POST)
      .map(({ options }) =>
        options.map(({ value }) => Buffer.from(value).toString()).find((text) => text.startsWith('ep=')),
      );
    expect(names.length).toBeGreaterThan(1);
    expect(new Set(names).size).toBe(names.length);
    const codes = asked.map(({ code }) => code).filter((code) => code === Code.POST || code === Code.DELETE);
    expect(codes.every((code, index) => code === (index % 2 === 0 ? Code.POST : Code.DELETE))).toBe(true);
  });

  test.each([
    ['SenML CBOR', ContentFormat.SENML_CBOR],
    ['TLV', ContentFormat.TLV],
    ['text', ContentFormat.TEXT],
    ['SenML JSON', ContentFormat.SENML_JSON],
  ])('answer Observe in %s and notify in it, with rising numbers', async (_name, format) => {
    server.format = format;
    const devices = await open({ devices: 1, mix: { notify: 1 } });
    await devices.register(Number.POSITIVE_INFINITY);
    const report = summed(await devices.pace(50, 200));
    const [first, ...notifications] = server.of(Code.CONTENT);
    expect(first?.type).toBe(MessageType.ACK);
    expect(report.done).toBe(notifications.length);
    expect(notifications.length).toBeGreaterThan(0);
    const numbers = notifications.map(({ options }) => observe(options) ?? 0);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    for (const { options, payload, token } of notifications) {
      expect(contentFormat(options)).toBe(format);
      expect(decodeContent(format, '/42770/0/2', payload, floats)).toHaveLength(1);
      expect([...token]).toEqual([9, 9]);
    }
  });

  test('over DTLS prove themselves by the pre-shared key, each by a name of its own', async () => {
    const names: string[] = [];
    const udp = await createUdpPort({ host: '127.0.0.1', port: 0 });
    const secured = createDtlsServerPort({
      port: udp,
      clock: systemClock,
      credentials: {
        psk: async (identity) => {
          const name = Buffer.from(identity).toString();
          names.push(name);
          return { key: Buffer.from('00010203', 'hex'), peer: { kind: 'psk', name } };
        },
      },
    });
    const endpoint = createCoapEndpoint({
      port: secured,
      handler: (request) => request.respond({ code: Code.CREATED, options: locationPathOptions('/rd/1') }),
    });
    try {
      const psk = { identity: 'id-{name}', key: '00010203' };
      const devices = await open({ port: parsePeer(udp.local).port, psk });
      expect(summed(await devices.register(Number.POSITIVE_INFINITY))).toMatchObject({ done: 3, failed: 0 });
      expect(new Set(names)).toEqual(new Set(['id-bench-0', 'id-bench-1', 'id-bench-2']));
    } finally {
      await endpoint.close();
    }
  });

  test('send again what was not answered, and tell how often', async () => {
    server.deaf = 1;
    const report = summed(
      await (await open({ devices: 1, ackTimeout: 40 })).register(Number.POSITIVE_INFINITY),
    );
    expect(report).toMatchObject({ done: 1, failed: 0, retransmissions: 1 });
    // Latency counts from the first transmission, and ACK_TIMEOUT goes by before the second.
    expect(report.latency.max).toBeGreaterThanOrEqual(40);
    const [first, second] = server.of(Code.POST);
    expect(second?.messageId).toBe(first?.messageId);
  });

  test('on a lossy link lose in both directions, and come through all the same', async () => {
    const devices = await open({
      devices: 20,
      loss: 0.2,
      duplicates: 0.2,
      delay: 2,
      ackTimeout: 40,
      seed: 3,
    });
    const report = summed(await devices.register(Number.POSITIVE_INFINITY));
    expect(report.done).toBe(20);
    expect(report.retransmissions).toBeGreaterThan(0);
  });

  test('count what the server refuses, by its code, and register anew where it knows them no more', async () => {
    const devices = await open({ devices: 1 });
    await devices.register(Number.POSITIVE_INFINITY);
    server.answer = Code.NOT_FOUND;
    const report = await devices.pace(60, 100);
    expect(report.works.update?.failures['4.04']).toBeGreaterThan(0);
    expect(report.works.register?.done).toBeGreaterThan(0);
  });

  test('go on where each begins the next when the last has ended: who is known no more registers anew', async () => {
    const devices = await open({ devices: 2 });
    await devices.register(Number.POSITIVE_INFINITY);
    server.forgetful = 2;
    // Two Updates in vain, two Registers, and then more Updates than before.
    const report = await runUntil(devices, () => server.of(Code.POST).length > 12);
    expect(report.works.update?.failures).toEqual({ '4.04': 2 });
    expect(report.works.register?.done).toBe(2);
    expect(report.works.update?.done).toBeGreaterThan(2);
    expect(report.fallenOut).toBe(0);
  });

  test('go on after a reset once they are observed again', async () => {
    const devices = await open({ devices: 1, mix: { notify: 1 } });
    await devices.register(Number.POSITIVE_INFINITY);
    server.resets = 1;
    const report = await runUntil(devices, () => server.of(Code.CONTENT).length > 10);
    expect(report.works.notify?.failures).toEqual({ reset: 1 });
    expect(report.works.register?.done).toBe(1);
    expect(report.works.notify?.done).toBeGreaterThan(1);
    expect(report.fallenOut).toBe(0);
  });

  test('that are not observed any more are told', async () => {
    const devices = await open({ devices: 2, mix: { notify: 1 } });
    await devices.register(Number.POSITIVE_INFINITY);
    server.resets = 1;
    server.observes = false;
    const isBack = (): boolean => server.of(Code.POST).length === 3 && server.of(Code.CONTENT).length > 50;
    expect(await runUntil(devices, isBack)).toMatchObject({ fallenOut: 1 });
  });

  test('end what they do when they are stopped, and tell what was done', async () => {
    const devices = await open({ devices: 2 });
    await devices.register(Number.POSITIVE_INFINITY);
    const working = devices.run(60_000);
    devices.stop();
    expect((await working).elapsed).toBeLessThan(60_000);
  });

  test('begin with other message ids in each run, though the seed is the same', async () => {
    for (let run = 0; run < 2; run++) {
      const devices = await open({ devices: 4 });
      await devices.register(Number.POSITIVE_INFINITY);
      devices.close();
    }
    const ids = server.of(Code.POST).map(({ messageId, token }) => `${messageId} ${Buffer.from(token)}`);
    expect(ids).toHaveLength(8);
    expect(ids.slice(0, 4).sort()).not.toEqual(ids.slice(4).sort());
    fleet = undefined;
  });

  test('stop to notify when they are told so by a reset', async () => {
    server.resets = Number.POSITIVE_INFINITY;
    const devices = await open({ devices: 1, mix: { notify: 1 } });
    await devices.register(Number.POSITIVE_INFINITY);
    const report = await devices.pace(30, 100);
    expect(report.works.notify?.failures['reset']).toBeGreaterThan(0);
    expect(report.works.notify?.done).toBe(0);
  });

  test('without acknowledgements are counted as sent', async () => {
    const devices = await open({ mix: { notify: 1 }, confirmable: false });
    await devices.register(Number.POSITIVE_INFINITY);
    const { done } = summed(await devices.pace(60, 200));
    expect(done).toBe(12);
    expect(server.of(Code.CONTENT).filter(({ type }) => type === MessageType.NON).length).toBeLessThanOrEqual(
      12,
    );
  });
});

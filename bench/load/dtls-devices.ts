import { systemClock } from '../../protocol/clock.ts';
import { decodeMessage, encodeMessage } from '../../protocol/coap/codec.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { Code, MessageType } from '../../protocol/coap/message.ts';
import { pathOptions } from '../../protocol/coap/options.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { createDtlsClientPort } from '../../protocol/dtls/client-port.ts';
import type { ClientCredentials, DtlsClientPort } from '../../protocol/dtls/types.ts';

/** Devices that are busy at once. */
const BUSY = 16;
const PAYLOAD = new Uint8Array(100).fill(7);

/** A device that asks one thing after the other, over a session of its own. */
class Device {
  readonly #server: string;
  readonly #port: DtlsClientPort;
  #messageId = 1;
  #answered: () => void = () => {};

  private constructor(server: string, inner: DatagramPort, credentials: ClientCredentials, suite: number) {
    this.#server = server;
    this.#port = createDtlsClientPort({ port: inner, clock: systemClock, suites: [suite] });
    this.#port.secure(server, credentials);
    this.#port.onDatagram((data) => {
      if (decodeMessage(data).type === MessageType.ACK) this.#answered();
    });
  }

  static async open(server: string, credentials: ClientCredentials, suite: number): Promise<Device> {
    return new Device(server, await createUdpPort({ host: '127.0.0.1', port: 0 }), credentials, suite);
  }

  /** POST of 100 bytes, and its answer. The first one shakes hands. */
  ask(): Promise<void> {
    const request = encodeMessage({
      type: MessageType.CON,
      code: Code.POST,
      messageId: this.#messageId++ & 0xffff,
      token: Uint8Array.of(1, 2, 3, 4),
      options: pathOptions('/echo'),
      payload: PAYLOAD,
    });
    return new Promise((resolve) => {
      this.#answered = resolve;
      this.#port.send(request, this.#server);
    });
  }

  /** Leaves without a word: its session stays at the server. */
  async leave(): Promise<void> {
    this.#port.suspend();
    await this.#port.close();
  }
}

/** So many devices shake hands, each asks once, and leaves. */
export async function handshakes(
  server: string,
  credentials: ClientCredentials,
  suite: number,
  count: number,
): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const device = await Device.open(server, credentials, suite);
      await device.ask();
      await device.leave();
    }
  };
  await Promise.all(Array.from({ length: BUSY }, worker));
}

/** So many exchanges, shared by a few devices. */
export async function exchange(
  server: string,
  credentials: ClientCredentials,
  suite: number,
  count: number,
): Promise<void> {
  let left = count;
  const worker = async () => {
    const device = await Device.open(server, credentials, suite);
    while (left-- > 0) await device.ask();
    await device.leave();
  };
  await Promise.all(Array.from({ length: BUSY }, worker));
}

import { decodeMessage } from '../../protocol/coap/codec.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { Code, MessageType } from '../../protocol/coap/message.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';

/** A modem has one report under way for each observation, and one Send. */
const underWayLimit = 64;
const noTypes = { resourceType: () => undefined };

/** What was acknowledged, by path. Times: µs since the epoch. */
export type OnAcknowledged = (path: string, times: readonly number[], values: readonly number[]) => void;

/**
 * A modem's port that reads along what goes over the wire: which readings were in confirmable notifications
 * that the server has acknowledged, or in Sends that it has answered with 2.04. It does not depend on what the
 * modem believes.
 */
export class WitnessPort implements DatagramPort {
  readonly #port: DatagramPort;
  readonly #onAcknowledged: OnAcknowledged;
  /** Notifications by message id, Sends by token, as they went out. */
  readonly #underWay = new Map<number | string, Uint8Array>();

  constructor(port: DatagramPort, onAcknowledged: OnAcknowledged) {
    this.#port = port;
    this.#onAcknowledged = onAcknowledged;
  }

  get local(): string {
    return this.#port.local;
  }

  send(data: Uint8Array, peer: string): void {
    if (typeOf(data) === MessageType.CON) {
      const code = data[1] as number;
      if (code === Code.POST) this.#note(tokenOf(data), data);
      else if (code >> 5 === 2) this.#note(messageIdOf(data), data);
    }
    this.#port.send(data, peer);
  }

  onDatagram(handler: Parameters<DatagramPort['onDatagram']>[0]): void {
    this.#port.onDatagram((data, peer, identity) => {
      const code = data[1] as number;
      if (typeOf(data) === MessageType.ACK) this.#settle(messageIdOf(data));
      if (code === Code.CHANGED) this.#settle(tokenOf(data));
      handler(data, peer, identity);
    });
  }

  onError(handler: Parameters<DatagramPort['onError']>[0]): void {
    this.#port.onError(handler);
  }

  close(): Promise<void> {
    return this.#port.close();
  }

  #note(key: number | string, data: Uint8Array): void {
    this.#underWay.delete(key);
    this.#underWay.set(key, data);
    if (this.#underWay.size <= underWayLimit) return;
    const [oldest] = this.#underWay.keys();
    if (oldest !== undefined) this.#underWay.delete(oldest);
  }

  #settle(key: number | string): void {
    const data = this.#underWay.get(key);
    if (data === undefined) return;
    this.#underWay.delete(key);
    const { options, payload } = decodeMessage(data);
    if (contentFormat(options) !== ContentFormat.SENML_CBOR) return;
    const series = new Map<string, { times: number[]; values: number[] }>();
    for (const { path, value, time } of decodeContent(ContentFormat.SENML_CBOR, '/', payload, noTypes)) {
      // What carries no time of its own stands at its receipt: the modem cannot say under which.
      if (time === undefined || typeof value !== 'number') continue;
      const { times, values } = series.get(path) ?? { times: [], values: [] };
      series.set(path, { times, values });
      times.push(Math.round(time * 1e6));
      values.push(value);
    }
    for (const [path, { times, values }] of series) this.#onAcknowledged(path, times, values);
  }
}

// RFC 7252 §3: the header is Ver T TKL, Code, Message ID, then the token.
function typeOf(data: Uint8Array): number {
  return ((data[0] as number) >> 4) & 3;
}

function messageIdOf(data: Uint8Array): number {
  return ((data[2] as number) << 8) | (data[3] as number);
}

function tokenOf(data: Uint8Array): string {
  return Buffer.from(data.subarray(4, 4 + ((data[0] as number) & 15))).toString('hex');
}

import { decodeMessage } from '../../protocol/coap/codec.ts';
import type { DatagramPort } from '../../protocol/coap/datagram-port.ts';
import { type CoapMessage, MessageType } from '../../protocol/coap/message.ts';
import { contentFormat } from '../../protocol/coap/options.ts';
import { decodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';

/** One reading as it went over the wire. */
export interface WireReading {
  readonly path: string;
  /** µs since the epoch. */
  readonly takenAt: number;
  readonly value: unknown;
}

/**
 * A device's port that reads along: which readings were in confirmable notifications that the server
 * has acknowledged. What it tells does not depend on what the device believes.
 */
export class RecordingPort implements DatagramPort {
  readonly acknowledged: WireReading[] = [];
  readonly #port: DatagramPort;
  readonly #underWay = new Map<number, CoapMessage>();

  constructor(port: DatagramPort) {
    this.#port = port;
  }

  get local(): string {
    return this.#port.local;
  }

  /** Whether a confirmable notification waits for its ACK: until then, or ACK_TIMEOUT, the device says nothing more. */
  get waits(): boolean {
    return this.#underWay.size > 0;
  }

  send(data: Uint8Array, peer: string): void {
    const message = decodeMessage(data);
    if (message.type === MessageType.CON && message.code >> 5 === 2)
      this.#underWay.set(message.messageId, message);
    this.#port.send(data, peer);
  }

  onDatagram(handler: Parameters<DatagramPort['onDatagram']>[0]): void {
    this.#port.onDatagram((data, peer, identity) => {
      const message = decodeMessage(data);
      if (message.type === MessageType.ACK) this.#settle(message.messageId);
      handler(data, peer, identity);
    });
  }

  onError(handler: Parameters<DatagramPort['onError']>[0]): void {
    this.#port.onError(handler);
  }

  close(): Promise<void> {
    return this.#port.close();
  }

  #settle(messageId: number): void {
    const message = this.#underWay.get(messageId);
    if (message === undefined || contentFormat(message.options) !== ContentFormat.SENML_CBOR) return;
    this.#underWay.delete(messageId);
    for (const { path, value, time } of decodeContent(
      ContentFormat.SENML_CBOR,
      '/',
      message.payload,
      noTypes,
    )) {
      if (time !== undefined) this.acknowledged.push({ path, takenAt: Math.round(time * 1e6), value });
    }
  }
}

const noTypes = { resourceType: () => undefined };

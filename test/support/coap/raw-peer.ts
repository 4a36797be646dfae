import { decodeMessage, encodeMessage } from '../../../protocol/coap/codec.ts';
import type { DatagramPort, PeerAddress } from '../../../protocol/coap/datagram-port.ts';
import { type CoapMessage, type CoapOption, MessageType } from '../../../protocol/coap/message.ts';
import { blockOf, blockOption, pathOptions } from '../../../protocol/coap/options.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const text = (payload: Uint8Array): string => decoder.decode(payload);
export const bytes = (string: string): Uint8Array => encoder.encode(string);
export const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
export const unhex = (string: string): Uint8Array =>
  Uint8Array.from(Buffer.from(string.replace(/\s/g, ''), 'hex'));

/** A message with what a test does not care about left out. */
export interface Draft {
  readonly type?: MessageType;
  readonly code?: number;
  readonly messageId?: number;
  readonly token?: string;
  readonly path?: string;
  readonly options?: readonly CoapOption[];
  readonly payload?: string | Uint8Array;
}

export function draft(fields: Draft): CoapMessage {
  const { type = MessageType.CON, code = 0, messageId = 0, token = '', path = '', options = [] } = fields;
  const { payload = '' } = fields;
  return {
    type,
    code,
    messageId,
    token: unhex(token),
    options: [...pathOptions(path), ...options],
    payload: typeof payload === 'string' ? bytes(payload) : payload,
  };
}

/** `block(2, '0/1/128')` is the option Block2 as RFC 7959 §3 writes it: number, more, size. */
export function block(kind: 1 | 2, value: string): CoapOption {
  const [number = 0, more = 0, size = 16] = value.split('/').map(Number);
  return blockOption(kind === 1 ? 27 : 23, { number, more: more === 1, size });
}

/** The Block1 or Block2 option of a message in that notation. */
export function blockText(
  message: { readonly options: readonly CoapOption[] },
  kind: 1 | 2,
): string | undefined {
  const found = blockOf(message.options, kind === 1 ? 27 : 23);
  return found === undefined ? undefined : `${found.number}/${found.more ? 1 : 0}/${found.size}`;
}

/** A peer without a protocol: it sends what a test writes, and keeps what comes. */
export class RawPeer {
  readonly #port: DatagramPort;
  readonly #to: PeerAddress;
  readonly received: CoapMessage[] = [];
  /** Called for each message that comes. */
  onMessage: ((message: CoapMessage, from: PeerAddress) => void) | undefined;

  constructor(port: DatagramPort, to: PeerAddress) {
    this.#port = port;
    this.#to = to;
    port.onDatagram((data, from) => {
      const message = decodeMessage(data);
      this.received.push(message);
      this.onMessage?.(message, from);
    });
  }

  get address(): PeerAddress {
    return this.#port.local;
  }

  send(fields: Draft): void {
    this.sendBytes(encodeMessage(draft(fields)));
  }

  sendBytes(data: Uint8Array): void {
    this.#port.send(data, this.#to);
  }

  /** Takes the oldest message that was not taken yet. */
  take(): CoapMessage {
    const message = this.received.shift();
    if (message === undefined) throw new Error('nothing was received');
    return message;
  }
}

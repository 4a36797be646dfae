import { DecodeError, RequestError } from '../errors.ts';
import { type CoapMessage, type CoapOption, Code, MessageType } from './message.ts';

const VERSION = 1;
const PAYLOAD_MARKER = 0xff;
const MAX_OPTION_NUMBER = 65_535;
/** 14 as a nibble means 269 more and two bytes of extension: the longest value that can be told. */
const MAX_OPTION_LENGTH = 65_535 + 269;
const NO_BYTES = new Uint8Array(0);
const NO_OPTIONS: readonly CoapOption[] = [];

/** What can be read of a datagram even where the rest of it is malformed. */
export interface MessageHeader {
  readonly type: MessageType;
  readonly messageId: number;
}

/**
 * The fixed header of RFC 7252 §3, or undefined where these bytes are no CoAP of version 1: such
 * datagrams are ignored silently, while a malformed CON with a readable header is rejected (§4.2).
 */
export function readHeader(data: Uint8Array): MessageHeader | undefined {
  if (data.length < 4 || (data[0] as number) >> 6 !== VERSION) return undefined;
  return {
    type: (((data[0] as number) >> 4) & 3) as MessageType,
    messageId: ((data[2] as number) << 8) | (data[3] as number),
  };
}

/**
 * Decodes one datagram, RFC 7252 §3. Token, option values and payload are views of `data`.
 * @throws DecodeError where the bytes break the grammar.
 */
export function decodeMessage(data: Uint8Array): CoapMessage {
  const end = data.length;
  if (end < 4) throw new DecodeError(`a message has at least 4 bytes, not ${end}`);
  const first = data[0] as number;
  if (first >> 6 !== VERSION) throw new DecodeError(`version ${first >> 6} is not 1`);
  const tokenLength = first & 15;
  if (tokenLength > 8) throw new DecodeError(`token length ${tokenLength} is reserved`);
  const code = data[1] as number;
  const type = ((first >> 4) & 3) as MessageType;
  const messageId = ((data[2] as number) << 8) | (data[3] as number);
  if (code === Code.EMPTY) {
    // §4.1: "an Empty message ... the Token Length field MUST be 0 and bytes of data MUST NOT be present".
    if (end !== 4 || tokenLength !== 0) throw new DecodeError('an empty message has no more than a header');
    return { type, code, messageId, token: NO_BYTES, options: NO_OPTIONS, payload: NO_BYTES };
  }
  let at = 4 + tokenLength;
  if (at > end) throw new DecodeError('the token is cut short');
  const buffer = data.buffer;
  const base = data.byteOffset;
  const token = tokenLength === 0 ? NO_BYTES : new Uint8Array(buffer, base + 4, tokenLength);
  if (at === end) return { type, code, messageId, token, options: NO_OPTIONS, payload: NO_BYTES };

  const options: CoapOption[] = [];
  let payload: Uint8Array = NO_BYTES;
  let number = 0;
  while (at < end) {
    const head = data[at++] as number;
    if (head === PAYLOAD_MARKER) {
      if (at === end) throw new DecodeError('a payload marker without a payload');
      payload = new Uint8Array(buffer, base + at, end - at);
      break;
    }
    let delta = head >> 4;
    let length = head & 15;
    if (delta >= 13) {
      if (delta === 13) {
        if (at >= end) throw new DecodeError('an option delta is cut short');
        delta = 13 + (data[at++] as number);
      } else {
        if (delta === 15) throw new DecodeError('option delta 15 is reserved');
        if (at + 2 > end) throw new DecodeError('an option delta is cut short');
        delta = 269 + (((data[at] as number) << 8) | (data[at + 1] as number));
        at += 2;
      }
    }
    if (length >= 13) {
      if (length === 13) {
        if (at >= end) throw new DecodeError('an option length is cut short');
        length = 13 + (data[at++] as number);
      } else {
        if (length === 15) throw new DecodeError('option length 15 is reserved');
        if (at + 2 > end) throw new DecodeError('an option length is cut short');
        length = 269 + (((data[at] as number) << 8) | (data[at + 1] as number));
        at += 2;
      }
    }
    number += delta;
    if (number > MAX_OPTION_NUMBER) throw new DecodeError(`option number ${number} is out of range`);
    if (at + length > end) throw new DecodeError(`option ${number} is cut short`);
    options.push({ number, value: length === 0 ? NO_BYTES : new Uint8Array(buffer, base + at, length) });
    at += length;
  }
  return { type, code, messageId, token, options, payload };
}

/** Bytes that an extended delta or length takes beside its nibble (RFC 7252 §3.1). */
function extension(value: number): number {
  return value < 13 ? 0 : value < 269 ? 1 : 2;
}

const SLAB_SIZE = 8_192;

/**
 * Outgoing datagrams are views of small slabs: handing a fresh small typed array to the system costs
 * far more than a view. A slab lives as long as the longest of its datagrams.
 */
class Slabs {
  #slab = new ArrayBuffer(SLAB_SIZE);
  #used = 0;

  allocate(size: number): Uint8Array {
    if (size > SLAB_SIZE >> 2) return new Uint8Array(size);
    if (this.#used + size > SLAB_SIZE) {
      this.#slab = new ArrayBuffer(SLAB_SIZE);
      this.#used = 0;
    }
    const view = new Uint8Array(this.#slab, this.#used, size);
    this.#used += size;
    return view;
  }
}

// What is piggybacked is kept for duplicates, for minutes; all else is over within seconds. Apart, the
// few that are kept do not hold up the memory of the many.
const kept = new Slabs();
const passing = new Slabs();

/** The options in the order of their numbers; those of one number keep their order. */
export function sortOptions(options: readonly CoapOption[]): readonly CoapOption[] {
  for (let i = 1; i < options.length; i++) {
    if ((options[i] as CoapOption).number < (options[i - 1] as CoapOption).number) {
      return [...options].sort((a, b) => a.number - b.number);
    }
  }
  return options;
}

/**
 * Encodes one message, RFC 7252 §3. Options may come in any order.
 * @throws RequestError where a field is out of its range, or an empty message is not empty.
 */
export function encodeMessage(message: CoapMessage): Uint8Array {
  const { type, code, messageId, token, payload } = message;
  const options = sortOptions(message.options);
  if (token.length > 8) throw new RequestError(`a token has at most 8 bytes, not ${token.length}`);
  if (!(messageId >= 0 && messageId <= 0xffff))
    throw new RequestError(`message id ${messageId} is out of range`);
  if (code === Code.EMPTY && (token.length > 0 || options.length > 0 || payload.length > 0)) {
    throw new RequestError('an empty message has neither token, options nor payload');
  }
  let size = 4 + token.length + (payload.length === 0 ? 0 : payload.length + 1);
  let number = 0;
  for (let i = 0; i < options.length; i++) {
    const option = options[i] as CoapOption;
    const length = option.value.length;
    if (!(option.number >= 0 && option.number <= MAX_OPTION_NUMBER) || length > MAX_OPTION_LENGTH) {
      throw new RequestError(`option ${option.number} of ${length} bytes cannot be encoded`);
    }
    size += 1 + extension(option.number - number) + extension(length) + length;
    number = option.number;
  }
  const data = (type === MessageType.ACK ? kept : passing).allocate(size);
  data[0] = (VERSION << 6) | (type << 4) | token.length;
  data[1] = code;
  data[2] = messageId >> 8;
  data[3] = messageId;
  let at = 4;
  for (let i = 0; i < token.length; i++) data[at++] = token[i] as number;
  number = 0;
  for (let i = 0; i < options.length; i++) {
    const { number: next, value } = options[i] as CoapOption;
    const delta = next - number;
    number = next;
    const length = value.length;
    const head = at++;
    let deltaNibble = delta;
    if (delta >= 269) {
      deltaNibble = 14;
      data[at++] = (delta - 269) >> 8;
      data[at++] = delta - 269;
    } else if (delta >= 13) {
      deltaNibble = 13;
      data[at++] = delta - 13;
    }
    let lengthNibble = length;
    if (length >= 269) {
      lengthNibble = 14;
      data[at++] = (length - 269) >> 8;
      data[at++] = length - 269;
    } else if (length >= 13) {
      lengthNibble = 13;
      data[at++] = length - 13;
    }
    data[head] = (deltaNibble << 4) | lengthNibble;
    if (length < 32) for (let j = 0; j < length; j++) data[at++] = value[j] as number;
    else {
      data.set(value, at);
      at += length;
    }
  }
  if (payload.length > 0) {
    data[at++] = PAYLOAD_MARKER;
    data.set(payload, at);
  }
  return data;
}

/** An empty message: ACK, RST, or (as CON) a ping (RFC 7252 §4.1 to §4.3). */
export function encodeEmpty(type: MessageType, messageId: number): Uint8Array {
  const data = passing.allocate(4);
  data[0] = (VERSION << 6) | (type << 4);
  data[1] = Code.EMPTY;
  data[2] = messageId >> 8;
  data[3] = messageId;
  return data;
}

/** Writes another message id into an encoded message that was not sent yet. */
export function setMessageId(data: Uint8Array, messageId: number): void {
  data[2] = messageId >> 8;
  data[3] = messageId;
}

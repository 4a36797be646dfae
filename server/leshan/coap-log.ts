import { decodeMessage } from '../../protocol/coap/codec.ts';
import {
  type CoapMessage,
  type CoapOption,
  Code,
  formatCode,
  OptionNumber,
} from '../../protocol/coap/message.ts';
import { contentFormatName, messageName, optionName, typeName } from '../../protocol/coap/names.ts';
import { decodeBlock, decodeUint } from '../../protocol/coap/options.ts';
import type { ApiTraceMessage } from '../api/schemas.ts';

/** A CoAP message as the interface's log shows it. */
export interface LeshanCoapMessage {
  readonly timestamp: number;
  readonly incoming: boolean;
  readonly type: string;
  /** `GET`, `2.05`; absent of an empty message. */
  readonly code?: string;
  readonly mId: number;
  readonly token: string;
  readonly options?: string;
  readonly payload?: string;
  readonly ep: string;
}

type OptionFormat = 'STRING' | 'INTEGER' | 'OPAQUE' | 'EMPTY';

const { URI_HOST, LOCATION_PATH, URI_PATH, URI_QUERY, LOCATION_QUERY, PROXY_URI, PROXY_SCHEME } =
  OptionNumber;
const { IF_MATCH, ETAG, ECHO, REQUEST_TAG, IF_NONE_MATCH, BLOCK1, BLOCK2, CONTENT_FORMAT, ACCEPT } =
  OptionNumber;
const texts: readonly number[] = [
  ...[URI_HOST, LOCATION_PATH, URI_PATH, URI_QUERY],
  ...[LOCATION_QUERY, PROXY_URI, PROXY_SCHEME],
];
const opaques: readonly number[] = [IF_MATCH, ETAG, ECHO, REQUEST_TAG];

/** Undefined for what is no CoAP. */
export function presentCoapMessage(ep: string, traced: ApiTraceMessage): LeshanCoapMessage | undefined {
  if (traced.malformed !== undefined || traced.truncated === true) return undefined;
  const message = decodeMessage(Buffer.from(traced.hex, 'hex'));
  const { code, payload } = message;
  const options = optionsText(message);
  return {
    timestamp: Math.floor(traced.at),
    incoming: traced.direction === 'in',
    type: typeName(message.type),
    ...(code === Code.EMPTY ? {} : { code: isRequest(code) ? messageName(message) : formatCode(code) }),
    mId: message.messageId,
    token: Buffer.from(message.token).toString('hex').toUpperCase(),
    ...(options === '' ? {} : { options }),
    ...(payload.length === 0 ? {} : { payload: payloadText(payload) }),
    ep,
  };
}

function isRequest(code: Code): boolean {
  return code >> 5 === 0;
}

/** `Uri-Path/STRING: "3", "0" - Accept/INTEGER: "application/senml+cbor"` */
function optionsText({ options }: CoapMessage): string {
  const byName = new Map<string, string[]>();
  for (const option of options) {
    const name = `${optionName(option.number)}/${formatOf(option.number)}`;
    byName.set(name, [...(byName.get(name) ?? []), valueText(option)]);
  }
  return [...byName].map(([name, values]) => `${name}: ${values.join(', ')}`).join(' - ');
}

function formatOf(number: number): OptionFormat {
  if (texts.includes(number)) return 'STRING';
  if (number === IF_NONE_MATCH) return 'EMPTY';
  return opaques.includes(number) ? 'OPAQUE' : 'INTEGER';
}

function valueText({ number, value }: CoapOption): string {
  switch (formatOf(number)) {
    case 'STRING':
      return `"${new TextDecoder().decode(value)}"`;
    case 'OPAQUE':
      return `0x${Buffer.from(value).toString('hex')}`;
    case 'EMPTY':
      return '';
    case 'INTEGER':
      break;
  }
  if (value.length > 4) return `0x${Buffer.from(value).toString('hex')}`;
  const integer = decodeUint(value);
  if (number === CONTENT_FORMAT || number === ACCEPT) {
    return `"${contentFormatName(integer) ?? `unknown/${integer}`}"`;
  }
  return number === BLOCK1 || number === BLOCK2 ? blockText(value) : String(integer);
}

function blockText(value: Uint8Array): string {
  const { number, more, size } = decodeBlock(value);
  return `"(szx=${Math.log2(size) - 4}/${size}, m=${more}, num=${number})"`;
}

/** As text where all of it is printable ASCII. */
function payloadText(payload: Uint8Array): string {
  const isText = payload.every((byte) => byte >= 0x20 && byte < 0x7f);
  const bytes = Buffer.from(payload);
  return isText ? bytes.toString('latin1') : `Hex:${bytes.toString('hex')}`;
}

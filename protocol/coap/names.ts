import { DecodeError } from '../errors.ts';
import { type CoapMessage, type CoapOption, Code, MessageType, OptionNumber } from './message.ts';
import { decodeBlock, decodeText, decodeUint } from './options.ts';

// What people call codes and options: the registries of IANA's "CoRE Parameters".

const codeNames: Readonly<Record<Code, string>> = {
  [Code.GET]: 'GET',
  [Code.POST]: 'POST',
  [Code.PUT]: 'PUT',
  [Code.DELETE]: 'DELETE',
  [Code.FETCH]: 'FETCH',
  [Code.PATCH]: 'PATCH',
  [Code.IPATCH]: 'iPATCH',
  [Code.CREATED]: 'Created',
  [Code.DELETED]: 'Deleted',
  [Code.VALID]: 'Valid',
  [Code.CHANGED]: 'Changed',
  [Code.CONTENT]: 'Content',
  [Code.CONTINUE]: 'Continue',
  [Code.BAD_REQUEST]: 'Bad Request',
  [Code.UNAUTHORIZED]: 'Unauthorized',
  [Code.BAD_OPTION]: 'Bad Option',
  [Code.FORBIDDEN]: 'Forbidden',
  [Code.NOT_FOUND]: 'Not Found',
  [Code.METHOD_NOT_ALLOWED]: 'Method Not Allowed',
  [Code.NOT_ACCEPTABLE]: 'Not Acceptable',
  [Code.REQUEST_ENTITY_INCOMPLETE]: 'Request Entity Incomplete',
  [Code.CONFLICT]: 'Conflict',
  [Code.PRECONDITION_FAILED]: 'Precondition Failed',
  [Code.REQUEST_ENTITY_TOO_LARGE]: 'Request Entity Too Large',
  [Code.UNSUPPORTED_CONTENT_FORMAT]: 'Unsupported Content-Format',
  [Code.UNPROCESSABLE_ENTITY]: 'Unprocessable Entity',
  [Code.TOO_MANY_REQUESTS]: 'Too Many Requests',
  [Code.INTERNAL_SERVER_ERROR]: 'Internal Server Error',
  [Code.NOT_IMPLEMENTED]: 'Not Implemented',
  [Code.BAD_GATEWAY]: 'Bad Gateway',
  [Code.SERVICE_UNAVAILABLE]: 'Service Unavailable',
  [Code.GATEWAY_TIMEOUT]: 'Gateway Timeout',
  [Code.PROXYING_NOT_SUPPORTED]: 'Proxying Not Supported',
};

/** `GET`, `Content`, or what an empty message is by its type; a code that no registry knows is `Unassigned`. */
export function messageName({ type, code }: Pick<CoapMessage, 'type' | 'code'>): string {
  if (code !== Code.EMPTY) return codeNames[code] ?? 'Unassigned';
  if (type === MessageType.CON) return 'Ping';
  if (type === MessageType.ACK) return 'Acknowledgement';
  return type === MessageType.RST ? 'Reset' : 'Empty';
}

/** `CON`, `NON`, `ACK`, `RST`. */
export function typeName(type: MessageType): 'CON' | 'NON' | 'ACK' | 'RST' {
  return (['CON', 'NON', 'ACK', 'RST'] as const)[type];
}

type OptionFormat = 'text' | 'uint' | 'format' | 'block' | 'observe' | 'opaque' | 'empty';

const options: Readonly<Record<number, readonly [name: string, format: OptionFormat]>> = {
  [OptionNumber.IF_MATCH]: ['If-Match', 'opaque'],
  [OptionNumber.URI_HOST]: ['Uri-Host', 'text'],
  [OptionNumber.ETAG]: ['ETag', 'opaque'],
  [OptionNumber.IF_NONE_MATCH]: ['If-None-Match', 'empty'],
  [OptionNumber.OBSERVE]: ['Observe', 'observe'],
  [OptionNumber.URI_PORT]: ['Uri-Port', 'uint'],
  [OptionNumber.LOCATION_PATH]: ['Location-Path', 'text'],
  9: ['OSCORE', 'opaque'],
  [OptionNumber.URI_PATH]: ['Uri-Path', 'text'],
  [OptionNumber.CONTENT_FORMAT]: ['Content-Format', 'format'],
  [OptionNumber.MAX_AGE]: ['Max-Age', 'uint'],
  [OptionNumber.URI_QUERY]: ['Uri-Query', 'text'],
  16: ['Hop-Limit', 'uint'],
  [OptionNumber.ACCEPT]: ['Accept', 'format'],
  19: ['Q-Block1', 'block'],
  [OptionNumber.LOCATION_QUERY]: ['Location-Query', 'text'],
  [OptionNumber.BLOCK2]: ['Block2', 'block'],
  [OptionNumber.BLOCK1]: ['Block1', 'block'],
  [OptionNumber.SIZE2]: ['Size2', 'uint'],
  31: ['Q-Block2', 'block'],
  [OptionNumber.PROXY_URI]: ['Proxy-Uri', 'text'],
  [OptionNumber.PROXY_SCHEME]: ['Proxy-Scheme', 'text'],
  [OptionNumber.SIZE1]: ['Size1', 'uint'],
  [OptionNumber.ECHO]: ['Echo', 'opaque'],
  [OptionNumber.NO_RESPONSE]: ['No-Response', 'uint'],
  [OptionNumber.REQUEST_TAG]: ['Request-Tag', 'opaque'],
};

/** `Uri-Path`; `Option 65001` for one that is not known here. */
export function optionName(number: number): string {
  return options[number]?.[0] ?? `Option ${number}`;
}

/** Content-Format ids of IANA that LwM2M peers use. */
const formatNames: Readonly<Record<number, string>> = {
  0: 'text/plain',
  40: 'application/link-format',
  42: 'application/octet-stream',
  50: 'application/json',
  60: 'application/cbor',
  110: 'application/senml+json',
  112: 'application/senml+cbor',
  320: 'application/senml-etch+json',
  322: 'application/senml-etch+cbor',
  11542: 'application/vnd.oma.lwm2m+tlv',
  11543: 'application/vnd.oma.lwm2m+json',
  11544: 'application/vnd.oma.lwm2m+cbor',
};

/** `application/senml+cbor`; undefined for one that is not known here. */
export function contentFormatName(format: number): string | undefined {
  return formatNames[format];
}

/** The value of an option as people read it; in hex where it breaks the option's own format. */
export function formatOption({ number, value }: CoapOption, code: Code): string {
  const format = options[number]?.[1] ?? 'opaque';
  try {
    return formatAs(format, value, code);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return formatHex(value);
  }
}

function formatAs(format: OptionFormat, value: Uint8Array, code: Code): string {
  switch (format) {
    case 'text':
      return decodeText(value);
    case 'uint':
      return String(decodeUint(value));
    case 'format': {
      const id = decodeUint(value, 2);
      const name = contentFormatName(id);
      return name === undefined ? String(id) : `${id} ${name}`;
    }
    case 'block': {
      const { number, more, size } = decodeBlock(value);
      return `${number}/${more ? 1 : 0}/${size}`;
    }
    case 'observe': {
      const number = decodeUint(value, 3);
      // In a request 0 registers and 1 deregisters (RFC 7641 §2); elsewhere it orders notifications.
      if (code >> 5 !== 0) return String(number);
      return number === 0 ? '0 register' : number === 1 ? '1 deregister' : String(number);
    }
    case 'empty':
      return formatHex(value);
    case 'opaque':
      return formatHex(value);
  }
}

function formatHex(value: Uint8Array): string {
  let text = '';
  for (const byte of value) text += byte.toString(16).padStart(2, '0');
  return text;
}

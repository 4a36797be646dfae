/** Message types, RFC 7252 §3. */
export const MessageType = { CON: 0, NON: 1, ACK: 2, RST: 3 } as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** A code byte, `class << 5 | detail` (RFC 7252 §3). `0x45` is 2.05. */
export type Code = number;

/** Method and response codes: RFC 7252 §12.1, RFC 8132 §7, RFC 7959 §6, RFC 8516, RFC 9175. */
export const Code = {
  EMPTY: 0x00,
  GET: 0x01,
  POST: 0x02,
  PUT: 0x03,
  DELETE: 0x04,
  FETCH: 0x05,
  PATCH: 0x06,
  IPATCH: 0x07,
  CREATED: 0x41,
  DELETED: 0x42,
  VALID: 0x43,
  CHANGED: 0x44,
  CONTENT: 0x45,
  CONTINUE: 0x5f,
  BAD_REQUEST: 0x80,
  UNAUTHORIZED: 0x81,
  BAD_OPTION: 0x82,
  FORBIDDEN: 0x83,
  NOT_FOUND: 0x84,
  METHOD_NOT_ALLOWED: 0x85,
  NOT_ACCEPTABLE: 0x86,
  REQUEST_ENTITY_INCOMPLETE: 0x88,
  CONFLICT: 0x89,
  PRECONDITION_FAILED: 0x8c,
  REQUEST_ENTITY_TOO_LARGE: 0x8d,
  UNSUPPORTED_CONTENT_FORMAT: 0x8f,
  UNPROCESSABLE_ENTITY: 0x96,
  TOO_MANY_REQUESTS: 0x9d,
  INTERNAL_SERVER_ERROR: 0xa0,
  NOT_IMPLEMENTED: 0xa1,
  BAD_GATEWAY: 0xa2,
  SERVICE_UNAVAILABLE: 0xa3,
  GATEWAY_TIMEOUT: 0xa4,
  PROXYING_NOT_SUPPORTED: 0xa5,
} as const;

/** Option numbers: RFC 7252 §12.2, RFC 7641 §2, RFC 7959 §6, RFC 7967, RFC 9175. */
export const OptionNumber = {
  IF_MATCH: 1,
  URI_HOST: 3,
  ETAG: 4,
  IF_NONE_MATCH: 5,
  OBSERVE: 6,
  URI_PORT: 7,
  LOCATION_PATH: 8,
  URI_PATH: 11,
  CONTENT_FORMAT: 12,
  MAX_AGE: 14,
  URI_QUERY: 15,
  ACCEPT: 17,
  LOCATION_QUERY: 20,
  BLOCK2: 23,
  BLOCK1: 27,
  SIZE2: 28,
  PROXY_URI: 35,
  PROXY_SCHEME: 39,
  SIZE1: 60,
  ECHO: 252,
  NO_RESPONSE: 258,
  REQUEST_TAG: 292,
} as const;

/** One option as it stands in a message; `value` is what the option's format says (RFC 7252 §3.2). */
export interface CoapOption {
  readonly number: number;
  readonly value: Uint8Array;
}

/** One CoAP message as it stands in a datagram (RFC 7252 §3). Options are in the order of their numbers. */
export interface CoapMessage {
  readonly type: MessageType;
  readonly code: Code;
  /** 0 to 65535. */
  readonly messageId: number;
  /** 0 to 8 bytes. */
  readonly token: Uint8Array;
  readonly options: readonly CoapOption[];
  /** Empty where there is none. */
  readonly payload: Uint8Array;
}

/** `2.05` for 0x45: how people and logs write a code. */
export function formatCode(code: Code): string {
  return `${code >> 5}.${String(code & 31).padStart(2, '0')}`;
}

/** True for 2.xx. */
export function isSuccess(code: Code): boolean {
  return code >> 5 === 2;
}

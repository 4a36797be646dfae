import { DecodeError, RequestError } from '../../protocol/errors.ts';

/** A command APDU with short lengths, ISO/IEC 7816-4 §5.1 (cases 1 to 4). */
export interface CommandApdu {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  /** Up to 255 bytes. */
  readonly data?: Uint8Array;
  /** Bytes wanted, 1 to 256. Absent: none is asked for, and over T=0 the card says 61XX where it has some. */
  readonly le?: number;
}

export interface ResponseApdu {
  readonly data: Uint8Array;
  /** SW1 and SW2 as one number: 0x9000. */
  readonly sw: number;
}

/** Instructions that we send or answer: ETSI TS 102 221 §10.1.2, GlobalPlatform §11, ETSI TS 102 223 §6. */
export const Ins = {
  TERMINAL_PROFILE: 0x10,
  FETCH: 0x12,
  TERMINAL_RESPONSE: 0x14,
  VERIFY_PIN: 0x20,
  CHANGE_PIN: 0x24,
  DISABLE_PIN: 0x26,
  ENABLE_PIN: 0x28,
  UNBLOCK_PIN: 0x2c,
  MANAGE_CHANNEL: 0x70,
  AUTHENTICATE: 0x88,
  SELECT: 0xa4,
  TERMINAL_CAPABILITY: 0xaa,
  READ_BINARY: 0xb0,
  READ_RECORD: 0xb2,
  GET_RESPONSE: 0xc0,
  ENVELOPE: 0xc2,
  GET_DATA: 0xca,
  UPDATE_BINARY: 0xd6,
  PUT_DATA: 0xda,
  UPDATE_RECORD: 0xdc,
  STORE_DATA: 0xe2,
  STATUS: 0xf2,
} as const;

/** Status words, ETSI TS 102 221 §10.2.1. */
export const StatusWord = {
  OK: 0x9000,
  WRONG_LENGTH: 0x6700,
  CHANNEL_NOT_SUPPORTED: 0x6881,
  INCOMPATIBLE_WITH_FILE: 0x6981,
  SECURITY_NOT_SATISFIED: 0x6982,
  PIN_BLOCKED: 0x6983,
  CONDITIONS_NOT_SATISFIED: 0x6985,
  NO_FILE_SELECTED: 0x6986,
  INCORRECT_DATA: 0x6a80,
  FUNCTION_NOT_SUPPORTED: 0x6a81,
  FILE_NOT_FOUND: 0x6a82,
  INCORRECT_P1_P2: 0x6a86,
  NOT_ENOUGH_MEMORY: 0x6a84,
  REFERENCED_DATA_NOT_FOUND: 0x6a88,
  WRONG_P1_P2: 0x6b00,
  INS_NOT_SUPPORTED: 0x6d00,
  CLA_NOT_SUPPORTED: 0x6e00,
  TECHNICAL_PROBLEM: 0x6f00,
  /** The card application toolkit is busy: the ENVELOPE is to be sent again later. */
  TOOLKIT_BUSY: 0x9300,
  /** AUTHENTICATE: the network's MAC is wrong (3GPP TS 31.102 §7.3.1). */
  AUTHENTICATION_FAILED: 0x9862,
} as const;

const meanings: Readonly<Record<number, string>> = {
  25088: 'no information given, state unchanged',
  25217: 'part of the data may be corrupted',
  25218: 'end of file reached before Le bytes',
  25219: 'selected file invalidated',
  25221: 'selected file in termination state',
  25329: 'more data available',
  25344: 'no information given, state changed',
  25585: 'more data expected',
  25600: 'execution error',
  25985: 'memory problem',
  26368: 'wrong length',
  26624: 'functions in CLA not supported',
  26753: 'logical channel not supported',
  26754: 'secure messaging not supported',
  26880: 'command not allowed, no information given',
  27009: 'command incompatible with file structure',
  27010: 'security status not satisfied',
  27011: 'authentication method blocked',
  27013: 'conditions of use not satisfied',
  27014: 'command not allowed, no file selected',
  27017: 'command not allowed, secure channel, security not satisfied',
  27264: 'incorrect parameters in the data field',
  27265: 'function not supported',
  27266: 'file not found',
  27267: 'record not found',
  27268: 'not enough memory space in the file',
  27270: 'incorrect parameters P1 to P2',
  27271: 'Lc inconsistent with P1 to P2',
  27272: 'referenced data not found',
  27392: 'wrong parameters P1-P2',
  27904: 'instruction code not supported',
  28160: 'class not supported',
  28416: 'technical problem, no precise diagnosis',
  36864: 'ok',
  37440: 'memory problem',
  37632: 'card application toolkit busy',
  38992: 'increase cannot be performed, maximum reached',
  39010: 'authentication error, incorrect MAC',
  39011: 'security session or association expired',
  39012: 'authentication error, security context not supported',
};

/** `6A82 file not found`: what a person reads of a status word. */
export function describeStatusWord(sw: number): string {
  const low = sw & 0xff;
  const code = sw.toString(16).toUpperCase().padStart(4, '0');
  switch (sw >> 8) {
    case 0x61:
      return `${code} ${low === 0 ? 256 : low} bytes available`;
    case 0x6c:
      return `${code} wrong length, ${low === 0 ? 256 : low} is right`;
    case 0x91:
      return `${code} ok, ${low === 0 ? 256 : low} bytes of a proactive command pending`;
    case 0x92:
      if (low < 0x10) return `${code} ok, after ${low} retries of the card's memory`;
      break;
    case 0x9e:
      return `${code} ${low === 0 ? 256 : low} bytes of a download error available`;
  }
  if (sw >> 4 === 0x63c) return `${code} verification failed, ${sw & 0x0f} tries left`;
  return `${code} ${meanings[sw] ?? 'unknown status'}`;
}

/** True for 9000 and 91XX: done, the latter with a proactive command waiting (ETSI TS 102 221 §7.4.2). */
export function isOk(sw: number): boolean {
  return sw === StatusWord.OK || sw >> 8 === 0x91;
}

/**
 * The command on a logical channel: the class byte of an interindustry command (0X, 4X) or of a proprietary
 * one (8X, CX) with the channel's number in it, ETSI TS 102 221 §10.1.1.
 * @throws RequestError no channel 0 to 19
 */
export function onChannel<T extends CommandApdu>(command: T, channel: number): T {
  if (!Number.isInteger(channel) || channel < 0 || channel > 19) {
    throw new RequestError(`no logical channel ${channel}`);
  }
  const base = command.cla & 0x80;
  return { ...command, cla: channel < 4 ? base | channel : base | 0x40 | (channel - 4) };
}

/** The logical channel that a class byte names, 0 to 19. */
export function channelOf(cla: number): number {
  return (cla & 0x40) === 0 ? cla & 0x03 : (cla & 0x0f) + 4;
}

/** @throws RequestError data or le do not fit a short APDU. */
export function encodeCommand(command: CommandApdu): Uint8Array {
  const data = command.data ?? new Uint8Array(0);
  if (data.length > 255) throw new RequestError(`an APDU carries at most 255 bytes, not ${data.length}`);
  if (command.le !== undefined && (command.le < 1 || command.le > 256)) {
    throw new RequestError(`Le is 1 to 256, not ${command.le}`);
  }
  const bytes = new Uint8Array(
    4 + (data.length > 0 ? 1 + data.length : 0) + (command.le === undefined ? 0 : 1),
  );
  bytes.set([command.cla, command.ins, command.p1, command.p2]);
  if (data.length > 0) {
    bytes[4] = data.length;
    bytes.set(data, 5);
  }
  if (command.le !== undefined) bytes[bytes.length - 1] = command.le & 0xff;
  return bytes;
}

/** @throws DecodeError not one of the four short cases. */
export function decodeCommand(bytes: Uint8Array): CommandApdu {
  const [cla, ins, p1, p2, p3] = bytes;
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined) {
    throw new DecodeError('a command APDU has at least 4 bytes');
  }
  const header = { cla, ins, p1, p2 };
  if (p3 === undefined) return header;
  if (bytes.length === 5) return { ...header, le: p3 === 0 ? 256 : p3 };
  const end = 5 + p3;
  if (p3 === 0 || bytes.length < end || bytes.length > end + 1) {
    throw new DecodeError(`Lc ${p3} does not fit an APDU of ${bytes.length} bytes`);
  }
  const data = bytes.slice(5, end);
  const le = bytes[end];
  return le === undefined ? { ...header, data } : { ...header, data, le: le === 0 ? 256 : le };
}

export function encodeResponse(response: ResponseApdu): Uint8Array {
  const bytes = new Uint8Array(response.data.length + 2);
  bytes.set(response.data);
  bytes[bytes.length - 2] = response.sw >> 8;
  bytes[bytes.length - 1] = response.sw & 0xff;
  return bytes;
}

/** @throws DecodeError shorter than a status word. */
export function decodeResponse(bytes: Uint8Array): ResponseApdu {
  const sw1 = bytes[bytes.length - 2];
  const sw2 = bytes[bytes.length - 1];
  if (sw1 === undefined || sw2 === undefined)
    throw new DecodeError('a response APDU ends with a status word');
  return { data: bytes.slice(0, -2), sw: (sw1 << 8) | sw2 };
}

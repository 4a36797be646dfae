import { CardAbsentError, CardTransportError } from '../card-transport.ts';

/** Return codes of PC/SC (pcsclite.h; PC/SC part 5) that mean something to us. */
export const PcscCode = {
  CANCELLED: 0x80100002,
  INVALID_HANDLE: 0x80100003,
  INSUFFICIENT_BUFFER: 0x80100008,
  UNKNOWN_READER: 0x80100009,
  TIMEOUT: 0x8010000a,
  SHARING_VIOLATION: 0x8010000b,
  NO_SMARTCARD: 0x8010000c,
  PROTO_MISMATCH: 0x8010000f,
  COMM_ERROR: 0x80100013,
  NOT_TRANSACTED: 0x80100016,
  READER_UNAVAILABLE: 0x80100017,
  NO_SERVICE: 0x8010001d,
  SERVICE_STOPPED: 0x8010001e,
  NO_READERS_AVAILABLE: 0x8010002e,
  UNSUPPORTED_CARD: 0x80100065,
  UNRESPONSIVE_CARD: 0x80100066,
  UNPOWERED_CARD: 0x80100067,
  RESET_CARD: 0x80100068,
  REMOVED_CARD: 0x80100069,
  SECURITY_VIOLATION: 0x8010006a,
} as const;

/** For people: what it means, and what helps. */
const meanings: Readonly<Record<number, string>> = {
  [PcscCode.INSUFFICIENT_BUFFER]: 'the card answered with more than an answer can have',
  [PcscCode.UNKNOWN_READER]: 'the reader is gone',
  [PcscCode.TIMEOUT]: 'the card did not answer in time',
  [PcscCode.SHARING_VIOLATION]:
    'another program has the card for itself: end it (ModemManager, gpg and pkcs11 do that)',
  [PcscCode.NO_SMARTCARD]: 'no card in the reader',
  [PcscCode.PROTO_MISMATCH]: 'the card speaks neither T=0 nor T=1',
  [PcscCode.COMM_ERROR]: 'the reader lost the card: are its contacts clean?',
  [PcscCode.NOT_TRANSACTED]: 'the card gave no answer: was it taken out, or are its contacts dirty?',
  [PcscCode.READER_UNAVAILABLE]: 'the reader was unplugged',
  [PcscCode.NO_SERVICE]:
    'the PC/SC daemon does not run: install the package pcscd (on Debian), or start it with "systemctl start pcscd.socket"',
  [PcscCode.SERVICE_STOPPED]: 'the PC/SC daemon was stopped',
  [PcscCode.NO_READERS_AVAILABLE]: 'no reader is plugged in',
  [PcscCode.UNSUPPORTED_CARD]: 'the reader cannot deal with this card',
  [PcscCode.UNRESPONSIVE_CARD]: 'the card does not answer when it is powered: is it the right way round?',
  [PcscCode.UNPOWERED_CARD]: 'another program switched the card off',
  [PcscCode.RESET_CARD]: 'another program reset the card',
  [PcscCode.REMOVED_CARD]: 'the card was taken out',
  [PcscCode.SECURITY_VIOLATION]:
    'access to the reader is refused: polkit lets only who is logged in locally use it (a rule for org.debian.pcsc-lite.access_card)',
};

/** Codes by which no card is there to talk to. */
const absent: ReadonlySet<number> = new Set([
  PcscCode.UNKNOWN_READER,
  PcscCode.NO_SMARTCARD,
  PcscCode.READER_UNAVAILABLE,
  PcscCode.NO_READERS_AVAILABLE,
  PcscCode.REMOVED_CARD,
]);

/** Codes after which the connection to the card is of no more use: it has to be made anew. */
const lost: ReadonlySet<number> = new Set([
  ...absent,
  PcscCode.INVALID_HANDLE,
  PcscCode.NO_SERVICE,
  PcscCode.SERVICE_STOPPED,
  PcscCode.UNPOWERED_CARD,
  PcscCode.RESET_CARD,
]);

/** The code that an error of pcsclite names at its end, as in `SCardConnect error: No smart card inserted.(0x8010000c)`. */
export function pcscCodeOf(error: unknown): number | undefined {
  const match = /\(0x([0-9a-f]{8})\)\s*$/i.exec(String((error as { message?: unknown })?.message ?? error));
  return match === null ? undefined : Number.parseInt(match[1] ?? '', 16);
}

export function isLost(code: number | undefined): boolean {
  return code !== undefined && lost.has(code);
}

/** The meaning of a code; of one that we do not know, the library's own words. */
export function describePcscError(error: unknown): string {
  const code = pcscCodeOf(error);
  const said = String((error as { message?: unknown })?.message ?? error).trim();
  const meaning = code === undefined ? undefined : meanings[code];
  return meaning === undefined || code === undefined
    ? said
    : `${meaning} (0x${code.toString(16).toUpperCase()})`;
}

/** An error of pcsclite, as a CardTransport has it. */
export function pcscError(where: string, error: unknown): CardTransportError {
  const code = pcscCodeOf(error);
  const message = `${where}: ${describePcscError(error)}`;
  return code !== undefined && absent.has(code)
    ? new CardAbsentError(message, { cause: error })
    : new CardTransportError(message, { cause: error });
}

import { ByteReader } from './byte-reader.ts';

export const AlertLevel = { WARNING: 1, FATAL: 2 } as const;

/** Alert descriptions: RFC 5246 §7.2, RFC 4279 §5, RFC 6066 §9, RFC 7507 §3. */
export const AlertDescription = {
  CLOSE_NOTIFY: 0,
  UNEXPECTED_MESSAGE: 10,
  BAD_RECORD_MAC: 20,
  RECORD_OVERFLOW: 22,
  HANDSHAKE_FAILURE: 40,
  BAD_CERTIFICATE: 42,
  UNSUPPORTED_CERTIFICATE: 43,
  CERTIFICATE_REVOKED: 44,
  CERTIFICATE_EXPIRED: 45,
  CERTIFICATE_UNKNOWN: 46,
  ILLEGAL_PARAMETER: 47,
  UNKNOWN_CA: 48,
  ACCESS_DENIED: 49,
  DECODE_ERROR: 50,
  DECRYPT_ERROR: 51,
  PROTOCOL_VERSION: 70,
  INSUFFICIENT_SECURITY: 71,
  INTERNAL_ERROR: 80,
  INAPPROPRIATE_FALLBACK: 86,
  USER_CANCELED: 90,
  NO_RENEGOTIATION: 100,
  UNSUPPORTED_EXTENSION: 110,
  UNKNOWN_PSK_IDENTITY: 115,
} as const;

/** Level and description as numbers: peers send values that no list has. */
export interface Alert {
  readonly level: number;
  readonly description: number;
}

/** RFC 5246 §7.2. */
export function encodeAlert({ level, description }: Alert): Uint8Array {
  return Uint8Array.of(level, description);
}

/** @throws DecodeError where it is not two bytes. */
export function decodeAlert(data: Uint8Array): Alert {
  const reader = new ByteReader(data, 'an alert');
  const alert = { level: reader.uint8(), description: reader.uint8() };
  reader.end();
  return alert;
}

const names = new Map<number, string>(
  Object.entries(AlertDescription).map(([name, value]) => [value, name.toLowerCase()]),
);

/** `handshake_failure`, or the number where it has no name. For people. */
export function alertName(description: number): string {
  return names.get(description) ?? `alert ${description}`;
}

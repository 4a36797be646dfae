import { DecodeError } from '../../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  type DigitallySigned,
  encodeCertificateVerify,
  readDigitallySigned,
} from './certificate-messages.ts';

/** ECCurveType of a curve that goes by its number (RFC 8422 §5.4). */
const NAMED_CURVE = 3;

/** ServerECDHParams with a named curve, RFC 8422 §5.4. */
export interface EcdhParameters {
  readonly group: number;
  readonly publicKey: Uint8Array;
}

/** The bytes that a server signs, and that stand in its ServerKeyExchange. */
export function encodeEcdhParameters({ group, publicKey }: EcdhParameters): Uint8Array {
  return new ByteWriter().uint8(NAMED_CURVE).uint16(group).vector8(publicKey).finish();
}

function readEcdhParameters(reader: ByteReader): EcdhParameters {
  if (reader.uint8() !== NAMED_CURVE) throw new DecodeError('a curve that is not named');
  return { group: reader.uint16(), publicKey: reader.vector8(1) };
}

/** ServerKeyExchange of PSK: the hint alone (RFC 4279 §2). */
export function encodePskServerKeyExchange(hint: Uint8Array): Uint8Array {
  return new ByteWriter().vector16(hint).finish();
}

/** @throws DecodeError */
export function decodePskServerKeyExchange(body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body, 'a ServerKeyExchange');
  const hint = reader.vector16();
  reader.end();
  return hint;
}

/** ServerKeyExchange of ECDHE_PSK (RFC 5489 §2). */
export interface EcdhePskServerKeyExchange {
  readonly hint: Uint8Array;
  readonly parameters: EcdhParameters;
}

export function encodeEcdhePskServerKeyExchange(message: EcdhePskServerKeyExchange): Uint8Array {
  return new ByteWriter().vector16(message.hint).bytes(encodeEcdhParameters(message.parameters)).finish();
}

/** @throws DecodeError */
export function decodeEcdhePskServerKeyExchange(body: Uint8Array): EcdhePskServerKeyExchange {
  const reader = new ByteReader(body, 'a ServerKeyExchange');
  const hint = reader.vector16();
  const parameters = readEcdhParameters(reader);
  reader.end();
  return { hint, parameters };
}

/** ServerKeyExchange of ECDHE_ECDSA (RFC 8422 §5.4). */
export interface SignedServerKeyExchange {
  readonly parameters: EcdhParameters;
  readonly signed: DigitallySigned;
}

export function encodeSignedServerKeyExchange({ parameters, signed }: SignedServerKeyExchange): Uint8Array {
  return new ByteWriter()
    .bytes(encodeEcdhParameters(parameters))
    .bytes(encodeCertificateVerify(signed))
    .finish();
}

/** @throws DecodeError */
export function decodeSignedServerKeyExchange(body: Uint8Array): SignedServerKeyExchange {
  const reader = new ByteReader(body, 'a ServerKeyExchange');
  const parameters = readEcdhParameters(reader);
  const signed = readDigitallySigned(reader);
  reader.end();
  return { parameters, signed };
}

/** ClientKeyExchange of PSK: the identity alone (RFC 4279 §2). */
export function encodePskClientKeyExchange(identity: Uint8Array): Uint8Array {
  return new ByteWriter().vector16(identity).finish();
}

/** @throws DecodeError */
export function decodePskClientKeyExchange(body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body, 'a ClientKeyExchange');
  const identity = reader.vector16();
  reader.end();
  return identity;
}

/** ClientKeyExchange of ECDHE_PSK (RFC 5489 §2). */
export interface EcdhePskClientKeyExchange {
  readonly identity: Uint8Array;
  readonly publicKey: Uint8Array;
}

export function encodeEcdhePskClientKeyExchange(message: EcdhePskClientKeyExchange): Uint8Array {
  return new ByteWriter().vector16(message.identity).vector8(message.publicKey).finish();
}

/** @throws DecodeError */
export function decodeEcdhePskClientKeyExchange(body: Uint8Array): EcdhePskClientKeyExchange {
  const reader = new ByteReader(body, 'a ClientKeyExchange');
  const identity = reader.vector16();
  const publicKey = reader.vector8(1);
  reader.end();
  return { identity, publicKey };
}

/** ClientKeyExchange of ECDHE_ECDSA: the public key alone (RFC 8422 §5.7). */
export function encodeEcdheClientKeyExchange(publicKey: Uint8Array): Uint8Array {
  return new ByteWriter().vector8(publicKey).finish();
}

/** @throws DecodeError */
export function decodeEcdheClientKeyExchange(body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body, 'a ClientKeyExchange');
  const publicKey = reader.vector8(1);
  reader.end();
  return publicKey;
}

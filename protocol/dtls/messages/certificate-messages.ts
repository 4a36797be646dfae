import { ByteReader, numbersOf } from './byte-reader.ts';
import { ByteWriter, numbersToBytes } from './byte-writer.ts';

/** A chain of X.509 certificates, DER, the sender's own first; empty where a client has none (RFC 5246 §7.4.2). */
export function encodeCertificateChain(chain: readonly Uint8Array[]): Uint8Array {
  const list = new ByteWriter();
  for (const certificate of chain) list.vector24(certificate);
  return new ByteWriter().vector24(list.finish()).finish();
}

/** @throws DecodeError */
export function decodeCertificateChain(body: Uint8Array): Uint8Array[] {
  const reader = new ByteReader(body, 'a Certificate');
  const list = new ByteReader(reader.vector24(), 'a list of certificates');
  reader.end();
  const chain: Uint8Array[] = [];
  while (list.left > 0) chain.push(list.vector24(1));
  return chain;
}

/** The Certificate message with a SubjectPublicKeyInfo alone, DER (RFC 7250 §3); empty where a client has none. */
export function encodeRawPublicKey(spki: Uint8Array): Uint8Array {
  return new ByteWriter().vector24(spki).finish();
}

/** @throws DecodeError */
export function decodeRawPublicKey(body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body, 'a Certificate with a raw public key');
  const spki = reader.vector24();
  reader.end();
  return spki;
}

/** RFC 5246 §7.4.4. */
export interface CertificateRequest {
  readonly certificateTypes: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  /** Names of authorities, DER; empty where any will do. */
  readonly authorities: readonly Uint8Array[];
}

export function encodeCertificateRequest(request: CertificateRequest): Uint8Array {
  const names = new ByteWriter();
  for (const name of request.authorities) names.vector16(name);
  return new ByteWriter()
    .vector8(numbersToBytes(request.certificateTypes, 1))
    .vector16(numbersToBytes(request.signatureAlgorithms, 2))
    .vector16(names.finish())
    .finish();
}

/** @throws DecodeError */
export function decodeCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = new ByteReader(body, 'a CertificateRequest');
  const certificateTypes = numbersOf(reader.vector8(1), 1, 'certificate types');
  const signatureAlgorithms = numbersOf(reader.vector16(2), 2, 'signature algorithms');
  const names = new ByteReader(reader.vector16(), 'a list of authorities');
  reader.end();
  const authorities: Uint8Array[] = [];
  while (names.left > 0) authorities.push(names.vector16(1));
  return { certificateTypes, signatureAlgorithms, authorities };
}

/** A signature with its algorithm (RFC 5246 §4.7): CertificateVerify, and the end of a ServerKeyExchange. */
export interface DigitallySigned {
  /** Signature scheme: hash and signature algorithm, two bytes. */
  readonly algorithm: number;
  readonly signature: Uint8Array;
}

/** RFC 5246 §7.4.8. */
export function encodeCertificateVerify({ algorithm, signature }: DigitallySigned): Uint8Array {
  return new ByteWriter().uint16(algorithm).vector16(signature).finish();
}

/** @throws DecodeError */
export function decodeCertificateVerify(body: Uint8Array): DigitallySigned {
  const reader = new ByteReader(body, 'a CertificateVerify');
  const signed = readDigitallySigned(reader);
  reader.end();
  return signed;
}

export function readDigitallySigned(reader: ByteReader): DigitallySigned {
  return { algorithm: reader.uint16(), signature: reader.vector16() };
}

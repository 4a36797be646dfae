import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A key pair on secp256r1, and its public key as SubjectPublicKeyInfo. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: Uint8Array;
}

export function makeKeyPair(namedCurve = 'prime256v1'): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return { privateKey, publicKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

export interface CertificateRecipe {
  readonly subject: string;
  readonly key: KeyPair;
  /** Who signs; itself unless told. */
  readonly issuer?: { readonly subject: string; readonly key: KeyPair };
  /** Milliseconds since the Unix epoch; from a day ago to a day ahead unless told. */
  readonly validFrom?: number;
  readonly validTo?: number;
  readonly authority?: boolean;
  readonly pathLength?: number;
  /** The first byte of the bit string. */
  readonly keyUsage?: number;
  readonly extendedKeyUsage?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly uris?: readonly string[];
  /** Further extensions: object identifier, whether it is critical, DER of the value. */
  readonly extensions?: readonly (readonly [id: string, critical: boolean, value: Uint8Array])[];
  /** In place of `notBefore` and `notAfter`, as they stand in GeneralizedTime. */
  readonly times?: readonly [from: string, to: string];
  /** In place of the key's SubjectPublicKeyInfo. */
  readonly spki?: Uint8Array;
  readonly hash?: 'sha1' | 'sha256' | 'sha384';
}

const DAY = 86_400_000;
const signatureIds = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
} as const;
let serial = 1;

/** A certificate of X.509 version 3, DER, made to order: also such as no authority would give out. */
export function makeCertificate(recipe: CertificateRecipe): Uint8Array {
  const { subject, key, issuer = { subject, key }, hash = 'sha256' } = recipe;
  const { validFrom = Date.now() - DAY, validTo = Date.now() + DAY } = recipe;
  const algorithm = sequence(objectId(signatureIds[hash]));
  const tbs = sequence(
    der(0xa0, integer(2)),
    integer(serial++),
    algorithm,
    name(issuer.subject),
    sequence(...(recipe.times?.map(generalizedTime) ?? [time(validFrom), time(validTo)])),
    name(subject),
    recipe.spki ?? key.spki,
    der(0xa3, sequence(...extensionsOf(recipe))),
  );
  const signature = sign(hash, tbs, issuer.key.privateKey);
  return sequence(tbs, algorithm, der(0x03, Uint8Array.of(0), signature));
}

function* extensionsOf(recipe: CertificateRecipe): Generator<Uint8Array> {
  const { authority, pathLength, keyUsage, extendedKeyUsage, dnsNames = [], uris = [] } = recipe;
  if (authority !== undefined || pathLength !== undefined) {
    const parts = [
      ...(authority ? [der(0x01, Uint8Array.of(0xff))] : []),
      ...(pathLength === undefined ? [] : [integer(pathLength)]),
    ];
    yield extension('2.5.29.19', true, sequence(...parts));
  }
  if (keyUsage !== undefined) yield extension('2.5.29.15', true, der(0x03, Uint8Array.of(0, keyUsage)));
  if (extendedKeyUsage !== undefined) {
    yield extension('2.5.29.37', false, sequence(...extendedKeyUsage.map(objectId)));
  }
  if (dnsNames.length + uris.length > 0) {
    const names = [
      ...dnsNames.map((value) => der(0x82, Buffer.from(value))),
      ...uris.map((value) => der(0x86, Buffer.from(value))),
    ];
    yield extension('2.5.29.17', false, sequence(...names));
  }
  for (const [id, critical, value] of recipe.extensions ?? []) yield extension(id, critical, value);
}

/** PEM of what is DER, for programs that read files. */
export function pem(label: 'CERTIFICATE' | 'PUBLIC KEY', data: Uint8Array): string {
  const lines =
    Buffer.from(data)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function extension(id: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? [der(0x01, Uint8Array.of(0xff))] : [];
  return sequence(objectId(id), ...flag, der(0x04, value));
}

function name(commonName: string): Uint8Array {
  return sequence(der(0x31, sequence(objectId('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime, with seconds. */
function time(at: number): Uint8Array {
  return generalizedTime(new Date(at).toISOString().replace(/[-:T]|\.\d+/g, ''));
}

function generalizedTime(text: string): Uint8Array {
  return der(0x18, Buffer.from(text));
}

function integer(value: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return der(0x02, ...((bytes[0] as number) >= 0x80 ? [Uint8Array.of(0)] : []), bytes);
}

function objectId(id: string): Uint8Array {
  const [top = 0, second = 0, ...others] = id.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [top * 40 + second, ...others]) {
    const digits = [arc & 0x7f];
    for (let rest = arc >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Uint8Array.from(bytes));
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...head, ...content]);
}

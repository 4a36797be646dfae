import { DecodeError } from '../../errors.ts';
import { ByteReader, numbersOf } from './byte-reader.ts';
import { ByteWriter, numbersToBytes } from './byte-writer.ts';
import { ExtensionType } from './constants.ts';

/**
 * The extensions that are understood, decoded. In a ServerHello the certificate types have one member, the chosen
 * one, and `serverName` is empty.
 */
export interface HelloExtensions {
  readonly serverName?: string;
  /** The code of RFC 6066 §4: 1 to 4 for 2^9 to 2^12 bytes. */
  readonly maxFragmentLength?: number;
  readonly supportedGroups?: readonly number[];
  readonly ecPointFormats?: readonly number[];
  readonly signatureAlgorithms?: readonly number[];
  readonly clientCertificateTypes?: readonly number[];
  readonly serverCertificateTypes?: readonly number[];
  readonly encryptThenMac?: true;
  readonly extendedMasterSecret?: true;
  /** Bytes of plaintext that the sender takes in one record, at least 64. */
  readonly recordSizeLimit?: number;
  /** Empty where a ticket is asked for or promised (RFC 5077 §3.2). */
  readonly sessionTicket?: Uint8Array;
  /** What the receiver is to put into records to the sender; empty for none. */
  readonly connectionId?: Uint8Array;
  /** Takes part in the return routability check, RFC 9853 §3. */
  readonly rrc?: true;
  /** verify_data of the handshake before; empty in a first one. */
  readonly renegotiationInfo?: Uint8Array;
}

type Mutable = { -readonly [Key in keyof HelloExtensions]: HelloExtensions[Key] };
/** Whose hello it is: some extensions look otherwise in a ServerHello. */
type Sender = 'client' | 'server';

const NO_BYTES = new Uint8Array(0);
const HOST_NAME = 0;

/** Appends the list with its length; a hello without extensions ends before it (RFC 5246 §7.4.1.2). */
export function writeHelloExtensions(writer: ByteWriter, extensions: HelloExtensions, sender: Sender): void {
  const list = new ByteWriter();
  const add = (type: number, data: Uint8Array) => list.uint16(type).vector16(data);
  const { serverName, maxFragmentLength, supportedGroups, ecPointFormats, signatureAlgorithms } = extensions;
  if (serverName !== undefined) add(ExtensionType.SERVER_NAME, encodeServerName(serverName, sender));
  if (maxFragmentLength !== undefined) {
    add(ExtensionType.MAX_FRAGMENT_LENGTH, Uint8Array.of(maxFragmentLength));
  }
  if (supportedGroups !== undefined) {
    add(ExtensionType.SUPPORTED_GROUPS, vector16(numbersToBytes(supportedGroups, 2)));
  }
  if (ecPointFormats !== undefined) {
    add(ExtensionType.EC_POINT_FORMATS, vector8(numbersToBytes(ecPointFormats, 1)));
  }
  if (signatureAlgorithms !== undefined) {
    add(ExtensionType.SIGNATURE_ALGORITHMS, vector16(numbersToBytes(signatureAlgorithms, 2)));
  }
  const { clientCertificateTypes, serverCertificateTypes } = extensions;
  if (clientCertificateTypes !== undefined) {
    add(ExtensionType.CLIENT_CERTIFICATE_TYPE, encodeCertificateTypes(clientCertificateTypes, sender));
  }
  if (serverCertificateTypes !== undefined) {
    add(ExtensionType.SERVER_CERTIFICATE_TYPE, encodeCertificateTypes(serverCertificateTypes, sender));
  }
  if (extensions.encryptThenMac) add(ExtensionType.ENCRYPT_THEN_MAC, NO_BYTES);
  if (extensions.extendedMasterSecret) add(ExtensionType.EXTENDED_MASTER_SECRET, NO_BYTES);
  if (extensions.recordSizeLimit !== undefined) {
    add(ExtensionType.RECORD_SIZE_LIMIT, new ByteWriter().uint16(extensions.recordSizeLimit).finish());
  }
  if (extensions.sessionTicket !== undefined) add(ExtensionType.SESSION_TICKET, extensions.sessionTicket);
  if (extensions.connectionId !== undefined) {
    add(ExtensionType.CONNECTION_ID, vector8(extensions.connectionId));
  }
  if (extensions.rrc) add(ExtensionType.RRC, NO_BYTES);
  if (extensions.renegotiationInfo !== undefined) {
    add(ExtensionType.RENEGOTIATION_INFO, vector8(extensions.renegotiationInfo));
  }
  const bytes = list.finish();
  if (bytes.length > 0) writer.vector16(bytes);
}

/**
 * Reads what is left of a hello as its extensions, and passes over those that are not understood.
 * @throws DecodeError also where a type comes twice (RFC 5246 §7.4.1.4).
 */
export function readHelloExtensions(reader: ByteReader, sender: Sender): HelloExtensions {
  const extensions: Mutable = {};
  if (reader.left === 0) return extensions;
  const list = new ByteReader(reader.vector16(), 'a list of extensions');
  reader.end();
  const seen = new Set<number>();
  while (list.left > 0) {
    const type = list.uint16();
    if (seen.has(type)) throw new DecodeError(`extension ${type} comes twice`);
    seen.add(type);
    decodeInto(extensions, type, list.vector16(), sender);
  }
  return extensions;
}

function decodeInto(extensions: Mutable, type: number, data: Uint8Array, sender: Sender): void {
  const reader = new ByteReader(data, `extension ${type}`);
  switch (type) {
    case ExtensionType.SERVER_NAME: {
      const name = decodeServerName(reader, sender);
      if (name !== undefined) extensions.serverName = name;
      break;
    }
    case ExtensionType.MAX_FRAGMENT_LENGTH:
      extensions.maxFragmentLength = reader.uint8();
      break;
    case ExtensionType.SUPPORTED_GROUPS:
      extensions.supportedGroups = numbersOf(reader.vector16(2), 2, 'the list of groups');
      break;
    case ExtensionType.EC_POINT_FORMATS:
      extensions.ecPointFormats = numbersOf(reader.vector8(1), 1, 'the list of point formats');
      break;
    case ExtensionType.SIGNATURE_ALGORITHMS:
      extensions.signatureAlgorithms = numbersOf(reader.vector16(2), 2, 'the list of signature algorithms');
      break;
    case ExtensionType.CLIENT_CERTIFICATE_TYPE:
      extensions.clientCertificateTypes = decodeCertificateTypes(reader, sender);
      break;
    case ExtensionType.SERVER_CERTIFICATE_TYPE:
      extensions.serverCertificateTypes = decodeCertificateTypes(reader, sender);
      break;
    case ExtensionType.ENCRYPT_THEN_MAC:
      extensions.encryptThenMac = true;
      break;
    case ExtensionType.EXTENDED_MASTER_SECRET:
      extensions.extendedMasterSecret = true;
      break;
    case ExtensionType.RECORD_SIZE_LIMIT:
      extensions.recordSizeLimit = reader.uint16();
      if (extensions.recordSizeLimit < 64) throw new DecodeError('a record size limit is at least 64');
      break;
    case ExtensionType.SESSION_TICKET:
      extensions.sessionTicket = reader.rest();
      break;
    case ExtensionType.CONNECTION_ID:
      extensions.connectionId = reader.vector8();
      break;
    case ExtensionType.RRC:
      extensions.rrc = true;
      break;
    case ExtensionType.RENEGOTIATION_INFO:
      extensions.renegotiationInfo = reader.vector8();
      break;
    default:
      return;
  }
  reader.end();
}

/** RFC 6066 §3: a list of names in a ClientHello, nothing at all in a ServerHello. */
function encodeServerName(name: string, sender: Sender): Uint8Array {
  if (sender === 'server') return NO_BYTES;
  const entry = new ByteWriter().uint8(HOST_NAME).vector16(Buffer.from(name, 'latin1')).finish();
  return vector16(entry);
}

function decodeServerName(reader: ByteReader, sender: Sender): string | undefined {
  if (sender === 'server') return '';
  const list = new ByteReader(reader.vector16(1), 'a list of server names');
  let name: string | undefined;
  while (list.left > 0) {
    const type = list.uint8();
    const value = list.vector16(1);
    if (type !== HOST_NAME) continue;
    if (name !== undefined) throw new DecodeError('two host names');
    name = Buffer.from(value).toString('latin1');
  }
  return name;
}

/** RFC 7250 §3: a list in a ClientHello, the chosen one in a ServerHello. */
function encodeCertificateTypes(types: readonly number[], sender: Sender): Uint8Array {
  const bytes = numbersToBytes(types, 1);
  return sender === 'client' ? vector8(bytes) : bytes;
}

function decodeCertificateTypes(reader: ByteReader, sender: Sender): number[] {
  return sender === 'client' ? numbersOf(reader.vector8(1), 1, 'certificate types') : [reader.uint8()];
}

function vector8(bytes: Uint8Array): Uint8Array {
  return new ByteWriter().vector8(bytes).finish();
}

function vector16(bytes: Uint8Array): Uint8Array {
  return new ByteWriter().vector16(bytes).finish();
}

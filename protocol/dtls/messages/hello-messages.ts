import { DecodeError } from '../../errors.ts';
import { ByteReader, numbersOf } from './byte-reader.ts';
import { ByteWriter, numbersToBytes } from './byte-writer.ts';
import { type HelloExtensions, readHelloExtensions, writeHelloExtensions } from './hello-extensions.ts';

export const RANDOM_LENGTH = 32;

/** RFC 5246 §7.4.1.2 with the cookie of RFC 6347 §4.3.2. */
export interface ClientHello {
  readonly version: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  /** Up to 32 bytes; empty where no session is to be resumed. */
  readonly sessionId: Uint8Array;
  readonly cookie: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly compressionMethods: readonly number[];
  readonly extensions: HelloExtensions;
}

export function encodeClientHello(hello: ClientHello): Uint8Array {
  const writer = new ByteWriter()
    .uint16(hello.version)
    .bytes(hello.random)
    .vector8(hello.sessionId)
    .vector8(hello.cookie)
    .vector16(numbersToBytes(hello.cipherSuites, 2))
    .vector8(numbersToBytes(hello.compressionMethods, 1));
  writeHelloExtensions(writer, hello.extensions, 'client');
  return writer.finish();
}

/** @throws DecodeError */
export function decodeClientHello(body: Uint8Array): ClientHello {
  const reader = new ByteReader(body, 'a ClientHello');
  const version = reader.uint16();
  const random = reader.bytes(RANDOM_LENGTH);
  const sessionId = reader.vector8(0, 32);
  const cookie = reader.vector8();
  const cipherSuites = numbersOf(reader.vector16(2), 2, 'the list of cipher suites');
  const compressionMethods = numbersOf(reader.vector8(1), 1, 'the list of compression methods');
  const extensions = readHelloExtensions(reader, 'client');
  return { version, random, sessionId, cookie, cipherSuites, compressionMethods, extensions };
}

/** RFC 5246 §7.4.1.3. */
export interface ServerHello {
  readonly version: number;
  /** 32 bytes. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly compressionMethod: number;
  readonly extensions: HelloExtensions;
}

export function encodeServerHello(hello: ServerHello): Uint8Array {
  const writer = new ByteWriter()
    .uint16(hello.version)
    .bytes(hello.random)
    .vector8(hello.sessionId)
    .uint16(hello.cipherSuite)
    .uint8(hello.compressionMethod);
  writeHelloExtensions(writer, hello.extensions, 'server');
  return writer.finish();
}

/** @throws DecodeError */
export function decodeServerHello(body: Uint8Array): ServerHello {
  const reader = new ByteReader(body, 'a ServerHello');
  const version = reader.uint16();
  const random = reader.bytes(RANDOM_LENGTH);
  const sessionId = reader.vector8(0, 32);
  const cipherSuite = reader.uint16();
  const compressionMethod = reader.uint8();
  const extensions = readHelloExtensions(reader, 'server');
  return { version, random, sessionId, cipherSuite, compressionMethod, extensions };
}

/** RFC 6347 §4.2.1. */
export interface HelloVerifyRequest {
  /** DTLS 1.0, whatever version will be chosen. */
  readonly version: number;
  readonly cookie: Uint8Array;
}

export function encodeHelloVerifyRequest({ version, cookie }: HelloVerifyRequest): Uint8Array {
  return new ByteWriter().uint16(version).vector8(cookie).finish();
}

/** @throws DecodeError */
export function decodeHelloVerifyRequest(body: Uint8Array): HelloVerifyRequest {
  const reader = new ByteReader(body, 'a HelloVerifyRequest');
  const version = reader.uint16();
  const cookie = reader.vector8();
  reader.end();
  return { version, cookie };
}

/** HelloRequest and ServerHelloDone have no body. @throws DecodeError where there is one. */
export function decodeEmptyBody(body: Uint8Array): void {
  if (body.length > 0) throw new DecodeError('a message that is empty has a body');
}

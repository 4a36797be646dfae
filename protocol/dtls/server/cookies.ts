import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { PeerAddress } from '../../coap/datagram-port.ts';
import { equalBytes } from '../crypto/constant-time.ts';
import type { ClientHello } from '../messages/hello-messages.ts';

const SECRET_LENGTH = 32;
/** Short, so that a ClientHello fits a datagram of 256 bytes; 128 bits cannot be guessed. */
const COOKIE_LENGTH = 16;
/** ms that a secret makes cookies; for as long again they are taken. */
const SECRET_LIFETIME = 60_000;

/**
 * Cookies prove that a client hears what is sent to its address, before anything is kept for it (RFC 6347 §4.2.1). They hold
 * address and hello together by an HMAC, so that nothing has to be remembered.
 */
export class Cookies {
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Uint8Array;
  #secret: KeyObject;
  #former: KeyObject | undefined;
  #since: number;

  constructor(clock: Clock, random: (bytes: number) => Uint8Array) {
    this.#clock = clock;
    this.#random = random;
    this.#secret = createSecretKey(random(SECRET_LENGTH));
    this.#since = clock.now();
  }

  make(address: PeerAddress, hello: ClientHello): Uint8Array {
    this.#rotate();
    return cookieOf(this.#secret, address, hello);
  }

  /** Whether the hello brings a cookie that was made for it and its sender. */
  verify(address: PeerAddress, hello: ClientHello): boolean {
    if (hello.cookie.length !== COOKIE_LENGTH) return false;
    this.#rotate();
    return (
      equalBytes(cookieOf(this.#secret, address, hello), hello.cookie) ||
      (this.#former !== undefined && equalBytes(cookieOf(this.#former, address, hello), hello.cookie))
    );
  }

  #rotate(): void {
    const age = this.#clock.now() - this.#since;
    if (age < SECRET_LIFETIME) return;
    this.#former = age < 2 * SECRET_LIFETIME ? this.#secret : undefined;
    this.#secret = createSecretKey(this.#random(SECRET_LENGTH));
    this.#since = this.#clock.now();
  }
}

/** The parameters that RFC 6347 §4.2.1 names; each part has its length before it or a fixed one. */
function cookieOf(secret: KeyObject, address: PeerAddress, hello: ClientHello): Uint8Array {
  const { version, random, sessionId, cipherSuites, compressionMethods } = hello;
  const text = `${address} ${version} ${cipherSuites.join()} ${compressionMethods.join()} `;
  return createHmac('sha256', secret)
    .update(text)
    .update(random)
    .update(sessionId)
    .digest()
    .subarray(0, COOKIE_LENGTH);
}

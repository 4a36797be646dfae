import { DecodeError, TimeoutError } from '../protocol/errors.ts';

/** No device of that endpoint name was ever seen. */
export class UnknownDeviceError extends Error {
  override readonly name = 'UnknownDeviceError';
  readonly endpoint: string;

  constructor(endpoint: string) {
    super(`no device with endpoint name '${endpoint}' is known`);
    this.endpoint = endpoint;
  }
}

/**
 * Another device was heard where this one was heard last, as after a carrier's NAT gave its port away: what is sent
 * there would reach the wrong one. It is over when the device speaks.
 */
export class AddressLostError extends TimeoutError {
  constructor(endpoint: string) {
    const hold = `POST /api/devices/${encodeURIComponent(endpoint)}/requests`;
    super(
      `another device was heard at the address of '${endpoint}' since: nothing is sent there before this one ` +
        `speaks again. ${hold} holds a request until then`,
    );
  }
}

/** The device says that it has done what it was asked (2.xx), and what else its answer should tell is not there. */
export class DoneUnreadableError extends DecodeError {}

/** The device is known, but holds no registration now, so nothing can be sent to it. */
export class NotRegisteredError extends Error {
  override readonly name = 'NotRegisteredError';
  readonly endpoint: string;

  constructor(endpoint: string) {
    super(`device '${endpoint}' is not registered now`);
    this.endpoint = endpoint;
  }
}

/** What was asked contradicts what is: an idempotency key used twice for different things, a final command cancelled. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

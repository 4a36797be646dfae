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
  readonly endpoint: string;

  constructor(endpoint: string) {
    const hold = `POST /api/devices/${encodeURIComponent(endpoint)}/requests`;
    super(
      `another device was heard at the address of '${endpoint}' since: nothing is sent there before this one ` +
        `speaks again. ${hold} holds a request until then`,
    );
    this.endpoint = endpoint;
  }
}

/**
 * Another node has the device, or has taken it over while it was asked: nothing was sent that must not be sent twice, and
 * whoever asks goes to that node. Never leaves the server.
 */
export class DeviceElsewhereError extends Error {
  override readonly name = 'DeviceElsewhereError';
  readonly endpoint: string;
  /** Who has it, where that is known. */
  readonly node: string | undefined;

  constructor(endpoint: string, node?: string) {
    super(`device '${endpoint}' is at ${node === undefined ? 'another node' : `node '${node}'`}`);
    this.endpoint = endpoint;
    this.node = node;
  }
}

/** The node that heard the device last is gone, and no other one shares the address by which the device knows it. */
export class DeviceNodeGoneError extends Error {
  override readonly name = 'DeviceNodeGoneError';
  readonly endpoint: string;
  readonly node: string;

  constructor(endpoint: string, node: string) {
    const hold = `POST /api/devices/${encodeURIComponent(endpoint)}/requests`;
    super(
      `node '${node}', which heard '${endpoint}' last, is not there now: the device can be asked when it speaks to ` +
        `another one, or that one is back. ${hold} holds a request until then`,
    );
    this.endpoint = endpoint;
    this.node = node;
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

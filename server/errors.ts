/** No device of that endpoint name was ever seen. */
export class UnknownDeviceError extends Error {
  override readonly name = 'UnknownDeviceError';
  readonly endpoint: string;

  constructor(endpoint: string) {
    super(`no device with endpoint name '${endpoint}' is known`);
    this.endpoint = endpoint;
  }
}

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

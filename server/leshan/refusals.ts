import { CoapResponseError, EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import { DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { ProblemError, problemOf } from '../api/problems.ts';
import { ConflictError, NotRegisteredError, UnknownDeviceError } from '../errors.ts';

/** A request that gets no answer of a device: the status, and the text that the interface has for it. */
export class LeshanRefusal extends Error {
  override readonly name = 'LeshanRefusal';
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

/** What contradicts LwM2M itself, before anything is sent. */
export function invalid(reason: string): LeshanRefusal {
  return new LeshanRefusal(400, `Invalid request: ${reason}`);
}

/** What the interface answers with 500 although the caller is at fault. */
export function unexpected(reason: string): LeshanRefusal {
  return new LeshanRefusal(500, `Unexpected exception: ${reason}`);
}

export function invalidPath(): LeshanRefusal {
  return new LeshanRefusal(400, 'Invalid path');
}

export function notRegistered(endpoint: string): LeshanRefusal {
  return new LeshanRefusal(400, `No registered client with id '${endpoint}'`);
}

export function notThere(what: string): LeshanRefusal {
  return new LeshanRefusal(501, `${what} is not implemented by this server`);
}

/**
 * What an error is to the interface. A device's own no is no refusal: it is answered with 200.
 * @returns undefined for what is a fault of ours
 */
export function refusalOf(error: unknown): LeshanRefusal | undefined {
  if (error instanceof LeshanRefusal) return error;
  if (error instanceof UnknownDeviceError || error instanceof NotRegisteredError) {
    return notRegistered(error.endpoint);
  }
  if (error instanceof RequestError) return invalid(error.message);
  if (error instanceof TimeoutError) return new LeshanRefusal(504, 'Request timeout');
  if (error instanceof ResetError) return new LeshanRefusal(500, `Request rejected: ${error.message}`);
  if (error instanceof ConflictError || error instanceof EndpointClosedError) {
    return new LeshanRefusal(500, `Request cancelled: ${error.message}`);
  }
  if (error instanceof DecodeError) return new LeshanRefusal(500, `Invalid Response: ${error.message}`);
  if (error instanceof CoapResponseError) return undefined;
  const { status, code, title, detail } = problemOf(error);
  if (code === 'internal_error' && !(error instanceof ProblemError)) return undefined;
  return new LeshanRefusal(status, detail ?? title);
}

import { CoapResponseError } from '../../protocol/coap/errors.ts';
import type { Code } from '../../protocol/coap/message.ts';

/**
 * How an operation of the server is declined: thrown by handlers, answered with its code and its
 * diagnostic as the payload (RFC 7252 §5.5.2).
 */
export class OperationError extends CoapResponseError {
  /** Seconds until it is worth another try; goes with 5.03 (RFC 7252 §5.9.3.4). */
  readonly maxAge: number | undefined;

  constructor(code: Code, diagnostic: string, maxAge?: number) {
    super(code, diagnostic);
    this.maxAge = maxAge;
  }
}

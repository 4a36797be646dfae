import { EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import type { IncomingResponse } from '../../protocol/coap/exchange.ts';
import { formatCode } from '../../protocol/coap/message.ts';
import { DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';

/** What a network, a peer or a name service can do to a request; all else is a bug of ours. */
export function isNetworkError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return (
    error instanceof TimeoutError ||
    error instanceof ResetError ||
    error instanceof DecodeError ||
    error instanceof RequestError ||
    error instanceof EndpointClosedError ||
    error.name === 'AbortError' ||
    ('syscall' in error && error.syscall === 'getaddrinfo')
  );
}

/** `the server answered 4.03 no`, for people. */
export function describeAnswer(response: IncomingResponse): string {
  const diagnostic = new TextDecoder().decode(response.payload.subarray(0, 200));
  return `the server answered ${formatCode(response.code)}${diagnostic === '' ? '' : ` ${diagnostic}`}`;
}

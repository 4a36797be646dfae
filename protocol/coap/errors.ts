import { DecodeError } from '../errors.ts';
import { type Code, formatCode } from './message.ts';

/** The peer answered with RST: it knows nothing of what was asked (RFC 7252 §4.2). */
export class ResetError extends Error {
  override readonly name = 'ResetError';
}

/** A representation changed faster than its blocks could be read (RFC 7959 §2.4). */
export class RepresentationChangedError extends DecodeError {
  constructor() {
    super('the representation changed between its blocks');
  }
}

/** The endpoint was closed while a request was under way. */
export class EndpointClosedError extends Error {
  override readonly name = 'EndpointClosedError';
}

/** The peer answered, and its answer is no success: `code` says which, `diagnostic` why, if it told. */
export class CoapResponseError extends Error {
  override readonly name = 'CoapResponseError';
  readonly code: Code;
  readonly diagnostic: string;

  constructor(code: Code, diagnostic = '') {
    super(`${formatCode(code)}${diagnostic === '' ? '' : ` ${diagnostic}`}`);
    this.code = code;
    this.diagnostic = diagnostic;
  }
}

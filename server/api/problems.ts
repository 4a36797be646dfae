import { CoapResponseError, EndpointClosedError, ResetError } from '../../protocol/coap/errors.ts';
import { Code, formatCode } from '../../protocol/coap/message.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../protocol/errors.ts';
import { ConflictError, DeviceNodeGoneError, NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import { NotSentError } from '../lwm2m/device-reach.ts';
import { LoginPausedError, LoginRefusedError } from '../people/errors.ts';
import { NodeUnreachableError } from '../ports/cluster-ports.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import { NoSecretKeyError, SealError } from '../secrets/sealer.ts';
import type { ApiProblem } from './schemas.ts';

/**
 * Every code that an answer of the API may carry, with its HTTP status and title. docs/errors.md has
 * the same list for people, and a test keeps the two equal.
 */
export const problems = {
  validation_failed: { status: 400, title: 'The request does not fit the API' },
  invalid_request: { status: 400, title: 'The request cannot be carried out as it stands' },
  malformed_body: { status: 400, title: 'The body is not readable JSON' },
  malformed_request: { status: 400, title: 'The request is not readable HTTP' },
  not_logged_in: { status: 401, title: 'The request shows nobody who may make it' },
  login_failed: { status: 401, title: 'The user name or the password is wrong' },
  wrong_password: { status: 403, title: 'The present password is another one' },
  password_change_required: { status: 403, title: 'The password has to be changed first' },
  not_allowed: { status: 403, title: 'Whoever makes the request may not do this' },
  console_header_missing: {
    status: 403,
    title: 'A request by a cookie does not show that the console made it',
  },
  foreign_host: { status: 403, title: 'The Host header names a host that is not this server' },
  foreign_origin: { status: 403, title: 'Another site made this request' },
  route_not_found: { status: 404, title: 'No such route' },
  fleet_only: {
    status: 403,
    title: 'It is about the fleet as a whole, and the caller sees one tenant’s devices',
  },
  unknown_device: { status: 404, title: 'No such device' },
  unknown_command: { status: 404, title: 'No such command' },
  unknown_job: { status: 404, title: 'No such job' },
  unknown_object_model: { status: 404, title: 'No such object definition' },
  unknown_policy: { status: 404, title: 'No such observation policy' },
  unknown_webhook: { status: 404, title: 'No such webhook' },
  unknown_delivery: { status: 404, title: 'No such delivery' },
  unknown_user: { status: 404, title: 'No such user' },
  unknown_session: { status: 404, title: 'No such session' },
  unknown_token: { status: 404, title: 'No such token' },
  unknown_credential: { status: 404, title: 'No such credential' },
  unknown_bootstrap: { status: 404, title: 'No such bootstrap' },
  unknown_bootstrap_profile: { status: 404, title: 'No such bootstrap profile' },
  unknown_profile: { status: 404, title: 'No such profile' },
  not_observed: { status: 404, title: 'Nothing is observed there' },
  method_not_allowed: { status: 405, title: 'The route does not offer this method' },
  request_timeout: { status: 408, title: 'The request did not come in time' },
  not_registered: { status: 409, title: 'The device is not registered now' },
  trace_off: { status: 409, title: 'Messages are not kept' },
  device_registered: { status: 409, title: 'The device is registered' },
  request_under_way: { status: 409, title: 'The request with this Idempotency-Key is under way' },
  outcome_unknown: { status: 409, title: 'Nobody can tell whether the request was carried out' },
  answer_not_kept: { status: 409, title: 'The request was carried out, and its answer was not kept' },
  credential_taken: { status: 409, title: 'The identity is taken, or the device is enrolled already' },
  conflict: { status: 409, title: 'The request contradicts what is' },
  body_too_large: { status: 413, title: 'The body is too large' },
  uri_too_long: { status: 414, title: 'The path is too long' },
  unsupported_media_type: { status: 415, title: 'The body is not of the media type that the route takes' },
  too_many_requests: { status: 429, title: 'So much waits that no more is taken' },
  login_paused: { status: 429, title: 'Too many log-ins failed' },
  rate_limited: { status: 429, title: 'The caller asks for more than the server gives to one' },
  streams_limited: { status: 429, title: 'The caller has too many event streams open' },
  request_aborted: { status: 499, title: 'The caller went away' },
  device_bad_request: { status: 400, title: 'The device could not make sense of the request' },
  device_forbidden: { status: 403, title: 'The device does not allow it' },
  device_not_found: { status: 404, title: 'The device has no such object, instance or resource' },
  device_method_not_allowed: { status: 405, title: 'The device does not offer this operation there' },
  device_not_acceptable: { status: 406, title: 'The device does not speak that content format' },
  device_conflict: { status: 409, title: 'The request conflicts with the state of the device' },
  device_precondition_failed: { status: 412, title: 'A precondition failed at the device' },
  device_body_too_large: { status: 413, title: 'The content is too large for the device' },
  device_unsupported_format: { status: 415, title: 'The device cannot read that content format' },
  device_unprocessable: { status: 422, title: 'The device cannot process the content' },
  device_too_many_requests: { status: 429, title: 'The device asks for fewer requests' },
  device_not_implemented: { status: 501, title: 'The device does not implement it' },
  device_error: { status: 502, title: 'The device failed' },
  device_reset: { status: 502, title: 'The device rejected the message' },
  device_unreadable: { status: 502, title: 'The device answered what cannot be read' },
  device_unavailable: { status: 503, title: 'The device cannot do it now' },
  device_timeout: { status: 504, title: 'The device did not answer in time' },
  deadline_exceeded: { status: 504, title: 'The server did not answer in time' },
  store_unavailable: { status: 503, title: 'The store cannot answer now' },
  no_secret_key: { status: 503, title: 'The server has no key to seal secrets with' },
  secret_unreadable: { status: 503, title: 'The server has not the key that this was sealed with' },
  device_node_gone: { status: 503, title: 'The node that has the device is gone' },
  node_unreachable: { status: 503, title: 'The node whose turn it is does not answer' },
  too_many_streams: { status: 503, title: 'Too many event streams are open' },
  provider_unavailable: { status: 503, title: 'The identity provider does not answer' },
  no_provider: { status: 404, title: 'There is no identity provider' },
  not_ready: { status: 503, title: 'The server is not ready' },
  closing: { status: 503, title: 'The server is closing' },
  internal_error: { status: 500, title: 'The server has a fault' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type ProblemCode = keyof typeof problems;

/** Thrown by routes for what has no error class of its own. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

/** The device's answers that have a meaning of their own for a caller; all others are `device_error`. */
const deviceAnswers: ReadonlyMap<Code, ProblemCode> = new Map([
  [Code.BAD_REQUEST, 'device_bad_request'],
  [Code.UNAUTHORIZED, 'device_forbidden'],
  [Code.FORBIDDEN, 'device_forbidden'],
  [Code.NOT_FOUND, 'device_not_found'],
  [Code.METHOD_NOT_ALLOWED, 'device_method_not_allowed'],
  [Code.NOT_ACCEPTABLE, 'device_not_acceptable'],
  [Code.CONFLICT, 'device_conflict'],
  [Code.PRECONDITION_FAILED, 'device_precondition_failed'],
  [Code.REQUEST_ENTITY_TOO_LARGE, 'device_body_too_large'],
  [Code.UNSUPPORTED_CONTENT_FORMAT, 'device_unsupported_format'],
  [Code.UNPROCESSABLE_ENTITY, 'device_unprocessable'],
  [Code.TOO_MANY_REQUESTS, 'device_too_many_requests'],
  [Code.NOT_IMPLEMENTED, 'device_not_implemented'],
  [Code.SERVICE_UNAVAILABLE, 'device_unavailable'],
  [Code.GATEWAY_TIMEOUT, 'device_timeout'],
]);

/** The errors of the house, whose message is meant for the caller. The first that fits counts. */
const errorClasses: readonly (readonly [abstract new (...args: never[]) => Error, ProblemCode])[] = [
  [UnknownDeviceError, 'unknown_device'],
  [NotRegisteredError, 'not_registered'],
  [ConflictError, 'conflict'],
  [BusyError, 'too_many_requests'],
  [LoginRefusedError, 'login_failed'],
  [LoginPausedError, 'login_paused'],
  [RequestError, 'invalid_request'],
  [TimeoutError, 'device_timeout'],
  [ResetError, 'device_reset'],
  [DecodeError, 'device_unreadable'],
  [EndpointClosedError, 'closing'],
  [StoreUnavailableError, 'store_unavailable'],
  [NoSecretKeyError, 'no_secret_key'],
  [SealError, 'secret_unreadable'],
  [DeviceNodeGoneError, 'device_node_gone'],
  [NodeUnreachableError, 'node_unreachable'],
];

/** Fastify's own refusals, by its error code. */
const frameworkCodes: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_VALIDATION: 'validation_failed',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_body',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_body',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_REOPENED_CLOSE_SERVER: 'closing',
};

/** A problem as RFC 9457 §3 shows one. */
export function problem(code: ProblemCode, detail?: string, coapCode?: string): ApiProblem {
  const { status, title } = problems[code];
  return {
    type: `urn:simyard:problem:${code}`,
    title,
    status,
    code,
    ...(detail === undefined || detail === '' ? {} : { detail }),
    ...(coapCode === undefined ? {} : { coapCode }),
  };
}

/** The one place where an error becomes an answer. What is not known is a bug: 500, and nothing of it shown. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ProblemError) return problem(error.code, error.message);
  if (error instanceof NotSentError && error.cause !== undefined) return problemOf(error.cause);
  if (error instanceof CoapResponseError) {
    const code = deviceAnswers.get(error.code) ?? 'device_error';
    return problem(code, error.diagnostic, formatCode(error.code));
  }
  for (const [errorClass, code] of errorClasses) {
    if (error instanceof errorClass) return problem(code, error.message);
  }
  return frameworkProblem(error) ?? problem('internal_error');
}

function frameworkProblem(error: unknown): ApiProblem | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'AbortError') return problem('request_aborted');
  const { code, statusCode } = error as Error & { readonly code?: unknown; readonly statusCode?: unknown };
  const known = typeof code === 'string' ? frameworkCodes[code] : undefined;
  if (known !== undefined) return problem(known, error.message);
  // Whatever else Fastify or a plugin says is the caller's fault (a 4xx) is a request that HTTP itself forbids.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return problem('malformed_request', error.message);
  }
  return undefined;
}

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CoapResponseError, EndpointClosedError, ResetError } from '../../../protocol/coap/errors.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { BusyError, DecodeError, RequestError, TimeoutError } from '../../../protocol/errors.ts';
import { ProblemError, problemOf, problems } from '../../../server/api/problems.ts';
import { ConflictError, NotRegisteredError, UnknownDeviceError } from '../../../server/errors.ts';
import { StoreUnavailableError } from '../../../server/ports/errors.ts';
import { NoSecretKeyError, SealError } from '../../../server/secrets/sealer.ts';

describe('problems', () => {
  test('docs/errors.md lists every code with its status, and no other', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    const defined = Object.entries(problems).map(([code, { status }]) => [code, status]);
    expect(documented.sort()).toEqual(defined.sort());
  });

  test.each([
    [new UnknownDeviceError('m'), 404, 'unknown_device'],
    [new NotRegisteredError('m'), 409, 'not_registered'],
    [new ConflictError('used'), 409, 'conflict'],
    [new RequestError('bad'), 400, 'invalid_request'],
    [new BusyError('64 wait'), 429, 'too_many_requests'],
    [new TimeoutError('late'), 504, 'device_timeout'],
    [new ResetError('reset'), 502, 'device_reset'],
    [new DecodeError('garbage'), 502, 'device_unreadable'],
    [new EndpointClosedError('closed'), 503, 'closing'],
    [new StoreUnavailableError('disk full'), 503, 'store_unavailable'],
    [new NoSecretKeyError('credentials'), 503, 'no_secret_key'],
    [new SealError('key of a was changed'), 503, 'secret_unreadable'],
    [new ProblemError('not_observed', 'there'), 404, 'not_observed'],
  ])('%s is answered with %i and %s, and says why', (error, status, code) => {
    expect(problemOf(error)).toEqual({
      type: `urn:simyard:problem:${code}`,
      title: problems[code as keyof typeof problems].title,
      status,
      code,
      detail: error.message,
    });
  });

  test.each([
    [Code.BAD_REQUEST, '4.00', 400, 'device_bad_request'],
    [Code.UNAUTHORIZED, '4.01', 403, 'device_forbidden'],
    [Code.BAD_OPTION, '4.02', 502, 'device_error'],
    [Code.FORBIDDEN, '4.03', 403, 'device_forbidden'],
    [Code.NOT_FOUND, '4.04', 404, 'device_not_found'],
    [Code.METHOD_NOT_ALLOWED, '4.05', 405, 'device_method_not_allowed'],
    [Code.NOT_ACCEPTABLE, '4.06', 406, 'device_not_acceptable'],
    [Code.REQUEST_ENTITY_INCOMPLETE, '4.08', 502, 'device_error'],
    [Code.CONFLICT, '4.09', 409, 'device_conflict'],
    [Code.PRECONDITION_FAILED, '4.12', 412, 'device_precondition_failed'],
    [Code.REQUEST_ENTITY_TOO_LARGE, '4.13', 413, 'device_body_too_large'],
    [Code.UNSUPPORTED_CONTENT_FORMAT, '4.15', 415, 'device_unsupported_format'],
    [Code.UNPROCESSABLE_ENTITY, '4.22', 422, 'device_unprocessable'],
    [Code.TOO_MANY_REQUESTS, '4.29', 429, 'device_too_many_requests'],
    [Code.INTERNAL_SERVER_ERROR, '5.00', 502, 'device_error'],
    [Code.NOT_IMPLEMENTED, '5.01', 501, 'device_not_implemented'],
    [Code.SERVICE_UNAVAILABLE, '5.03', 503, 'device_unavailable'],
    [Code.GATEWAY_TIMEOUT, '5.04', 504, 'device_timeout'],
    [0xbf, '5.31', 502, 'device_error'],
  ])("a device's 0x%s (%s) is answered with %i and %s", (code, coapCode, status, problem) => {
    expect(problemOf(new CoapResponseError(code, 'said so'))).toMatchObject({
      status,
      code: problem,
      coapCode,
      detail: 'said so',
    });
  });

  test.each([
    new Error('secret path /var/lib'),
    new TypeError('x is undefined'),
    'a string',
    undefined,
    Object.assign(new Error('odd'), { statusCode: 500 }),
  ])('what is not known is a fault of ours, and nothing of it is shown: %s', (error) => {
    const answer = problemOf(error);
    expect(answer).toEqual({
      type: 'urn:simyard:problem:internal_error',
      title: 'The server has a fault',
      status: 500,
      code: 'internal_error',
    });
  });

  test('an abort is not taken for a fault', () => {
    const controller = new AbortController();
    controller.abort();
    expect(problemOf(controller.signal.reason).code).toBe('request_aborted');
  });
});

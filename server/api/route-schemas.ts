import { Type } from 'typebox';
import { LONGEST_TIMEOUT } from '../lwm2m/device-requests.ts';
import { ProblemSchema } from './schemas.ts';
import { ref } from './shared-schemas.ts';

/** What every route may answer beside its own. */
export const problemResponses = {
  '4xx': problemResponse('The request cannot be served; `code` is one of docs/errors.md'),
  '5xx': problemResponse('The device or the server failed; `code` is one of docs/errors.md'),
} as const;

function problemResponse(description: string) {
  return { description, content: { 'application/problem+json': { schema: ref(ProblemSchema) } } };
}

/** An answer without a body. */
export const noContent = Type.Null({ description: 'Done' });

export const EndpointParams = Type.Object({
  endpoint: Type.String({ minLength: 1, description: 'Endpoint name, URL-encoded' }),
});

export const PathParams = Type.Object({
  endpoint: Type.String({ minLength: 1, description: 'Endpoint name, URL-encoded' }),
  '*': Type.String({ description: 'object/instance/resource/resource instance: `3`, `3/0`, `3/0/9`' }),
});

/** A page's size, with its default. */
export function limit(maximum: number, standard: number) {
  return Type.Optional(
    Type.Integer({ minimum: 1, maximum, description: `How many; ${standard} where absent` }),
  );
}

export const cursor = Type.Optional(
  Type.String({ minLength: 1, maxLength: 2000, description: '`next` of the page before' }),
);

/** Of the requests that go to a device. */
export const timeout = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: LONGEST_TIMEOUT,
    description: 'Milliseconds to wait for the device; 10000 where absent',
  }),
);

export const format = Type.Optional(
  Type.String({
    pattern: '^([0-9]{1,5}|[A-Za-z0-9_]{1,20})$',
    description:
      'Content format to speak with the device: TEXT, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, JSON, LWM2M_CBOR, ' +
      'of composite requests also SENML_ETCH_JSON and SENML_ETCH_CBOR; or its id',
  }),
);

export const active = Type.Optional(
  Type.Boolean({ description: 'Tell the device at once, rather than at its next notification' }),
);

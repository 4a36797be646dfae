import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Lwm2mClient } from '../../../client/lwm2m/client.ts';
import { type CoapOption, Code, formatCode } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  contentFormatOption,
  pathOptions,
  queryOptions,
} from '../../../protocol/coap/options.ts';
import { TimeoutError } from '../../../protocol/errors.ts';
import { encodeContent, encodePaths } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { otherValues, recordsOf } from '../../interop/leshan/all-types.ts';
import { ClientWorld } from '../../support/client/client-world.ts';
import { TypesObject, typesRegistry } from '../../support/client/types-object.ts';
import { seededBytes } from '../../support/coap/lossy-link.ts';

let world: ClientWorld;
let client: Lwm2mClient;
let types: TypesObject;

beforeEach(async () => {
  world = new ClientWorld();
  client = world.client({ lookup: typesRegistry, version: '1.2' });
  types = new TypesObject(client.tree);
  client.start();
  await world.registered();
});

afterEach(async () => {
  await world.settle(client.close());
});

const methods = [Code.GET, Code.PUT, Code.POST, Code.DELETE, Code.FETCH, Code.IPATCH, Code.PATCH];
const paths = [
  '/',
  '/1',
  '/1/0',
  '/1/0/1',
  '/42771',
  '/42771/0',
  '/42771/0/1',
  '/42771/0/10',
  '/42771/0/10/7',
];
const more = [
  '/42771/0/20',
  '/0/0',
  '/3',
  '/65535',
  '/42771/0/65534',
  '/x',
  '/.well-known/core',
  '/42771/9/1',
];
const queries = [
  'pmin=1',
  'pmax=0',
  'gt=5',
  'lt=1',
  'st',
  'edge=1',
  'con=0',
  'hqmax=99999999',
  'epmax=1',
  'depth=9',
];
const formats = [...Object.values(ContentFormat), 7, 65_535];

/** Payloads that mean something, to be spoiled. */
function payloads(): Uint8Array[] {
  const records = recordsOf(0, otherValues);
  const whole = [ContentFormat.TLV, ContentFormat.JSON, ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR];
  return [
    new Uint8Array(0),
    new TextEncoder().encode('5'),
    new TextEncoder().encode("0='a'"),
    ...whole.map((format) => encodeContent(format, '/42771/0', records, typesRegistry)),
    encodeContent(ContentFormat.LWM2M_CBOR, '/42771/0', records, typesRegistry),
    ...[ContentFormat.SENML_JSON, ContentFormat.SENML_CBOR].map((format) =>
      encodePaths(format, ['/', '/42771/0', '/3/0/9']),
    ),
  ];
}

it('whatever a server asks for is answered with a code of LwM2M, and nothing breaks', async () => {
  const random = seededBytes(7);
  const number = (below: number): number => {
    const [high = 0, low = 0] = random(2);
    return (high * 256 + low) % below;
  };
  const pick = <T>(list: readonly T[]): T => list[number(list.length)] as T;
  const meaningful = payloads();
  const codes = new Set<string>();
  for (let round = 0; round < 4_000; round++) {
    const code = pick(methods);
    const payload = Uint8Array.from(pick(meaningful));
    if (payload.length > 0 && number(3) === 0) payload[number(payload.length)] = number(256);
    const cut = number(4) === 0 ? payload.slice(0, number(payload.length + 1)) : payload;
    const options: CoapOption[] = [...pathOptions(pick(number(3) === 0 ? more : paths))];
    if (number(2) === 0) options.push(contentFormatOption(pick(formats)));
    if (number(3) === 0) options.push(acceptOption(pick(formats)));
    for (let left = number(3); left > 0; left--) options.push(...queryOptions([pick(queries)]));
    const request = { code, options, payload: cut };
    const observes = (code === Code.GET || code === Code.FETCH) && number(4) === 0;
    const answer = observes
      ? world.server.endpoint
          .observe(world.server.client, request, { onNotification: (each) => each.accept() })
          .then(({ response }) => response)
      : world.server.endpoint.request(world.server.client, request);
    const response = await world.settle(answer).catch((error: unknown) => {
      if (error instanceof TimeoutError) return undefined;
      throw error;
    });
    expect(response, `round ${round}`).toBeDefined();
    codes.add(formatCode(response?.code ?? 0));
    if (round % 20 === 0) {
      types.restore();
      types.set('/42771/0/1', round);
      await world.clock.run(2_000);
    }
  }
  expect(world.faults).toEqual([]);
  expect([...codes].sort()).toEqual(
    expect.arrayContaining(['2.01', '2.02', '2.04', '2.05', '4.00', '4.01', '4.04', '4.05', '4.06', '4.15']),
  );
  expect([...codes].filter((code) => code.startsWith('5'))).toEqual([]);
});

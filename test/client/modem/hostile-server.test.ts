import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Code } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  contentFormatOption,
  pathOptions,
  queryOptions,
} from '../../../protocol/coap/options.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import { ClientWorld, clientAddress, serverAddress } from '../../support/client/client-world.ts';

const id = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
    '7',
    '8',
    '9',
    '10',
    '11',
    '13',
    '15',
    '16',
    '19',
    '20',
    '42769',
    '42770',
  ),
  fc.constantFrom('65535', '-1', '', 'x', '..', '999999'),
);
const format = fc.constantFrom(...Object.values(ContentFormat), 9999);
const request = fc.record({
  code: fc.constantFrom(Code.GET, Code.POST, Code.PUT, Code.DELETE, Code.FETCH, Code.PATCH, Code.IPATCH),
  path: fc.array(id, { maxLength: 5 }),
  query: fc.array(fc.constantFrom('pmin=1', 'pmax=2', 'pmin', 'gt=1', 'lt=x', '=', 'pmax=9999999999'), {
    maxLength: 3,
  }),
  accept: fc.option(format),
  contentFormat: fc.option(format),
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .constantFrom("0='1',1='5'", '1', '[{"n":"","v":1}]', "0='15'")
      .map((text) => new TextEncoder().encode(text)),
  ),
});

it('a modem answers whatever its server asks, and goes on', async () => {
  const world = new ClientWorld({ delay: 1 });
  const modem = world.modem({ attachTime: 0 });
  await modem.start();
  await world.registered();
  const codes = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(request, async ({ code, path, query, accept, contentFormat, payload }) => {
      // What switches the modem off for a while is for other tests.
      const joined = path.join('/');
      fc.pre(!(code === Code.POST && ['1/0/4', '3/0/4', '3/0/5', '42769/0/3'].includes(joined)));
      fc.pre(!['10/0/1', '13/0/5', '13/0/7'].includes(joined));
      const answer = await world.settle(
        world.server.endpoint.request(clientAddress, {
          code,
          payload,
          options: [
            ...path.flatMap((segment) => pathOptions(segment)),
            ...queryOptions(query),
            ...(accept === null ? [] : [acceptOption(accept)]),
            ...(contentFormat === null ? [] : [contentFormatOption(contentFormat)]),
          ],
        }),
      );
      codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
      expect(answer.code).not.toBe(Code.INTERNAL_SERVER_ERROR);
    }),
    { numRuns: 1_500 },
  );
  expect(world.faults).toEqual([]);
  expect([...codes.keys()]).toEqual(expect.arrayContaining([Code.CONTENT, Code.BAD_REQUEST, Code.NOT_FOUND]));
  expect(await world.settle(world.server.values('/3/0/0'))).toEqual({ '/3/0/0': 'Simyard' });
});

it('a modem answers nobody else, whatever they send', async () => {
  const world = new ClientWorld({ delay: 1 });
  const modem = world.modem();
  await modem.start();
  await world.registered();
  const stranger = world.link.port('203.0.113.66:5683');
  const answers: Uint8Array[] = [];
  stranger.onDatagram((data) => answers.push(data));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (data) => {
      stranger.send(data, clientAddress);
      await world.clock.run(5);
    }),
    { numRuns: 500 },
  );
  // Codes of success: 2.xx is 0x40 to 0x5f.
  expect(answers.filter((data) => ((data[1] ?? 0) & 0xe0) === 0x40)).toEqual([]);
  expect(world.faults).toEqual([]);
  expect(modem.client.registration.peer).toBe(serverAddress);
});

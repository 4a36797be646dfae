import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodePackage } from '../../../client/modem/firmware/package.ts';
import type { ResourceDefinition } from '../../../objects/define-object.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { encodeContent } from '../../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceType, ResourceValue } from '../../../protocol/lwm2m/value.ts';
import { registry } from '../../support/client/client-world.ts';
import { ModemWorld } from '../../support/client/modem-world.ts';

/** What leads the modem away from the network for a while is for other tests. */
const apart = new Set(['3/4', '3/5', '5/2', '10/1', '13/5', '13/6', '13/7', '11/3', '13/3', '13/10']);
const objects = [3, 4, 5, 6, 7, 10, 11, 13, 16, 19, 20];

const firmware = encodePackage({ name: 'n', version: '2', minimumHardware: undefined }, new Uint8Array(50));
const texts = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.constantFrom(
    '',
    'UTC',
    '+02:00',
    'broadband',
    '310,410',
    'coap://203.0.113.5/x',
    'x'.repeat(255),
    '\0',
    '🦊',
  ),
);
const integers = fc.oneof(fc.integer({ min: -5, max: 300 }), fc.maxSafeInteger());
const values: Readonly<Record<Exclude<ResourceType, 'none'>, fc.Arbitrary<ResourceValue>>> = {
  string: texts,
  corelnk: texts,
  integer: integers,
  unsigned: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  time: integers,
  float: fc.double({ noNaN: true }),
  boolean: fc.boolean(),
  opaque: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constant(firmware),
    fc.constant(new Uint8Array(70_000)),
  ),
  objlnk: fc.record({ objectId: fc.nat(65_535), instanceId: fc.nat(65_535) }),
};

interface Resource {
  readonly objectId: number;
  readonly definition: ResourceDefinition;
}
const resources: readonly Resource[] = objects.flatMap((objectId) =>
  Object.values<ResourceDefinition>(registry.object(objectId)?.resources ?? {})
    .filter(({ id }) => !apart.has(`${objectId}/${id}`))
    .map((definition) => ({ objectId, definition })),
);
const writable = resources.filter(({ definition }) => definition.operations.includes('W'));

const instanceId = fc.constantFrom(0, 0, 0, 1, 2, 9, 65_534);
const write = fc.constantFrom(...writable).chain(({ objectId, definition }) =>
  fc.record({
    kind: fc.constant('write' as const),
    code: fc.constantFrom(Code.PUT, Code.POST),
    objectId: fc.constant(objectId),
    id: fc.constant(definition.id),
    instanceId,
    multiple: fc.constant(definition.multiple === true),
    value: values[definition.type as Exclude<ResourceType, 'none'>],
    index: fc.constantFrom(0, 1, 65_534),
    depth: fc.constantFrom('object', 'instance', 'resource'),
  }),
);
const execute = fc
  .constantFrom(...resources.filter(({ definition }) => definition.operations === 'E'))
  .chain(({ objectId, definition }) =>
    fc.record({
      kind: fc.constant('execute' as const),
      objectId: fc.constant(objectId),
      id: fc.constant(definition.id),
      args: fc.constantFrom('', "0='0'", "0='1'", "0='9'", "5='x'", 'x'),
    }),
  );
const remove = fc.record({
  kind: fc.constant('delete' as const),
  objectId: fc.constantFrom(...objects),
  instanceId,
});
const step = fc.oneof({ weight: 8, arbitrary: write }, { weight: 2, arbitrary: execute }, remove);

it('a modem takes or declines whatever its server writes, and what it then is can be read and kept', async () => {
  const world = new ModemWorld({ delay: 1 });
  await world.start();
  const codes = new Map<number, number>();
  const request = async (code: Code, path: string, payload?: Uint8Array, format?: number): Promise<void> => {
    const answer = await world.settle(
      world.server.send(code, path, {
        ...(payload === undefined ? {} : { payload }),
        ...(format === undefined ? {} : { format }),
      }),
    );
    codes.set(answer.code, (codes.get(answer.code) ?? 0) + 1);
    expect(answer.code, `${path} ${new TextDecoder().decode(answer.payload)}`).not.toBe(
      Code.INTERNAL_SERVER_ERROR,
    );
  };
  await fc.assert(
    fc.asyncProperty(step, async (each) => {
      if (each.kind === 'execute') {
        await request(Code.POST, `/${each.objectId}/0/${each.id}`, new TextEncoder().encode(each.args), 0);
      } else if (each.kind === 'delete') {
        await request(Code.DELETE, `/${each.objectId}/${each.instanceId}`);
      } else {
        const instance = `/${each.objectId}/${each.instanceId}`;
        const resource = `${instance}/${each.id}`;
        const target = { object: `/${each.objectId}`, instance, resource }[each.depth] ?? resource;
        const record: LwM2mRecord = {
          path: each.multiple ? `${resource}/${each.index}` : resource,
          value: each.value,
        };
        const code = each.depth === 'object' ? Code.POST : each.code;
        const payload = encodeContent(ContentFormat.SENML_CBOR, target, [record], registry);
        await request(code, target, payload, ContentFormat.SENML_CBOR);
      }
      // What was written settles, and the modem may attach anew.
      await world.clock.run(2_000);
    }),
    { numRuns: 3_000 },
  );
  for (const code of [Code.CHANGED, Code.CREATED, Code.DELETED, Code.BAD_REQUEST, Code.METHOD_NOT_ALLOWED]) {
    expect([...codes.keys()]).toContain(code);
  }
  for (const objectId of [3, 4, 5, 6, 7, 10, 13, 20]) {
    expect(Object.keys(await world.values(`/${objectId}`)).length).toBeGreaterThan(0);
  }
  expect(JSON.stringify(world.settings.read()).length).toBeLessThan(300_000);
  await world.restart();
  expect(await world.value('/3/0/0')).toBe('Simyard');
  expect(world.faults).toEqual([]);
});

import fc from 'fast-check';
import { compactInteger } from '../../../protocol/lwm2m/typed-value.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';

const instance = fc.integer({ min: 0, max: 65534 });
const record = <T extends LwM2mRecord['value']>(object: number, resource: string, values: fc.Arbitrary<T>) =>
  fc
    .tuple(instance, values)
    .map(([id, value]): LwM2mRecord => ({ path: `/${object}/${id}/${resource}`, value }));
const uint16 = fc.integer({ min: 0, max: 65535 });

/** Records of every type that the lookup of the vectors knows, in any order, a path at times twice. */
export const typedRecords: fc.Arbitrary<LwM2mRecord[]> = fc.array(
  fc.oneof(
    record(3, '0', fc.string({ unit: 'grapheme' })),
    record(3, '10', fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(compactInteger)),
    record(42770, '5', fc.bigInt(0n, 2n ** 64n - 1n).map(compactInteger)),
    record(42770, '2', fc.double({ noNaN: true, noDefaultInfinity: true })),
    record(3, '13', fc.integer({ min: -(2 ** 40), max: 2 ** 40 })),
    record(1, '6', fc.boolean()),
    record(42770, '3', fc.uint8Array()),
    record(3, '22', fc.record({ objectId: uint16, instanceId: uint16 })),
    instance.chain((id) => record(3, `6/${id}`, fc.integer())),
  ),
  { maxLength: 30 },
);

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineObject, type ResourceDefinition } from '../../../objects/define-object.ts';
import { toOmaXml } from '../../../objects/to-oma-xml.ts';
import { type ApiValue, fromApiValue } from '../../../objects/values.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { root } from '../../../scripts/root.ts';

/** An object of the range that OMNA keeps for tests, with a resource of every type, single and multiple. */
export const allTypesObject = defineObject({
  id: 42_771,
  version: '1.0',
  name: 'All Types',
  description: 'A resource of every type, for tests.',
  multiple: true,
  resources: {
    string: { id: 0, title: 'String', operations: 'RW', type: 'string' },
    integer: { id: 1, title: 'Integer', operations: 'RW', type: 'integer' },
    unsigned: { id: 2, title: 'Unsigned', operations: 'RW', type: 'unsigned' },
    float: { id: 3, title: 'Float', operations: 'RW', type: 'float' },
    boolean: { id: 4, title: 'Boolean', operations: 'RW', type: 'boolean' },
    opaque: { id: 5, title: 'Opaque', operations: 'RW', type: 'opaque' },
    time: { id: 6, title: 'Time', operations: 'RW', type: 'time' },
    objectLink: { id: 7, title: 'Object Link', operations: 'RW', type: 'objlnk' },
    coreLink: { id: 8, title: 'Core Link', operations: 'RW', type: 'corelnk' },
    strings: { id: 10, title: 'Strings', operations: 'RW', type: 'string', multiple: true },
    integers: { id: 11, title: 'Integers', operations: 'RW', type: 'integer', multiple: true },
    unsigneds: { id: 12, title: 'Unsigneds', operations: 'RW', type: 'unsigned', multiple: true },
    floats: { id: 13, title: 'Floats', operations: 'RW', type: 'float', multiple: true },
    booleans: { id: 14, title: 'Booleans', operations: 'RW', type: 'boolean', multiple: true },
    opaques: { id: 15, title: 'Opaques', operations: 'RW', type: 'opaque', multiple: true },
    times: { id: 16, title: 'Times', operations: 'RW', type: 'time', multiple: true },
    objectLinks: { id: 17, title: 'Object Links', operations: 'RW', type: 'objlnk', multiple: true },
    run: { id: 20, title: 'Run', operations: 'E', type: 'none' },
    fixed: { id: 21, title: 'Fixed', operations: 'R', type: 'string' },
    secret: { id: 22, title: 'Secret', operations: 'W', type: 'string' },
  },
});

export const typesPath = `/${allTypesObject.id}` as const;

/** What the peers hold at first, as the REST interface writes values. */
export const firstValues = {
  0: 'Grüße, 世界',
  1: '-9223372036854775808',
  2: '18446744073709551615',
  3: -1.5e-7,
  4: true,
  5: '00ff10',
  6: 1_700_000_000,
  7: '42771:0',
  8: '</3/0>;rt="oma lwm2m"',
  10: { 0: 'one', 7: 'two', 65534: 'three' },
  11: { 0: 0, 1: -1, 2: 65_536, 3: 4_294_967_296 },
  12: { 0: 0, 1: 255 },
  13: { 0: 0.5, 1: 1e300 },
  14: { 0: false, 1: true },
  15: { 0: '', 1: 'deadbeef' },
  16: { 0: 0, 1: 1_767_225_600 },
  17: { 0: '3:0', 1: '65535:65535' },
  21: 'fixed',
} as const;

/** Other values, each within its type, for what is written. */
export const otherValues = {
  0: '',
  1: '9223372036854775807',
  2: 7,
  3: 3.25,
  4: false,
  5: 'c0ffee00',
  6: 1_767_225_601,
  7: '3:0',
  8: '</1/0>,</3/0/9>;sz=5',
  10: { 1: 'ein"e', 2: 'z,w;ei' },
  11: { 0: 127, 5: '-9007199254740993' },
  12: { 3: '9223372036854775808' },
  13: { 0: -2.5 },
  14: { 2: true },
  15: { 0: '00', 9: 'ff' },
  16: { 4: 1 },
  17: { 0: '1:0' },
} as const;

/** Values by absolute path, those of multiple resources each by its own. */
export function byPath(instance: number, values: Readonly<Record<number, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([id, value]): [string, unknown][] => {
      const path = `${typesPath}/${instance}/${id}`;
      return typeof value === 'object' && value !== null
        ? Object.entries(value).map(([one, of]) => [`${path}/${one}`, of])
        : [[path, value]];
    }),
  );
}

/** The same as records, as our client keeps them. */
export function recordsOf(instance: number, values: Readonly<Record<number, unknown>>): LwM2mRecord[] {
  const resources = Object.values<ResourceDefinition>(allTypesObject.resources);
  return Object.entries(byPath(instance, values)).map(([path, value]) => {
    const definition = resources.find(({ id }) => id === Number(path.split('/')[3]));
    if (definition === undefined) throw new Error(`${path} is not defined`);
    return { path, value: fromApiValue(definition, value as ApiValue) };
  });
}

/** The object's definition in OMA's form, which other servers and clients load. */
export const allTypesXml: string = toOmaXml(allTypesObject);

/** The same as a file, beside what Maven builds of the peers. */
export function allTypesFile(): string {
  const file = join(root, 'test/interop/leshan/peers/target', `${allTypesObject.id}.xml`);
  writeFileSync(file, allTypesXml);
  return file;
}

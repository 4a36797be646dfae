import type { LwM2mRecord, ResourceType, ResourceTypeLookup } from '../../../protocol/lwm2m/value.ts';

/** One payload and what it says. Texts are JSON or plain text, hex everything else. */
export interface ContentVector {
  readonly name: string;
  readonly format: number;
  readonly base: string;
  readonly bytes: Uint8Array;
  readonly records: readonly LwM2mRecord[];
  /** False: it is read, but written in another way. */
  readonly written?: false;
}

const types: Readonly<Record<string, ResourceType>> = {
  ...{ '1/0': 'integer', '1/1': 'integer', '1/6': 'boolean', '1/7': 'string' },
  ...{ '2/0': 'integer', '2/1': 'integer', '2/2': 'integer', '2/3': 'integer' },
  ...{ '3/0': 'string', '3/1': 'string', '3/2': 'string', '3/3': 'string', '3/4': 'none', '3/6': 'integer' },
  ...{ '3/7': 'integer', '3/8': 'integer', '3/9': 'integer', '3/10': 'integer', '3/11': 'integer' },
  ...{ '3/13': 'time', '3/14': 'string', '3/16': 'string', '3/22': 'objlnk' },
  ...{
    '65/0': 'objlnk',
    '65/1': 'string',
    '65/2': 'integer',
    '66/0': 'string',
    '66/1': 'string',
    '66/2': 'objlnk',
  },
  ...{
    '72/2': 'float',
    '3303/5700': 'float',
    '42770/2': 'float',
    '42770/3': 'opaque',
    '42770/5': 'unsigned',
  },
  ...{ '25/3': 'corelnk' },
};

export const lookup: ResourceTypeLookup = {
  resourceType(objectId, resourceId) {
    const type = types[`${objectId}/${resourceId}`];
    return type === undefined ? undefined : { type, multiple: false };
  },
};

export function hex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The Device instance of the examples of the specification, OMA-TS-LightweightM2M_Core-V1_2 §7.5. */
export const device: readonly LwM2mRecord[] = [
  { path: '/3/0/0', value: 'Open Mobile Alliance' },
  { path: '/3/0/1', value: 'Lightweight M2M Client' },
  { path: '/3/0/2', value: '345000123' },
  { path: '/3/0/3', value: '1.0' },
  { path: '/3/0/6/0', value: 1 },
  { path: '/3/0/6/1', value: 5 },
  { path: '/3/0/7/0', value: 3800 },
  { path: '/3/0/7/1', value: 5000 },
  { path: '/3/0/8/0', value: 125 },
  { path: '/3/0/8/1', value: 900 },
  { path: '/3/0/9', value: 100 },
  { path: '/3/0/10', value: 15 },
  { path: '/3/0/11/0', value: 0 },
  { path: '/3/0/13', value: 1367491215 },
  { path: '/3/0/14', value: '+02:00' },
  { path: '/3/0/16', value: 'U' },
];
/** The object links of the same examples. */
export const links65: readonly LwM2mRecord[] = [
  { path: '/65/0/0/0', value: { objectId: 66, instanceId: 0 } },
  { path: '/65/0/0/1', value: { objectId: 66, instanceId: 1 } },
  { path: '/65/0/1', value: '8613800755500' },
  { path: '/65/0/2', value: 0x12345678 },
];
export const links66: readonly LwM2mRecord[] = [
  { path: '/66/0/0', value: 'myService 1' },
  { path: '/66/0/1', value: 'Internet.15.234' },
  { path: '/66/0/2', value: { objectId: 67, instanceId: 0 } },
  { path: '/66/1/0', value: 'myService 2' },
  { path: '/66/1/1', value: 'Internet.15.235' },
  { path: '/66/1/2', value: { objectId: 65535, instanceId: 65535 } },
];

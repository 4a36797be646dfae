import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { type ContentVector, device, hex, links65, links66 } from './vector-parts.ts';

const cbor = (
  name: string,
  base: string,
  bytes: string,
  records: readonly LwM2mRecord[],
  written?: false,
): ContentVector => ({
  ...{ name: `LwM2M CBOR: ${name}`, format: ContentFormat.LWM2M_CBOR, base, bytes: hex(bytes), records },
  ...(written === false ? { written } : {}),
});

const level: readonly LwM2mRecord[] = [{ path: '/3/0/9', value: 100 }];
const two: readonly LwM2mRecord[] = [...level, { path: '/3/0/10', value: 15 }];
const composite: readonly LwM2mRecord[] = [
  { path: '/1/0/1', value: 60 },
  { path: '/1/0/6', value: false },
  ...level,
];
const resources = `
  00 74 4f70656e204d6f62696c6520416c6c69616e6365  01 76 4c69676874776569676874204d324d20436c69656e74
  02 69 333435303030313233  03 63 312e30
  06 a2 00 01 01 05  07 a2 00 19 0ed8 01 19 1388  08 a2 00 18 7d 01 19 0384
  09 18 64  0a 0f  0b a1 00 00  0d 1a 5182428f  0e 66 2b30323a3030  10 61 55`;

/** OMA-TS-LightweightM2M_Core-V1_2 §7.5.4: maps within maps, whose keys are ids or arrays of ids. */
export const lwm2mCborVectors: readonly ContentVector[] = [
  cbor('Device instance', '/3/0', `a1 82 03 00 ad ${resources}`, device),
  cbor('Device instance, a map for each level', '/3', `a1 03 a1 00 ad ${resources}`, device, false),
  cbor(
    'object links',
    '/65/0',
    'a1 82 18 41 00 a3 00 a2 00 64 36363a30 01 64 36363a31 01 6d 38363133383030373535353030 02 1a 12345678',
    links65,
  ),
  cbor(
    'object instances',
    '/66',
    `a1 18 42 a2 00 a3 00 6b 6d7953657276696365 20 31 01 6f 496e7465726e65742e31352e323334 02 64 36373a30
     01 a3 00 6b 6d7953657276696365 20 32 01 6f 496e7465726e65742e31352e323335 02 6b 36353533353a3635353335`,
    links66,
  ),
  cbor('one resource', '/3/0/9', 'a1 83 03 00 09 18 64', level),
  cbor('one resource, maps alone', '/3/0/9', 'a1 03 a1 00 a1 09 18 64', level, false),
  cbor('one resource, arrays of one id', '/3/0/9', 'a1 81 03 a1 81 00 a1 81 09 18 64', level, false),
  cbor('one resource, an array below an id', '/3/0', 'a1 03 a1 82 00 09 18 64', level, false),
  cbor(
    'one resource, of indefinite length all',
    '/3/0/9',
    'bf 9f 03 ff bf 9f 00 09 ff 18 64 ff ff',
    level,
    false,
  ),
  cbor('one resource instance', '/3/0/6/1', 'a1 84 03 00 06 01 05', [{ path: '/3/0/6/1', value: 5 }]),
  cbor('resource instances', '/3/0/6', 'a1 83 03 00 06 a2 00 01 01 05', device.slice(4, 6)),
  cbor('two resources', '/3/0', 'a1 82 03 00 a2 09 18 64 0a 0f', two),
  cbor('two resources, a path for each', '/3/0', 'a2 83 03 00 09 18 64 83 03 00 0a 0f', two, false),
  cbor('two resources, a path and a map', '/3', 'a2 83 03 00 09 18 64 82 03 00 a1 81 0a 0f', two, false),
  cbor('resources of several objects', '/', 'a2 01 a1 00 a2 01 18 3c 06 f4 03 a1 00 a1 09 18 64', composite),
  cbor(
    'what is not there',
    '/',
    'a4 82 01 00 a2 01 18 3c 06 f4 83 03 00 09 18 64 82 03 01 f6 05 f6',
    composite,
    false,
  ),
  cbor('ids of two bytes', '/42770', 'a1 83 19 a712 19 fffe 02 f9 3e00', [
    { path: '/42770/65534/2', value: 1.5 },
  ]),
  cbor('a longer id than needed', '/3/0/9', 'a1 83 18 03 19 0000 1b 0000000000000009 18 64', level, false),
  cbor('nothing', '/3/0', 'a0', []),
  cbor('an instance without resources', '/3', 'a1 82 03 00 a0', [], false),
  cbor('no bytes at all', '/3/0', '', [], false),
  cbor('a time', '/3/0/13', 'a1 83 03 00 0d 1a 5182428f', [{ path: '/3/0/13', value: 1367491215 }]),
  cbor(
    'a time with a tag',
    '/3/0/13',
    'a1 83 03 00 0d c1 1a 5182428f',
    [{ path: '/3/0/13', value: 1367491215 }],
    false,
  ),
  cbor(
    'a time as the text of a date',
    '/3/0/13',
    'a1 83 03 00 0d c0 74 323031332d30352d30325431303a34303a31355a',
    [{ path: '/3/0/13', value: 1367491215 }],
    false,
  ),
  cbor('a boolean', '/1/0/6', 'a1 83 01 00 06 f5', [{ path: '/1/0/6', value: true }]),
  cbor('an object link', '/3/0/22', 'a1 83 03 00 16 63 353a31', [
    { path: '/3/0/22', value: { objectId: 5, instanceId: 1 } },
  ]),
  cbor('bytes', '/42770/0/3', 'a1 83 19 a712 00 03 42 00ff', [{ path: '/42770/0/3', value: hex('00ff') }]),
  cbor(
    'bytes in pieces',
    '/42770/0/3',
    'a1 83 19 a712 00 03 5f 41 00 41 ff ff',
    [{ path: '/42770/0/3', value: hex('00ff') }],
    false,
  ),
  cbor('64 bits unsigned', '/42770/0/5', 'a1 83 19 a712 00 05 1b ffffffffffffffff', [
    { path: '/42770/0/5', value: 2n ** 64n - 1n },
  ]),
  cbor('64 bits signed', '/3/0/10', 'a1 83 03 00 0a 3b 7fffffffffffffff', [
    { path: '/3/0/10', value: -(2n ** 63n) },
  ]),
  cbor(
    'a decimal fraction',
    '/42770/0/2',
    'a1 83 19 a712 00 02 c4 82 21 19 6ab3',
    [{ path: '/42770/0/2', value: 273.15 }],
    false,
  ),
  cbor(
    'types of unknown resources',
    '/9999/0',
    'a1 82 19 270f 00 a5 00 f9 3e00 01 61 78 02 f4 03 41 01 04 07',
    [
      { path: '/9999/0/0', value: 1.5 },
      { path: '/9999/0/1', value: 'x' },
      { path: '/9999/0/2', value: false },
      { path: '/9999/0/3', value: hex('01') },
      { path: '/9999/0/4', value: 7 },
    ],
  ),
  cbor(
    'a time of an unknown resource',
    '/9999/0/0',
    'a1 83 19 270f 00 00 c1 1a 5182428f',
    [{ path: '/9999/0/0', value: 1367491215 }],
    false,
  ),
];

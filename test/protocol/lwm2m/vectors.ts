import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { lwm2mCborVectors } from './lwm2m-cbor-vectors.ts';
import { lwm2mJsonVectors } from './lwm2m-json-vectors.ts';
import { type ContentVector, device, hex, links65, links66, utf8 } from './vector-parts.ts';

export { type ContentVector, hex, lookup, utf8 } from './vector-parts.ts';

const deviceTlv = `
  C8 00 14 4F 70 65 6E 20 4D 6F 62 69 6C 65 20 41 6C 6C 69 61 6E 63 65
  C8 01 16 4C 69 67 68 74 77 65 69 67 68 74 20 4D 32 4D 20 43 6C 69 65 6E 74
  C8 02 09 33 34 35 30 30 30 31 32 33
  C3 03 31 2E 30
  86 06 41 00 01 41 01 05
  88 07 08 42 00 0E D8 42 01 13 88
  87 08 41 00 7D 42 01 03 84
  C1 09 64
  C1 0A 0F
  83 0B 41 00 00
  C4 0D 51 82 42 8F
  C6 0E 2B 30 32 3A 30 30
  C1 10 55`;

const accessControl: readonly LwM2mRecord[] = [
  { path: '/2/0/0', value: 1 },
  { path: '/2/0/1', value: 0 },
  { path: '/2/0/2/127', value: 7 },
  { path: '/2/0/3', value: 127 },
  { path: '/2/2/0', value: 3 },
  { path: '/2/2/1', value: 0 },
  { path: '/2/2/2/127', value: 7 },
  { path: '/2/2/2/310', value: 1 },
  { path: '/2/2/3', value: 127 },
];

const { TLV, SENML_JSON, SENML_CBOR, TEXT, OPAQUE, CBOR } = ContentFormat;
const tlv = (
  name: string,
  base: string,
  bytes: string,
  records: readonly LwM2mRecord[],
  written?: false,
): ContentVector => ({
  ...{ name: `TLV: ${name}`, format: TLV, base, bytes: hex(bytes), records },
  ...(written === false ? { written } : {}),
});
const json = (
  name: string,
  base: string,
  text: string,
  records: readonly LwM2mRecord[],
  written?: false,
): ContentVector => ({
  ...{ name: `SenML JSON: ${name}`, format: SENML_JSON, base, bytes: utf8(text), records },
  ...(written === false ? { written } : {}),
});
const cbor = (
  name: string,
  base: string,
  bytes: string,
  records: readonly LwM2mRecord[],
  written?: false,
): ContentVector => ({
  ...{ name: `SenML CBOR: ${name}`, format: SENML_CBOR, base, bytes: hex(bytes), records },
  ...(written === false ? { written } : {}),
});
const single = (
  format: number,
  path: string,
  bytes: Uint8Array,
  value: LwM2mRecord['value'],
  written?: false,
): ContentVector => ({
  ...{
    name: `format ${format}: ${path} ${String(value)}`,
    format,
    base: path,
    bytes,
    records: [{ path, value }],
  },
  ...(written === false ? { written } : {}),
});
const text = (path: string, content: string, value: LwM2mRecord['value'], written?: false) =>
  single(TEXT, path, utf8(content), value, written);
const one = (path: string, bytes: string, value: LwM2mRecord['value'], written?: false) =>
  single(CBOR, path, hex(bytes), value, written);

export const contentVectors: readonly ContentVector[] = [
  // OMA-TS-LightweightM2M_Core-V1_2 §7.5.5, the examples of the specification.
  tlv('Device instance', '/3/0', deviceTlv, device),
  tlv('Device object, with its instance', '/3', `08 00 79 ${deviceTlv}`, device),
  tlv('Device object, resources without their instance', '/3', deviceTlv, device, false),
  tlv('Device instance, wrapped in itself', '/3/0', `08 00 79 ${deviceTlv}`, device, false),
  tlv(
    'Access Control object, ids of two bytes',
    '/2',
    `08 00 0E C1 00 01 C1 01 00 83 02 41 7F 07 C1 03 7F
     08 02 12 C1 00 03 C1 01 00 87 02 41 7F 07 61 01 36 01 C1 03 7F`,
    accessControl,
  ),
  tlv('Server object', '/1', '08 00 0F C1 00 01 C4 01 00 01 51 80 C1 06 01 C1 07 55', [
    { path: '/1/0/0', value: 1 },
    { path: '/1/0/1', value: 86400 },
    { path: '/1/0/6', value: true },
    { path: '/1/0/7', value: 'U' },
  ]),
  tlv(
    'object links, multiple',
    '/65/0',
    `88 00 0C 44 00 00 42 00 00 44 01 00 42 00 01
     C8 01 0D 38 36 31 33 38 30 30 37 35 35 35 30 30 C4 02 12 34 56 78`,
    links65,
  ),
  tlv(
    'object links, one of them null',
    '/66',
    `08 00 26 C8 00 0B 6D 79 53 65 72 76 69 63 65 20 31
     C8 01 0F 49 6E 74 65 72 6E 65 74 2E 31 35 2E 32 33 34 C4 02 00 43 00 00
     08 01 26 C8 00 0B 6D 79 53 65 72 76 69 63 65 20 32
     C8 01 0F 49 6E 74 65 72 6E 65 74 2E 31 35 2E 32 33 35 C4 02 FF FF FF FF`,
    links66,
  ),
  tlv('nothing', '/3/0', '', []),
  tlv('an empty multiple resource', '/3/0', '80 06', [], false),
  tlv('one resource', '/3/0/9', 'C1 09 64', [{ path: '/3/0/9', value: 100 }]),
  tlv('one multiple resource', '/3/0/6', '86 06 41 00 01 41 01 05', device.slice(4, 6)),
  tlv('resource instances without their resource', '/3/0/6', '41 00 01 41 01 05', device.slice(4, 6), false),
  tlv('one resource instance', '/3/0/6/1', '41 01 05', [{ path: '/3/0/6/1', value: 5 }]),
  tlv(
    'a resource instance in its resource',
    '/3/0/6/1',
    '83 06 41 01 05',
    [{ path: '/3/0/6/1', value: 5 }],
    false,
  ),
  tlv(
    'integers of every size',
    '/2/0/2',
    '88 02 1B 41 00 FF 42 01 FF 00 44 02 80 00 00 00 48 03 08 80 00 00 00 00 00 00 00 41 04 00',
    [
      { path: '/2/0/2/0', value: -1 },
      { path: '/2/0/2/1', value: -256 },
      { path: '/2/0/2/2', value: -(2 ** 31) },
      { path: '/2/0/2/3', value: -(2n ** 63n) },
      { path: '/2/0/2/4', value: 0 },
    ],
  ),
  tlv('a longer integer than needed', '/3/0/9', 'C4 09 00 00 00 64', [{ path: '/3/0/9', value: 100 }], false),
  tlv('an unsigned that would look negative to who reads it as signed', '/42770/0/5', 'C2 05 00 FF', [
    { path: '/42770/0/5', value: 255 },
  ]),
  tlv('the largest unsigned', '/42770/0/5', 'C8 05 08 FF FF FF FF FF FF FF FF', [
    { path: '/42770/0/5', value: 2n ** 64n - 1n },
  ]),
  tlv('an integer just beyond 2^53', '/3/0/10', 'C8 0A 08 00 20 00 00 00 00 00 01', [
    { path: '/3/0/10', value: 2n ** 53n + 1n },
  ]),
  tlv('a single float', '/42770/0/2', 'C4 02 41 C8 00 00', [{ path: '/42770/0/2', value: 25 }]),
  tlv('a double float', '/42770/0/2', 'C8 02 08 40 36 66 66 66 66 66 66', [
    { path: '/42770/0/2', value: 22.4 },
  ]),
  tlv('bytes', '/42770/0/3', 'C3 03 00 FF 80', [{ path: '/42770/0/3', value: hex('00 FF 80') }]),
  tlv('an unknown resource, kept as bytes', '/9999/0', 'E2 01 00 AB CD', [
    { path: '/9999/0/256', value: hex('ABCD') },
  ]),
  tlv('an object with resource ids of two bytes', '/3303', '07 00 E4 16 44 41 C8 00 00', [
    { path: '/3303/0/5700', value: 25 },
  ]),
  tlv('text in UTF-8', '/3/0/0', 'C6 00 C3 A9 E2 82 AC 21', [{ path: '/3/0/0', value: 'é€!' }]),

  // §7.5.6 and §7.5.7.
  json(
    'Device instance',
    '/3/0',
    '[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"1","vs":"Lightweight M2M Client"},' +
      '{"n":"2","vs":"345000123"},{"n":"3","vs":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},' +
      '{"n":"7/0","v":3800},{"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},' +
      '{"n":"10","v":15},{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","vs":"+02:00"},{"n":"16","vs":"U"}]',
    device,
  ),
  json(
    'a notification with times before the base time',
    '/72/1/2',
    '[{"bn":"/72/","bt":25462634,"n":"1/2","v":22.4,"t":-5},{"n":"1/2","v":22.9,"t":-30},{"n":"1/2","v":24.1,"t":-50}]',
    [
      { path: '/72/1/2', value: 22.4, time: 25462629 },
      { path: '/72/1/2', value: 22.9, time: 25462604 },
      { path: '/72/1/2', value: 24.1, time: 25462584 },
    ],
    false,
  ),
  json(
    'object links',
    '/65/0',
    '[{"bn":"/65/0/","n":"0/0","vlo":"66:0"},{"n":"0/1","vlo":"66:1"},{"n":"1","vs":"8613800755500"},{"n":"2","v":305419896}]',
    links65,
  ),
  json(
    'object links, one of them null',
    '/66',
    '[{"bn":"/66/","n":"0/0","vs":"myService 1"},{"n":"0/1","vs":"Internet.15.234"},{"n":"0/2","vlo":"67:0"},' +
      '{"n":"1/0","vs":"myService 2"},{"n":"1/1","vs":"Internet.15.235"},{"n":"1/2","vlo":"65535:65535"}]',
    links66,
  ),
  json('one resource', '/3/0/9', '[{"bn":"/3/0/9","v":100}]', [{ path: '/3/0/9', value: 100 }]),
  json('a name without base', '/', '[{"n":"/3/0/9","v":100}]', [{ path: '/3/0/9', value: 100 }], false),
  json(
    'a base name for each record, and one without n',
    '/',
    '[{"bn":"/3/0/9","v":100},{"bn":"/1/0/","n":"1","v":60},{"n":"0","v":1}]',
    [
      { path: '/3/0/9', value: 100 },
      { path: '/1/0/1', value: 60 },
      { path: '/1/0/0', value: 1 },
    ],
    false,
  ),
  json('records of several objects', '/', '[{"n":"/3/0/9","v":100},{"n":"/42770/0/2","v":0.5}]', [
    { path: '/3/0/9', value: 100 },
    { path: '/42770/0/2', value: 0.5 },
  ]),
  json('nothing', '/3/0', '[]', []),
  json('no bytes at all', '/3/0', '', [], false),
  json('a base name alone', '/3/0', '[{"bn":"/3/0/"}]', [], false),
  json(
    'base values, base sums and units, which change values only',
    '/42770/0',
    '[{"v":1,"n":"2","bn":"/42770/0/","bv":20,"bs":1,"bu":"Cel","bver":10},{"n":"2","v":2.5,"u":"Cel","s":4,"ut":60},{"n":"5","v":1}]',
    [
      { path: '/42770/0/2', value: 21 },
      { path: '/42770/0/2', value: 22.5 },
      { path: '/42770/0/5', value: 21 },
    ],
    false,
  ),
  json(
    'white space, escapes and an unknown label',
    '/3/0/0',
    ' [ { "bn" : "\\/3\\/0\\/0" , "vs":"\\u20ac\\n" , "x":[{}] } ]',
    [{ path: '/3/0/0', value: '€\n' }],
    false,
  ),
  json('an integer beyond 2^53', '/42770/0/5', '[{"bn":"/42770/0/5","v":18446744073709551615}]', [
    { path: '/42770/0/5', value: 2n ** 64n - 1n },
  ]),
  json('a negative integer beyond 2^53', '/3/0/10', '[{"bn":"/3/0/10","v":-9223372036854775808}]', [
    { path: '/3/0/10', value: -(2n ** 63n) },
  ]),
  json(
    'many digits of a float',
    '/42770/0/2',
    '[{"bn":"/42770/0/2","v":0.12345678901234567890}]',
    [{ path: '/42770/0/2', value: 0.12345678901234568 }],
    false,
  ),
  json(
    'a whole number in exponent form',
    '/3/0/9',
    '[{"bn":"/3/0/9","v":1.0e2}]',
    [{ path: '/3/0/9', value: 100 }],
    false,
  ),
  json('bytes in base64url', '/42770/0/3', '[{"bn":"/42770/0/3","vd":"-_8A"}]', [
    { path: '/42770/0/3', value: hex('FB FF 00') },
  ]),
  json(
    'bytes in base64 with padding',
    '/42770/0/3',
    '[{"bn":"/42770/0/3","vd":"+/8="}]',
    [{ path: '/42770/0/3', value: hex('FB FF') }],
    false,
  ),
  json(
    'types of unknown resources',
    '/9999/0',
    '[{"bn":"/9999/0/","n":"0","v":1.5},{"n":"1","vs":"x"},{"n":"2","vb":true},{"n":"3","vd":"AQ"},{"n":"4","vlo":"1:2"},{"n":"5","v":7}]',
    [
      { path: '/9999/0/0', value: 1.5 },
      { path: '/9999/0/1', value: 'x' },
      { path: '/9999/0/2', value: true },
      { path: '/9999/0/3', value: hex('01') },
      { path: '/9999/0/4', value: { objectId: 1, instanceId: 2 } },
      { path: '/9999/0/5', value: 7 },
    ],
  ),
  json(
    'an object link as text',
    '/3/0/22',
    '[{"bn":"/3/0/22","vs":"5:1"}]',
    [{ path: '/3/0/22', value: { objectId: 5, instanceId: 1 } }],
    false,
  ),
  json(
    'relative times without base',
    '/42770/0/2',
    '[{"bn":"/42770/0/2","bt":-5,"v":1},{"t":2.5,"v":2},{"t":5,"v":3}]',
    [
      { path: '/42770/0/2', value: 1, time: -5 },
      { path: '/42770/0/2', value: 2, time: -2.5 },
      { path: '/42770/0/2', value: 3, time: 0 },
    ],
  ),
  json(
    'times on some records only',
    '/42770/0',
    '[{"bn":"/42770/0/","n":"2","t":1700000000.5,"v":1},{"n":"5","v":2}]',
    [
      { path: '/42770/0/2', value: 1, time: 1700000000.5 },
      { path: '/42770/0/5', value: 2 },
    ],
  ),

  cbor(
    'Device instance',
    '/3/0',
    `90 a3 21 65 2f332f302f 00 61 30 03 74 4f70656e204d6f62696c6520416c6c69616e6365
     a2 00 61 31 03 76 4c69676874776569676874204d324d20436c69656e74
     a2 00 61 32 03 69 333435303030313233  a2 00 61 33 03 63 312e30
     a2 00 63 362f30 02 01  a2 00 63 362f31 02 05
     a2 00 63 372f30 02 19 0ed8  a2 00 63 372f31 02 19 1388
     a2 00 63 382f30 02 18 7d  a2 00 63 382f31 02 19 0384
     a2 00 61 39 02 18 64  a2 00 62 3130 02 0f  a2 00 64 31312f30 02 00
     a2 00 62 3133 02 1a 5182428f  a2 00 62 3134 03 66 2b30323a3030  a2 00 62 3136 03 61 55`,
    device,
  ),
  cbor(
    'a pack of one sensor',
    '/42770/0/2',
    '83 a3 21 6a 2f34323737302f302f32 22 1a 6553f100 02 f9 3800 a2 06 01 02 f9 3e00 a2 06 f9 3800 02 fb 4036666666666666',
    [
      { path: '/42770/0/2', value: 0.5, time: 1700000000 },
      { path: '/42770/0/2', value: 1.5, time: 1700000001 },
      { path: '/42770/0/2', value: 22.4, time: 1700000000.5 },
    ],
  ),
  cbor('nothing', '/3/0', '80', []),
  cbor('no bytes at all', '/3/0', '', [], false),
  cbor(
    'text labels, in another order',
    '/3/0/9',
    '81 a2 61 76 18 64 62 626e 66 2f332f302f39',
    [{ path: '/3/0/9', value: 100 }],
    false,
  ),
  cbor(
    'indefinite array, map, text and bytes',
    '/42770/0',
    '9f bf 21 7f 63 2f3432 67 3737302f302f33 ff 08 5f 41 01 42 0203 ff ff ff',
    [{ path: '/42770/0/3', value: hex('010203') }],
    false,
  ),
  cbor('object link', '/3/0/22', '81 a2 21 67 2f332f302f3232 63 766c6f 63 353a31', [
    { path: '/3/0/22', value: { objectId: 5, instanceId: 1 } },
  ]),
  cbor('boolean', '/1/0/6', '81 a2 21 66 2f312f302f36 04 f5', [{ path: '/1/0/6', value: true }]),
  cbor('bytes', '/42770/0/3', '81 a2 21 6a 2f34323737302f302f33 08 42 00ff', [
    { path: '/42770/0/3', value: hex('00ff') },
  ]),
  cbor('64 bits unsigned', '/42770/0/5', '81 a2 21 6a 2f34323737302f302f35 02 1b ffffffffffffffff', [
    { path: '/42770/0/5', value: 2n ** 64n - 1n },
  ]),
  cbor('64 bits signed', '/3/0/10', '81 a2 21 67 2f332f302f3130 02 3b 7fffffffffffffff', [
    { path: '/3/0/10', value: -(2n ** 63n) },
  ]),
  cbor('the first negative beyond 2^53', '/3/0/10', '81 a2 21 67 2f332f302f3130 02 3b 001fffffffffffff', [
    { path: '/3/0/10', value: -(2n ** 53n) },
  ]),
  cbor(
    'decimal fraction 273.15',
    '/42770/0/2',
    '81 a2 21 6a 2f34323737302f302f32 02 c4 82 21 19 6ab3',
    [{ path: '/42770/0/2', value: 273.15 }],
    false,
  ),
  cbor(
    'decimal fraction with a positive exponent',
    '/3/0/10',
    '81 a2 21 67 2f332f302f3130 02 c4 82 10 03',
    [{ path: '/3/0/10', value: 30000000000000000n }],
    false,
  ),
  cbor(
    'decimal fraction with no exponent',
    '/3/0/10',
    '81 a2 21 67 2f332f302f3130 02 c4 82 00 20',
    [{ path: '/3/0/10', value: -1 }],
    false,
  ),
  cbor(
    'half, single and double floats',
    '/42770/0/2',
    '83 a2 21 6a 2f34323737302f302f32 02 f9 c400 a1 02 fa 47c35000 a1 02 fb 3ff199999999999a',
    [
      { path: '/42770/0/2', value: -4 },
      { path: '/42770/0/2', value: 100000 },
      { path: '/42770/0/2', value: 1.1 },
    ],
    false,
  ),
  cbor(
    'a subnormal half',
    '/42770/0/2',
    '81 a2 21 6a 2f34323737302f302f32 02 f9 0001',
    [{ path: '/42770/0/2', value: 2 ** -24 }],
    false,
  ),
  cbor(
    'unknown labels of every kind are passed over',
    '/3/0/9',
    `81 ac 21 66 2f332f302f39 18 64 82 01 a1 01 02 38 63 f6 61 78 9f 01 ff 61 79 bf 01 02 ff 61 7a c1 00
     61 61 5f 41 00 ff 61 62 7f 61 61 ff 61 63 fb 0000000000000000 61 64 43 000000 61 65 20 02 18 64`,
    [{ path: '/3/0/9', value: 100 }],
    false,
  ),
  cbor(
    'base value, sum, version, units and update time',
    '/42770/0/5',
    '81 a9 20 0a 21 6a 2f34323737302f302f35 23 61 41 24 14 25 01 01 61 41 02 01 05 01 07 01',
    [{ path: '/42770/0/5', value: 21 }],
    false,
  ),
  cbor(
    'types of unknown resources',
    '/9999/0',
    '84 a3 21 68 2f393939392f302f 00 61 30 02 f9 3e00 a2 00 61 31 03 61 78 a2 00 61 32 04 f4 a2 00 61 33 08 41 01',
    [
      { path: '/9999/0/0', value: 1.5 },
      { path: '/9999/0/1', value: 'x' },
      { path: '/9999/0/2', value: false },
      { path: '/9999/0/3', value: hex('01') },
    ],
  ),

  // §7.5.1, §7.5.2, §7.5.3 and Appendix C.
  text('/3/0/0', 'Open Mobile Alliance', 'Open Mobile Alliance'),
  text('/3/0/0', '', ''),
  text('/3/0/0', '\ufeffé', '\ufeffé'),
  text('/3/0/9', '100', 100),
  text('/3/0/9', '-5', -5),
  text('/3/0/9', '+5', 5, false),
  text('/3/0/9', '007', 7, false),
  text('/3/0/10', '-9223372036854775808', -(2n ** 63n)),
  text('/42770/0/5', '18446744073709551615', 2n ** 64n - 1n),
  text('/42770/0/2', '22.4', 22.4),
  text('/42770/0/2', '0.00000015', 1.5e-7),
  text('/42770/0/2', '-1500000000000000000000000', -1.5e24),
  text('/42770/0/2', '1e3', 1000, false),
  text('/1/0/6', '1', true),
  text('/1/0/6', '0', false),
  text('/3/0/13', '1367491215', 1367491215),
  text('/3/0/22', '66:0', { objectId: 66, instanceId: 0 }),
  text('/25/0/3', '</3/0>;x="y"', '</3/0>;x="y"'),
  text('/42770/0/3', '+/8=', hex('FB FF')),
  text('/9999/0/0', '12', '12'),
  single(OPAQUE, '/42770/0/3', hex('00 01 FF'), hex('00 01 FF')),
  single(OPAQUE, '/9999/0/3', hex('00 01 FF'), hex('00 01 FF')),
  single(OPAQUE, '/42770/0/3', hex(''), hex('')),
  one('/3/0/0', '63 61 62 63', 'abc'),
  one('/3/0/9', '18 64', 100),
  one('/3/0/9', '38 63', -100),
  one('/42770/0/5', '1b ffffffffffffffff', 2n ** 64n - 1n),
  one('/42770/0/2', 'f9 3e00', 1.5),
  one('/42770/0/2', '01', 1, false),
  one('/1/0/6', 'f5', true),
  one('/42770/0/3', '42 00ff', hex('00ff')),
  one('/3/0/13', '1a 5182428f', 1367491215, false),
  one('/3/0/13', 'c1 1a 5182428f', 1367491215),
  one('/3/0/22', '64 36363a30', { objectId: 66, instanceId: 0 }),
  one('/9999/0/0', '63 61 62 63', 'abc'),
  one('/9999/0/0', '3b ffffffffffffffff', -(2 ** 64), false),
  ...lwm2mJsonVectors,
  ...lwm2mCborVectors,
];

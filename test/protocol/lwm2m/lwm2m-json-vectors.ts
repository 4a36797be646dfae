import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord } from '../../../protocol/lwm2m/value.ts';
import { type ContentVector, device, hex, links65, links66, utf8 } from './vector-parts.ts';

const json = (
  name: string,
  base: string,
  text: string,
  records: readonly LwM2mRecord[],
  written?: false,
): ContentVector => ({
  ...{ name: `LwM2M JSON: ${name}`, format: ContentFormat.JSON, base, bytes: utf8(text), records },
  ...(written === false ? { written } : {}),
});

const level: readonly LwM2mRecord[] = [{ path: '/3/0/9', value: 100 }];

/** OMA-TS-LightweightM2M-V1_0 §6.4.4, the examples of the specification first. */
export const lwm2mJsonVectors: readonly ContentVector[] = [
  json(
    'Device instance',
    '/3/0',
    '{"bn":"/3/0/","e":[{"n":"0","sv":"Open Mobile Alliance"},{"n":"1","sv":"Lightweight M2M Client"},' +
      '{"n":"2","sv":"345000123"},{"n":"3","sv":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},' +
      '{"n":"7/0","v":3800},{"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},' +
      '{"n":"10","v":15},{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","sv":"+02:00"},{"n":"16","sv":"U"}]}',
    device,
  ),
  json(
    'a notification with times before the base time',
    '/72',
    '{"bn":"/72/","bt":25462634,"e":[{"n":"1/2","v":22.4,"t":-5},{"n":"1/2","v":22.9,"t":-30},{"n":"1/2","v":24.1,"t":-50}]}',
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
    '{"bn":"/65/0/","e":[{"n":"0/0","ov":"66:0"},{"n":"0/1","ov":"66:1"},{"n":"1","sv":"8613800755500"},{"n":"2","v":305419896}]}',
    links65,
  ),
  json(
    'object links, one of them null',
    '/66',
    '{"bn":"/66/","e":[{"n":"0/0","sv":"myService 1"},{"n":"0/1","sv":"Internet.15.234"},{"n":"0/2","ov":"67:0"},' +
      '{"n":"1/0","sv":"myService 2"},{"n":"1/1","sv":"Internet.15.235"},{"n":"1/2","ov":"65535:65535"}]}',
    links66,
  ),
  json('one resource', '/3/0/9', '{"bn":"/3/0/9","e":[{"v":100}]}', level),
  json('one resource, a slash at its end', '/3/0/9', '{"bn":"/3/0/9/","e":[{"v":100}]}', level, false),
  json('one resource, an empty name', '/3/0/9', '{"bn":"/3/0/9","e":[{"n":"","v":100}]}', level, false),
  json('one resource without any name', '/3/0/9', '{"e":[{"v":100}]}', level, false),
  json(
    'a base name without a slash at its end',
    '/3/0',
    '{"bn":"/3/0","e":[{"n":"9","v":100}]}',
    level,
    false,
  ),
  json('a base name without a slash in front', '/3/0', '{"bn":"3/0/","e":[{"n":"9","v":100}]}', level, false),
  json('a slash at both sides', '/3/0', '{"bn":"/3/0/","e":[{"n":"/9","v":100}]}', level, false),
  json('the root as base name', '/3/0', '{"bn":"/","e":[{"n":"3/0/9","v":100}]}', level, false),
  json('a name relative to what was asked for', '/3', '{"e":[{"n":"0/9","v":100}]}', level, false),
  json('a name relative to the root', '/', '{"e":[{"n":"3/0/9","v":100}]}', level, false),
  json('a whole name without base name', '/3/0', '{"e":[{"n":"/3/0/9","v":100}]}', level, false),
  json('keys in another order', '/3/0/9', '{"e":[{"v":100,"n":"9"}],"bn":"/3/0/"}', level, false),
  json('unknown keys', '/3/0/9', '{"x":[],"bn":"/3/0/9","e":[{"y":{},"v":1e2}]}', level, false),
  json('resources of several objects', '/', '{"e":[{"n":"/3/0/9","v":100},{"n":"/42770/0/2","v":0.5}]}', [
    ...level,
    { path: '/42770/0/2', value: 0.5 },
  ]),
  json(
    'resource instances',
    '/3/0/6',
    '{"bn":"/3/0/6/","e":[{"n":"0","v":1},{"n":"1","v":5}]}',
    device.slice(4, 6),
  ),
  json('one resource instance', '/3/0/6/1', '{"bn":"/3/0/6/1","e":[{"v":5}]}', [
    { path: '/3/0/6/1', value: 5 },
  ]),
  json('nothing', '/3/0', '{"bn":"/3/0/","e":[]}', []),
  json('nothing at the root', '/', '{"e":[]}', []),
  json('no bytes at all', '/3/0', '', [], false),
  json('a boolean', '/1/0', '{"bn":"/1/0/","e":[{"n":"6","bv":true},{"n":"7","sv":"U"}]}', [
    { path: '/1/0/6', value: true },
    { path: '/1/0/7', value: 'U' },
  ]),
  json('minus zero', '/42770/0/2', '{"bn":"/42770/0/2","e":[{"v":-0}]}', [{ path: '/42770/0/2', value: -0 }]),
  json('bytes in base64', '/42770/0/3', '{"bn":"/42770/0/3","e":[{"sv":"+/8="}]}', [
    { path: '/42770/0/3', value: hex('FB FF') },
  ]),
  json(
    'bytes in base64url without padding',
    '/42770/0/3',
    '{"bn":"/42770/0/3","e":[{"sv":"-_8"}]}',
    [{ path: '/42770/0/3', value: hex('FB FF') }],
    false,
  ),
  json(
    'an object link as text',
    '/3/0/22',
    '{"bn":"/3/0/22","e":[{"sv":"5:1"}]}',
    [{ path: '/3/0/22', value: { objectId: 5, instanceId: 1 } }],
    false,
  ),
  json('links', '/25/0/3', '{"bn":"/25/0/3","e":[{"sv":"</3/0>;x=\\"y\\""}]}', [
    { path: '/25/0/3', value: '</3/0>;x="y"' },
  ]),
  json('64 bits unsigned', '/42770/0/5', '{"bn":"/42770/0/5","e":[{"v":18446744073709551615}]}', [
    { path: '/42770/0/5', value: 2n ** 64n - 1n },
  ]),
  json('64 bits signed', '/3/0/10', '{"bn":"/3/0/10","e":[{"v":-9223372036854775808}]}', [
    { path: '/3/0/10', value: -(2n ** 63n) },
  ]),
  json(
    'types of unknown resources',
    '/9999/0',
    '{"bn":"/9999/0/","e":[{"n":"0","v":1.5},{"n":"1","sv":"AQ=="},{"n":"2","bv":false},{"n":"3","ov":"1:2"},{"n":"4","v":7}]}',
    [
      { path: '/9999/0/0', value: 1.5 },
      { path: '/9999/0/1', value: 'AQ==' },
      { path: '/9999/0/2', value: false },
      { path: '/9999/0/3', value: { objectId: 1, instanceId: 2 } },
      { path: '/9999/0/4', value: 7 },
    ],
  ),
  json(
    'a series',
    '/42770/0/2',
    '{"bn":"/42770/0/2","bt":1700000000,"e":[{"v":1},{"t":0.5,"v":2},{"t":60,"v":3}]}',
    [
      { path: '/42770/0/2', value: 1, time: 1700000000 },
      { path: '/42770/0/2', value: 2, time: 1700000000.5 },
      { path: '/42770/0/2', value: 3, time: 1700000060 },
    ],
  ),
  json(
    'times on some entries only',
    '/42770/0',
    '{"bn":"/42770/0/","e":[{"n":"2","t":-5,"v":1},{"n":"5","v":2}]}',
    [
      { path: '/42770/0/2', value: 1, time: -5 },
      { path: '/42770/0/5', value: 2 },
    ],
  ),
  json(
    'times that no base time leaves exact',
    '/42770/0/2',
    '{"bn":"/42770/0/2","e":[{"t":1e+21,"v":1},{"t":0.1,"v":2}]}',
    [
      { path: '/42770/0/2', value: 1, time: 1e21 },
      { path: '/42770/0/2', value: 2, time: 0.1 },
    ],
  ),
];

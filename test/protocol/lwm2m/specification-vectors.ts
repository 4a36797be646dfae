import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { ContentFormat } from '../../../protocol/lwm2m/content-format.ts';
import type { LwM2mRecord, ResourceType, ResourceTypeLookup } from '../../../protocol/lwm2m/value.ts';
import { device, hex, utf8 } from './vector-parts.ts';

// The examples of OMA-TS-LightweightM2M_Core-V1_2, with their clauses, as they are printed there but for line
// breaks. What the examples of LwM2M 1.0 and 1.1 have beside is in vectors.ts. Not at hand were the bytes
// of §7.5.4.6 (Create), which is tested by what the text says of it.

/** An example payload and what it says. */
export interface Example {
  readonly name: string;
  readonly format: number;
  readonly base: string;
  readonly bytes: Uint8Array;
  readonly records: readonly LwM2mRecord[];
  /** `same`: our encoder writes these very bytes. Otherwise it writes the records in another legal way. */
  readonly written: 'same' | 'otherwise';
}

/** Objects that the examples make up, and one that we do not ship. */
const hypothetical: Readonly<Record<string, ResourceType>> = {
  '34/1': 'string',
  '65/0': 'objlnk',
  '65/1': 'string',
  '65/2': 'integer',
  '66/0': 'string',
  '66/1': 'string',
  '66/2': 'objlnk',
  '67/0': 'string',
  '67/1': 'string',
  '72/2': 'float',
  '3308/5900': 'float',
};
const registry = createObjectRegistry(standardObjects());

export const exampleLookup: ResourceTypeLookup = {
  resourceType(objectId, resourceId) {
    const type = hypothetical[`${objectId}/${resourceId}`];
    return type === undefined ? registry.resourceType(objectId, resourceId) : { type, multiple: false };
  },
};

const { TEXT, TLV, SENML_JSON, SENML_CBOR, LWM2M_CBOR, JSON: OLD_JSON } = ContentFormat;

function example(
  format: number,
  name: string,
  base: string,
  payload: string | Uint8Array,
  records: readonly LwM2mRecord[],
  written: Example['written'] = 'same',
): Example {
  return {
    name,
    format,
    base,
    bytes: payload instanceof Uint8Array ? payload : utf8(payload),
    records,
    written,
  };
}

/** Values below a path, by the rest of theirs. */
function below(base: string, values: Readonly<Record<string, LwM2mRecord['value']>>): LwM2mRecord[] {
  return Object.entries(values).map(([rest, value]) => ({ path: `${base}/${rest}`, value }));
}

/** JSON over several lines, as the specification prints it, without the white space. */
const lines = (text: string) => text.replace(/\n\s*/g, '');
const manufacturer = '74 4F70656E204D6F62696C6520416C6C69616E6365';
const accessControl = below('/2', {
  '0/0': 1,
  '0/1': 0,
  '0/2/127': 7,
  '0/3': 127,
  '2/0': 3,
  '2/1': 0,
  '2/2/127': 7,
  '2/2/310': 7,
  '2/3': 127,
});

export const examples: readonly Example[] = [
  example(TEXT, '§7.5.1, Read /3/0/0', '/3/0/0', 'Open Mobile Alliance', [
    { path: '/3/0/0', value: 'Open Mobile Alliance' },
  ]),

  example(LWM2M_CBOR, '§7.5.4.1, Read /3/0/0', '/3/0/0', hex(`A1 83 03 00 00 ${manufacturer}`), [
    { path: '/3/0/0', value: 'Open Mobile Alliance' },
  ]),
  example(
    LWM2M_CBOR,
    '§7.5.4.1, the same, a map for each level',
    '/3/0/0',
    hex(`A1 03 A1 00 A1 00 ${manufacturer}`),
    [{ path: '/3/0/0', value: 'Open Mobile Alliance' }],
    'otherwise',
  ),
  example(
    LWM2M_CBOR,
    '§7.5.4.2, Read /3/0/6',
    '/3/0/6',
    hex('A1 83 03 00 06 A2 00 01 01 05'),
    below('/3/0/6', { 0: 1, 1: 5 }),
  ),
  example(
    LWM2M_CBOR,
    '§7.5.4.3, Read /3/0',
    '/3/0',
    hex(`A1 82 03 00 AD 00 ${manufacturer} 01 76 4C69676874776569676874204D324D20436C69656E74
      02 69 333435303030313233 03 63 312E30 06 A2 00 01 01 05 07 A2 00 19 0ED8 01 19 1388
      08 A2 00 18 7D 01 19 0384 09 18 64 0A 0F 0B A1 00 00 0D 1A 5182428F 0E 66 2B30323A3030 10 61 55`),
    device,
  ),
  example(
    LWM2M_CBOR,
    '§7.5.4.4, Read /1',
    '/1',
    hex(`A1 01 A2 00 A7 00 18 65 01 1A 00015180 02 19 012C 03 19 1770 05 1A 00015180 06 F5 07 61 55
      01 A7 00 18 66 01 1A 00015180 02 19 0258 03 19 1770 05 1A 00015180 06 F4 07 61 55`),
    [
      ...below('/1/0', { 0: 101, 1: 86400, 2: 300, 3: 6000, 5: 86400, 6: true, 7: 'U' }),
      ...below('/1/1', { 0: 102, 1: 86400, 2: 600, 3: 6000, 5: 86400, 6: false, 7: 'U' }),
    ],
  ),
  example(
    LWM2M_CBOR,
    '§7.5.4.5, Read-Composite',
    '/',
    hex(`A2 82 03 00 A2 00 ${manufacturer} 09 18 64 83 01 00 01 1A 00015180`),
    [
      { path: '/3/0/0', value: 'Open Mobile Alliance' },
      { path: '/3/0/9', value: 100 },
      { path: '/1/0/1', value: 86400 },
    ],
    'otherwise',
  ),

  example(
    TLV,
    '§7.5.5.2 B, Read /2',
    '/2',
    hex(`08 00 0E C1 00 01 C1 01 00 83 02 41 7F 07 C1 03 7F
      08 02 12 C1 00 03 C1 01 00 87 02 41 7F 07 61 01 36 01 C1 03 7F`),
    accessControl.map((record) => (record.path === '/2/2/2/310' ? { ...record, value: 1 } : record)),
  ),
  example(
    TLV,
    '§7.5.5.3, Read /65/0',
    '/65/0',
    hex(`88 00 0C 44 00 00 42 00 00 44 01 00 42 00 01
      C8 01 0D 38 36 31 33 38 30 30 37 35 35 35 30 30 C4 02 12 34 56 78`),
    [
      ...below('/65/0/0', { 0: { objectId: 66, instanceId: 0 }, 1: { objectId: 66, instanceId: 1 } }),
      ...below('/65/0', { 1: '8613800755500', 2: 0x12345678 }),
    ],
  ),

  example(
    SENML_JSON,
    'Table 7.5.6-2, Read /3/0',
    '/3/0',
    lines(`[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},
      {"n":"1","vs":"Lightweight M2M Client"},
      {"n":"2","vs":"345000123"},
      {"n":"3","vs":"1.0"},
      {"n":"6/0","v":1},
      {"n":"6/1","v":5},
      {"n":"7/0","v":3800},
      {"n":"7/1","v":5000},
      {"n":"8/0","v":125},
      {"n":"8/1","v":900},
      {"n":"9","v":100},
      {"n":"10","v":15},
      {"n":"11/0","v":0},
      {"n":"13","v":1367491215},
      {"n":"14","vs":"+02:00"},
      {"n":"16","vs":"U"}]`),
    device,
  ),
  example(
    SENML_JSON,
    'Table 7.5.6-3, historical notifications of /72/1/2',
    '/72/1/2',
    lines(`[{"bn":"/72/","bt":25462634,"n":"1/2","v":22.4,"t":-5},
      {"n":"1/2","v":22.9,"t":-30},
      {"n":"1/2","v":24.1,"t":-50}]`),
    [
      { path: '/72/1/2', value: 22.4, time: 25462629 },
      { path: '/72/1/2', value: 22.9, time: 25462604 },
      { path: '/72/1/2', value: 24.1, time: 25462584 },
    ],
    'otherwise',
  ),
  example(
    SENML_JSON,
    'Table 7.5.6-5, Read /3/0/0 (the quote that is missing there put in)',
    '/3/0/0',
    '[{"bn":"/3/0/0","vs":"Open Mobile Alliance"}]',
    [{ path: '/3/0/0', value: 'Open Mobile Alliance' }],
  ),
  example(
    SENML_JSON,
    'Table 7.5.6-7, the answer of a Read-Composite',
    '/',
    lines(`[{"n":"/3/0/0", "vs":"Open Mobile Alliance"},
      {"n" :"/3/0/9", "v":95},
      {"n":"/1/0/1", "v":86400}]`),
    [
      { path: '/3/0/0', value: 'Open Mobile Alliance' },
      { path: '/3/0/9', value: 95 },
      { path: '/1/0/1', value: 86400 },
    ],
    'otherwise',
  ),
  example(
    SENML_JSON,
    'Table 7.5.6-9, a Write-Composite',
    '/',
    lines(`[{"n":"/3311/0/5850", "vb":false},
      {"n":"/3311/1/5850", "vb":false},
      {"n":"/3311/2/5851", "v":20},
      {"n":"/3308/0/5900", "v":18}]`),
    [
      { path: '/3311/0/5850', value: false },
      { path: '/3311/1/5850', value: false },
      { path: '/3311/2/5851', value: 20 },
      { path: '/3308/0/5900', value: 18 },
    ],
    'otherwise',
  ),
  example(
    SENML_JSON,
    '§6.1.7.4, Bootstrap-Read /2',
    '/2',
    lines(`[{"bn":"/2/","n":"0/0","v":1},
      {"n":"0/1","v":0},
      {"n":"0/2/127","v":7},
      {"n":"0/3","v":127},
      {"n":"2/0","v":3},
      {"n":"2/1","v":0},
      {"n":"2/2/127","v":7},
      {"n":"2/2/310","v":7},
      {"n":"2/3","v":127}]`),
    accessControl,
  ),
  example(
    SENML_JSON,
    '§6.1.7.7, a Bootstrap-Pack (keys shortened)',
    '/',
    lines(`[{"bn":"/0/1/", "n":"0","vs":"coaps://server1.example.com"},
      {"n":"1","vb":false},
      {"n":"2","v":0},
      {"n":"3","vd":"YjMxM2NjMjItZjk2OS00MmVjLWFkNDI"},
      {"n":"4","vd":""},
      {"n":"5","vd":"HKICjXGXx3jprvXvaQgr6g"},
      {"n":"10","v":101},
      {"bn":"/1/0/", "n":"0","v":101},
      {"n":"1","v":86400},
      {"n":"2","v":300},
      {"n":"3","v":6000},
      {"n":"5","v":86400},
      {"n":"6","vb":true},
      {"n":"7","vs":"U"},
      {"bn":"/2/1/", "n":"0","v":1},
      {"n":"1","v":1},
      {"n":"2/102","v":15},
      {"n":"3","v":102}]`),
    [
      ...below('/0/1', {
        0: 'coaps://server1.example.com',
        1: false,
        2: 0,
        3: utf8('b313cc22-f969-42ec-ad42'),
        4: new Uint8Array(),
        5: hex('1CA2028D7197C778E9AEF5EF69082BEA'),
        10: 101,
      }),
      ...below('/1/0', { 0: 101, 1: 86400, 2: 300, 3: 6000, 5: 86400, 6: true, 7: 'U' }),
      ...below('/2/1', { 0: 1, 1: 1 }),
      { path: '/2/1/2/102', value: 15 },
      { path: '/2/1/3', value: 102 },
    ],
    'otherwise',
  ),
  example(
    SENML_JSON,
    '§6.4.6, Send',
    '/',
    lines(`[{"n":"/6/0/0", "v":43.61092},
      {"n":"/6/0/1", "v":3.87723},
      {"n":"/4/0/2", "v":-49}]`),
    [
      { path: '/6/0/0', value: 43.61092 },
      { path: '/6/0/1', value: 3.87723 },
      { path: '/4/0/2', value: -49 },
    ],
    'otherwise',
  ),
  example(
    SENML_JSON,
    '§6.3.3.1, Write /34/0/1',
    '/34/0/1',
    '[ { "n": "/34/0/1/1", "vs":"Yellow" }, { "n": "/34/0/1/3", "vs":"Blue" }]',
    below('/34/0/1', { 1: 'Yellow', 3: 'Blue' }),
    'otherwise',
  ),

  example(
    OLD_JSON,
    '§7.5.6.1, Read /3/0',
    '/3/0',
    lines(`{"bn":"/3/0/",
      "e":[
      {"n":"0","sv":"Open Mobile Alliance"},
      {"n":"1","sv":"Lightweight M2M Client"},
      {"n":"2","sv":"345000123"},
      {"n":"3","sv":"1.0"},
      {"n":"6/0","v":1},
      {"n":"6/1","v":5},
      {"n":"7/0","v":3800},
      {"n":"7/1","v":5000},
      {"n":"8/0","v":125},
      {"n":"8/1","v":900},
      {"n":"9","v":100},
      {"n":"10","v":15},
      {"n":"11/0","v":0},
      {"n":"13","v":1367491215},
      {"n":"14","sv":"+02:00"},
      {"n":"16","sv":"U"}]
      }`),
    device,
  ),

  example(
    SENML_CBOR,
    '§7.5.7, Read /3/0',
    '/3/0',
    hex(`90 a3 21 65 2f 33 2f 30 2f 00 61 30 03 74 4f 70 65 6e 20 4d 6f 62 69 6c 65 20 41 6c 6c 69 61 6e
      63 65 a2 00 61 31 03 76 4c 69 67 68 74 77 65 69 67 68 74 20 4d 32 4d 20 43 6c 69 65 6e 74 a2 00
      61 32 03 69 33 34 35 30 30 30 31 32 33 a2 00 61 33 03 63 31 2e 30 a2 00 63 36 2f 30 02 01 a2 00
      63 36 2f 31 02 05 a2 00 63 37 2f 30 02 19 0e d8 a2 00 63 37 2f 31 02 19 13 88 a2 00 63 38 2f 30
      02 18 7d a2 00 63 38 2f 31 02 19 03 84 a2 00 61 39 02 18 64 a2 00 62 31 30 02 0f a2 00 64 31 31
      2f 30 02 00 a2 00 62 31 33 02 1a 51 82 42 8f a2 00 62 31 34 03 66 2b 30 32 3a 30 30 a2 00 62 31
      36 03 61 55`),
    device,
  ),
];

/** Examples of §7.5.5 whose lengths contradict their content: what the grammar makes of them is an error. */
export const contradictoryTlv: readonly (readonly [name: string, base: string, bytes: Uint8Array])[] = [
  [
    '§7.5.5.1, Read /3/0: a model number that is a letter shorter than its length',
    '/3/0',
    hex(`C8 00 14 4F 70 65 6E 20 4D 6F 62 69 6C 65 20 41 6C 6C 69 61 6E 63 65
      C8 01 16 4C 69 67 68 74 77 65 69 67 74 20 4D 32 4D 20 43 6C 69 65 6E 74
      C8 02 09 33 34 35 30 30 30 31 32 33 C3 03 31 2E 30 86 06 41 00 01 41 01 05 88 07 08 42 00 0E D8
      42 01 13 88 87 08 41 00 7D 42 01 03 84 C1 09 64 C1 0A 0F 83 0B 41 00 00 C4 0D 51 82 42 8F
      C6 0E 2B 30 32 3A 30 30 C1 10 55`),
  ],
  [
    '§7.5.5.2 C, Read /1: an instance of 15 bytes whose length is 13',
    '/1',
    hex('08 00 0D C1 00 01 C4 01 00 01 51 80 C1 06 01 C1 07 55'),
  ],
  [
    '§7.5.5.3, Read /66: instances of 38 bytes whose length is 35',
    '/66',
    hex(`08 00 23 C8 00 0B 6D 79 53 65 72 76 69 63 65 20 31
      C8 01 0F 49 6E 74 65 72 6E 65 74 2E 31 35 2E 32 33 34 C4 02 00 43 00 00
      08 01 23 C8 00 0B 6D 79 53 65 72 76 69 63 65 20 32
      C8 01 0F 49 6E 74 65 72 6E 65 74 2E 31 35 2E 32 33 35 C4 02 FF FF FF FF`),
  ],
];

/** The lists of paths of §7.5.6, and what they name. */
export const pathLists: readonly (readonly [name: string, text: string, paths: readonly string[]])[] = [
  ['Table 7.5.6-6', '[{"n":"/3/0/0"},{"n":"/3/0/9"},{"n":"/1/0/1"}]', ['/3/0/0', '/3/0/9', '/1/0/1']],
  [
    'Table 7.5.6-8, with two base names',
    '[{"bn":"/4/0/", "n":"0"},{"n":"1"},{"n":"2"},{"bn":"/6/", "n":"0"}]',
    ['/4/0/0', '/4/0/1', '/4/0/2', '/6/0'],
  ],
  ['Table 7.5.6-10, everything', '[{"n":"/"}]', ['/']],
  ['Table 7.5.6-11, an object', '[{"n":"/1"}]', ['/1']],
  ['Table 7.5.6-12, two instances', '[{"n":"/1/0"},{"n":"/1/2"}]', ['/1/0', '/1/2']],
];

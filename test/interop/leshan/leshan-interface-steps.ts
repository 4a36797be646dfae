import { firstValues, typesPath } from './all-types.ts';
import type { Step } from './leshan-interface.ts';

// What is asked of both servers about a client that has an object with every type.

export const own = `${typesPath}/0`;
export const name = 'twin';
export const client = `clients/${name}`;
export const node = (id: number, type: string, value: unknown) => ({
  kind: 'singleResource',
  id,
  type,
  value,
});

export const get = (path: string): Step => ({ method: 'GET', path });
/** What reads, and changes nothing. */
export const readings: readonly Step[] = [
  get('clients'),
  get(client),
  ...['TLV', 'JSON', 'SENML_JSON', 'SENML_CBOR', 'senml_cbor'].flatMap((format) => [
    get(`${client}${typesPath}?format=${format}`),
    get(`${client}${own}?format=${format}`),
    ...Object.keys(firstValues).map((id) => get(`${client}${own}/${id}?format=${format}`)),
  ]),
  ...['SENML_JSON', 'SENML_CBOR'].map((format) => get(`${client}${own}/10/7?format=${format}`)),
  ...[0, 1, 3, 4, 6, 7].map((id) => get(`${client}${own}/${id}?format=TEXT`)),
  get(`${client}${own}/5?format=OPAQUE`),
  get(`${client}${own}/0?format=NONSENSE`),
  get(`${client}${own}/0?timeout=nonsense`),
  get(`${client}/3/0/15`),
  get(`${client}${typesPath}/9`),
  get(`${client}${own}/99`),
  get(`${client}/9999`),
  get(`${client}${own}/discover`),
  get(`${client}${typesPath}/discover`),
  get(`${client}${own}/3/discover`),
  get(`${client}${own}/99/discover`),
];
/** 2^64 - 1 comes in TLV as the library's client writes it, wrong; our server is right to read it otherwise. */
export const isReadAlike = ({ path }: Step): boolean => !/(?:42771|\/0|\/2)\?format=TLV/.test(path);

/** What is refused before anything is sent. */
export const refusals: readonly Step[] = [
  get('clients/'),
  get('clients/nobody'),
  get('clients/nobody/3/0'),
  get('objectspecs'),
  get('objectspecs/nobody'),
  get(`${client}/abc`),
  get(`${client}/3//0`),
  get(`${client}/70000`),
  get(`${client}/3/0/0/0/0`),
  get(`${client}${own}/10/7/discover`),
  { method: 'PUT', path: `${client}/3` },
  { method: 'PUT', path: `${client}/3`, body: node(1, 'STRING', 'x') },
  { method: 'PUT', path: `${client}${own}`, body: node(1, 'STRING', 'x') },
  { method: 'PUT', path: `${client}${own}/0?replace=false`, body: node(0, 'STRING', 'x') },
  { method: 'PUT', path: `${client}${own}/1`, body: node(1, 'INTEGER', true) },
  { method: 'PUT', path: `${client}${own}/1`, body: node(1, 'INTEGER', 'x') },
  { method: 'PUT', path: `${client}${own}/2`, body: node(2, 'UNSIGNED_INTEGER', '-1') },
  { method: 'PUT', path: `${client}${own}/3`, body: node(3, 'FLOAT', 'x') },
  { method: 'PUT', path: `${client}${own}/4`, body: node(4, 'BOOLEAN', 'true') },
  { method: 'PUT', path: `${client}${own}/6`, body: node(6, 'TIME', '0') },
  { method: 'PUT', path: `${client}${own}/7`, body: node(7, 'OBJLNK', '3:0') },
  { method: 'PUT', path: `${client}${own}/1`, body: node(1, 'NOTHING', 1) },
  { method: 'PUT', path: `${client}${own}/1`, body: { type: 'INTEGER', value: '1' }, words: 'kind' },
  { method: 'PUT', path: `${client}${own}/1`, body: [], words: 'kind' },
  { method: 'PUT', path: `${client}${own}/1`, body: '77' },
  { method: 'PUT', path: `${client}${own}/1?format=TEXT`, body: '77' },
  { method: 'PUT', path: `${client}${own}/1`, body: node(1, 'FLOAT', '1') },
  // The library forgets which instance it was: it says /42771/undefined/1.
  {
    method: 'PUT',
    path: `${client}${own}`,
    body: { id: 0, resources: [node(1, 'FLOAT', '1')] },
    words: 'kind',
  },
  {
    method: 'PUT',
    path: `${client}${own}/10`,
    body: { kind: 'multiResource', id: 10, type: 'INTEGER', values: { 7: '1' } },
  },
  {
    method: 'PUT',
    path: `${client}${own}/10/7`,
    body: { kind: 'resourceInstance', id: 7, type: 'INTEGER', value: '1' },
  },
  {
    method: 'PUT',
    path: `${client}/composite?nodeformat=SENML_CBOR`,
    body: { [`${own}/1`]: node(1, 'FLOAT', '1') },
  },
  { method: 'POST', path: `${client}${typesPath}`, body: { id: 7, resources: [node(1, 'FLOAT', '1')] } },
  { method: 'PUT', path: `${client}${own}/attributes?foo=1` },
  { method: 'PUT', path: `${client}${own}/attributes?pmin=1&timeout=2` },
  { method: 'PUT', path: `${client}${own}/attributes?pmin=x`, words: 'kind' },
  { method: 'PUT', path: `${client}${own}/attributes?ver=1.0` },
  { method: 'PUT', path: `${client}${own}/attributes?gt=1`, words: 'kind' },
  { method: 'PUT', path: `${client}${own}/3/attributes?pmin=9&pmax=3`, words: 'kind' },
  { method: 'POST', path: `${client}${own}/20`, body: 'hello' },
  { method: 'POST', path: `${client}${own}/20`, body: '0=a' },
  { method: 'POST', path: `${client}${own}/20/1` },
  { method: 'POST', path: `${client}${typesPath}`, body: node(1, 'INTEGER', '1') },
  { method: 'POST', path: `${client}${typesPath}/4`, body: { resources: [node(1, 'INTEGER', '1')] } },
  { method: 'DELETE', path: `${client}${typesPath}` },
  { method: 'DELETE', path: `${client}${own}/0` },
  { method: 'DELETE', path: `${client}${own}/0/observe?active` },
  { method: 'DELETE', path: `${client}${own}/0/observe` },
  { method: 'DELETE', path: `${client}/composite/observe?paths=/3/0,${own}/0&active` },
  { method: 'DELETE', path: `${client}/composite/observe?paths=/3/0,${own}/0` },
  get(`${client}/composite?paths=/3/0,/3/0/15`),
  get(`${client}/composite?paths=/3/0,abc`),
  { method: 'PUT', path: `${client}/composite`, body: { [own]: { id: 0, resources: [] } } },
];

/** In their order. */
export const changes: readonly Step[] = [
  ...['TLV', 'JSON', 'SENML_JSON', 'SENML_CBOR', 'TEXT'].flatMap((format): Step[] => [
    { method: 'PUT', path: `${client}${own}/0?format=${format}`, body: node(0, 'STRING', `as ${format}`) },
    get(`${client}${own}/0?format=SENML_CBOR`),
  ]),
  ...(
    [
      [1, 'INTEGER', '9223372036854775807'],
      [1, 'integer', 12],
      [2, 'UNSIGNED_INTEGER', '7'],
      [3, 'FLOAT', '-2.5'],
      [3, 'FLOAT', 1e10],
      [4, 'BOOLEAN', false],
      [5, 'OPAQUE', 'C0FFEE'],
      [6, 'TIME', 1_767_225_601_000],
      [7, 'OBJLNK', { objectId: 3, objectInstanceId: 0 }],
      [8, 'CORELINK', '</1/0>,</3/0/9>;sz=5'],
    ] as const
  ).flatMap(([id, type, value]): Step[] => [
    { method: 'PUT', path: `${client}${own}/${id}?format=SENML_CBOR`, body: node(id, type, value) },
    get(`${client}${own}/${id}?format=SENML_CBOR`),
  ]),
  { method: 'PUT', path: `${client}${own}/0?format=TEXT`, body: 'plain' },
  get(`${client}${own}/0?format=SENML_CBOR`),
  {
    method: 'PUT',
    path: `${client}${own}/10?format=SENML_CBOR`,
    body: { kind: 'multiResource', id: 10, type: 'STRING', values: { 1: 'a', 2: 'b' } },
  },
  get(`${client}${own}/10?format=SENML_CBOR`),
  {
    method: 'PUT',
    path: `${client}${own}/10?format=SENML_CBOR&replace=false`,
    body: { kind: 'multiResource', id: 10, type: 'STRING', values: { 2: 'c', 3: 'd' } },
  },
  get(`${client}${own}/10?format=SENML_CBOR`),
  {
    method: 'PUT',
    path: `${client}${own}/10/3?format=SENML_CBOR`,
    body: { kind: 'resourceInstance', id: 3, type: 'STRING', value: 'e' },
  },
  get(`${client}${own}/10/3?format=SENML_CBOR`),
  {
    method: 'PUT',
    path: `${client}${own}?format=SENML_CBOR&replace=false`,
    body: { kind: 'instance', id: 0, resources: [node(0, 'STRING', 'u'), node(1, 'INTEGER', '3')] },
  },
  get(`${client}${own}?format=SENML_CBOR`),
  {
    method: 'PUT',
    path: `${client}${own}?format=SENML_JSON`,
    body: { id: 0, resources: [node(0, 'STRING', 'only'), node(3, 'FLOAT', '1')] },
  },
  get(`${client}${own}?format=SENML_CBOR`),
  { method: 'PUT', path: `${client}${own}/21?format=SENML_CBOR`, body: node(21, 'STRING', 'no') },
  { method: 'PUT', path: `${client}${own}/3/attributes?pmin=1&pmax=30&gt=9.5` },
  get(`${client}${own}/3/discover`),
  { method: 'PUT', path: `${client}${own}/3/attributes?pmin&pmax&gt` },
  get(`${client}${own}/3/discover`),
  { method: 'POST', path: `${client}${own}/20` },
  { method: 'POST', path: `${client}${own}/20`, body: "0='1',3" },
  { method: 'POST', path: `${client}${own}/0` },
  {
    method: 'POST',
    path: `${client}${typesPath}?format=SENML_CBOR`,
    body: { id: 33, resources: [node(0, 'STRING', 'x')] },
    // A client on the library does not repeat the id that it was given; our server names it in any case.
    besides: ['location'],
  },
  get(`${client}${typesPath}/33?format=SENML_CBOR`),
  { method: 'DELETE', path: `${client}${typesPath}/33` },
  { method: 'DELETE', path: `${client}${typesPath}/33` },
  {
    method: 'POST',
    path: `${client}${typesPath}?format=TLV`,
    body: { kind: 'instance', resources: [node(1, 'INTEGER', '5')] },
  },
  { method: 'DELETE', path: `${client}${typesPath}/1` },
  ...['SENML_JSON', 'SENML_CBOR'].flatMap((format): Step[] => {
    const formats = `pathformat=${format}&nodeformat=${format}`;
    return [
      get(`${client}/composite?paths=${own}/0,/3/0/15,${typesPath}/7/0&${formats}`),
      get(`${client}/composite?paths=${own},/3&${formats}`),
      {
        method: 'PUT',
        path: `${client}/composite?nodeformat=${format}`,
        body: { [`${own}/0`]: node(0, 'STRING', format), '/3/0/15': node(15, 'STRING', 'Asia/Kolkata') },
      },
      get(`${client}/composite?paths=${own}/0,/3/0/15&${formats}`),
    ];
  }),
];

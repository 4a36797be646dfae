import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineIotSensorObject } from '../../../objects/iot-sensor.ts';
import { serverObject } from '../../../objects/server.ts';
import { toOmaXml } from '../../../objects/to-oma-xml.ts';
import { root } from '../../../scripts/root.ts';
import { freePort } from '../../support/server-process.ts';
import type { JsonLinesProcess } from '../support/json-lines-process.ts';
import { ServerProcess } from '../support/server-process.ts';
import { allTypesFile, allTypesObject, allTypesXml, firstValues, typesPath } from './all-types.ts';
import {
  Interface,
  type InterfaceEvent,
  InterfaceEvents,
  normalised,
  type Step,
} from './leshan-interface.ts';
import { buildLeshanPeers, hasLeshan, startLeshanClient, startLeshanReference } from './leshan-peers.ts';
import { TypesClient } from './types-client.ts';

// The same client is registered at both servers, ours and one on the Leshan library, and what one says to a request
// about it the other has to say too.

const own = `${typesPath}/0`;
const name = 'twin';
const client = `clients/${name}`;
const node = (id: number, type: string, value: unknown) => ({ kind: 'singleResource', id, type, value });

/** One kind of client, one at each server, and what it does by itself. */
interface Twins {
  set(of: Readonly<Record<number, string>>): void;
  update(): void;
  send(format: 'SENML_CBOR' | 'SENML_JSON', paths: readonly string[]): void;
  leave(): Promise<unknown>;
  close(): Promise<unknown>;
}

/** What the library does not bring along: our sensors, and the newest version of the Server object. */
function objectFiles(): readonly string[] {
  const folder = join(root, 'test/interop/leshan/peers/target');
  return [defineIotSensorObject(42_770), serverObject].map((definition) => {
    const file = join(folder, `${definition.id}-${definition.version}.xml`);
    writeFileSync(file, toOmaXml(definition));
    return file;
  });
}

let ours: Interface;
let theirs: Interface;
let server: ServerProcess;
let reference: JsonLinesProcess;
let coap: { readonly ours: string; readonly theirs: string };

async function start(awake = 93_000): Promise<void> {
  await buildLeshanPeers();
  const port = await freePort();
  server = await ServerProcess.start([
    ...['--leshan-api', 'true', '--leshan-port', String(port)],
    ...['--awake-time', String(awake)],
  ]);
  const uploaded = await fetch(server.url('/api/object-models'), {
    method: 'POST',
    headers: { 'content-type': 'application/xml' },
    body: allTypesXml,
  });
  expect(uploaded.status, await uploaded.text()).toBe(201);
  reference = startLeshanReference([allTypesFile(), ...objectFiles()], awake);
  const ready = await reference.until(({ event }) => event === 'ready');
  ours = new Interface(`http://127.0.0.1:${port}`);
  theirs = new Interface(String(ready.http));
  coap = { ours: server.coap, theirs: String(ready.uri).replace('coap://', '') };
}

async function stop(): Promise<void> {
  await reference?.stop('SIGKILL');
  if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
}

/** Both answer, and the same. */
async function alike(step: Step): Promise<void> {
  const expected = await theirs.ask(step);
  expect(await ours.ask(step), `${step.method} ${step.path}`).toEqual(expected);
}

/** The events that both tell while something happens, until both have told of the last. */
async function eventsOf(
  act: () => unknown,
  last: (event: InterfaceEvent) => boolean,
  query = `?ep=${name}`,
): Promise<readonly InterfaceEvent[]> {
  const streams = await Promise.all([ours, theirs].map(({ base }) => InterfaceEvents.open(base, query)));
  try {
    await act();
    await Promise.all(streams.map((stream) => stream.until(last)));
    const [mine = [], their = []] = streams.map(({ events }) =>
      events
        .filter((event) => event.name !== 'COAPLOG')
        .map((event) => ({ name: event.name, data: normalised(event.data) })),
    );
    expect(mine).toEqual(their);
    return mine;
  } finally {
    for (const stream of streams) stream.close();
  }
}

const get = (path: string): Step => ({ method: 'GET', path });
const readings: readonly Step[] = [
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
const isReadAlike = ({ path }: Step): boolean => !/(?:42771|\/0|\/2)\?format=TLV/.test(path);

const refusals: readonly Step[] = [
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

const changes: readonly Step[] = [
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

/** What both tell of one kind of client. */
function sameInterface(
  begin: (at: { readonly ours: string; readonly theirs: string }) => Promise<Twins>,
): void {
  let twins: Twins;
  beforeAll(async () => {
    await start();
    const events = await eventsOf(
      async () => {
        twins = await begin(coap);
      },
      (event) => event.name === 'REGISTRATION',
      '',
    );
    expect(events).toHaveLength(1);
  });
  afterAll(async () => {
    await twins?.close();
    await stop();
  });

  test.each(readings.filter(isReadAlike))('$method $path', alike);
  test.each(refusals)('refuses $method $path', alike);
  test('changes what it is told to', async () => {
    for (const step of changes) await alike(step);
  });
  test('the specifications of its objects', async () => {
    const [mine = [], their = []] = await Promise.all(
      [ours, theirs].map(async ({ base }) => {
        const answer = await fetch(`${base}/api/objectspecs/${name}`);
        return (await answer.json()) as { readonly id: number; readonly resourcedefs: readonly object[] }[];
      }),
    );
    // Of OMA's own objects descriptions, ranges and units are in our definitions' words.
    const inWords = ['description', 'description2', 'lwm2mversion', 'range', 'units'];
    const bare = (told: object): object =>
      Object.fromEntries(Object.entries(told).filter(([key]) => !inWords.includes(key)));
    const shape = (told: typeof mine) =>
      told.map((one) =>
        one.id === allTypesObject.id ? one : { ...bare(one), resourcedefs: one.resourcedefs.map(bare) },
      );
    expect(shape(mine)).toEqual(shape(their));
  });
  test('the address of the server', async () => {
    const [mine, their] = await Promise.all(
      [ours, theirs].map(async ({ base }) => (await fetch(`${base}/api/server/endpoint`)).json()),
    );
    type Endpoints = { uri: { scheme: string; host: string; port: number; full: string } }[];
    const shape = (endpoints: Endpoints) =>
      endpoints.map(({ uri: { scheme, host, port, full }, ...rest }) => ({
        ...{ scheme, host, isWhole: full === `${scheme}://${host}:${port}` },
        rest: Object.keys(rest),
      }));
    expect(shape(mine as Endpoints)).toEqual(shape(their as Endpoints));
  });

  describe('tells the same', () => {
    test.each(['TLV', 'SENML_CBOR', 'TEXT'])('of an observation of a value as %s', async (format) => {
      const path = `${client}${own}/0/observe`;
      await alike({ method: 'POST', path: `${path}?format=${format}` });
      const value = `observed as ${format}`;
      const events = await eventsOf(
        () => twins.set({ 0: value }),
        (event) => event.name === 'NOTIFICATION' && JSON.stringify(event.data).includes(value),
      );
      expect(events).toHaveLength(1);
      await alike({ method: 'DELETE', path: `${path}?active` });
      await alike({ method: 'DELETE', path: `${path}?active` });
    });

    test('of an observation of an instance, which ends without a word', async () => {
      await alike({ method: 'POST', path: `${client}${own}/observe?format=SENML_CBOR` });
      await eventsOf(
        () => twins.set({ 0: 'all of it' }),
        (event) => event.name === 'NOTIFICATION' && JSON.stringify(event.data).includes('all of it'),
      );
      await alike({ method: 'DELETE', path: `${client}${own}/observe` });
    });

    test.each(['SENML_JSON', 'SENML_CBOR'])('of a composite observation as %s', async (format) => {
      const paths = `paths=${own}/0,${own}/3,/3/0/15`;
      const path = `${client}/composite/observe?${paths}`;
      await alike({ method: 'POST', path: `${path}&pathformat=${format}&nodeformat=${format}` });
      const value = `together as ${format}`;
      await eventsOf(
        () => twins.set({ 0: value }),
        (event) => event.name === 'NOTIFICATION' && JSON.stringify(event.data).includes(value),
      );
      await alike({ method: 'DELETE', path: `${path}&active` });
    });

    test.each(['SENML_JSON', 'SENML_CBOR'] as const)('of what it sends as %s', async (format) => {
      const events = await eventsOf(
        () => twins.send(format, [`${own}/0`, `${own}/3`, '/3/0/15']),
        (event) => event.name === 'SEND',
      );
      expect(events).toHaveLength(1);
    });

    test('of the CoAP messages that pass', async () => {
      const steps: readonly Step[] = [
        get(`${client}${own}/0?format=TEXT`),
        get(`${client}${own}?format=SENML_CBOR`),
        get(`${client}${own}/99?format=TLV`),
        get(`${client}${own}/3/discover`),
        { method: 'PUT', path: `${client}${own}/0?format=TEXT`, body: node(0, 'STRING', 'x') },
        { method: 'PUT', path: `${client}${own}/3/attributes?pmin=1&pmax` },
        { method: 'POST', path: `${client}${own}/20`, body: "0='1'" },
        { method: 'POST', path: `${client}${own}/0/observe?format=SENML_JSON` },
        { method: 'DELETE', path: `${client}${own}/0/observe?active` },
        { method: 'DELETE', path: `${client}${typesPath}/77` },
      ];
      const streams = await Promise.all(
        [ours, theirs].map(({ base }) => InterfaceEvents.open(base, `?ep=${name}`)),
      );
      for (const step of steps) await alike(step);
      const [mine, their] = await Promise.all(
        streams.map(async (stream) => {
          const isFirst = ({ data }: InterfaceEvent): boolean =>
            data.code === 'GET' && data.incoming === false;
          // What was under way before may end behind it.
          const logged = () => {
            const all = stream.events.filter((event) => event.name === 'COAPLOG');
            const first = all.findIndex(isFirst);
            return first < 0 ? [] : all.slice(first);
          };
          await stream.until(() => logged().length === 2 * steps.length);
          stream.close();
          return logged().map(({ data: { options, ...data } }) => ({
            ...(normalised(data) as object),
            // By hash, in any order; and the number of a notification is the client's own.
            options: options
              ?.split(' - ')
              .map((option: string) => option.replace(/(Observe.*) \d{2,}$/, '$1 a number'))
              .sort(),
          }));
        }),
      );
      expect(mine).toEqual(their);
    });

    test('of the update with which a client tells of a new instance', async () => {
      const events = await eventsOf(
        () =>
          alike({
            method: 'POST',
            path: `${client}${typesPath}?format=TLV`,
            body: { resources: [node(1, 'INTEGER', '5')] },
          }),
        (event) => event.name === 'UPDATED',
      );
      expect(JSON.stringify(events)).toContain(`"url":"${typesPath}/1"`);
      await eventsOf(
        () => alike({ method: 'DELETE', path: `${client}${typesPath}/1` }),
        (event) => event.name === 'UPDATED',
      );
    });

    test('of an update, and of the end of its registration', async () => {
      const updated = await eventsOf(
        () => twins.update(),
        (event) => event.name === 'UPDATED',
      );
      expect(updated).toHaveLength(1);
      const gone = await eventsOf(
        () => twins.leave(),
        (event) => event.name === 'DEREGISTRATION',
        '',
      );
      expect(gone).toHaveLength(1);
      await alike(get('clients'));
      await alike(get(client));
    });
  });
}

describe.skipIf(!hasLeshan)('about our client, our server and one on the Leshan library say the same', () => {
  sameInterface(async (at) => {
    const both = await Promise.all(
      [at.ours, at.theirs].map((address) => TypesClient.start(`coap://${address}`, name, firstValues)),
    );
    return {
      set: (of) => {
        for (const device of both) {
          for (const [id, value] of Object.entries(of)) device.set(`${own}/${id}`, value);
        }
      },
      update: () => {
        for (const device of both) device.client.registration.update();
      },
      send: (format, paths) => {
        const id = { SENML_JSON: 110, SENML_CBOR: 112 }[format];
        for (const device of both) void device.client.send(paths, id);
      },
      leave: () => Promise.all(both.map((device) => device.close())),
      close: async () => undefined,
    };
  });
});

describe.skipIf(!hasLeshan)('about a client on the Leshan library they say the same', () => {
  sameInterface(async (at) => {
    const both = [at.ours, at.theirs].map((address) =>
      startLeshanClient({
        server: address,
        endpoint: name,
        lifetime: 60,
        sensorObject: 42_770,
        sensors: 1,
        types: allTypesFile(),
        values: firstValues,
      }),
    );
    await Promise.all(both.map((peer) => peer.until(({ event }) => event === 'registered')));
    const order = (line: string): void => {
      for (const peer of both) peer.order(line);
    };
    return {
      set: (of) => order(`set ${JSON.stringify(of)}`),
      update: () => order('update'),
      send: (format, paths) => order(`send ${format} ${paths.join(' ')}`),
      leave: async () => order('stop'),
      close: () => Promise.all(both.map((peer) => peer.stop('SIGKILL'))),
    };
  });
});

describe.skipIf(!hasLeshan)('about a client in queue mode they say the same', () => {
  const awake = 1_500;
  let both: readonly TypesClient[];
  const isQuiet = (event: InterfaceEvent): boolean => event.name === 'SLEEPING';

  beforeAll(async () => {
    await start(awake);
    const queueMode = { account: { queueMode: true } };
    both = await Promise.all(
      [coap.ours, coap.theirs].map((address) =>
        TypesClient.start(`coap://${address}`, name, firstValues, queueMode, { awakeTime: awake }),
      ),
    );
    await Promise.all(
      [ours, theirs].map(async ({ base }) => {
        const stream = await InterfaceEvents.open(base, `?ep=${name}`);
        await stream.until(isQuiet);
        stream.close();
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(both?.map((device) => device.close()) ?? []);
    await stop();
  });

  test('that it sleeps', async () => {
    await alike(get(client));
    await alike(get('clients'));
  });

  test.each([
    get(`${client}${own}/0?format=SENML_CBOR`),
    get(`${client}${own}/99?format=SENML_CBOR`),
    { method: 'PUT', path: `${client}${own}/0?format=SENML_CBOR`, body: node(0, 'STRING', 'late') },
    get(`${client}/composite?paths=${own}/0&pathformat=SENML_CBOR&nodeformat=SENML_CBOR`),
  ] as const)('that $method $path is delayed, and what comes of it when it wakes', async (step) => {
    const events = await eventsOf(async () => {
      await alike(step);
      for (const device of both) device.client.registration.update();
    }, isQuiet);
    expect(events.map((event) => event.name)).toEqual(
      expect.arrayContaining(['UPDATED', 'AWAKE', 'REQUEST_RESPONSE', 'SLEEPING']),
    );
  });
});

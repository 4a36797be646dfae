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
import {
  changes,
  client,
  get,
  isReadAlike,
  name,
  node,
  own,
  readings,
  refusals,
} from './leshan-interface-steps.ts';
import { buildLeshanPeers, hasLeshan, startLeshanClient, startLeshanReference } from './leshan-peers.ts';
import { TypesClient } from './types-client.ts';

// The same client is registered at both servers, ours and one on the Leshan library, and what one says to a request
// about it the other has to say too.

/** s; so long that no Update comes by itself meanwhile. */
const lifetime = 3600;

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

/**
 * The events that both tell while something happens, until both have told of the last. A client updates its
 * registration when it comes to it, after instances have come and gone: Updates count where they are asked for.
 */
async function eventsOf(
  act: () => unknown,
  last: (event: InterfaceEvent) => boolean,
  query = `?ep=${name}`,
  passedOver: readonly string[] = ['COAPLOG', 'UPDATED'],
): Promise<readonly InterfaceEvent[]> {
  const streams = await Promise.all([ours, theirs].map(({ base }) => InterfaceEvents.open(base, query)));
  try {
    await act();
    await Promise.all(streams.map((stream) => stream.until(last)));
    const [mine = [], their = []] = streams.map(({ events }) =>
      events
        .filter((event) => event === events.find(last) || !passedOver.includes(event.name))
        .map((event) => ({ name: event.name, data: normalised(event.data) })),
    );
    expect(mine).toEqual(their);
    return mine;
  } finally {
    for (const stream of streams) stream.close();
  }
}

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
    // Theirs is open without security alone, ours over DTLS as well.
    const [plain, secured, ...more] = shape(mine as Endpoints);
    expect([plain]).toEqual(shape(their as Endpoints));
    expect(secured).toEqual({ ...plain, scheme: 'coaps' });
    expect(more).toEqual([]);
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

    test('of the updates with which a client tells of a new instance, and of its end', async () => {
      const listed = ({ name: event, data }: InterfaceEvent): boolean | undefined =>
        event === 'UPDATED'
          ? data.update.objectLinks?.some((link: { url: string }) => link.url === `${typesPath}/1`)
          : undefined;
      const body = { resources: [node(1, 'INTEGER', '5')] };
      await eventsOf(
        () => alike({ method: 'POST', path: `${client}${typesPath}?format=TLV`, body }),
        (event) => listed(event) === true,
      );
      await eventsOf(
        () => alike({ method: 'DELETE', path: `${client}${typesPath}/1` }),
        (event) => listed(event) === false,
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
      [at.ours, at.theirs].map((address) =>
        TypesClient.start(`coap://${address}`, name, firstValues, { account: { lifetime } }),
      ),
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
        lifetime,
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
    const queueMode = { account: { lifetime, queueMode: true } };
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
    const events = await eventsOf(
      async () => {
        await alike(step);
        for (const device of both) device.client.registration.update();
      },
      isQuiet,
      undefined,
      ['COAPLOG'],
    );
    expect(events.map((event) => event.name)).toEqual(
      expect.arrayContaining(['UPDATED', 'AWAKE', 'REQUEST_RESPONSE', 'SLEEPING']),
    );
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonLine, JsonLinesProcess } from '../support/json-lines-process.ts';
import { allTypesFile, byPath, firstValues, otherValues, typesPath } from './all-types.ts';
import { buildLeshanPeers, hasLeshan, startLeshanServer } from './leshan-peers.ts';
import { TypesClient } from './types-client.ts';

const treeFormats = ['TLV', 'JSON', 'SENML_JSON', 'SENML_CBOR'] as const;
/** Formats of single values (OMA-TS-LightweightM2M_Core §7.4). */
const plainFormats = ['TEXT', 'CBOR'] as const;
const singles = Object.keys(otherValues)
  .map(Number)
  .filter((id) => id < 10) as (keyof typeof otherValues)[];

/** Relative to a path, as the peer writes what is below a node. */
function below(path: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([each]) => each === path || each.startsWith(`${path}/`))
      .map(([each, value]) => [each.slice(path.length), value]),
  );
}

describe.skipIf(!hasLeshan)('our client, managed by a server on the Leshan library', () => {
  let server: JsonLinesProcess;
  let device: TypesClient;

  beforeAll(async () => {
    await buildLeshanPeers();
    server = startLeshanServer([allTypesFile()]);
    const { uri } = await server.until((line) => line.event === 'ready');
    device = await TypesClient.start(String(uri), 'types-at-leshan', firstValues);
    await server.until((line) => line.event === 'registered');
  });

  afterAll(async () => {
    await device?.close();
    await server?.stop('SIGKILL');
  });

  const order = async (line: string): Promise<JsonLine> => {
    server.order(line);
    return server.until((answer) => answer.event === 'answer' && answer.order === line, 30_000);
  };
  const notified = (isWanted: (line: JsonLine) => boolean): Promise<JsonLine> =>
    server.until((line) => line.event === 'notified' && isWanted(line), 30_000);
  const first = byPath(0, firstValues);

  describe('reads', () => {
    test.each(treeFormats)(
      'the object, an instance, a resource and a resource instance as %s',
      async (format) => {
        expect(await order(`read ${format} ${typesPath}`)).toMatchObject({
          code: 205,
          values: below(typesPath, first),
        });
        const instance = `${typesPath}/0`;
        const { values } = await order(`read ${format} ${instance}`);
        expect(values).toEqual(below(instance, first));
        for (const id of Object.keys(firstValues)) {
          const path = `${instance}/${id}`;
          const read = await order(`read ${format} ${path}`);
          expect(read, path).toMatchObject({ code: 205, values: below(path, first) });
        }
      },
    );

    test.each(['SENML_JSON', 'SENML_CBOR'])('each instance of a multiple resource as %s', async (format) => {
      for (const path of Object.keys(first).filter((each) => each.split('/').length === 5)) {
        expect(await order(`read ${format} ${path}`), path).toMatchObject({
          code: 205,
          values: { '': first[path] },
        });
      }
    });

    test.each(plainFormats)('each single value as %s', async (format) => {
      for (const id of singles) {
        const path = `${typesPath}/0/${id}`;
        // Opaque values have their own plain format; Leshan's CBOR has no links.
        if (format === 'TEXT' && id === 5) continue;
        const read = await order(`read ${format} ${path}`);
        expect(read, path).toMatchObject({ code: 205, values: { '': first[path] } });
      }
    });

    test('an opaque value as it is', async () => {
      expect(await order(`read OPAQUE ${typesPath}/0/5`)).toMatchObject({
        code: 205,
        values: { '': '00ff10' },
      });
    });

    test('what is not there: 4.04; what only can be written: 4.05; what a format cannot carry: 4.06', async () => {
      expect(await order(`read TLV ${typesPath}/9`)).toMatchObject({ code: 404 });
      expect(await order(`read TLV ${typesPath}/0/22`)).toMatchObject({ code: 405 });
      expect(await order(`read TEXT ${typesPath}/0`)).toMatchObject({ code: 406 });
    });
  });

  describe('writes', () => {
    test.each(treeFormats)('some resources of an instance, keeping the others, as %s', async (format) => {
      expect(
        await order(`write UPDATE ${format} ${typesPath}/0 ${JSON.stringify(otherValues)}`),
      ).toMatchObject({ code: 204 });
      const { values } = await order(`read SENML_CBOR ${typesPath}/0`);
      expect(values).toMatchObject(below(`${typesPath}/0`, byPath(0, otherValues)));
      expect(values).toMatchObject({ '/21': 'fixed' });
      await restore();
    });

    test.each(treeFormats)('each resource as %s', async (format) => {
      for (const [id, value] of Object.entries(otherValues)) {
        const path = `${typesPath}/0/${id}`;
        const written = await order(`write REPLACE ${format} ${path} ${JSON.stringify(value)}`);
        expect(written, path).toMatchObject({ code: 204 });
        const { values } = await order(`read SENML_CBOR ${path}`);
        expect(values, path).toEqual(below(path, byPath(0, otherValues)));
      }
      await restore();
    });

    test.each(plainFormats)('each single resource as %s', async (format) => {
      for (const id of singles) {
        const path = `${typesPath}/0/${id}`;
        if (format === 'TEXT' && id === 5) continue;
        const written = await order(`write REPLACE ${format} ${path} ${JSON.stringify(otherValues[id])}`);
        expect(written, path).toMatchObject({ code: 204 });
        const { values } = await order(`read SENML_CBOR ${path}`);
        expect(values, path).toEqual({ '': otherValues[id] });
      }
      await restore();
    });

    test('an opaque resource as it is', async () => {
      expect(await order(`write REPLACE OPAQUE ${typesPath}/0/5 "a1b2"`)).toMatchObject({ code: 204 });
      expect(await order(`read OPAQUE ${typesPath}/0/5`)).toMatchObject({ values: { '': 'a1b2' } });
      await restore();
    });

    test.each(['SENML_JSON', 'SENML_CBOR', 'TEXT'])(
      'an instance of a multiple resource as %s',
      async (format) => {
        expect(await order(`write REPLACE ${format} ${typesPath}/0/10/7 "${format}"`)).toMatchObject({
          code: 204,
        });
        const { values } = await order(`read SENML_CBOR ${typesPath}/0/10`);
        expect(values).toEqual({ '/0': 'one', '/7': format, '/65534': 'three' });
        await restore();
      },
    );

    test('what only can be read: 4.05', async () => {
      expect(await order(`write REPLACE TEXT ${typesPath}/0/21 "other"`)).toMatchObject({ code: 405 });
    });

    async function restore(): Promise<void> {
      const { 21: _, ...writable } = firstValues;
      for (const [id, value] of Object.entries(writable)) {
        const line = `write REPLACE SENML_CBOR ${typesPath}/0/${id} ${JSON.stringify(value)}`;
        expect(await order(line)).toMatchObject({ code: 204 });
      }
    }
  });

  describe('creates and deletes', () => {
    // The library has no other format for this: all others name the instance.
    test('an instance whose id the client chooses, as TLV', async () => {
      const created = await order(`create TLV ${typesPath} ${JSON.stringify({ 1: 5, 10: { 0: 'a' } })}`);
      expect(created).toMatchObject({ code: 201, location: `${typesPath.slice(1)}/1` });
      const { values } = await order(`read SENML_CBOR ${typesPath}/1`);
      expect(values).toEqual({ '/1': 5, '/10/0': 'a' });
      expect(await order(`delete ${typesPath}/1`)).toMatchObject({ code: 202 });
      expect(await order(`read SENML_CBOR ${typesPath}/1`)).toMatchObject({ code: 404 });
    });

    test.each(treeFormats)('an instance whose id the server chooses, as %s', async (format) => {
      const created = await order(`create ${format} ${typesPath}/33 ${JSON.stringify({ 0: 'x' })}`);
      expect(created).toMatchObject({ code: 201 });
      expect(await order(`read SENML_CBOR ${typesPath}/33/0`)).toMatchObject({ values: { '': 'x' } });
      expect(await order(`delete ${typesPath}/33`)).toMatchObject({ code: 202 });
    });

    test('and hears of them by an Update of the registration', async () => {
      // Before or after the answer to the order.
      const listed = (): unknown => {
        const updates = server.said().match(/\{"event":"updated".*\}/g) ?? [];
        return (JSON.parse(updates.at(-1) ?? '{}') as { instances?: string[] }).instances;
      };
      await order(`create SENML_CBOR ${typesPath}/44 {"0":"x"}`);
      await expect.poll(listed, { timeout: 30_000 }).toContain(`${typesPath}/44`);
      await order(`delete ${typesPath}/44`);
      await expect.poll(listed, { timeout: 30_000 }).not.toContain(`${typesPath}/44`);
    });
  });

  test('executes with arguments and without', async () => {
    expect(await order(`execute ${typesPath}/0/20`)).toMatchObject({ code: 204 });
    expect(await order(`execute ${typesPath}/0/20 0='1',3`)).toMatchObject({ code: 204 });
    expect(device.happened.filter(({ event }) => event === 'executed').map(({ detail }) => detail)).toEqual([
      [],
      [
        [0, '1'],
        [3, undefined],
      ],
    ]);
    expect(await order(`execute ${typesPath}/0/1`)).toMatchObject({ code: 405 });
  });

  test('writes attributes, and discovers them', async () => {
    expect(await order(`attributes ${typesPath}/0/3 pmin=0&pmax=30&gt=9.5&lt=-1&st=0.5`)).toMatchObject({
      code: 204,
    });
    const { links } = await order(`discover ${typesPath}/0`);
    expect(links).toEqual(expect.arrayContaining([expect.stringContaining(`<${typesPath}/0/1>`)]));
    const own = (links as string[]).find((link) => link.startsWith(`<${typesPath}/0/3>`)) ?? '';
    expect(own.split(';').slice(1).toSorted()).toEqual(['gt=9.5', 'lt=-1', 'pmax=30', 'pmin=0', 'st=0.5']);
    const { links: single } = await order(`discover ${typesPath}/0/10`);
    expect(single).toEqual(expect.arrayContaining([expect.stringContaining('dim=3')]));
    expect(await order(`attributes ${typesPath}/0/3 pmin&pmax&gt&lt&st`)).toMatchObject({ code: 204 });
    const { links: bare } = await order(`discover ${typesPath}/0/3`);
    expect(bare).toEqual([`<${typesPath}/0/3>`]);
  });

  describe('observes', () => {
    test.each([...treeFormats, ...plainFormats])(
      'a resource as %s, until it says no more',
      async (format) => {
        const path = `${typesPath}/0/1`;
        device.set(path, 1);
        expect(await order(`observe ${format} ${path}`)).toMatchObject({ code: 205, values: { '': 1 } });
        device.set(path, 2);
        await notified((line) => line.path === path && (line.values as Record<string, unknown>)[''] === 2);
        expect(await order(`cancel ${path}`)).toMatchObject({ code: 205 });
        expect(device.client.observations).toBe(0);
      },
    );

    test.each(treeFormats)(
      'an instance as %s, and forgets it: its next notification is reset',
      async (format) => {
        const path = `${typesPath}/0`;
        expect(await order(`observe ${format} ${path}`)).toMatchObject({ code: 205 });
        device.set(`${path}/0`, `as ${format}`);
        await notified(
          (line) => line.path === path && (line.values as Record<string, unknown>)['/0'] === `as ${format}`,
        );
        await order(`forget ${path}`);
        device.set(`${path}/0`, 'nobody hears');
        await expect.poll(() => device.client.observations).toBe(0);
      },
    );
  });

  const senmlPairs = [
    ['SENML_JSON', 'SENML_JSON'],
    ['SENML_CBOR', 'SENML_CBOR'],
    ['SENML_JSON', 'SENML_CBOR'],
  ] as const;

  describe('composite operations', () => {
    const own = `${typesPath}/0`;

    test.each(senmlPairs)(
      'read what is there of several paths, asked in %s, answered in %s',
      async (asked, answered) => {
        const absent = `${typesPath}/7/0`;
        const line = `read-composite ${asked} ${answered} ${own}/2 /3/0/0 ${own}/10 ${own}/11/3 ${absent}`;
        const { code, values } = await order(line);
        expect(code).toBe(205);
        expect(values).toMatchObject({
          [`${own}/2`]: firstValues[2],
          '/3/0/0': 'Simyard',
          [`${own}/11/3`]: 4_294_967_296,
        });
        expect(values).toMatchObject({ [`${own}/10/0`]: 'one', [`${own}/10/65534`]: 'three' });
      },
    );

    test.each(['SENML_JSON', 'SENML_CBOR'])(
      'write to several objects as %s, all or nothing',
      async (format) => {
        const changes = { [`${own}/1`]: 11, [`${own}/0`]: format, '/3/0/15': 'Asia/Kolkata' };
        expect(await order(`write-composite ${format} ${JSON.stringify(changes)}`)).toMatchObject({
          code: 204,
        });
        const read = `read-composite SENML_CBOR SENML_CBOR ${Object.keys(changes).join(' ')}`;
        expect((await order(read)).values).toEqual(changes);
        const half = { [`${own}/1`]: 12, [`${own}/21`]: 'can only be read' };
        expect(await order(`write-composite ${format} ${JSON.stringify(half)}`)).toMatchObject({ code: 405 });
        expect((await order(read)).values).toEqual(changes);
      },
    );

    test.each(senmlPairs)(
      'observe, asked in %s, answered in %s, until told to stop',
      async (asked, answered) => {
        const paths = `${own}/1 ${own}/3`;
        device.set(`${own}/1`, 1);
        const observed = await order(`observe-composite ${asked} ${answered} ${paths}`);
        expect(observed).toMatchObject({ code: 205, values: { [`${own}/1`]: 1 } });
        device.set(`${own}/1`, 2);
        const told = await notified(
          ({ paths: of }) => JSON.stringify(of) === JSON.stringify(paths.split(' ')),
        );
        expect(told.values).toMatchObject({ [`${own}/1`]: 2, [`${own}/3`]: expect.any(Number) });
        expect(await order(`cancel-composite ${paths}`)).toMatchObject({ code: 205 });
        expect(device.client.observations).toBe(0);
      },
    );

    test('end when the server forgets them and resets a notification', async () => {
      const paths = `${own}/1 /3/0/15`;
      expect(await order(`observe-composite SENML_CBOR SENML_CBOR ${paths}`)).toMatchObject({ code: 205 });
      await order(`forget ${paths}`);
      device.set(`${own}/1`, 77);
      await expect.poll(() => device.client.observations).toBe(0);
    });
  });

  test.each([
    ['SENML_JSON', 110],
    ['SENML_CBOR', 112],
  ])('sends what it is told to, as %s, and the server has every value', async (_, format) => {
    const [outcome] = await device.client.send([`${typesPath}/0`, '/3/0/0'], format);
    expect(outcome).toMatchObject({ result: 'accepted' });
    const sent = await server.until((line) => line.event === 'sent', 30_000);
    expect(sent.format).toBe(format);
    const { 0: _text, 1: _integer, ...rest } = firstValues;
    expect(sent.values).toMatchObject({ ...byPath(0, rest), '/3/0/0': 'Simyard' });
  });
});

describe.skipIf(!hasLeshan)('our client in queue mode, at a server on the Leshan library', () => {
  const awake = 1_500;
  let server: JsonLinesProcess;
  let device: TypesClient;

  beforeAll(async () => {
    await buildLeshanPeers();
    server = startLeshanServer([allTypesFile()], awake);
    const { uri } = await server.until((line) => line.event === 'ready');
    device = await TypesClient.start(
      String(uri),
      'sleeper-at-leshan',
      firstValues,
      { account: { queueMode: true } },
      { awakeTime: awake },
    );
  });
  afterAll(async () => {
    await device?.close();
    await server?.stop('SIGKILL');
  });

  test('says so, sleeps, and is managed when it speaks again', async () => {
    expect(await server.until((line) => line.event === 'registered')).toMatchObject({ queueMode: true });
    await server.until((line) => line.event === 'sleeping');
    await expect.poll(() => device.client.isAwake, { timeout: 10_000 }).toBe(false);
    const early = `read SENML_CBOR ${typesPath}/0/1`;
    server.order(early);
    const refused = await server.until((line) => line.event === 'answer');
    expect(String(refused.code)).toContain('ClientSleepingException');
    device.client.registration.update();
    await server.until((line) => line.event === 'awake');
    server.order(early);
    expect(await server.until((line) => line.event === 'answer')).toMatchObject({ code: 205 });
  });
});

describe.skipIf(!hasLeshan)('our client that speaks 1.0, at a server on the Leshan library', () => {
  test('registers as such, and answers in TLV where no format is asked for', async () => {
    await buildLeshanPeers();
    const server = startLeshanServer([allTypesFile()]);
    const { uri } = await server.until((line) => line.event === 'ready');
    const device = await TypesClient.start(String(uri), 'old-at-leshan', firstValues, { version: '1.0' });
    try {
      expect(await server.until((line) => line.event === 'registered')).toMatchObject({ version: '1.0' });
      server.order(`read TLV ${typesPath}/0/10`);
      expect(await server.until((line) => line.event === 'answer')).toMatchObject({
        code: 205,
        values: { '/0': 'one', '/7': 'two', '/65534': 'three' },
      });
    } finally {
      await device.close();
      await server.stop('SIGKILL');
    }
  });
});

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../../scripts/root.ts';
import { type JsonLine, JsonLinesProcess } from '../support/json-lines-process.ts';
import { buildLeshanPeers, hasLeshan, startLeshanServer } from './leshan-peers.ts';

const carrier = '/42769/0';
const sensor = '/42770/0';

// One life of our modem at a server on the Leshan library, which knows our objects by their published XML only.
describe.skipIf(!hasLeshan)('our modem at a server on the Leshan library', () => {
  let server: JsonLinesProcess;
  let modem: JsonLinesProcess;

  beforeAll(async () => {
    await buildLeshanPeers();
    server = startLeshanServer(['42769', '42770'].map((id) => join(root, 'objects/oma', `${id}.xml`)));
    const { uri } = await server.until((line) => line.event === 'ready');
    modem = new JsonLinesProcess(process.execPath, [
      join(root, 'client/main.ts'),
      ...[
        '--server',
        String(uri),
        '--endpoint',
        'modem-at-leshan',
        '--state',
        ':memory:',
        '--lifetime',
        '60',
      ],
    ]);
  });

  afterAll(async () => {
    await modem?.stop('SIGKILL');
    await server?.stop('SIGKILL');
  });

  const order = async (line: string): Promise<JsonLine> => {
    server.order(line);
    return server.until((answer) => answer.event === 'answer' && answer.order === line);
  };

  test('registers, with the objects that it has', async () => {
    const registered = await server.until((line) => line.event === 'registered');
    expect(registered).toMatchObject({ endpoint: 'modem-at-leshan', version: '1.1', lifetime: 60 });
    expect(String(registered.objects).split(' ')).toEqual(
      expect.arrayContaining(['1', '3', '4', '42769', '42770']),
    );
  });

  test.each(['TLV', 'SENML_JSON', 'SENML_CBOR'])('is read as %s', async (format) => {
    const device = await order(`read ${format} /3/0`);
    expect(device, modem.said()).toMatchObject({ code: 205, values: { '/0': 'Simyard' } });
    const slot = await order(`read ${format} ${carrier}`);
    expect(slot).toMatchObject({
      code: 205,
      values: { '/0': 'AT&T', '/1/0': 'AT&T', '/1/1': 'T-Mobile', '/1/2': 'Verizon', '/4': 0 },
    });
    const sensors = await order(`read ${format} /42770`);
    expect(sensors).toMatchObject({
      code: 205,
      values: { '/0/6': expect.any(String), '/2/1': expect.any(String) },
    });
  });

  test('is discovered', async () => {
    expect(await order('discover /3')).toMatchObject({ code: 205 });
  });

  test('takes a Write, and refuses one of what can only be read', async () => {
    expect(await order(`write REPLACE TEXT ${sensor}/7 50000`)).toMatchObject({ code: 204 });
    expect(await order(`read TEXT ${sensor}/7`)).toMatchObject({ code: 205, values: { '': 50_000 } });
    expect(await order(`write REPLACE TEXT ${carrier}/4 2`)).toMatchObject({ code: 405 });
  });

  test('notifies readings in packs with the time of each', async () => {
    expect(await order(`observe SENML_CBOR ${sensor}/2`)).toMatchObject({ code: 205 });
    const before = Date.now();
    const pack = await server.until(
      (line) => line.event === 'notified' && line.path === `${sensor}/2` && Number(line.samples) > 1,
    );
    expect(Math.abs(Number(pack.newest) - before)).toBeLessThan(30_000);
  });

  test('switches its carrier, and notifies what the card is then', async () => {
    const { values: first } = await order(`read SENML_CBOR ${carrier}`);
    expect(await order(`observe SENML_CBOR ${carrier}`)).toMatchObject({ code: 205 });
    expect(await order(`execute ${carrier}/3 0='1',1='1'`)).toMatchObject({ code: 204 });
    const done = await server.until(
      (line) => line.event === 'notified' && (line.values as Record<string, unknown>)?.['/4'] === 2,
    );
    expect(done.values).toMatchObject({ '/0': 'T-Mobile', '/5': 0, '/10': 1 });
    const iccid = (values: unknown): unknown => (values as Record<string, unknown>)['/7'];
    expect(iccid(done.values)).toMatch(/^89\d{17,18}$/);
    expect(iccid(done.values)).not.toBe(iccid(first));
  });

  test('refuses a carrier that the card does not have, and an old command', async () => {
    expect(await order(`execute ${carrier}/3 0='9',1='2'`)).toMatchObject({ code: 400 });
    expect(await order(`execute ${carrier}/3 0='2',1='0'`)).toMatchObject({ code: 409 });
  });

  test('deregisters when it ends', async () => {
    expect(await modem.stop('SIGTERM'), modem.said()).toBe('exit code 0');
    const gone = await server.until((line) => line.event === 'deregistered');
    expect(gone).toMatchObject({ endpoint: 'modem-at-leshan', expired: false });
  });
});

describe.skipIf(!hasLeshan)('our modem that sends by itself, to a server on the Leshan library', () => {
  test('sends packs of readings that nobody observes, each with its time', async () => {
    await buildLeshanPeers();
    const server = startLeshanServer(['42769', '42770'].map((id) => join(root, 'objects/oma', `${id}.xml`)));
    const { uri } = await server.until((line) => line.event === 'ready');
    const flags = ['--endpoint', 'sender-at-leshan', '--state', ':memory:', '--report', 'send'];
    const modem = new JsonLinesProcess(process.execPath, [
      join(root, 'client/main.ts'),
      ...['--server', String(uri), ...flags],
    ]);
    try {
      const pack = await server.until((line) => line.event === 'sent' && times(line).length > 1);
      expect(pack).toMatchObject({ format: 112 });
      for (const time of times(pack)) expect(Math.abs(time - Date.now())).toBeLessThan(30_000);
      for (const values of Object.values(pack.samples as Record<string, object>)) {
        for (const path of Object.keys(values)) expect(path).toMatch(/^\/42770\/\d+\/2$/);
      }
    } finally {
      await modem.stop('SIGKILL');
      await server.stop('SIGKILL');
    }
  });

  const times = (line: JsonLine): number[] => Object.keys(line.samples as object).map(Number);
});

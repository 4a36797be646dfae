import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePackage } from '../../../client/modem/firmware/package.ts';
import { createObjectRegistry, standardObjects } from '../../../objects/registry.ts';
import { toOmaXml } from '../../../objects/to-oma-xml.ts';
import { root } from '../../../scripts/root.ts';
import { type JsonLine, JsonLinesProcess } from '../support/json-lines-process.ts';
import { buildLeshanPeers, hasLeshan, startLeshanServer } from './leshan-peers.ts';

const registry = createObjectRegistry(standardObjects());

// The standard objects of our modem at a server on the Leshan library.
describe.skipIf(!hasLeshan)('the standard objects of our modem at a server on the Leshan library', () => {
  let folder: string;
  let server: JsonLinesProcess;
  let modem: JsonLinesProcess;
  let packages: Server;
  let packageUri: string;

  beforeAll(async () => {
    await buildLeshanPeers();
    folder = mkdtempSync(join(tmpdir(), 'simyard-leshan-'));
    const models = [3, 4, 5, 10, 11, 13, 16, 19, 20].map((id) => {
      const definition = registry.object(id);
      if (definition === undefined) throw new Error(`object ${id}`);
      const file = join(folder, `${id}.xml`);
      writeFileSync(file, toOmaXml(definition));
      return file;
    });
    const firmware = encodePackage(
      { name: 'simyard-modem', version: '4.2.0', minimumHardware: undefined },
      new Uint8Array(200_000),
    );
    packages = createServer((_request, response) => response.setHeader('ETag', '"1"').end(firmware));
    packages.listen(0, '127.0.0.1');
    await once(packages, 'listening');
    packageUri = `http://127.0.0.1:${(packages.address() as AddressInfo).port}/fw`;
    server = startLeshanServer(models);
    const { uri } = await server.until((line) => line.event === 'ready');
    const flags = ['--endpoint', 'modem', '--state', join(folder, 'state')];
    modem = new JsonLinesProcess(process.execPath, [
      join(root, 'client/main.ts'),
      ...['--server', String(uri), ...flags, '--rate', 'imu=0,gyro=0,temperature=0'],
    ]);
    await server.until((line) => line.event === 'registered');
  });

  afterAll(async () => {
    await modem?.stop('SIGKILL');
    await server?.stop('SIGKILL');
    packages?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const order = async (line: string): Promise<JsonLine> => {
    server.order(line);
    return server.until((answer) => answer.event === 'answer' && answer.order === line);
  };

  test.each(['TLV', 'SENML_JSON', 'SENML_CBOR'])('are read as %s', async (format) => {
    for (const [path, values] of [
      ['/3/0', { '/0': 'Simyard', '/11/0': 0 }],
      ['/4/0', { '/0': 6, '/9': 410, '/10': 310 }],
      ['/5/0', { '/3': 0, '/5': 0, '/9': 2 }],
      ['/6/0', { '/0': expect.any(Number), '/1': expect.any(Number) }],
      ['/7/0', { '/8': 0 }],
      ['/10/0', { '/12': 3 }],
      ['/11/0', { '/0': 'default' }],
      ['/13/0', { '/6': '' }],
      ['/16/0', { '/0/1': 'Simyard' }],
      ['/20/0', { '/4010': 0 }],
    ] as const) {
      expect(await order(`read ${format} ${path}`), path).toMatchObject({ code: 205, values });
    }
  });

  test('take what may be written, and decline the rest (ETS 651)', async () => {
    expect(await order('write REPLACE TEXT /3/0/15 "Europe/Berlin"')).toMatchObject({ code: 204 });
    expect(await order('read TEXT /3/0/15')).toMatchObject({ values: { '': 'Europe/Berlin' } });
    expect(await order('write REPLACE TEXT /3/0/15 "Nowhere"')).toMatchObject({ code: 400 });
    expect(await order('write REPLACE TEXT /11/0/1 "broadband"')).toMatchObject({ code: 204 });
  });

  test('update the firmware from a URI: observed, executed, registered with the new version (ETS 771)', async () => {
    expect(await order('observe TEXT /5/0/3')).toMatchObject({ code: 205 });
    expect(await order(`write REPLACE TEXT /5/0/1 "${packageUri}"`)).toMatchObject({ code: 204 });
    await server.until(
      (line) => line.event === 'notified' && line.path === '/5/0/3' && JSON.stringify(line).includes('2'),
    );
    expect(await order('read TLV /5/0')).toMatchObject({ values: { '/3': 2, '/5': 0, '/7': '4.2.0' } });
    expect(await order('execute /5/0/2')).toMatchObject({ code: 204 });
    await server.until((line) => line.event === 'registered');
    expect(await order('read TEXT /3/0/3')).toMatchObject({ values: { '': '4.2.0' } });
    expect(await order('read TEXT /5/0/5')).toMatchObject({ values: { '': 1 } });
  });
});

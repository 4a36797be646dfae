import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodePackage } from '../../../client/modem/firmware/package.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { ManagedModem, serverAddress } from '../../integration/conformance/managed-modem.ts';
import { pcapOf } from './pcap.ts';

interface Dissected {
  readonly protocols: string;
  readonly code: string;
  readonly path: string;
  readonly contentFormat: string;
  readonly malformed: string;
  readonly severity: string;
  readonly expert: string;
}

const fields: Readonly<Record<keyof Dissected, string>> = {
  protocols: 'frame.protocols',
  code: 'coap.code',
  path: 'coap.opt.uri_path',
  contentFormat: 'coap.opt.ctype',
  malformed: '_ws.malformed',
  severity: '_ws.expert.severity',
  expert: '_ws.expert.message',
};

/** PI_WARN of Wireshark's epan/proto.h. */
const warning = 0x600000;

// The life of our modem at our server, with every operation and format, as Wireshark reads it.
describe.skipIf(!isInstalled('tshark'))(
  "Wireshark's dissector, on every operation of our server and our modem",
  () => {
    let folder: string;
    let read: readonly Dissected[];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'simyard-pcap-'));
      const { datagrams, directions } = await life();
      const file = join(folder, 'life.pcap');
      writeFileSync(file, pcapOf(datagrams, directions));
      const names = Object.values(fields).flatMap((field) => ['-e', field]);
      const format = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=,'];
      const { code, output } = await runToEnd('tshark', ['-r', file, ...format, ...names]);
      if (code !== 0) throw new Error(output);
      read = output
        .split('\n')
        .filter((line) => line.includes('\t'))
        .map((line) => {
          const columns = line.split('\t');
          return Object.fromEntries(
            Object.keys(fields).map((name, at) => [name, columns[at] ?? '']),
          ) as unknown as Dissected;
        });
      expect(read).toHaveLength(datagrams.length);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    test('takes every datagram for CoAP, and knows each method and code', () => {
      for (const each of read) expect(each.protocols).toMatch(/^raw:ip:udp:coap/);
      const codes = new Set(read.map(({ code }) => Number(code)));
      // GET, POST, PUT, DELETE, FETCH, iPATCH; 2.01, 2.02, 2.04, 2.05, 2.31, 4.00, 4.04, 4.05.
      for (const code of [1, 2, 3, 4, 5, 7, 65, 66, 68, 69, 95, 128, 132, 133]) {
        expect(codes, String(code)).toContain(code);
      }
    });

    test('finds nothing malformed, and nothing to warn of', () => {
      expect(read.filter(({ malformed }) => malformed !== '')).toEqual([]);
      // Below a warning there is one note that it may make: that a message was retransmitted, as CoAP has it.
      const isBad = ({ severity, expert }: Dissected): boolean =>
        severity.split(',').some((each) => Number(each) >= warning) ||
        expert.split(',').some((each) => each !== '' && each !== 'Retransmitted');
      expect(read.filter(isBad)).toEqual([]);
    });

    test('sees Send, composite operations and blocks for what they are', () => {
      const paths = read.map(({ code, path }) => `${code} ${path}`);
      expect(paths).toContain('2 dp');
      expect(paths.filter((each) => each === '3 5,0,0').length).toBeGreaterThan(3);
      const formats = new Set(read.map(({ contentFormat }) => contentFormat));
      for (const format of ['application/senml+json', 'application/senml+cbor', 'application/link-format']) {
        expect(formats).toContain(format);
      }
    });
  },
);

async function life(): Promise<{ datagrams: Uint8Array[]; directions: ('up' | 'down')[] }> {
  const managed = await ManagedModem.open({
    server: { version: '1.2' },
    rates: { imu: 0, gyro: 0, temperature: 2 },
  });
  const done = async (method: string, path: string, body?: unknown): Promise<void> => {
    const answer = await managed.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  };
  try {
    for (const format of ['TLV', 'JSON', 'SENML_JSON', 'SENML_CBOR', 'LWM2M_CBOR']) {
      await done('GET', `/objects/3/0?format=${format}`);
      await done('PUT', `/objects/1/0?mode=update&format=${format}`, { values: { 2: 0, 3: 0, 5: 600 } });
      await done('POST', `/objects/16?format=${format}`, { values: { '0/0': format } });
    }
    for (const format of ['TEXT', 'CBOR']) {
      await done('GET', `/objects/3/0/9?format=${format}`);
      await done('PUT', `/objects/1/0/5?format=${format}`, { value: 700 });
    }
    for (const format of ['SENML_JSON', 'SENML_CBOR', 'SENML_ETCH_JSON', 'SENML_ETCH_CBOR', 'LWM2M_CBOR']) {
      await done('GET', `/composite?paths=/3/0,/1/0/1&format=${format}`);
      await done('PUT', `/composite?format=${format}`, { values: { '/1/0/5': 800, '/3/0/14': '+01:00' } });
      await done('POST', `/composite-observations?paths=/3/0/14,/1/0/5&format=${format}`);
      await done('PUT', '/objects/1/0/5', { value: 900 });
      await managed.quiet();
      await done('DELETE', '/composite-observations?paths=/3/0/14,/1/0/5&active=true');
    }
    for (const format of [110, 112, 11_544])
      await managed.world.wait(managed.modem.client.send(['/3/0'], format));
    await done('GET', '/discover/3?depth=2');
    await done('PUT', '/attributes/3/0/9', { pmin: 1, pmax: 60, gt: 5.5, lt: -1, st: 0.25 });
    await done('POST', '/observations/3/0/15', { attributes: { pmin: 0, pmax: 60 } });
    await done('PUT', '/objects/3/0/15', { value: 'Asia/Tokyo' });
    await managed.quiet();
    await done('DELETE', '/observations/3/0/15');
    await done('PUT', '/objects/3/0/15', { value: 'Europe/Paris' });
    await managed.quiet();
    const firmware = encodePackage(
      { name: 'modem', version: '2.0.0', minimumHardware: undefined },
      new Uint8Array(5_000).fill(7),
    );
    await done('PUT', '/objects/5/0/0?format=OPAQUE', { value: Buffer.from(firmware).toString('hex') });
    await done('POST', '/objects/3/0/12');
    await done('DELETE', '/objects/16/1');
    // What it refuses is answered in form, too.
    await managed.call('GET', '/objects/3/0/99');
    await managed.call('GET', '/objects/3/0/4');
    await managed.call('PUT', '/objects/3/0/15', { value: 'Mars/Olympus' });
    await done('POST', '/server/update-trigger');
    await done('POST', '/server/disable', { seconds: 5 });
    await managed.world.pass(10_000);
    await managed.registered();
    const { log } = managed.world.link;
    return {
      datagrams: log.map(({ data }) => data),
      directions: log.map(({ from }) => (from === serverAddress ? 'down' : 'up')),
    };
  } finally {
    await managed.close();
  }
}

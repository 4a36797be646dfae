import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeMessage } from '../../../protocol/coap/codec.ts';
import { Code, MessageType } from '../../../protocol/coap/message.ts';
import { pathOptions } from '../../../protocol/coap/options.ts';
import { cipherSuites } from '../../../protocol/dtls/crypto/cipher-suites.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { DtlsWorld, KEY, SERVER } from '../../support/dtls/dtls-world.ts';
import { type Direction, pcapOf } from '../tshark/pcap.ts';

const DEVICE = '198.51.100.1:40000';
const request = encodeMessage({
  type: MessageType.CON,
  code: Code.GET,
  messageId: 0x1234,
  token: Uint8Array.of(1, 2, 3, 4),
  options: pathOptions('/hello'),
  payload: new Uint8Array(0),
});

// Wireshark decrypts what we write, with the key alone: an opinion on our handshakes and records by others.
describe.skipIf(!isInstalled('tshark'))('Wireshark', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simyard-dtls-pcap-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A handshake, a request that is given back, and a move to another address. */
  async function record(suite: number, connectionId: Uint8Array | null): Promise<string> {
    const world = new DtlsWorld();
    world.link.recording = true;
    const server = world.server();
    server.echo = false;
    server.port.onDatagram((data, peer) => server.port.send(data, peer));
    const client = world.client(DEVICE, { suites: [suite], connectionId });
    for (let n = 0; n < 2; n++) {
      client.port.send(request, SERVER);
      await world.clock.run(1_000);
    }
    expect(client.received).toHaveLength(2);
    const file = join(folder, 'dtls.pcap');
    const directions = world.link.log.map(({ to }): Direction => (to === SERVER ? 'up' : 'down'));
    await writeFile(
      file,
      pcapOf(
        world.link.log.map(({ data }) => data),
        directions,
      ),
    );
    return file;
  }

  async function dissect(file: string, ...fields: string[]): Promise<string[][]> {
    const { code, output } = await runToEnd('tshark', [
      ...['-r', file, '-d', 'udp.port==5683,dtls', '-o', `dtls.psk:${Buffer.from(KEY).toString('hex')}`],
      ...['-T', 'fields', '-E', 'separator=/t', '-E', 'aggregator=,'],
      ...fields.flatMap((field) => ['-e', field]),
    ]);
    if (code !== 0) throw new Error(output);
    return output
      .split('\n')
      .filter((line) => line.includes('\t'))
      .map((line) => line.split('\t'));
  }

  const withPsk = cipherSuites.filter(({ keyExchange }) => keyExchange === 'psk');

  test.each(withPsk)('decrypts $name', async ({ id }) => {
    const file = await record(id, null);
    const rows = await dissect(file, 'dtls.handshake.type', 'dtls.handshake.ciphersuite', '_ws.malformed');
    expect(rows.map(([types]) => types).slice(0, 4)).toEqual(['1', '3', '1', '2,14']);
    expect(rows.map(([, , malformed]) => malformed).join('')).toBe('');
    const { output } = await runToEnd('tshark', [
      ...['-r', file, '-d', 'udp.port==5683,dtls', '-o', `dtls.psk:${Buffer.from(KEY).toString('hex')}`],
      ...['-x'],
    ]);
    expect(output.match(/Decrypted DTLS/g)?.length).toBeGreaterThanOrEqual(4);
    expect(output).toContain('hello');
  });

  test.each([
    ['of the server alone', new Uint8Array(0)],
    ['of both sides', Uint8Array.of(0xaa, 0xbb, 0xcc)],
  ])('decrypts records with connection ids, %s', async (_name, own) => {
    const file = await record(0xc0a8, own);
    const rows = await dissect(
      file,
      'dtls.record.content_type',
      'dtls.record.connection_id',
      '_ws.malformed',
    );
    expect(rows.map(([, , malformed]) => malformed).join('')).toBe('');
    const ids = rows.flatMap(([, id]) => (id ?? '').split(',').filter((one) => one !== ''));
    expect(new Set(ids.map((id) => id.replaceAll(':', '').length))).toEqual(
      new Set(own.length === 0 ? [16] : [16, 2 * own.length]),
    );
    const { output } = await runToEnd('tshark', [
      ...['-r', file, '-d', 'udp.port==5683,dtls', '-o', `dtls.psk:${Buffer.from(KEY).toString('hex')}`],
      ...['-x'],
    ]);
    expect(output.match(/Decrypted DTLS/g)?.length).toBeGreaterThanOrEqual(4);
  });
});

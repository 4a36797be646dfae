import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeEmpty, encodeMessage } from '../../../protocol/coap/codec.ts';
import { type CoapMessage, Code, MessageType, OptionNumber } from '../../../protocol/coap/message.ts';
import {
  acceptOption,
  blockOption,
  contentFormatOption,
  pathOptions,
  queryOptions,
  uintOption,
} from '../../../protocol/coap/options.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import { pcapOf } from './pcap.ts';

const fields = {
  type: 'coap.type',
  code: 'coap.code',
  messageId: 'coap.mid',
  token: 'coap.token',
  path: 'coap.opt.uri_path',
  query: 'coap.opt.uri_query',
  observe: 'coap.opt.observe',
  contentFormat: 'coap.opt.ctype',
  accept: 'coap.opt.accept',
  block: 'coap.opt.block_number',
  blockSize: 'coap.opt.block_size',
  payloadLength: 'coap.payload_length',
  malformed: '_ws.malformed',
  expert: '_ws.expert.message',
} as const;

type Dissected = Readonly<Record<keyof typeof fields, string>>;

// Wireshark reads what we write: an opinion on our bytes by people who did not write them.
describe.skipIf(!isInstalled('tshark'))("Wireshark's dissector", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-pcap-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function dissect(datagrams: readonly Uint8Array[]): Promise<Dissected[]> {
    const file = join(folder, 'coap.pcap');
    writeFileSync(file, pcapOf(datagrams));
    const names = Object.values(fields).flatMap((field) => ['-e', field]);
    const format = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=,'];
    const { code, output } = await runToEnd('tshark', ['-r', file, ...format, ...names, '-Y', 'udp']);
    if (code !== 0) throw new Error(output);
    const lines = output.split('\n').filter((line) => line.includes('\t'));
    expect(lines).toHaveLength(datagrams.length);
    return lines.map((line) => {
      const columns = line.split('\t');
      return Object.fromEntries(
        Object.keys(fields).map((name, at) => [name, columns[at] ?? '']),
      ) as Dissected;
    });
  }

  const message = (parts: Partial<CoapMessage>): CoapMessage => ({
    type: MessageType.CON,
    code: Code.GET,
    messageId: 1,
    token: Uint8Array.of(1, 2, 3, 4),
    options: [],
    payload: new Uint8Array(0),
    ...parts,
  });

  test('reads what an LwM2M client and server say to each other', async () => {
    const links = new TextEncoder().encode('</1/0>,</3/0>');
    const [register, observe, notification, block, reset] = await dissect([
      encodeMessage(
        message({
          code: Code.POST,
          messageId: 0xbeef,
          options: [
            ...pathOptions('/rd'),
            contentFormatOption(40),
            ...queryOptions(['lwm2m=1.1', 'ep=modem-1', 'lt=300']),
          ],
          payload: links,
        }),
      ),
      encodeMessage(
        message({
          options: [uintOption(OptionNumber.OBSERVE, 0), ...pathOptions('/42770/0/2'), acceptOption(112)],
        }),
      ),
      encodeMessage(
        message({
          code: Code.CONTENT,
          options: [uintOption(OptionNumber.OBSERVE, 70_000), contentFormatOption(110)],
          payload: new Uint8Array(300),
        }),
      ),
      encodeMessage(
        message({
          code: Code.PUT,
          options: [
            ...pathOptions('/5/0/0'),
            blockOption(OptionNumber.BLOCK1, { number: 77, more: true, size: 64 }),
          ],
          payload: new Uint8Array(64),
        }),
      ),
      encodeEmpty(MessageType.RST, 0xffff),
    ]);
    expect(register).toMatchObject({
      type: '0',
      code: '2',
      messageId: String(0xbeef),
      token: '01020304',
      path: 'rd',
      query: 'lwm2m=1.1,ep=modem-1,lt=300',
      contentFormat: 'application/link-format',
      payloadLength: String(links.length),
    });
    expect(observe).toMatchObject({ observe: '0', path: '42770,0,2', accept: 'application/senml+cbor' });
    expect(notification).toMatchObject({ code: '69', observe: '70000', payloadLength: '300' });
    expect(block).toMatchObject({ block: '77', blockSize: '2', path: '5,0,0' });
    expect(reset).toMatchObject({ type: '3', code: '0', messageId: '65535', token: '' });
  });

  test('finds nothing malformed in a thousand messages of every shape, and reads them as they were meant', async () => {
    const text = fc.string({
      minLength: 1,
      maxLength: 300,
      unit: fc.constantFrom(...'abcdefgh0123456789-_'),
    });
    const shape = fc.record({
      type: fc.constantFrom(MessageType.CON, MessageType.NON),
      code: fc.constantFrom(Code.GET, Code.POST, Code.PUT, Code.DELETE, Code.FETCH, Code.IPATCH),
      messageId: fc.nat(65_535),
      token: fc.uint8Array({ maxLength: 8 }),
      path: fc.array(
        text.filter((segment) => segment.length < 256),
        { maxLength: 5 },
      ),
      query: fc.array(
        text.filter((part) => part.length < 256),
        { maxLength: 5 },
      ),
      payload: fc.uint8Array({ maxLength: 600 }),
    });
    const shapes = fc.sample(shape, { numRuns: 1000, seed: 20_260_101 });
    const read = await dissect(
      shapes.map(({ path, query, ...parts }) =>
        encodeMessage({
          ...parts,
          options: [...(path.length === 0 ? [] : pathOptions(`/${path.join('/')}`)), ...queryOptions(query)],
        }),
      ),
    );
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    expect(
      read.map(({ type, code, messageId, token, path, query, malformed }) => ({
        type,
        code,
        messageId,
        token,
        path,
        query,
        malformed,
      })),
    ).toEqual(
      shapes.map((meant) => ({
        type: String(meant.type),
        code: String(meant.code),
        messageId: String(meant.messageId),
        token: hex(meant.token),
        path: meant.path.join(','),
        query: meant.query.join(','),
        malformed: '',
      })),
    );
    expect(read.map(({ payloadLength }) => Number(payloadLength || 0))).toEqual(
      shapes.map(({ payload }) => payload.length),
    );
  });
});

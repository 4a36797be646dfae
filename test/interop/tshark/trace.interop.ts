import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeMessage, encodeEmpty, encodeMessage } from '../../../protocol/coap/codec.ts';
import {
  type CoapOption,
  Code,
  type MessageType,
  MessageType as Type,
} from '../../../protocol/coap/message.ts';
import { contentFormatOption, pathOptions, queryOptions } from '../../../protocol/coap/options.ts';
import { isInstalled } from '../../../scripts/requirements.ts';
import { runToEnd } from '../../../scripts/run-to-end.ts';
import type { ApiTraceAnswer, ApiTraceMessage } from '../../../server/api/schemas.ts';
import { loadConfig } from '../../../server/config.ts';
import { createLog } from '../../../server/log.ts';
import { type RunningServer, startServer } from '../../../server/main.ts';
import { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';

const fields = {
  number: 'frame.number',
  protocols: 'frame.protocols',
  time: 'frame.time_epoch',
  source: 'udp.srcport',
  checksum: 'udp.checksum.status',
  type: 'coap.type',
  code: 'coap.code',
  messageId: 'coap.mid',
  token: 'coap.token',
  path: 'coap.opt.uri_path',
  query: 'coap.opt.uri_query',
  observe: 'coap.opt.observe',
  payloadLength: 'coap.payload_length',
  responseTo: 'coap.response_to',
  responseTime: 'coap.response_time',
  retransmitted: 'coap.retransmitted',
  malformed: '_ws.malformed',
} as const;
type Dissected = Readonly<Record<keyof typeof fields, string>>;

/** A device of which every byte is the test's. */
class RawDevice {
  readonly #socket: Socket = createSocket('udp4');
  readonly #port: number;
  readonly received: Uint8Array[] = [];

  constructor(port: number) {
    this.#port = port;
    this.#socket.on('message', (data) => this.received.push(data));
  }

  send(data: Uint8Array): void {
    this.#socket.send(data, this.#port, '127.0.0.1');
  }

  close(): void {
    this.#socket.close();
  }
}

describe.skipIf(!isInstalled('tshark'))(
  "the trace, beside what Wireshark's dissector says of the same",
  () => {
    let folder: string;
    let server: RunningServer;
    let modem: ProjectProcess;

    const port = (): number => Number(new URL(server.coapUri ?? '').port);

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'simyard-trace-'));
      const flags = ['--coap-port', '0', '--http-port', '0', '--data', ':memory:'];
      server = await startServer(loadConfig({}, flags), { log: createLog('silent') });
      modem = new ProjectProcess('client/main.ts', [
        ...['--server', server.coapUri ?? '', '--endpoint', 'modem-1', '--state', ':memory:'],
      ]);
    });
    afterAll(async () => {
      await modem?.kill('SIGKILL');
      await server?.close();
      rmSync(folder, { recursive: true });
    });

    const url = (name: string, path: string): string => `${server.httpAddress}/api/devices/${name}${path}`;

    /** What the capture file says, and what the trace says of the same messages. */
    async function both(name: string): Promise<{ read: Dissected[]; told: readonly ApiTraceMessage[] }> {
      const capture = new Uint8Array(await (await fetch(url(name, '/trace/pcapng'))).arrayBuffer());
      const file = join(folder, `${name}.pcapng`);
      writeFileSync(file, capture);
      const names = Object.values(fields).flatMap((field) => ['-e', field]);
      const format = ['-T', 'fields', '-E', 'separator=/t', '-E', 'occurrence=a', '-E', 'aggregator=,'];
      const coap = ['-d', `udp.port==${port()},coap`, '-o', 'udp.check_checksum:TRUE'];
      const { code, output } = await runToEnd('tshark', ['-r', file, ...coap, ...format, ...names]);
      if (code !== 0) throw new Error(output);
      const read = output
        .split('\n')
        .filter((line) => line.includes('\t'))
        .map((line) => {
          const columns = line.split('\t');
          return Object.fromEntries(
            Object.keys(fields).map((field, at) => [field, columns[at] ?? '']),
          ) as Dissected;
        });
      const { items } = (await (await fetch(url(name, '/trace?limit=1000'))).json()) as ApiTraceAnswer;
      // More may have passed since the capture.
      return { read, told: items.slice(0, read.length) };
    }

    const types: readonly string[] = ['CON', 'NON', 'ACK', 'RST'];
    const asRead = (message: ApiTraceMessage, all: readonly ApiTraceMessage[]): Partial<Dissected> => {
      const [codeClass = 0, detail = 0] = (message.code ?? '').split('.').map(Number);
      const values = (name: string) =>
        message.options.filter((option) => option.name === name).map(({ value }) => value);
      return {
        time: (message.at / 1000).toFixed(6),
        source: message.direction === 'in' ? (message.peer.split(':').at(-1) ?? '') : String(port()),
        type: String(types.indexOf(message.type ?? '')),
        code: String(codeClass * 32 + detail),
        messageId: String(message.messageId),
        token: message.token ?? '',
        path: values('Uri-Path').join(','),
        query: values('Uri-Query').join(','),
        payloadLength: message.payload === undefined ? '' : String(message.payload.length),
        number: String(all.indexOf(message) + 1),
      };
    };
    const seen = (dissected: Dissected): Partial<Dissected> => ({
      time: Number(dissected.time).toFixed(6),
      source: dissected.source,
      type: dissected.type,
      code: dissected.code,
      messageId: dissected.messageId,
      token: dissected.token,
      path: dissected.path,
      query: dissected.query,
      payloadLength: dissected.payloadLength,
      number: dissected.number,
    });

    test('of our modem: the same messages, fields and times, each response with the same request', async () => {
      await until('the modem is registered', async () => (await fetch(url('modem-1', ''))).ok);
      for (const path of ['/objects/3/0', '/objects/3/0/9?format=TEXT', '/objects/3/0/99', '/discover/3']) {
        await fetch(url('modem-1', path));
      }
      const firmware = 'ab'.repeat(3000);
      await fetch(url('modem-1', '/objects/5/0/0?format=OPAQUE'), {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ value: firmware }),
      });
      await fetch(url('modem-1', '/carrier'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ carrier: 'T-Mobile' }),
      });
      await until('the card has answered', async () => {
        const { items } = (await (await fetch(`${server.httpAddress}/api/commands`)).json()) as {
          items: { state: string }[];
        };
        return items.some(({ state }) => state === 'done');
      });
      const { read, told } = await both('modem-1');
      expect(read.length).toBeGreaterThan(40);
      for (const { protocols, malformed, checksum } of read) {
        expect(protocols).toMatch(/^raw:ip:udp:coap/);
        expect(malformed).toBe('');
        // Good: neither bad nor unverified.
        expect(checksum).toBe('1');
      }
      // Wireshark puts blocks together, and tells the length of the whole.
      const isBlock = (at: number): boolean => told[at]?.payload?.fragment !== undefined;
      const blind = (parts: Partial<Dissected>, at: number) =>
        isBlock(at) ? { ...parts, payloadLength: '' } : parts;
      expect(told.filter((_, at) => isBlock(at)).length).toBeGreaterThan(2);
      expect(told.map((message) => asRead(message, told)).map(blind)).toEqual(read.map(seen).map(blind));
      // Which response belongs to which request is found by each on its own.
      const isResponse = ({ code }: ApiTraceMessage): boolean => !(code ?? '').startsWith('0.');
      const answered = told.filter((message) => message.answers !== undefined && isResponse(message));
      expect(answered.length).toBeGreaterThan(10);
      for (const message of answered) {
        const dissected = read[told.indexOf(message)];
        const request = told.findIndex(({ id }) => id === message.answers);
        expect(dissected?.responseTo, message.path).toBe(String(request + 1));
        expect(Number(dissected?.responseTime) * 1000).toBeCloseTo(message.elapsed ?? Number.NaN, 1);
      }
    });

    test('of a device that sends everything twice: what is there again is told alike, and so is what is malformed', async () => {
      const device = new RawDevice(port());
      const message = (type: MessageType, code: number, messageId: number, options: readonly CoapOption[]) =>
        encodeMessage({
          type,
          code,
          messageId,
          token: Uint8Array.of(messageId >> 8, messageId),
          options,
          payload: new TextEncoder().encode('</3/0>'),
        });
      const register = message(Type.CON, Code.POST, 700, [
        ...pathOptions('/rd'),
        contentFormatOption(40),
        ...queryOptions(['ep=twice', 'lt=300', 'lwm2m=1.0', 'b=U']),
      ]);
      device.send(register);
      device.send(register);
      await until('both are answered', () => device.received.length >= 2);
      device.send(encodeEmpty(Type.CON, 701));
      await until('the ping is answered', () =>
        device.received.some((data) => decodeMessage(data).type === Type.RST),
      );
      device.send(Uint8Array.of(0x49, 1, 2, 3, 4));
      await until('all of it is in the trace', async () => {
        const { items } = (await (await fetch(url('twice', '/trace'))).json()) as ApiTraceAnswer;
        return items.some(({ malformed }) => malformed !== undefined);
      });
      device.close();
      const { read, told } = await both('twice');
      expect(told.map((each) => each.malformed !== undefined)).toEqual(
        read.map(({ malformed, protocols }) => malformed !== '' || !protocols.includes('coap')),
      );
      const requests = told.filter(({ direction, code }) => direction === 'in' && code === '0.02');
      expect(requests.map(({ duplicate }) => duplicate)).toEqual([undefined, true]);
      expect(requests.map((each) => read[told.indexOf(each)]?.retransmitted)).toEqual([
        '',
        expect.stringMatching(/1|True/),
      ]);
    });

    test('the text has a line for each message', async () => {
      const text = await (await fetch(url('twice', '/trace/text'))).text();
      const lines = text.split('\n').filter((line) => /^\d{4}-/.test(line));
      const { told } = await both('twice');
      expect(lines).toHaveLength(told.length);
      expect(lines[0]).toMatch(/ < 127\.0\.0\.1:\d+ CON 0\.02 POST mid=700 token=02bc \/rd \(\d+ bytes\)$/);
      expect(text).toContain('    Uri-Query: ep=twice\n');
      expect(text).toMatch(/malformed: token length 9 is reserved/);
    });
  },
);

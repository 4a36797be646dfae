/**
 * CPU of one process per message over loopback UDP: a raw echo (the floor), our endpoint, npm `coap`.
 * `node bench/coap-micro.ts [seconds]`: the load comes from a worker thread, whose CPU is not counted.
 */
import { createSocket } from 'node:dgram';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { decodeMessage, encodeMessage } from '../protocol/coap/codec.ts';
import { createCoapEndpoint } from '../protocol/coap/endpoint.ts';
import { Code, MessageType, OptionNumber } from '../protocol/coap/message.ts';
import { contentFormatOption, pathOptions, uintOption } from '../protocol/coap/options.ts';
import { parseToken } from '../protocol/coap/token.ts';
import { createUdpPort } from '../protocol/coap/udp-port.ts';

type Load = 'request' | 'notification';

interface Job {
  readonly port: number;
  readonly load: Load;
  readonly seconds: number;
}

const TOKEN = '0102030405060708';
const PEERS = 16;
const WINDOW = 4;
const PAYLOAD = new Uint8Array(100);

/** Sends CON messages from several sockets, each with a few unanswered, and counts the answers. */
function generate({ port, load, seconds }: Job): void {
  let answered = 0;
  let stopped = false;
  const sockets = Array.from({ length: PEERS }, (_, peer) => {
    const lookup = (
      host: string,
      _options: unknown,
      done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
    ) => done(null, host, 4);
    const socket = createSocket({ type: 'udp4', lookup });
    let messageId = peer * 1000;
    let outstanding = 0;
    const send = () => {
      messageId = (messageId + 1) & 0xffff;
      outstanding++;
      socket.send(
        encodeMessage({
          type: MessageType.CON,
          code: load === 'request' ? Code.GET : Code.CONTENT,
          messageId,
          token: parseToken(TOKEN),
          options:
            load === 'request'
              ? pathOptions('/3/0')
              : [uintOption(OptionNumber.OBSERVE, messageId), contentFormatOption(112)],
          payload: load === 'request' ? new Uint8Array(0) : PAYLOAD,
        }),
        port,
        '127.0.0.1',
      );
    };
    socket.on('message', () => {
      answered++;
      outstanding--;
      if (!stopped) send();
    });
    for (let i = 0; i < WINDOW; i++) send();
    // What a full buffer lost is made up for.
    const refill = setInterval(() => {
      while (!stopped && outstanding < WINDOW) send();
      outstanding = 0;
    }, 200);
    return { socket, refill };
  });
  parentPort?.postMessage({ started: true });
  setTimeout(() => {
    stopped = true;
    for (const { socket, refill } of sockets) {
      clearInterval(refill);
      socket.close();
    }
    parentPort?.postMessage({ answered });
  }, seconds * 1000);
}

async function measure(name: string, load: Load, port: number, seconds: number): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port, load, seconds } satisfies Job });
  let started: { cpu: NodeJS.CpuUsage; thread: NodeJS.CpuUsage } | undefined;
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: { started?: boolean; answered?: number }) => {
      if (message.started === true) {
        started = { cpu: process.cpuUsage(), thread: process.threadCpuUsage() };
        return;
      }
      const used = process.threadCpuUsage(started?.thread);
      const answered = message.answered ?? 0;
      const micros = (used.user + used.system) / Math.max(1, answered);
      console.log(
        `${name.padEnd(32)} ${load.padEnd(13)} ${micros.toFixed(2).padStart(7)} µs  ${Math.round(
          answered / seconds,
        )
          .toString()
          .padStart(8)} /s`,
      );
      resolve();
    });
  });
  await worker.terminate();
}

async function rawEcho(seconds: number): Promise<void> {
  const lookup = (
    host: string,
    _options: unknown,
    done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
  ) => done(null, host, 4);
  const socket = createSocket({ type: 'udp4', lookup });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.on('message', (data, from) => socket.send(data, from.port, from.address));
  await measure('raw echo', 'notification', socket.address().port, seconds);
  socket.close();
}

async function ours(seconds: number): Promise<void> {
  const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
  const payload = PAYLOAD;
  const endpoint = createCoapEndpoint({
    port,
    handler: (request) => request.respond({ code: Code.CONTENT, payload }),
  });
  let delivered = 0;
  endpoint.restoreObservation(
    { token: TOKEN, peer: '127.0.0.1:1', request: { code: Code.GET } },
    (notification) => {
      delivered++;
      notification.accept();
    },
    { followPeer: true },
  );
  const number = Number(port.local.split(':')[1]);
  await measure('protocol/coap', 'request', number, seconds);
  await measure('protocol/coap', 'notification', number, seconds);
  if (delivered === 0) throw new Error('no notification was delivered');
  await endpoint.close();
}

async function npmCoap(seconds: number): Promise<void> {
  const { createServer } = await import('coap');
  const server = createServer((_request, response) => response.end(Buffer.from(PAYLOAD)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const socket = (server as unknown as Record<string, { address(): { port: number } }>)['_sock'];
  if (socket !== undefined) await measure('npm coap', 'request', socket.address().port, seconds);
  server.close();
}

function codec(): void {
  const register = encodeMessage({
    type: MessageType.CON,
    code: Code.POST,
    messageId: 1,
    token: parseToken(TOKEN),
    options: [
      ...pathOptions('/rd'),
      contentFormatOption(40),
      { number: OptionNumber.URI_QUERY, value: PAYLOAD.subarray(0, 20) },
    ],
    payload: PAYLOAD,
  });
  const message = decodeMessage(register);
  for (const [name, run] of [
    ['decode POST /rd', () => decodeMessage(register)],
    ['encode POST /rd', () => encodeMessage(message)],
  ] as const) {
    for (let i = 0; i < 200_000; i++) run();
    const start = process.hrtime.bigint();
    for (let i = 0; i < 1_000_000; i++) run();
    console.log(`${name.padEnd(32)} ${(Number(process.hrtime.bigint() - start) / 1e6).toFixed(0)} ns`);
  }
}

if (isMainThread) {
  const seconds = Number(process.argv[2] ?? 3);
  codec();
  await rawEcho(seconds);
  await ours(seconds);
  await npmCoap(seconds);
} else {
  generate(workerData as Job);
}

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { defaults } from '../../bench/load/load-report.ts';
import type { LoadCommand } from '../../bench/load/main.ts';
import { lostDatagrams } from '../../bench/peers/target.ts';
import { BenchProcess } from '../../bench/process.ts';
import type { ReaderCommand } from '../../bench/readers.ts';
import type { WorkDone } from '../../bench/work-done.ts';

let started: BenchProcess | undefined;
let server: Server | undefined;

afterEach(async () => {
  await started?.stop();
  server?.closeAllConnections();
  server?.close();
  [started, server] = [undefined, undefined];
});

describe('a process of the bench', () => {
  test('that has ended is told to whoever asks it, before and after', async () => {
    started = new BenchProcess('./targets/echo.ts');
    await started.next();
    const waiting = started.next();
    const told = expect(waiting).rejects.toThrow('./targets/echo.ts ended: SIGKILL');
    await started.stop();
    await told;
    await expect(started.ask('cpu')).rejects.toThrow('./targets/echo.ts ended: SIGKILL');
  });
});

describe('a process of devices', () => {
  test('answers with the reason where it cannot, and goes on', async () => {
    started = new BenchProcess('./load/main.ts');
    const options = { ...defaults, port: 5683, devices: 1, source: '192.0.2.1' };
    const command: LoadCommand = { kind: 'open-sockets', options };
    await expect(started.ask(command)).rejects.toThrow(/^192\.0\.2\.1 .*--source any$/);
    await expect(started.ask({ kind: 'leave' } satisfies LoadCommand)).rejects.toThrow('were not opened');
  });
});

describe('programs that read', () => {
  async function open(
    status: (path: string) => number,
  ): Promise<{ asked: string[]; programs: BenchProcess }> {
    const asked: string[] = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status(request.url ?? ''), { 'content-type': 'application/json' }).end('{}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const programs = new BenchProcess('./readers.ts');
    started = programs;
    await programs.ask({ kind: 'open', urls: [`${base}/a`, `${base}/b`] } satisfies ReaderCommand);
    return { asked, programs };
  }

  test('ask for each device in turn, at the rate told', async () => {
    const { asked, programs } = await open(() => 200);
    const command: ReaderCommand = { kind: 'pace', milliseconds: 100, rate: 100 };
    const done = await programs.ask<WorkDone>(command);
    expect(done.done + done.failed + done.skipped).toBe(10);
    expect(done.failed).toBe(0);
    expect(done.latency.count).toBe(done.done);
    expect(new Set(asked)).toEqual(new Set(['/a', '/b']));
  });

  test('count what is answered otherwise than by 200, and go on', async () => {
    const { programs } = await open((path) => (path === '/a' ? 504 : 200));
    const command: ReaderCommand = { kind: 'run', milliseconds: 100 };
    const { done, failed } = await programs.ask<WorkDone>(command);
    expect(done).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(0);
  });
});

describe('datagrams that the kernel threw away', () => {
  test('are those of a socket that nobody reads from', async () => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_096 });
    const sender = createSocket({
      type: 'udp4',
      // Else each datagram waits for a look-up, and the other socket is read from meanwhile.
      lookup: (host, _options, callback) => callback(null, host, 4),
    });
    try {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const { port } = socket.address();
      expect(lostDatagrams(port)).toBe(0);
      sender.bind(0, '127.0.0.1');
      for (let sent = 0; sent < 200; sent++) sender.send(new Uint8Array(1_000), port, '127.0.0.1');
      expect(lostDatagrams(port)).toBeGreaterThan(0);
    } finally {
      socket.close();
      sender.close();
    }
  });
});

import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { DownloadError } from '../../../../client/modem/firmware/download.ts';
import { FirmwareUpdate } from '../../../../client/modem/firmware/firmware-update.ts';
import { FlashFullError } from '../../../../client/modem/firmware/flash.ts';
import { httpDownload } from '../../../../client/modem/firmware/http-download.ts';
import { MemoryFlash } from '../../../../client/modem/firmware/memory-flash.ts';
import { encodePackage } from '../../../../client/modem/firmware/package.ts';
import { volatileFirmware } from '../../../../client/modem/firmware/record.ts';
import { FirmwareState, UpdateResult } from '../../../../client/modem/firmware/states.ts';
import { systemClock } from '../../../../protocol/clock.ts';
import { FakeClock } from '../../../support/coap/fake-clock.ts';
import { until } from '../../../support/until.ts';

// Over HTTP on a real socket.

const body = Uint8Array.from({ length: 300_000 }, (_, i) => i * 13);
const servers: (Server | SocketServer)[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/firmware`);
}

/** A server that answers with just these bytes. */
async function answering(text: string): Promise<URL> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(text));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/firmware`);
}

/** Everything that a download gave; `failure` is what it ended with. */
async function fetched(uri: URL, offset = 0, entityTag?: string, clock = systemClock, signal?: AbortSignal) {
  const pieces: Uint8Array[] = [];
  const began: unknown[] = [];
  let failure: unknown;
  await httpDownload(clock)(
    { uri, offset, entityTag, signal: signal ?? new AbortController().signal },
    {
      begin: (...told) => void began.push(told),
      take: (bytes) => void pieces.push(bytes),
    },
  ).catch((error: unknown) => {
    failure = error instanceof DownloadError ? error.failure : error;
  });
  return { began, bytes: Buffer.concat(pieces), failure };
}

describe('a download over HTTP', () => {
  it('is streamed, with its length and its strong entity tag', async () => {
    const uri = await serve((_request, response) => response.setHeader('ETag', '"v1"').end(body));
    const { began, bytes, failure } = await fetched(uri);
    expect([began, failure]).toEqual([[[0, 300_000, '"v1"']], undefined]);
    expect(bytes.equals(body)).toBe(true);
  });

  it('goes on where it was by a range request, if it is still the same', async () => {
    const asked: unknown[] = [];
    const uri = await serve((request, response) => {
      asked.push([request.headers['range'], request.headers['if-range']]);
      response.writeHead(206, { 'content-range': `bytes 100000-299999/300000`, etag: '"v1"' });
      response.end(body.subarray(100_000));
    });
    const { began, bytes } = await fetched(uri, 100_000, '"v1"');
    expect(asked).toEqual([['bytes=100000-', '"v1"']]);
    expect(began).toEqual([[100_000, 300_000, '"v1"']]);
    expect(bytes.equals(body.subarray(100_000))).toBe(true);
  });

  it('begins anew where the server knows no ranges, or there is no tag to tell', async () => {
    const ranges: unknown[] = [];
    const uri = await serve((request, response) => {
      ranges.push(request.headers['range']);
      response.setHeader('ETag', 'W/"weak"').setHeader('content-length', body.length).end(body);
    });
    expect((await fetched(uri, 100_000, '"v1"')).began).toEqual([[0, 300_000, undefined]]);
    expect((await fetched(uri, 100_000)).bytes.length).toBe(300_000);
    expect(ranges).toEqual(['bytes=100000-', undefined]);
  });

  it.each([
    [404, 'uri'],
    [403, 'uri'],
    [410, 'uri'],
    [416, 'changed'],
    [429, 'connection'],
    [500, 'connection'],
    [503, 'connection'],
  ])('that is answered %i fails for: %s', async (status, failure) => {
    const uri = await serve((_request, response) => response.writeHead(status).end());
    expect((await fetched(uri)).failure).toBe(failure);
  });

  it.each([
    ['a redirect to itself', 'HTTP/1.1 302 -\r\nlocation: /firmware\r\ncontent-length: 0\r\n\r\n'],
    ['a redirect to a file', 'HTTP/1.1 302 -\r\nlocation: file:///etc/hosts\r\ncontent-length: 0\r\n\r\n'],
    ['a redirect to data', 'HTTP/1.1 302 -\r\nlocation: data:,SYFW\r\ncontent-length: 0\r\n\r\n'],
    ['a redirect to nothing', 'HTTP/1.1 302 -\r\nlocation: http://[::\r\ncontent-length: 0\r\n\r\n'],
    ['another protocol', 'SSH-2.0\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['a chunk of no length', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
    ['a hundred times wait', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100)],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef'],
    ['nonsense said to be compressed', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\nnonsense'],
  ])('that gets %s has lost its connection', async (_what, answer) => {
    expect((await fetched(await answering(answer))).failure).toBe('connection');
  });

  it('that breaks off, or meets nobody, has lost its connection', async () => {
    const uri = await serve((_request, response) => {
      response.setHeader('content-length', body.length);
      response.write(body.subarray(0, 1_000), () => response.destroy());
    });
    expect((await fetched(uri)).failure).toBe('connection');
    const gone = await serve(() => {});
    servers.at(-1)?.close();
    expect((await fetched(gone)).failure).toBe('connection');
  });

  it('over which nothing comes for half a minute has lost its connection', async () => {
    const clock = new FakeClock();
    let asked = false;
    const uri = await serve((_request, response) => {
      asked = true;
      response.writeHead(200).write('a');
    });
    const ending = fetched(uri, 0, undefined, clock);
    await until('a request', () => asked && clock.pending > 0);
    let ended = false;
    void ending.then(() => {
      ended = true;
    });
    await until('an end', () => {
      clock.advance(30_000);
      return ended;
    });
    expect((await ending).failure).toBe('connection');
  });

  it.each(['begin', 'take'])('that nobody takes at its %s is not kept coming', async (at) => {
    let closed = false;
    const uri = await serve((_request, response) => {
      response.on('close', () => {
        closed = true;
      });
      const piece = Buffer.alloc(65_536);
      const more = (): void => {
        while (response.write(piece));
        response.once('drain', more);
      };
      more();
    });
    const refuse = (): never => {
      throw new FlashFullError('no room');
    };
    const sink = { begin: () => {}, take: () => {}, [at]: refuse };
    const request = { uri, offset: 0, entityTag: undefined, signal: new AbortController().signal };
    await expect(httpDownload(systemClock)(request, sink)).rejects.toThrow(FlashFullError);
    await until('the server has stopped', () => closed);
  });

  it('ends when it is aborted', async () => {
    const controller = new AbortController();
    const uri = await serve((_request, response) => {
      response.writeHead(200).write('a');
      controller.abort('enough');
    });
    expect((await fetched(uri, 0, undefined, systemClock, controller.signal)).failure).toBe('enough');
  });
});

it('a firmware package comes over HTTP, through an interruption (ETS 771)', async () => {
  const whole = encodePackage({ name: 'simyard-modem', version: '3.1', minimumHardware: undefined }, body);
  const ranges: (string | undefined)[] = [];
  const uri = await serve((request, response) => {
    const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    ranges.push(request.headers.range);
    response.setHeader('ETag', '"one"');
    if (range === null) {
      response.setHeader('content-length', whole.length);
      response.write(whole.subarray(0, 123_456), () => setImmediate(() => response.destroy()));
      return;
    }
    const from = Number(range[1]);
    response.writeHead(206, { 'content-range': `bytes ${from}-${whole.length - 1}/${whole.length}` });
    response.end(whole.subarray(from));
  });
  const clock = new FakeClock();
  const update = new FirmwareUpdate({
    clock,
    flash: new MemoryFlash(clock, 1_000_000),
    storage: volatileFirmware(),
    hardware: [1, 0],
    downloads: { 'http:': httpDownload(clock) },
    actions: {
      changed: () => {},
      deliver: async () => {},
      shutDown: async () => {},
      boot: () => {},
      isFree: () => true,
      log: () => {},
      fault: (error) => {
        throw error;
      },
    },
  });
  update.writeUri(uri.href);
  await until('the whole package', () => {
    if (ranges.length === 1) clock.advance(100);
    return update.record.state !== FirmwareState.DOWNLOADING;
  });
  expect([update.record.state, update.record.result]).toEqual([
    FirmwareState.DOWNLOADED,
    UpdateResult.INITIAL,
  ]);
  expect(update.record.staged?.version).toBe('3.1');
  expect(ranges[0]).toBeUndefined();
  expect(ranges[1]).toMatch(/^bytes=\d+-$/);
  update.close();
});

import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiHarness } from '../../support/api/api-harness.ts';

interface Answered {
  readonly status: number | undefined;
  readonly text: string;
}

/** Sends the path as it is: fetch would resolve `..` before. */
async function ask(api: ApiHarness, method: string, path: string, accept: string): Promise<Answered> {
  const { hostname, port } = new URL(await api.base());
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: { accept } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

const page = '<!doctype html><title>Simyard</title>';
let root: string;
let withConsole: ApiHarness;
let without: ApiHarness;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'simyard-console-'));
  writeFileSync(join(root, 'index.html'), page);
  withConsole = await ApiHarness.open({ consoleRoot: root });
  without = await ApiHarness.open();
});
afterAll(async () => {
  await withConsole.close();
  await without.close();
  await rm(root, { recursive: true });
});

describe.each([
  ['with the console', () => withConsole],
  ['without it', () => without],
])('%s', (_name, api) => {
  const long = 'a'.repeat(4097);

  test.each([
    ['GET', `/api/devices/${long}`],
    ['DELETE', `/api/devices/${long}`],
    ['PATCH', `/api/devices/${long}`],
    ['GET', `/api/devices/${long}/readings`],
    ['GET', `/api/devices/${'%C3%A4'.repeat(700)}`],
    ['GET', `/api/devices/m/objects/${long}`],
    ['GET', `/${long}`],
  ])('%s of a path with a part of more than 4096 characters is a 414 that says so', async (method, path) => {
    const { status, text } = await ask(api(), method, path, '*/*');
    expect(status).toBe(414);
    expect(JSON.parse(text)).toMatchObject({
      code: 'uri_too_long',
      detail: 'a part of the path is longer than 4096 characters',
    });
  });

  test.each([`/api/devices/${'a'.repeat(4096)}`, `/api/devices/x?${'a'.repeat(5000)}`])(
    'one of 4096 characters, or a longer query, is not too long',
    async (path) => {
      expect((await ask(api(), 'GET', path, '*/*')).status).toBe(404);
    },
  );

  test.each([
    '/api/devices/../x',
    '/../package.json',
    '/%00',
    '/api//devices',
    '/a//b',
    `/${'a'.repeat(300)}`,
  ])('%s is a route that is not there', async (path) => {
    const { status, text } = await ask(api(), 'GET', path, '*/*');
    expect(status).toBe(404);
    expect(JSON.parse(text)).toMatchObject({ code: 'route_not_found', detail: `GET ${path} is not there` });
  });

  test('a % that encodes nothing is named', async () => {
    const { status, text } = await ask(api(), 'GET', '/api/devices/%zz', '*/*');
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      code: 'malformed_request',
      detail: expect.stringContaining('%zz'),
    });
  });

  test('a request line beyond what is read of one says how much that is', async () => {
    const { status, text } = await ask(api(), 'GET', `/${'a'.repeat(20_000)}`, '*/*');
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({
      code: 'malformed_request',
      detail: 'the request line and the headers are longer than 16384 bytes',
    });
  });
});

test.each(['/devices/a%5Cb', '/devices/a%00', `/devices/${'a'.repeat(700)}`])(
  'the console opens the page of a device whose name no file could have: %s',
  async (path) => {
    expect(await ask(withConsole, 'GET', path, 'text/html')).toEqual({ status: 200, text: page });
  },
);

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ApiHarness } from '../../support/api/api-harness.ts';

test('closing does not wait for a connection on which nothing was asked', async () => {
  const api = await ApiHarness.open();
  const { port } = new URL(await api.base());
  const inAdvance = connect(Number(port), '127.0.0.1');
  await once(inAdvance, 'connect');
  // The server has seen it once it answers a request on a connection that came later.
  await fetch(`${await api.base()}/healthz`);
  const ended = once(inAdvance, 'close');
  await api.close();
  await ended;
  expect(inAdvance.destroyed).toBe(true);
});

test('a request that does not come whole is looked for often, and answered with 408', async () => {
  const api = await ApiHarness.open();
  expect(api.app.server.requestTimeout).toBe(60_000);
  // Node has no other view of how often it looks.
  expect(api.app.server).toHaveProperty('connectionsCheckingInterval', 5_000);
  const { port } = new URL(await api.base());
  const connected = once(api.app.server, 'connection');
  const halfOpen = connect(Number(port), '127.0.0.1');
  const [accepted] = await connected;
  // As Node tells the end of the time limit.
  api.app.server.emit(
    'clientError',
    Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
    accepted,
  );
  let answer = '';
  halfOpen.setEncoding('utf8').on('data', (part: string) => {
    answer += part;
  });
  await once(halfOpen, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    status: 408,
    code: 'request_timeout',
  });
  await api.close();
});

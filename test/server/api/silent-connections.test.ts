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

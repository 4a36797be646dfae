import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ApiWebhookWithSecret } from '../../server/api/schemas.ts';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import { ApiClient, freePort, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';
import { isSigned, Receiver } from '../support/webhooks/receiver.ts';

const KILLS = 3;
const CHANGES = 30;

test('a server that is killed again and again tells a webhook everything, in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'simyard-webhook-'));
  const receiver = await Receiver.open();
  const [coapPort, httpPort] = [await freePort(), await freePort()];
  const start = () => startServerProcess({ data: folder, coapPort, httpPort });
  const api = new ApiClient(httpPort);
  let server = await start();
  try {
    const { secret } = await api.post<ApiWebhookWithSecret>('/api/webhooks', {
      name: 'Audit',
      url: receiver.url,
      types: ['observation-policy'],
    });
    const body = { name: 'Meters', devices: {}, observations: [{ paths: ['/3/0/9'] }] };
    for (let kill = 0; kill < KILLS; kill++) {
      // Some fail, so that a kill also comes while a message waits for its next attempt.
      receiver.answer = () => (kill === 1 ? 500 : 204);
      for (let change = 0; change < CHANGES; change++) {
        await api.put(`/api/observation-policies/p${kill}-${change}`, body);
      }
      await server.kill('SIGKILL');
      server = await start();
    }
    receiver.answer = () => 204;
    await api.delete('/api/observation-policies/p0-0');
    await until(
      'the last has come',
      () => receiver.messages.some((message) => message.body.data.data.change === 'removed'),
      30_000,
    );
    await server.kill('SIGKILL');
    const stores = await openEmbeddedStores({ path: folder });
    const events = await stores.events.read({ after: 0, limit: 10_000 });
    await stores.close();
    const stored = events.filter(({ type }) => type === 'observation-policy').map(({ id }) => `evt_${id}`);
    expect(stored.length).toBeGreaterThan(KILLS);
    const seen = receiver.ids;
    // At least once: those that were under way at a kill come again. Without these, all, in order.
    expect(seen.filter((id, index) => seen.indexOf(id) === index)).toEqual(stored);
    expect(receiver.messages.every((message) => isSigned(message, secret))).toBe(true);
  } finally {
    await server.kill('SIGKILL');
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

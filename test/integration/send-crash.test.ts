import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption, pathOptions, queryOptions } from '../../protocol/coap/options.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { encodeContent } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import { decodePack } from '../../server/telemetry/pack.ts';
import { freePort, type ProjectProcess, startServerProcess } from '../support/server-process.ts';

const KILLS = 3;
const SENDERS = 8;
const PATH = '/3303/0/5700';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-send-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** How often each value is in the log. */
async function valuesInLog(): Promise<Map<unknown, number>> {
  const stores = await openEmbeddedStores({ path: folder });
  const found = new Map<unknown, number>();
  try {
    for (let after = 0; ; ) {
      const entries = await stores.log.read(after, 1_000);
      for (const { endpoint, receivedAt, body } of entries) {
        for (const { path, values } of decodePack(endpoint, receivedAt, body).series) {
          if (path !== PATH) continue;
          for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
        }
      }
      const last = entries.at(-1);
      if (last === undefined) return found;
      after = last.position;
    }
  } finally {
    await stores.close();
  }
}

it('what a Send was answered 2.04 for is in the log once, though the server is killed with -9 again and again (ETS 306)', async () => {
  const options = { data: folder, coapPort: await freePort(), httpPort: await freePort() };
  const server = `127.0.0.1:${options.coapPort}`;
  let running: ProjectProcess = await startServerProcess(options);
  const endpoint = createCoapEndpoint({
    port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
    clock: systemClock,
    handler: (request) => request.respond({ code: Code.NOT_FOUND }),
    // So that messages are sent again while the server starts, as long as that may take.
    parameters: { maxRetransmit: 12, ackTimeout: 200, nstart: SENDERS },
  });
  const acknowledged: number[] = [];
  let stopping = false;
  let next = 0;
  // Each value once, at no time of its own: only the message tells a repetition from another reading.
  const sender = async (): Promise<void> => {
    while (!stopping) {
      const value = next++;
      const payload = encodeContent(ContentFormat.SENML_CBOR, '/', [{ path: PATH, value }], {
        resourceType: () => undefined,
      });
      const { code } = await endpoint.request(server, {
        code: Code.POST,
        options: [...pathOptions('/dp'), contentFormatOption(ContentFormat.SENML_CBOR)],
        payload,
      });
      if (code === Code.CHANGED) acknowledged.push(value);
    }
  };
  try {
    const registered = await endpoint.request(server, {
      code: Code.POST,
      options: [...pathOptions('/rd'), ...queryOptions(['ep=sender', 'lt=3600', 'lwm2m=1.1', 'b=U'])],
      payload: new TextEncoder().encode('</3303/0>'),
    });
    expect(registered.code).toBe(Code.CREATED);
    const senders = Array.from({ length: SENDERS }, sender);
    const beyond = async (count: number): Promise<void> => {
      while (acknowledged.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (let kill = 0; kill < KILLS; kill++) {
      await beyond(acknowledged.length + 100);
      await running.kill('SIGKILL');
      running = await startServerProcess(options);
    }
    await beyond(acknowledged.length + 100);
    stopping = true;
    await Promise.all(senders);
  } finally {
    stopping = true;
    await endpoint.close();
    await running.kill('SIGTERM');
  }
  const values = await valuesInLog();
  expect(acknowledged.filter((value) => values.get(value) !== 1)).toEqual([]);
  expect([...values].filter(([, count]) => count > 1)).toEqual([]);
}, 120_000);

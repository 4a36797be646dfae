import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../protocol/clock.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import type { CoapEndpoint } from '../../protocol/coap/exchange.ts';
import { Code } from '../../protocol/coap/message.ts';
import { contentFormatOption, pathOptions, queryOptions, uriPath } from '../../protocol/coap/options.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { ApiJob, ApiJobDevicePage } from '../../server/api/schemas/jobs.ts';
import type { ApiCommandPage } from '../../server/api/schemas.ts';
import { ApiClient, freePort, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const DEVICES = 80;
const ended = ['done', 'cancelled', 'stopped'];
/** Milliseconds after the job was made, or the server is there again: while it prepares, begins, and goes on. */
const moments = [0, 3, 30, 100, 200] as const;

let folder: string;
let devices: CoapEndpoint[];
/** Executes of Reboot by device. */
let executed: Map<string, number>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-job-crash-'));
  devices = [];
  executed = new Map();
});
afterEach(async () => {
  for (const device of devices) await device.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startDevice(name: string, coapPort: number): Promise<void> {
  const device = createCoapEndpoint({
    port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
    clock: systemClock,
    handler: (request) => {
      if (uriPath(request.options).join('/') !== '3/0/4') {
        request.respond({ code: Code.NOT_FOUND });
        return;
      }
      executed.set(name, (executed.get(name) ?? 0) + 1);
      // Some time passes until the answer, for a kill to fall into.
      systemClock.setTimer(10, () => request.respond({ code: Code.CHANGED }));
    },
  });
  devices.push(device);
  const { code } = await device.request(`127.0.0.1:${coapPort}`, {
    code: Code.POST,
    options: [
      ...pathOptions('/rd'),
      ...queryOptions([`ep=${name}`, 'lt=3600', 'lwm2m=1.1', 'b=U']),
      contentFormatOption(ContentFormat.LINK_FORMAT),
    ],
    payload: new TextEncoder().encode('</3/0>'),
  });
  expect(code).toBe(Code.CREATED);
}

describe('a server that is killed with -9 in the middle of a job, again and again', () => {
  it('does no device twice and loses none; of what was under way it says that nobody can tell', async () => {
    const options = { data: join(folder, 'data'), coapPort: await freePort(), httpPort: await freePort() };
    const api = new ApiClient(options.httpPort);
    let server = await startServerProcess(options);
    try {
      for (let index = 0; index < DEVICES; index++) {
        await startDevice(`d${String(index).padStart(3, '0')}`, options.coapPort);
      }
      const { id } = await api.post<ApiJob>('/api/jobs', {
        devices: { filter: { q: 'd' } },
        operation: { kind: 'request', request: { operation: 'execute', path: '/3/0/4' } },
        options: { atOnce: 4 },
      });
      for (const moment of moments) {
        await new Promise<void>((resolve) => setTimeout(resolve, moment));
        await server.kill('SIGKILL');
        server = await startServerProcess(options);
      }
      const job = await until(
        'the job has ended',
        async () => {
          const now = await api.get<ApiJob>(`/api/jobs/${id}`);
          return ended.includes(now.state) ? now : undefined;
        },
        60_000,
      );
      expect(job).toMatchObject({ state: 'done', total: DEVICES });
      const { items } = await api.get<ApiJobDevicePage>(`/api/jobs/${id}/devices?limit=1000`);
      expect(items).toHaveLength(DEVICES);
      expect(job.counts.done + job.counts.unknown).toBe(DEVICES);
      // The kills fell into its time: not all of it was over before the last.
      expect(job.counts.done).toBeGreaterThan(0);
      for (const { endpoint, state } of items) {
        const times = executed.get(endpoint) ?? 0;
        expect([endpoint, state, times]).toEqual([
          endpoint,
          state,
          state === 'done' ? 1 : Math.min(times, 1),
        ]);
      }
      const commands = await api.get<ApiCommandPage>(`/api/commands?job=${id}&limit=1000`);
      expect(new Set(commands.items.map(({ endpoint }) => endpoint)).size).toBe(DEVICES);
      expect(commands.items).toHaveLength(DEVICES);
    } finally {
      await server.kill('SIGTERM');
    }
  }, 180_000);
});

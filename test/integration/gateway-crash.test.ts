import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../client/flow-device/simulated-device.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import type { ApiCarrierAnswer, ApiCommand } from '../../server/api/schemas.ts';
import { ApiClient, freePort, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-gateway-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const finalStates = ['done', 'failed', 'cancelled', 'expired', 'unknown'];

/** Milliseconds after the command was queued. */
const moments = [0, 3, 8, 20, 100] as const;
const carriers = { 'T-Mobile': 1, Verizon: 2 } as const;

describe('a server that is killed with -9 while a device behind the gateway is switched', () => {
  it('asks the device once at the most, and ends the command with its answer, or as unknown', async () => {
    const devices = join(folder, 'devices.json');
    // Longer than a server takes to be back, on a busy machine too.
    const field = { endpoint: 'field-1', sources: ['127.0.0.1'], patience: 40, repeatAfter: [] };
    writeFileSync(devices, JSON.stringify({ devices: [field] }));
    const gateway = await freePort();
    const options = {
      data: join(folder, 'data'),
      coapPort: await freePort(),
      httpPort: await freePort(),
      flags: [
        ...['--log-level', 'warn', '--gateway-port', String(gateway)],
        ...['--gateway-devices', devices],
      ],
    };
    const api = new ApiClient(options.httpPort);
    let server = await startServerProcess(options);
    const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
    const device = new SimulatedDevice({
      port,
      server: `127.0.0.1:${gateway}`,
      clock: systemClock,
      sensors: [{ deviceId: 1, rate: 20 }],
      carrier: 0,
      carriers: [0, 1, 2],
      switchTime: 0,
    });
    // It answers when the test says so: when the server is there again.
    device.mute = true;
    device.start();
    try {
      await until('the carriers are listed', async () => {
        const { slots } = await api.get<ApiCarrierAnswer>('/api/devices/field-1/carrier');
        return slots[0]?.available.length === 3;
      });
      for (const [index, moment] of moments.entries()) {
        const carrier = index % 2 === 0 ? 'Verizon' : 'T-Mobile';
        const before = device.requests.length;
        const { id } = await api.post<ApiCommand>('/api/devices/field-1/carrier', { carrier });
        await new Promise<void>((resolve) => setTimeout(resolve, moment));
        await server.kill('SIGKILL');
        server = await startServerProcess(options);
        let isAnswered = false;
        const command = await until(
          `the command has ended, ${moment} ms`,
          async () => {
            if (device.requests.length > before && !isAnswered) {
              isAnswered = true;
              device.answer(carriers[carrier]);
            }
            const now = await api.get<ApiCommand>(`/api/commands/${id}`);
            return finalStates.includes(now.state) && now;
          },
          90_000,
        );
        const asked = device.requests.length - before;
        // What was noted and never sent is as unknown as what was sent and never answered.
        expect(asked, `asked, ${moment} ms`).toBeLessThanOrEqual(1);
        expect(command.state, `${moment} ms`).toBe(asked === 1 ? 'done' : 'unknown');
        expect(command.history.filter(({ state }) => finalStates.includes(state))).toHaveLength(1);
        if (asked === 1) expect(command.result).toEqual({ answer: 'ACK', carrier });
      }
    } finally {
      device.close();
      await port.close();
      await server.kill('SIGKILL');
    }
  }, 300_000);
});

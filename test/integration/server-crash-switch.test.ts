import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ApiCarrierAnswer, ApiCommand } from '../../server/api/schemas.ts';
import { ApiClient, freePort, ProjectProcess, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-crash-switch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const finalStates = ['done', 'failed', 'cancelled', 'expired', 'unknown'];

/** Milliseconds after the command was queued; the card works 300 ms on a switch. */
const moments = [0, 5, 20, 150, 320, 450] as const;

describe('a server that is killed with -9 in the middle of a carrier switch', () => {
  it('goes on with it when it is started again: the modem switches once, and the command ends once', async () => {
    const options = { data: join(folder, 'data'), coapPort: await freePort(), httpPort: await freePort() };
    const api = new ApiClient(options.httpPort);
    let server = await startServerProcess(options);
    const modem = new ProjectProcess('client/main.ts', [
      ...[
        '--server',
        `coap://127.0.0.1:${options.coapPort}`,
        '--endpoint',
        'modem',
        '--state',
        join(folder, 'modem'),
      ],
      ...['--switch-latency', '300', '--attach-time', '20', '--rate', 'imu=20,gyro=0,temperature=0'],
    ]);
    try {
      await until('the card is known', async () => {
        if (modem.ended) throw new Error(`the modem ended:\n${modem.output}`);
        const { total } = await api.get<{ total: number }>('/api/devices?state=registered');
        if (total === 0) return false;
        return (await api.get<ApiCarrierAnswer>('/api/devices/modem/carrier')).current === 'AT&T';
      });
      for (const [index, moment] of moments.entries()) {
        const carrier = ['T-Mobile', 'Verizon', 'AT&T'][index % 3] as string;
        const { id } = await api.post<ApiCommand>('/api/devices/modem/carrier', { carrier });
        await new Promise<void>((resolve) => setTimeout(resolve, moment));
        await server.kill('SIGKILL');
        server = await startServerProcess(options);
        const command = await until(
          `the command is done, ${moment} ms`,
          async () => {
            const now = await api.get<ApiCommand>(`/api/commands/${id}`);
            return finalStates.includes(now.state) ? now : undefined;
          },
          60_000,
        );
        expect(command.state).toBe('done');
        expect(command.history.filter(({ state }) => finalStates.includes(state))).toHaveLength(1);
        expect(modem.output.match(new RegExp(`→ ${carrier}: switching`, 'g'))).toHaveLength(
          1 + Math.floor(index / 3),
        );
        expect(command.result).toMatchObject({ carrier });
        // A notification of before, which the modem had to send again, may be heard behind the card's word.
        await until(`the carrier is told, ${moment} ms`, async () => {
          return (await api.get<ApiCarrierAnswer>('/api/devices/modem/carrier')).current === carrier;
        });
      }
      // Nor did the modem need a new registration.
      expect(modem.output.match(/registered at/g)).toHaveLength(1);
    } finally {
      await modem.kill('SIGTERM');
      await server.kill('SIGTERM');
    }
  }, 180_000);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiCarrierAnswer, ApiCommand, ApiDevice } from '../../server/api/schemas.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import { ApiClient, ProjectProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

let folder: string;
let server: RunningServer;
let api: ApiClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-modem-crash-'));
  server = await startServer(loadConfig({}, ['--coap-port', '0', '--http-port', '0', '--data', ':memory:']), {
    log: createLog('silent'),
  });
  api = new ApiClient(server.httpAddress);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function startModem(name: string, ...flags: readonly string[]): ProjectProcess {
  return new ProjectProcess('client/main.ts', [
    ...['--server', server.coapUri ?? '', '--endpoint', name, '--state', join(folder, name)],
    ...['--switch-latency', '50', '--attach-time', '20', '--rate', 'imu=0,gyro=0,temperature=0'],
    ...flags,
  ]);
}

async function carrier(name: string): Promise<ApiCarrierAnswer['slots'][number] | undefined> {
  const answer = await api.get<ApiCarrierAnswer>(`/api/devices/${name}/carrier`);
  return answer.slots[0];
}

async function registered(name: string, modem: ProjectProcess): Promise<ApiDevice> {
  return until(`${name} is registered`, async () => {
    if (modem.ended) throw new Error(`the modem ended:\n${modem.output}`);
    const { items } = await api.get<{ items: ApiDevice[] }>(`/api/devices?q=${name}`);
    const device = items[0];
    return device?.carrier === undefined ? undefined : device;
  });
}

const finalStates = ['done', 'failed', 'cancelled', 'expired', 'unknown'];

/** What the command must end on: the profile was enabled at `after-apdu` and later, and not before. */
const steps = [
  ['journal-written', 'failed', 'AT&T'],
  ['answered', 'failed', 'AT&T'],
  ['before-apdu', 'failed', 'AT&T'],
  ['after-apdu', 'done', 'T-Mobile'],
  ['before-notify', 'done', 'T-Mobile'],
  ['after-notify', 'done', 'T-Mobile'],
] as const;

describe('a modem that is killed with -9 in the middle of a carrier switch', () => {
  it.each(steps)(
    'at %s: the command ends once, %s, and the card is on %s',
    async (step, end, current) => {
      const name = `crash-at-${step}`;
      const doomed = startModem(name, '--crash-at', step);
      await registered(name, doomed);
      const { id } = await api.post<ApiCommand>(`/api/devices/${name}/carrier`, { carrier: 'T-Mobile' });
      expect(await doomed.exit()).toBe('SIGKILL');

      const heir = startModem(name);
      try {
        const command = await until('the command has ended', async () => {
          if (heir.ended) throw new Error(`the modem ended:\n${heir.output}`);
          const now = await api.get<ApiCommand>(`/api/commands/${id}`);
          return finalStates.includes(now.state) ? now : undefined;
        });
        expect(command.state).toBe(end);
        expect(command.history.filter(({ state }) => finalStates.includes(state))).toHaveLength(1);
        const slot = await until('the card is heard', async () => {
          const said = await carrier(name);
          return said?.state === (end === 'done' ? 'succeeded' : 'failed') ? said : undefined;
        });
        expect(slot.current).toBe(current);
        expect(slot.iccid).toMatch(current === 'T-Mobile' ? /^8901260/ : /^8901410/);

        // And the next command is a new one, which the same modem carries out.
        const next = await api.post<ApiCommand>(`/api/devices/${name}/carrier`, { carrier: 'Verizon' });
        await until('the next command is done', async () => {
          return (await api.get<ApiCommand>(`/api/commands/${next.id}`)).state === 'done';
        });
        expect(heir.output.match(/→ Verizon: switching/g)).toHaveLength(1);
        expect(heir.output).not.toMatch(/→ T-Mobile: switching/);
      } finally {
        await heir.kill('SIGTERM');
      }
    },
    90_000,
  );
});

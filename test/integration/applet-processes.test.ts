import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ApiCarrierAnswer, ApiCommand } from '../../server/api/schemas.ts';
import { loadConfig } from '../../server/config.ts';
import { createLog } from '../../server/log.ts';
import { type RunningServer, startServer } from '../../server/main.ts';
import { ApiClient, ProjectProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

let folder: string;
let server: RunningServer;
let api: ApiClient;
let modem: ProjectProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-applet-processes-'));
  const devices = join(folder, 'devices.json');
  writeFileSync(devices, JSON.stringify({ devices: [{ endpoint: 'card-1', sources: ['127.0.0.1'] }] }));
  const flags = ['--coap-port', '0', '--http-port', '0', '--data', ':memory:'];
  server = await startServer(
    loadConfig({}, [...flags, '--gateway-port', '0', '--gateway-devices', devices]),
    { log: createLog('silent') },
  );
  api = new ApiClient(server.httpAddress);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await modem?.kill('SIGKILL');
});

/** A modem process whose virtual card is on disk. */
function startModem(kind: string, ...flags: readonly string[]): ProjectProcess {
  modem = new ProjectProcess('client/main.ts', [
    ...['--server', server.coapUri ?? '', '--endpoint', `modem-${kind}`, '--state', join(folder, kind)],
    ...['--card-kind', kind, '--gateway', server.gatewayAddress ?? '', '--attach-time', '20'],
    ...['--rate', 'imu=0,gyro=0,temperature=0'],
    ...flags,
  ]);
  return modem;
}

const slotOf = async (endpoint: string) =>
  (await api.get<ApiCarrierAnswer>(`/api/devices/${endpoint}/carrier`)).slots[0];
const shows = (endpoint: string, carrier: string) =>
  until(`${endpoint} is on ${carrier}`, async () => {
    if (modem?.ended) throw new Error(`the modem ended:\n${modem.output}`);
    const slot = await slotOf(endpoint).catch(() => undefined);
    return slot?.current === carrier && slot.available.length === 3 ? slot : undefined;
  });
const order = (endpoint: string, carrier: string) =>
  api.post<ApiCommand>(`/api/devices/${endpoint}/carrier`, { carrier });
const ended = (id: string) =>
  until('the command has ended', async () => {
    const command = await api.get<ApiCommand>(`/api/commands/${id}`);
    return ['done', 'failed', 'unknown', 'expired'].includes(command.state) ? command : undefined;
  });

/** What is on disk of the card. */
function cardOnDisk(kind: string): { enabled: string; profiles: { iccid: string; name: string }[] } {
  return JSON.parse(readFileSync(join(folder, kind, 'card.json'), 'utf8'));
}

describe('a modem process with an applet card, over real sockets', () => {
  it('has its card switched by the gateway, and is killed and back on that card', async () => {
    startModem('applet');
    await shows('modem-applet', 'AT&T');
    // Which carrier it is on, the card has said by itself.
    await shows('card-1', 'AT&T');
    const { id } = await order('card-1', 'Verizon');
    expect(await ended(id)).toMatchObject({ state: 'done', result: { answer: 'ACK', carrier: 'Verizon' } });
    const { iccid } = await shows('modem-applet', 'Verizon');
    const { enabled, profiles } = cardOnDisk('applet');
    expect(profiles.find(({ name }) => name === 'Verizon')?.iccid).toBe(enabled);
    expect(iccid).toBe(enabled);
    await modem?.kill('SIGKILL');
    startModem('applet');
    await modem?.printed(/on Verizon, ICCID/);
    await modem?.printed(/the card opened channel/);
  });

  it('killed after the applet has done what LwM2M ordered, tells both servers the card’s word', async () => {
    const doomed = startModem('applet', '--crash-at', 'after-apdu');
    await doomed.printed(/registered at/);
    await until(
      'the server has the modem',
      async () => (await slotOf('modem-applet'))?.available.length === 3,
    );
    const { id } = await order('modem-applet', 'T-Mobile');
    expect(await doomed.exit()).toBe('SIGKILL');
    startModem('applet');
    expect(await ended(id)).toMatchObject({ state: 'done', result: { carrier: 'T-Mobile' } });
    await shows('card-1', 'T-Mobile');
  });

  it('another kind of card than the one in the file is refused in one line', async () => {
    const wrong = startModem('applet', '--card-kind', 'legacy');
    expect(await wrong.exit()).toBe(1);
    expect(wrong.output).toMatch(/the card in .*card\.json is of the kind applet, not legacy\n$/);
  });
});

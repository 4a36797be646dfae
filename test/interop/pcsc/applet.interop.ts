import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeIccid } from '../../../client/sim/files.ts';
import { fromHex } from '../../../client/sim/hex.ts';
import type { CardKind } from '../../../client/sim/virtual-card/card-contents.ts';
import { openVirtualCard } from '../../../client/sim/virtual-card/open-virtual-card.ts';
import { root } from '../../../scripts/root.ts';
import { freePort, type ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { ServerProcess } from '../support/server-process.ts';
import { hasPcsc, PcscWorld, readBeside, readers } from './pcsc-world.ts';

interface Command {
  readonly id: string;
  readonly state: string;
  readonly result?: { readonly answer: string; readonly carrier: string };
}

interface Slot {
  readonly current: string;
  readonly iccid?: string;
  readonly lastReason: string;
  readonly available: readonly unknown[];
}

// The card talks to the server by itself: applet, vpcd, pcscd, pcsclite, the modem's terminal and radio, UDP, gateway.
describe.skipIf(!hasPcsc)('a card with an applet, in a PC/SC reader', () => {
  let world: PcscWorld;
  let server: ServerProcess;
  let gatewayPort: number;
  let card: ProjectProcess | undefined;
  let modem: ProjectProcess | undefined;

  beforeAll(async () => {
    world = await PcscWorld.start();
    gatewayPort = await freePort();
    const devices = join(world.folder, 'devices.json');
    writeFileSync(devices, JSON.stringify({ devices: [{ endpoint: 'card', sources: ['127.0.0.1'] }] }));
    server = await ServerProcess.start([
      ...['--gateway-port', String(gatewayPort), '--gateway-devices', devices],
    ]);
  });
  afterEach(async () => {
    await modem?.kill('SIGTERM');
    await card?.kill('SIGTERM');
  });
  afterAll(async () => {
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
    await world?.stop();
  });

  /** A card of that kind in the reader, whose applet knows its gateway, and a modem on the reader. */
  async function start(kind: CardKind, ...flags: readonly string[]): Promise<void> {
    const file = join(world.folder, `${kind}.json`);
    const made = openVirtualCard(file, { kind, gateway: { address: '127.0.0.1', port: gatewayPort } });
    await made.close();
    card = await world.serve(file);
    modem = world.program('client/main.ts', [
      ...['--server', `coap://${server.coap}`, '--endpoint', `modem-${kind}`],
      ...['--state', join(world.folder, `modem-${kind}`), '--card', `pcsc:${readers[0]}`],
      ...['--attach-time', '50', '--rate', 'imu=0,gyro=0,temperature=0', ...flags],
    ]);
    await modem.printed(/registered at/, 30_000);
  }

  async function slotOf(endpoint: string): Promise<Slot | undefined> {
    const { body } = await server.call('GET', `/api/devices/${endpoint}/carrier`);
    return (body as { readonly slots?: readonly Slot[] }).slots?.[0];
  }

  const shows = (endpoint: string, carrier: string): Promise<Slot> =>
    until(
      `${endpoint} is on ${carrier}`,
      async () => {
        const slot = await slotOf(endpoint);
        return slot?.current === carrier && slot.available.length === 3 ? slot : undefined;
      },
      30_000,
    );

  async function switchTo(endpoint: string, carrier: string): Promise<Command> {
    const { status, body } = await server.call('POST', `/api/devices/${endpoint}/carrier`, { carrier });
    expect(status, JSON.stringify(body)).toBe(202);
    return until(
      `the switch to ${carrier} has ended`,
      async () => {
        const command = (await server.call('GET', `/api/commands/${(body as Command).id}`)).body as Command;
        return ['done', 'failed', 'unknown', 'expired'].includes(command.state) ? command : undefined;
      },
      60_000,
    );
  }

  function iccidByPyscard(): Promise<string> {
    return readBeside('pyscard reads the ICCID', async () => {
      const script = join(root, 'test/interop/pcsc/read_iccid.py');
      const { stdout } = await promisify(execFile)('/usr/bin/python3', [script, readers[0]], {
        env: { ...process.env, ...world.environment },
      });
      return decodeIccid(fromHex(stdout.trim()));
    });
  }

  test('switches by itself at a word of the gateway, and pyscard reads the other ICCID', async () => {
    await start('applet');
    await shows('modem-applet', 'AT&T');
    await shows('card', 'AT&T');
    const before = await iccidByPyscard();
    await modem?.printed(/the card opened channel/);
    expect(await switchTo('card', 'Verizon')).toMatchObject({
      state: 'done',
      result: { answer: 'ACK', carrier: 'Verizon' },
    });
    const { iccid } = await shows('modem-applet', 'Verizon');
    const after = await iccidByPyscard();
    expect(after).toBe(iccid);
    expect(after).not.toBe(before);
  });

  test('takes the switch that LwM2M orders of the modem', async () => {
    await start('applet');
    await shows('modem-applet', 'Verizon');
    expect(await switchTo('modem-applet', 'T-Mobile')).toMatchObject({ state: 'done' });
    const { iccid } = await shows('modem-applet', 'T-Mobile');
    expect(await iccidByPyscard()).toBe(iccid);
    await shows('card', 'T-Mobile');
  });

  test('of the old kind acknowledges, and pyscard reads the same ICCID', async () => {
    await start('legacy', '--gateway', `127.0.0.1:${gatewayPort}`);
    await shows('modem-legacy', 'AT&T');
    const before = await iccidByPyscard();
    expect(await switchTo('modem-legacy', 'Verizon')).toMatchObject({ state: 'done' });
    const slot = await shows('modem-legacy', 'Verizon');
    expect(slot.lastReason).toContain('the ICCID of the card did not change');
    expect(await iccidByPyscard()).toBe(before);
    await shows('card', 'Verizon');
    expect(await switchTo('card', 'AT&T')).toMatchObject({ state: 'done' });
  });
});

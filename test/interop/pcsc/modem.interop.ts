import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setFaults } from '../../../client/sim/cli/faults.ts';
import { decodeIccid } from '../../../client/sim/files.ts';
import { fromHex } from '../../../client/sim/hex.ts';
import { root } from '../../../scripts/root.ts';
import type { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';
import { ServerProcess } from '../support/server-process.ts';
import { hasPcsc, PcscWorld, readBeside, readers } from './pcsc-world.ts';

const run = promisify(execFile);

interface Command {
  readonly id: string;
  readonly state: string;
  readonly reason?: string;
}

interface Slot {
  readonly current: string;
  readonly iccid: string;
}

// The whole way: REST, server, CoAP, modem, pcsclite, pcscd, vpcd, virtual card; and other people's PC/SC programs.
describe.skipIf(!hasPcsc)('a modem whose card is in a PC/SC reader', () => {
  let world: PcscWorld;
  let server: ServerProcess;
  let card: ProjectProcess;
  let modem: ProjectProcess;
  let file: string;

  beforeAll(async () => {
    world = await PcscWorld.start();
    file = join(world.folder, 'card.json');
    card = await world.serve(file);
    server = await ServerProcess.start();
    modem = startModem();
    await modem.printed(/registered at/, 30_000);
  });

  afterAll(async () => {
    await modem?.kill('SIGTERM');
    await card?.kill('SIGTERM');
    if (server !== undefined) expect(await server.stop(), server.log()).toBe('exit code 0');
    await world?.stop();
  });

  function startModem(): ProjectProcess {
    return world.program('client/main.ts', [
      ...['--server', `coap://${server.coap}`, '--endpoint', 'modem', '--state', join(world.folder, 'modem')],
      ...['--card', `pcsc:${readers[0]}`, '--card-timeout', '2', '--rate', 'imu=0,gyro=0,temperature=0'],
    ]);
  }

  /**
   * As scriptor reads it: what a card answers stands behind `<`. It locks the card for a command at a time, so that the
   * modem, which reads the card that scriptor has reset, may select a file between: then it reads again.
   */
  function iccidByScriptor(): Promise<string> {
    return readBeside('scriptor reads the ICCID', scriptorsAnswer);
  }

  async function scriptorsAnswer(): Promise<string | undefined> {
    const child = run('/usr/bin/scriptor', ['-r', readers[0], '-p', 'T=0'], {
      env: { ...process.env, ...world.environment },
    });
    child.child.stdin?.end('00 A4 08 04 02 2F E2\n00 B0 00 00 0A\n');
    const { stdout } = await child;
    const answer = /< ((?:[0-9A-F]{2} ){10})90 00/.exec(stdout)?.[1];
    if (answer === undefined && /< 6[9C] [0-9A-F]{2}/.test(stdout)) return undefined;
    if (answer === undefined) throw new Error(`scriptor read no ICCID:\n${stdout}`);
    return decodeIccid(fromHex(answer.replaceAll(' ', '')));
  }

  function iccidByPyscard(): Promise<string> {
    return readBeside('pyscard reads the ICCID', async () => {
      const script = join(root, 'test/interop/pcsc/read_iccid.py');
      const { stdout } = await run('/usr/bin/python3', [script, readers[0]], {
        env: { ...process.env, ...world.environment },
      });
      return decodeIccid(fromHex(stdout.trim()));
    });
  }

  /** Resolves when the card that is served follows. */
  async function befall(fault: string): Promise<void> {
    const said = card.output.length;
    setFaults(file, [fault]);
    await until('the card has the fault', () => /befalls/.test(card.output.slice(said)));
  }

  async function slot(): Promise<Slot> {
    const { body } = await server.call('GET', '/api/devices/modem/carrier');
    return (body as { readonly slots: readonly [Slot] }).slots[0];
  }

  /** A carrier switch from REST, to its end. */
  async function switchTo(carrier: string): Promise<Command> {
    const { status, body } = await server.call('POST', '/api/devices/modem/carrier', { carrier });
    expect(status, JSON.stringify(body)).toBe(202);
    const { id } = body as Command;
    return until(
      `the switch to ${carrier} has ended`,
      async () => {
        const command = (await server.call('GET', `/api/commands/${id}`)).body as Command;
        return ['done', 'failed', 'unknown', 'expired'].includes(command.state) ? command : undefined;
      },
      120_000,
    );
  }

  test('shows the card that other programs see', async () => {
    const { current, iccid } = await until('the server has heard of the card', async () => {
      const now = await slot();
      return now?.iccid === undefined ? undefined : now;
    });
    expect(current).toBe('AT&T');
    expect(await iccidByScriptor()).toBe(iccid);
    expect(await iccidByPyscard()).toBe(iccid);
  });

  test('switches the carrier on a request from REST: other programs read the other ICCID', async () => {
    const before = await slot();
    expect(await switchTo('Verizon')).toMatchObject({ state: 'done' });
    const after = await until('the server hears of it', async () => {
      const now = await slot();
      return now.current === 'Verizon' ? now : undefined;
    });
    expect(after.iccid).not.toBe(before.iccid);
    expect(after.iccid).toMatch(/^8901480/);
    expect(await iccidByScriptor()).toBe(after.iccid);
    expect(await iccidByPyscard()).toBe(after.iccid);
  });

  test('switches although other programs have reset the card meanwhile', async () => {
    await iccidByScriptor();
    expect(await switchTo('T-Mobile')).toMatchObject({ state: 'done' });
    await iccidByPyscard();
    expect(await switchTo('AT&T')).toMatchObject({ state: 'done' });
    expect(await iccidByScriptor()).toMatch(/^8901410/);
  });

  test('says why the card refused', async () => {
    await befall('policy');
    const { state, reason } = await switchTo('Verizon');
    await befall('none');
    expect(state).toBe('failed');
    expect(reason).toMatch(/policy/);
    expect(await iccidByPyscard()).toMatch(/^8901410/);
  });

  test('fails a switch while the card is out, and goes on by itself when it is in again', async () => {
    await befall('absent');
    await card.printed(/in no reader/);
    const { state, reason } = await switchTo('Verizon');
    expect(state).toBe('failed');
    expect(reason).toMatch(/card|reader/);
    await befall('none');
    await until(
      'the card is found again',
      async () => {
        const command = await switchTo('Verizon');
        return command.state === 'done' || undefined;
      },
      120_000,
    );
    expect(await iccidByScriptor()).toMatch(/^8901480/);
  }, 300_000);

  test('outlives a restart of pcscd', async () => {
    await world.stopDaemon();
    await world.startDaemon();
    await until(
      'the card is found again',
      async () => {
        const command = await switchTo('T-Mobile');
        return command.state === 'done' || undefined;
      },
      120_000,
    );
    expect(await iccidByScriptor()).toMatch(/^8901260/);
  }, 300_000);
});

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePackage } from '../../../../client/modem/firmware/package.ts';
import { FirmwareState, UpdateResult } from '../../../../client/modem/firmware/states.ts';
import { systemClock } from '../../../../protocol/clock.ts';
import { createCoapEndpoint } from '../../../../protocol/coap/endpoint.ts';
import { Code } from '../../../../protocol/coap/message.ts';
import { createUdpPort } from '../../../../protocol/coap/udp-port.ts';
import { ContentFormat } from '../../../../protocol/lwm2m/content-format.ts';
import { registry } from '../../../support/client/client-world.ts';
import { ScriptedServer } from '../../../support/client/scripted-server.ts';
import { until } from '../../../support/until.ts';

// The modem's real process, on real sockets and real files.

let folder: string;
let server: ScriptedServer;
let uri: string;
let child: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-firmware-'));
  server = new ScriptedServer(registry, () => systemClock.now());
  const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
  uri = `coap://${port.local}`;
  server.endpoint = createCoapEndpoint({ port, handler: server.handle });
});

afterEach(async () => {
  await kill();
  await server.endpoint.close();
  rmSync(folder, { recursive: true });
});

function start(...args: string[]): void {
  const fixed = ['--server', uri, '--state', join(folder, 'state'), '--rate', 'imu=0,gyro=0,temperature=0'];
  child = spawn(process.execPath, ['client/main.ts', ...fixed, '--quiet', ...args], { stdio: 'inherit' });
}

async function kill(): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const registered = (count: number) =>
  until('registered', () => server.of('register').length >= count || undefined);

describe('the process of a modem that is killed', () => {
  it('has the package and the state afterwards, and after the update its new version', async () => {
    const file = join(folder, 'firmware.bin');
    const made = execFileSync(process.execPath, [
      'scripts/make-firmware.ts',
      ...['--version', '2.5.0', '--hardware', '1.0', '--size', '50000', '--out', file],
    ]);
    expect(made.toString()).toBe(`${file}: simyard-modem 2.5.0, 50063 bytes\n`);
    start();
    await registered(1);
    await server.send(Code.PUT, '/5/0/0', { format: ContentFormat.OPAQUE, payload: readFileSync(file) });
    await kill();
    start();
    await registered(2);
    expect(await server.values('/5/0')).toMatchObject({
      '/5/0/3': FirmwareState.DOWNLOADED,
      '/5/0/6': 'simyard-modem',
      '/5/0/7': '2.5.0',
    });
    await server.execute('/5/0/2');
    const record = join(folder, 'state', 'firmware.json');
    await until('updating', () => JSON.parse(readFileSync(record, 'utf8')).state === 3 || undefined);
    await kill();
    start();
    await registered(3);
    expect(await server.values('/3/0/3')).toEqual({ '/3/0/3': '2.5.0' });
    expect(await server.values('/5/0')).toMatchObject({
      '/5/0/3': FirmwareState.IDLE,
      '/5/0/5': UpdateResult.UPDATED,
    });
  });

  it('goes on with a download over CoAP where it was', async () => {
    const whole = encodePackage(
      { name: 'simyard-modem', version: '3.0.0', minimumHardware: undefined },
      new Uint8Array(100_000),
    );
    const blocks = Math.ceil(whole.length / 1024);
    const files = createCoapEndpoint({
      port: await createUdpPort({ host: '127.0.0.1', port: 0 }),
      handler: (request) => request.respond({ code: Code.CONTENT, payload: whole }),
    });
    try {
      let asked = 0;
      let killed: Promise<void> | undefined;
      files.trace(({ direction }) => {
        if (direction !== 'in') return;
        asked++;
        if (asked === 40) killed = kill();
      });
      start();
      await registered(1);
      await server.writeText('/5/0/1', `coap://${files.local}/firmware`);
      await until('killed', () => killed?.then(() => true));
      const first = asked;
      expect(first).toBeLessThan(blocks);
      start();
      await registered(2);
      await until('downloaded', async () => {
        const values = await server.values('/5/0');
        return values['/5/0/3'] === FirmwareState.DOWNLOADED;
      });
      // The block that was under way when the process died may be asked for twice.
      expect(asked).toBeGreaterThanOrEqual(blocks);
      expect(asked).toBeLessThanOrEqual(blocks + 2);
    } finally {
      await files.close();
    }
  });

  it('has what servers wrote, and fails an update as its flags say', async () => {
    start('--firmware-fault', 'no-storage');
    await registered(1);
    await server.writeText('/3/0/15', 'Asia/Tokyo');
    await server.send(Code.PUT, '/5/0/0', { format: ContentFormat.OPAQUE, payload: new Uint8Array(3_000) });
    await kill();
    start();
    await registered(2);
    expect(await server.values('/3/0/15')).toEqual({ '/3/0/15': 'Asia/Tokyo' });
    expect(await server.values('/5/0/5')).toEqual({ '/5/0/5': UpdateResult.NOT_ENOUGH_STORAGE });
  });
});

describe('the script that makes packages', () => {
  const fails = (...args: string[]): string => {
    try {
      execFileSync(process.execPath, ['scripts/make-firmware.ts', ...args], { stdio: 'pipe' });
    } catch (error) {
      if (error instanceof Error && 'status' in error && 'stderr' in error) {
        return `${String(error.status)} ${String(error.stderr).split('\n')[0]}`;
      }
      throw error;
    }
    return 'made';
  };

  it('tells in a line what it cannot do', () => {
    expect(fails()).toMatch(/^2 Usage/);
    expect(fails('--version', '1', '--out', join(folder, 'x'), '--hardware', 'new')).toMatch(/^2 new is no/);
    expect(fails('--version', '1', '--out', join(folder, 'x'), '--size', 'big')).toMatch(/^2 --size/);
    expect(fails('--version', '1', '--out', join(folder, 'no', 'x'))).toMatch(/^2 ENOENT/);
    expect(fails('--nonsense')).toMatch(/^2 Unknown option/);
  });
});

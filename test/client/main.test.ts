import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { switchSteps } from '../../client/modem/carrier-snapshot.ts';
import { cardProfiles, cardSerialOf } from '../../client/sim/virtual-card/card-profiles.ts';
import { CarrierResult, CarrierState, DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import { systemClock } from '../../protocol/clock.ts';
import { createCoapEndpoint } from '../../protocol/coap/endpoint.ts';
import { createUdpPort } from '../../protocol/coap/udp-port.ts';
import { registry } from '../support/client/client-world.ts';
import { ScriptedServer, describe as told } from '../support/client/scripted-server.ts';

// The modem's real process, on real sockets and real files.

const endpoint = 'crash-test';
const [att, tmobile, verizon] = cardProfiles(cardSerialOf(endpoint));
const carrierObject = '/42769/0';

let folder: string;
let server: ScriptedServer;
let uri: string;
const children: Running[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
  output: string;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'simyard-modem-'));
  server = new ScriptedServer(registry, () => systemClock.now());
  const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
  uri = `coap://${port.local}`;
  server.endpoint = createCoapEndpoint({ port, handler: server.handle });
});

afterEach(async () => {
  for (const { child, exit } of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exit;
  }
  await server.endpoint.close();
  rmSync(folder, { recursive: true });
});

function run(...args: string[]): Running {
  const child = spawn(process.execPath, ['client/main.ts', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const running: Running = { child, exit, output: '' };
  const take = (text: Buffer): void => {
    running.output += text.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  children.push(running);
  return running;
}

/** A modem whose state stays in the test's folder. */
function modem(...args: string[]): Running {
  const fixed = ['--server', uri, '--endpoint', endpoint, '--state', folder];
  const quick = ['--switch-latency', '30', '--attach-time', '0', '--rate', 'imu=0,gyro=0,temperature=0'];
  return run(...fixed, ...quick, ...args);
}

/** Resolves when it is so; the test's own time limit ends the wait. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function registered(count: number): Promise<void> {
  await until(() => server.of('register').length >= count);
}

/** ICCID of the profile that is enabled on the card. */
const stored = (): { enabled: string | null } => JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8'));

describe('a modem process that is killed in the middle of a carrier switch', () => {
  it.each(switchSteps)('at the step %s: it ends once, and on what the card says', async (step) => {
    const first = modem('--crash-at', step);
    await registered(1);
    const answer = server
      .execute(`${carrierObject}/3`, "0='1',1='1790000000001'")
      .then(told, (error: Error) => error.name);
    expect(await first.exit).toEqual([null, 'SIGKILL']);
    const onCard = stored().enabled === tmobile?.iccid;

    modem();
    await registered(2);
    const outcome = {
      '/42769/0/0': onCard ? 'T-Mobile' : 'AT&T',
      '/42769/0/4': onCard ? CarrierState.SUCCEEDED : CarrierState.FAILED,
      '/42769/0/5': onCard ? CarrierResult.ACK : CarrierResult.NACK,
      '/42769/0/6': onCard ? '' : 'interrupted: the card stayed on AT&T',
      '/42769/0/7': onCard ? tmobile?.iccid : att?.iccid,
      '/42769/0/8': onCard ? tmobile?.imsi : att?.imsi,
      '/42769/0/10': 1_790_000_000_001,
    };
    expect(await server.values(carrierObject)).toMatchObject(outcome);
    expect(onCard).toBe(['after-apdu', 'before-notify', 'after-notify'].includes(step));

    // The server tries again with the same id, as it does when it got no answer: nothing is done again.
    expect(told(await server.execute(`${carrierObject}/3`, "0='1',1='1790000000001'"))).toBe('2.04');
    expect(await server.values(carrierObject)).toMatchObject(outcome);
    expect(stored().enabled).toBe(onCard ? tmobile?.iccid : att?.iccid);

    // And the next command is carried out.
    expect(told(await server.execute(`${carrierObject}/3`, "0='2',1='1790000000002'"))).toBe('2.04');
    await until(() => stored().enabled === verizon?.iccid);
    if (step !== 'journal-written') expect(await answer).toBe('2.04');
  });

  it('of a Disconnect that the card had done: it is off the network, and tells the outcome when it is back', async () => {
    const first = modem('--crash-at', 'after-apdu', '--reconnect-after', '1');
    await registered(1);
    await server.execute(`${carrierObject}/3`, `0='${DISCONNECT_CARRIER_ID}',1='5'`);
    await first.exit;
    expect(stored().enabled).toBeNull();
    const second = modem();
    await registered(2);
    expect(second.output).toContain('the card is disconnected');
    expect(await server.values(carrierObject)).toMatchObject({
      '/42769/0/0': 'AT&T',
      '/42769/0/4': CarrierState.SUCCEEDED,
      '/42769/0/5': CarrierResult.ACK,
      '/42769/0/10': 5,
    });
  });
});

describe('the modem’s process', () => {
  it('says what it does, and deregisters on SIGTERM', async () => {
    const running = modem();
    await registered(1);
    await until(() => running.output.includes('registered at'));
    running.child.kill('SIGTERM');
    expect(await running.exit).toEqual([0, null]);
    expect(server.of('deregister')).toHaveLength(1);
    expect(running.output).toContain(`on AT&T, ICCID ${att?.iccid}`);
    expect(running.output).toContain('registered at /rd/1');
  });

  it('goes on with its readings where it was killed: the pack under way comes as the same bytes', async () => {
    const imu = '/42770/0/2';
    const silent = { decide: (notification: { ignore(): void }) => notification.ignore() };
    const first = modem('--rate', 'imu=50,gyro=0,temperature=0');
    await registered(1);
    const before = await server.observe(imu, silent);
    await until(() => before.told.length > 0);
    const size = (): number => statSync(join(folder, 'readings.log')).size;
    const then = size();
    await until(() => size() > then + 200);
    first.child.kill('SIGKILL');
    await first.exit;
    modem('--rate', 'imu=50,gyro=0,temperature=0');
    await registered(2);
    const after = await server.observe(imu);
    await until(() => after.told.length > 1);
    expect(after.told[0]?.payload).toEqual(before.told[0]?.payload);
    const times = (at: number) =>
      server.records(imu, after.told[at]?.payload ?? new Uint8Array()).map(({ time }) => time ?? 0);
    // What was taken after it, by the process that is dead, is there too.
    expect(Math.round(((times(1)[0] ?? 0) - (times(0).at(-1) ?? 0)) * 1_000)).toBe(20);
  });

  it('has several servers, and sends each what it was told to', async () => {
    const second = new ScriptedServer(registry, () => systemClock.now());
    const port = await createUdpPort({ host: '127.0.0.1', port: 0 });
    second.endpoint = createCoapEndpoint({ port, handler: second.handle });
    try {
      const running = modem('--server', `coap://${port.local},id=7,instance=3,lifetime=60`, '--send', '/1');
      await until(() => server.of('send').length + second.of('send').length === 2);
      const sent = (at: ScriptedServer) => at.decode('/', at.of('send')[0]?.body ?? new Uint8Array());
      expect(sent(server)).toMatchObject({ '/1/0/0': 101, '/1/0/1': 300 });
      expect(sent(second)).toMatchObject({ '/1/3/0': 7, '/1/3/1': 60 });
      running.child.kill('SIGTERM');
      expect(await running.exit).toEqual([0, null]);
      expect([server, second].map((each) => each.of('deregister').length)).toEqual([1, 1]);
      expect(running.output).toContain('registered at /rd/1 (server 7)');
    } finally {
      await second.endpoint.close();
    }
  });

  it('keeps nothing when told so', async () => {
    const running = run('--server', uri, '--state', ':memory:', '--quiet');
    await registered(1);
    running.child.kill('SIGINT');
    expect(await running.exit).toEqual([0, null]);
    expect(running.output).toBe('');
    expect(existsSync(join(folder, 'card.json'))).toBe(false);
  });

  it('ends with code 2 and one line when the command line is wrong', async () => {
    const running = run('--server', 'coaps://127.0.0.1');
    expect(await running.exit).toEqual([2, null]);
    expect(running.output.trim().split('\n')).toHaveLength(1);
    expect(running.output).toContain('what does the modem prove itself by?');
  });

  it.each(['card.json', 'journal.json', 'readings.log'])(
    'does not make things up from a damaged %s',
    async (file) => {
      writeFileSync(join(folder, file), '{"format": 1, ');
      const running = modem();
      expect(await running.exit).toEqual([1, null]);
      expect(running.output.trim().split('\n')).toHaveLength(1);
      expect(running.output).toContain(join(folder, file));
    },
  );

  it('has its state folder for itself, until it ends in whatever way', async () => {
    const first = modem();
    await registered(1);
    const second = modem();
    expect(await second.exit).toEqual([1, null]);
    expect(second.output.trim()).toMatch(
      /^[^\n]*crash-test is already running: its state folder [^\n]* is in use; choose another --endpoint or --state$/,
    );
    expect(second.output).toContain(folder);
    expect(server.of('register')).toHaveLength(1);

    first.child.kill('SIGKILL');
    await first.exit;
    const third = modem();
    await registered(2);
    third.child.kill('SIGTERM');
    expect(await third.exit).toEqual([0, null]);
    modem();
    await registered(3);
  });

  it('of a fleet has the folders of its modems for itself', async () => {
    const fleet = ['--fleet', '--server', uri, '--state', folder, '--prefix', 'f-', '--ramp', '200'];
    run(...fleet, '--count', '3');
    await registered(3);
    const second = run(...fleet, '--count', '3', '--quiet');
    expect(await second.exit).toEqual([1, null]);
    expect(second.output).toMatch(/^f-1 is already running: its state folder [^\n]*f-1 is in use; [^\n]*\n$/);
    const single = run('--server', uri, '--endpoint', 'f-2', '--state', join(folder, 'f-2'), '--quiet');
    expect(await single.exit).toEqual([1, null]);
    expect(server.of('register')).toHaveLength(3);
  });

  it('goes on asking for the name of its server, and can be ended meanwhile', async () => {
    const running = run('--server', 'coap://server.invalid', '--state', ':memory:');
    await until(() => running.output.includes('server.invalid; tried again'));
    running.child.kill('SIGTERM');
    expect(await running.exit).toEqual([0, null]);
  });

  it('tells its options', async () => {
    const running = run('--help');
    expect(await running.exit).toEqual([0, null]);
    expect(running.output).toContain('--reconnect-after');
  });

  it('of a fleet registers all its modems, each with its own name, card and socket, and deregisters them', async () => {
    const running = run('--fleet', '--server', uri, '--count', '20', '--prefix', 'f-', '--ramp', '200');
    await registered(20);
    const names = server.of('register').map(({ query }) => query[0]);
    expect(new Set(names)).toEqual(new Set(Array.from({ length: 20 }, (_, i) => `ep=f-${i + 1}`)));
    expect(new Set(server.of('register').map(({ peer }) => peer)).size).toBe(20);
    running.child.kill('SIGTERM');
    expect(await running.exit).toEqual([0, null]);
    expect(server.of('deregister')).toHaveLength(20);
  });
});

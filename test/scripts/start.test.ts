import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildConsole } from '../../scripts/build-console.ts';
import { root } from '../../scripts/root.ts';

/** What `npm start` runs, with its output kept. */
class Start {
  readonly process: ChildProcess;
  output = '';
  readonly #ended: Promise<number>;
  #wake: () => void = () => {};

  constructor(
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    command: readonly [string, ...string[]] = [process.execPath, 'scripts/start.mjs'],
  ) {
    const [program, ...before] = command;
    this.process = spawn(program, [...before, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#ended = new Promise((resolve) => {
      this.process.on('close', (code) => {
        resolve(code ?? -1);
        this.#wake();
      });
    });
  }

  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`It ended without '${text}':\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  ended(): Promise<number> {
    return this.#ended;
  }
}

/** Processes below a process, by the file of ours that they run. */
function descendants(pid: number): Map<string, number> {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args=']).toString().trim().split('\n');
  const all = lines.map((line) => line.trim().split(/\s+/));
  const found = new Map<string, number>();
  const parents = [String(pid)];
  for (const parent of parents) {
    for (const [child, above, ...args] of all) {
      if (above !== parent || child === undefined) continue;
      parents.push(child);
      const file = args.find((arg) => arg.endsWith('main.ts'));
      if (file !== undefined) found.set(file, Number(child));
    }
  }
  return found;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

let env: Record<string, string>;
let data: string;
const started: Start[] = [];

function start(...args: string[]): Start {
  const one = new Start(env, args);
  started.push(one);
  return one;
}

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'simyard-start-'));
  const tcp = createServer().listen(0, '127.0.0.1');
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  env = {
    SIMYARD_HTTP_PORT: String((tcp.address() as AddressInfo).port),
    SIMYARD_COAP_PORT: String(udp.address().port),
    SIMYARD_COAPS_PORT: '0',
    SIMYARD_BOOTSTRAPS_PORT: '0',
    SIMYARD_BOOTSTRAP_PORT: '0',
    SIMYARD_DATA: data,
  };
  await Promise.all([once(tcp.close(), 'close'), once(udp.close(), 'close')]);
});

afterEach(async () => {
  for (const one of started.splice(0)) {
    if (one.process.exitCode === null && one.process.signalCode === null) one.process.kill('SIGTERM');
    await one.ended();
  }
  rmSync(data, { recursive: true });
});

describe('npm start', () => {
  test('ends with the address of the console and a modem that is registered; SIGTERM stops both in order', async () => {
    await buildConsole();
    const one = start('--endpoint', 'modem-7');
    await one.until('Ctrl-C stops everything');
    const address = `http://127.0.0.1:${env.SIMYARD_HTTP_PORT}`;
    expect(one.output).toContain(`Console    ${address}/\n`);
    const console = await fetch(`${address}/`);
    expect(await console.text()).toContain('<sy-console-app>');
    const device = await fetch(`${address}/api/devices/modem-7`);
    expect(await device.json()).toMatchObject({ endpoint: 'modem-7', state: 'awake' });
    const processes = descendants(one.process.pid ?? 0);
    expect([...processes.keys()].sort()).toEqual(['client/main.ts', 'server/main.ts']);

    one.process.kill('SIGTERM');
    expect(await one.ended(), one.output).toBe(0);
    expect(one.output).toMatch(/modem {2}│ .*deregister[\s\S]*server │ .*closed\nStopped\.\n$/);
    for (const pid of processes.values()) expect(isAlive(pid)).toBe(false);
  });

  test('where a log-in is needed, tells the password once, and waits for nothing that it could not ask', async () => {
    env['SIMYARD_LOGIN'] = 'required';
    const one = start('--endpoint', 'modem-8');
    await one.until('Ctrl-C stops everything');
    const [, password = ''] = /log in as 'admin' with the password (\S+)/.exec(one.output) ?? [];
    expect(password).toMatch(/^[a-z2-9-]{23}$/);
    await one.until('modem-8: registered');
    const address = `http://127.0.0.1:${env['SIMYARD_HTTP_PORT']}`;
    expect((await fetch(`${address}/api/devices/modem-8`)).status).toBe(401);
    const login = await fetch(`${address}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password }),
    });
    expect(await login.json()).toMatchObject({ user: { mustChangePassword: true } });
  });

  test.each(['server', 'client'])(
    'ends with a message when the %s dies, and leaves nothing behind',
    async (which) => {
      const one = start();
      await one.until('Ctrl-C stops everything');
      const processes = descendants(one.process.pid ?? 0);
      process.kill(processes.get(`${which}/main.ts`) ?? 0, 'SIGKILL');
      expect(await one.ended()).toBe(1);
      const name = which === 'client' ? 'modem' : which;
      expect(one.output).toContain(`The ${name} ended by signal SIGKILL; its last lines above tell why.`);
      for (const pid of processes.values()) expect(isAlive(pid)).toBe(false);
    },
  );

  test('ends in order when npm is told to, which tells nobody but its shell', async () => {
    env.npm_lifecycle_event = 'start';
    const one = new Start(env, [], ['sh', '-c', `"${process.execPath}" scripts/start.mjs; true`]);
    started.push(one);
    await one.until('Ctrl-C stops everything');
    const processes = descendants(one.process.pid ?? 0);
    expect(processes.size).toBe(2);
    one.process.kill('SIGTERM');
    await one.ended();
    expect(one.output).toMatch(/modem {2}│ .*deregister[\s\S]*server │ .*closed\nStopped\.\n$/);
    for (const pid of processes.values()) expect(isAlive(pid)).toBe(false);
  });

  test('ends in order when the script that npm runs is killed', async () => {
    const one = start();
    await one.until('Ctrl-C stops everything');
    const processes = descendants(one.process.pid ?? 0);
    one.process.kill('SIGKILL');
    await one.ended();
    expect(one.output).toMatch(/modem {2}│ .*deregister[\s\S]*server │ .*closed\nStopped\.\n$/);
    for (const pid of processes.values()) expect(isAlive(pid)).toBe(false);
  });

  test('says which setting helps when the port of the console is taken', async () => {
    const other = createServer().listen(Number(env.SIMYARD_HTTP_PORT), '127.0.0.1');
    await once(other, 'listening');
    const one = start();
    expect(await one.ended()).toBe(1);
    expect(one.output).toContain(`TCP port ${env.SIMYARD_HTTP_PORT} on 127.0.0.1 is taken`);
    expect(one.output).toContain('SIMYARD_HTTP_PORT=');
    await once(other.close(), 'close');
  });

  test('says which setting helps when the port of CoAP is taken', async () => {
    const other = createSocket('udp4').bind(Number(env.SIMYARD_COAP_PORT), '127.0.0.1');
    await once(other, 'listening');
    const one = start();
    expect(await one.ended()).toBe(1);
    expect(one.output).toContain(`UDP port ${env.SIMYARD_COAP_PORT} on 127.0.0.1 is taken`);
    expect(one.output).toContain('SIMYARD_COAP_PORT=');
    await once(other.close(), 'close');
  });

  test('refuses a wrong setting in one line', async () => {
    env.SIMYARD_HTTP_PORT = 'eighty';
    const one = start();
    expect(await one.ended()).toBe(1);
    expect(one.output.trim().split('\n')).toEqual([expect.stringContaining('SIMYARD_HTTP_PORT must be')]);
  });

  test('refuses a flag that it does not know in one line', async () => {
    const one = start('--colour', 'blue');
    expect(await one.ended()).toBe(1);
    expect(one.output.trim().split('\n')).toEqual([expect.stringContaining("'--colour'")]);
  });

  test('--help tells what it does and starts nothing', async () => {
    const one = start('--help');
    expect(await one.ended()).toBe(0);
    expect(one.output).toContain('Usage: npm start');
  });
});

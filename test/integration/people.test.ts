import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isInstalled } from '../../scripts/requirements.ts';
import { ClusterWorld } from '../support/cluster-world.ts';
import { freePort, type ProjectProcess, startServerProcess } from '../support/server-process.ts';
import { until } from '../support/until.ts';

const LIMIT = 60_000;
const password = 'what the boss says';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
}

async function call(url: string, method: string, token?: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

const login = (origin: string, word: string, username = 'admin') =>
  call(`${origin}/api/login`, 'POST', undefined, { username, password: word });

describe('the first start of a server that needs a log-in', () => {
  let folder: string;
  let server: ProjectProcess | undefined;
  let origin: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'simyard-people-'));
  });
  afterEach(async () => {
    await server?.kill('SIGTERM');
    rmSync(folder, { recursive: true });
  });

  async function start(...flags: readonly string[]): Promise<ProjectProcess> {
    const httpPort = await freePort();
    origin = `http://127.0.0.1:${httpPort}`;
    server = await startServerProcess({
      data: folder,
      coapPort: await freePort(),
      httpPort,
      flags: ['--log-level', 'debug', '--login', 'required', ...flags],
      limit: LIMIT,
    });
    return server;
  }

  it(
    'prints a password once, which is good for choosing another one',
    async () => {
      const first = await start();
      const [, made = ''] = await first.printed(/log in as 'admin' with the password (\S+)\n/, LIMIT);
      // On a line of its own, for the person who starts it: not in the log, which others read.
      expect(first.output.split('\n').filter((line) => line.includes(made))).toEqual([
        `simyard: first start: log in as 'admin' with the password ${made}`,
      ]);
      const { body } = await login(origin, made);
      expect((await call(`${origin}/api/devices`, 'GET', body.token)).body.code).toBe(
        'password_change_required',
      );
      const change = { current: made, password };
      expect((await call(`${origin}/api/me/password`, 'PUT', body.token, change)).status).toBe(204);
      expect((await call(`${origin}/api/devices`, 'GET', body.token)).status).toBe(200);
      await first.kill('SIGKILL');

      const second = await start();
      expect(second.output).not.toContain('first start');
      // Who was logged in is so still.
      expect((await call(`${origin}/api/me`, 'GET', body.token)).body.name).toBe('admin');
      expect((await login(origin, made)).status).toBe(401);
      expect((await login(origin, password)).status).toBe(200);
      expect(second.output).not.toContain(password);
    },
    LIMIT,
  );

  it(
    'takes the password of the settings in its place, and prints none',
    async () => {
      const first = await start('--admin-password', password);
      expect(first.output).not.toContain(password);
      expect(first.output).not.toContain('first start');
      const { body } = await login(origin, password);
      expect(body.user.mustChangePassword).toBe(false);
      expect((await call(`${origin}/api/devices`, 'GET', body.token)).status).toBe(200);
      await first.kill('SIGTERM');
      await start('--admin-password', 'another one of later');
      expect((await login(origin, 'another one of later')).status).toBe(401);
      expect((await login(origin, password)).status).toBe(200);
    },
    LIMIT,
  );
});

describe.skipIf(!isInstalled('redis-server'))('people at the nodes of a cluster', () => {
  let world: ClusterWorld;
  beforeEach(async () => {
    world = await ClusterWorld.open();
  }, LIMIT);
  afterEach(() => world.close(), LIMIT);

  const flags = ['--login', 'required', '--admin-password', password];

  it(
    'are logged in at all of them, and out',
    async () => {
      const [one, two] = await Promise.all([world.node('one', flags), world.node('two', flags)]);
      const [first, second] = [one.server.httpAddress, two.server.httpAddress];
      const { token } = (await login(first, password)).body;
      const made = await call(`${second}/api/tokens`, 'POST', token, { name: 'night', scopes: ['read'] });
      const devices = (origin: string, shown: string) => call(`${origin}/api/devices`, 'GET', shown);
      for (const origin of [first, second]) {
        expect((await devices(origin, token)).status).toBe(200);
        expect((await devices(origin, made.body.token)).status).toBe(200);
      }
      await one.kill();
      expect((await devices(second, token)).status).toBe(200);
      const three = await world.node('three', flags);
      const third = three.server.httpAddress;
      expect((await devices(third, token)).status).toBe(200);
      expect((await call(`${second}/api/logout`, 'POST', token)).status).toBe(204);
      expect((await devices(second, token)).status).toBe(401);
      const isOut = async () => ((await devices(third, token)).status === 401 ? true : undefined);
      await until('the other node has heard of it', isOut, LIMIT);
      expect((await devices(third, made.body.token)).status).toBe(200);
    },
    LIMIT,
  );

  it(
    'guess at all of them as at one',
    async () => {
      const [one, two] = await Promise.all([world.node('one', flags), world.node('two', flags)]);
      const origins = [one.server.httpAddress, two.server.httpAddress];
      const guesses = Array.from({ length: 20 }, (_, index) =>
        login(origins[index % 2] ?? '', `guess ${index}`),
      );
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(6);
      expect(statuses.filter((status) => status === 429)).toHaveLength(14);
      const paused = await login(origins[1] ?? '', password);
      expect(paused.body.code).toBe('login_paused');
    },
    LIMIT,
  );
});

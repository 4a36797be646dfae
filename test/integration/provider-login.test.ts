import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  clientId,
  clientSecret,
  PlainBrowser,
  TestIdentityProvider,
} from '../support/people/identity-provider.ts';
import { freePort, type ProjectProcess, startServerProcess } from '../support/server-process.ts';

const LIMIT = 60_000;
const roles = 'watchers=viewer,/sim/operators=operator,Chiefs=administrator';

let provider: TestIdentityProvider | undefined;
let server: ProjectProcess;
let folder: string;
let origin: string;

async function start(...more: readonly string[]): Promise<TestIdentityProvider> {
  folder = mkdtempSync(join(tmpdir(), 'simyard-oidc-'));
  const httpPort = await freePort();
  origin = `http://127.0.0.1:${httpPort}`;
  provider = await TestIdentityProvider.start(origin);
  server = await startServerProcess({
    data: folder,
    coapPort: await freePort(),
    httpPort,
    flags: [
      ...['--log-level', 'debug', '--login', 'required', '--admin-password', 'what the boss says'],
      ...[
        '--oidc-issuer',
        provider.issuer,
        '--oidc-client-id',
        clientId,
        '--oidc-client-secret',
        clientSecret,
      ],
      ...['--oidc-roles', roles, '--public-url', origin, ...more],
    ],
    limit: LIMIT,
  });
  return provider;
}

afterEach(async () => {
  await server?.kill('SIGTERM');
  await provider?.close();
  rmSync(folder, { recursive: true, force: true });
}, LIMIT);

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
  readonly body: any;
}

async function asked(browser: PlainBrowser, path: string): Promise<Answer> {
  const answer = await browser.ask(`${origin}${path}`);
  return { status: answer.status, body: await answer.json() };
}

async function auditOf(actor: string): Promise<readonly Record<string, unknown>[]> {
  const json = { 'content-type': 'application/json' };
  const body = JSON.stringify({ username: 'admin', password: 'what the boss says' });
  const login = await fetch(`${origin}/api/login`, { method: 'POST', headers: json, body });
  const { token } = (await login.json()) as { readonly token: string };
  const headers = { authorization: `Bearer ${token}` };
  const page = await fetch(
    `${origin}/api/audit?action=loginFromProvider${actor === '' ? '' : `&actor=${actor}`}`,
    { headers },
  );
  return ((await page.json()) as { readonly items: readonly Record<string, unknown>[] }).items;
}

describe('log-in at an OpenID Connect provider', () => {
  it(
    'gives the role that the provider’s claims stand for, and leads to where one wanted to go',
    async () => {
      const { people } = await start();
      people.set('olga', { roles: ['staff', '/sim/operators', 'watchers'] });
      const browser = new PlainBrowser();
      expect((await asked(browser, '/api/login')).body).toEqual({
        password: true,
        provider: 'Single sign-on',
      });
      const to = await browser.logIn(`${origin}/api/login/provider?to=/devices%3Fq%3Dx`, 'olga', origin);
      expect(to).toBe('/devices?q=x');
      const { body } = await asked(browser, '/api/me');
      expect(body).toMatchObject({ kind: 'oidc', name: 'olga', role: 'operator', may: ['read', 'operate'] });
      expect((await asked(browser, '/api/devices')).status).toBe(200);
      expect((await asked(browser, '/api/users')).body.code).toBe('not_allowed');
      const { items } = (await asked(browser, '/api/sessions')).body;
      expect(items).toMatchObject([{ user: 'olga', kind: 'oidc', isPresent: true }]);
      expect([...browser.cookies(origin).keys()]).toEqual(['simyard_session']);
      expect(await auditOf('olga')).toMatchObject([
        { actor: { kind: 'oidc', name: 'olga' }, outcome: 'done', detail: { role: 'operator' } },
      ]);
    },
    LIMIT,
  );

  it(
    'refuses who has none of the roles, and says so on a page',
    async () => {
      const { people } = await start();
      people.set('nina', { roles: ['staff'] });
      const browser = new PlainBrowser();
      expect(await browser.logIn(`${origin}/api/login/provider`, 'nina', origin)).toBe('/?login=refused');
      expect((await asked(browser, '/api/me')).status).toBe(401);
      const [entry] = await auditOf('');
      expect(entry).toMatchObject({ actor: { kind: 'nobody' }, outcome: 'refused', code: 'login_failed' });
      expect(JSON.stringify(entry)).toContain("'nina' has none of the roles");
    },
    LIMIT,
  );

  it(
    'takes roles from members of claims, and the tenant: who has none sees nothing',
    async () => {
      const { people } = await start('--oidc-role-claim', 'realm.roles', '--oidc-tenant-claim', 'tenant');
      people.set('vera', { realm: { roles: ['Chiefs'] }, tenant: 'north' });
      people.set('tom', { realm: { roles: ['Chiefs'] } });
      const vera = new PlainBrowser();
      expect(await vera.logIn(`${origin}/api/login/provider`, 'vera', origin)).toBe('/');
      expect((await asked(vera, '/api/me')).body).toMatchObject({ role: 'administrator', tenant: 'north' });
      const tom = new PlainBrowser();
      expect(await tom.logIn(`${origin}/api/login/provider`, 'tom', origin)).toBe('/?login=refused');
    },
    LIMIT,
  );

  it(
    'takes no answer that this browser did not ask for, and none twice',
    async () => {
      const { people } = await start();
      people.set('olga', { roles: ['watchers'] });
      const browser = new PlainBrowser();
      // What somebody else was given, handed to this browser: it would be logged in as him.
      const stranger = new PlainBrowser();
      const came: string[] = [];
      const ask = stranger.ask.bind(stranger);
      stranger.ask = async (url, form) => {
        if (url.startsWith(`${origin}/api/login/provider/callback`)) came.push(url);
        return ask(url, form);
      };
      expect(await stranger.logIn(`${origin}/api/login/provider`, 'olga', origin)).toBe('/');
      const [stolen = ''] = came;
      expect((await browser.ask(stolen)).headers.get('location')).toBe('/?login=refused');
      await browser.ask(`${origin}/api/login/provider`);
      expect((await browser.ask(stolen)).headers.get('location')).toBe('/?login=refused');
      expect((await stranger.ask(stolen)).headers.get('location')).toBe('/?login=refused');
      // What is good for a log-in is not in the log, though it is in an address.
      expect(server.output).toContain('/api/login/provider/callback');
      expect(server.output).not.toContain(new URL(stolen).searchParams.get('code') ?? '');
      expect((await asked(browser, '/api/me')).status).toBe(401);
    },
    LIMIT,
  );

  it(
    'sends nobody to another site afterwards',
    async () => {
      const { people } = await start();
      people.set('olga', { roles: ['watchers'] });
      for (const to of ['https://evil.example/', '//evil.example/', '/\\evil.example/']) {
        const browser = new PlainBrowser();
        const start = `${origin}/api/login/provider?to=${encodeURIComponent(to)}`;
        expect([to, await browser.logIn(start, 'olga', origin)]).toEqual([to, '/']);
      }
    },
    LIMIT,
  );

  it(
    'leaves log-in by password while the provider is away',
    async () => {
      await start();
      await provider?.close();
      provider = undefined;
      const browser = new PlainBrowser();
      expect((await asked(browser, '/api/login/provider')).body.code).toBe('provider_unavailable');
      expect(await auditOf('nobody')).toEqual([]);
    },
    LIMIT,
  );
});

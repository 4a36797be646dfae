import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { freePort } from '../server-process.ts';

/** What of `oidc-provider`, which has no types, is used here. */
interface Provider {
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
}
type ProviderClass = new (issuer: string, configuration: object) => Provider;

export type Claims = Readonly<Record<string, unknown>>;

export const clientId = 'simyard';
export const clientSecret = 'the secret of the client';

/** A real OpenID Connect provider on loopback, with its own pages for who logs in: any password does. */
export class TestIdentityProvider {
  readonly issuer: string;
  /** What it says of whom, by the name that he logs in with. */
  readonly people = new Map<string, Claims>();
  readonly #server: Server;

  private constructor(issuer: string, server: Server) {
    this.issuer = issuer;
    this.#server = server;
  }

  /** @param publicUrl of the server that asks it */
  static async start(publicUrl: string): Promise<TestIdentityProvider> {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const name: string = 'oidc-provider';
    const { Provider } = (await import(name)) as { readonly Provider: ProviderClass };
    const server = createServer();
    const self = new TestIdentityProvider(issuer, server);
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [`${publicUrl}/api/login/provider/callback`],
          response_types: ['code'],
          grant_types: ['authorization_code'],
        },
      ],
      claims: { openid: ['sub'], profile: ['preferred_username', 'roles', 'realm', 'tenant'] },
      pkce: { required: () => true },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: async () => ({ sub: id, preferred_username: id, ...self.people.get(id) }),
      }),
      cookies: { keys: ['of the test'] },
    });
    server.on('request', provider.callback());
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return self;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** A browser, as far as redirects, cookies and plain forms go. */
export class PlainBrowser {
  readonly #jars = new Map<string, Map<string, string>>();

  cookies(origin: string): ReadonlyMap<string, string> {
    return this.#jars.get(origin) ?? new Map();
  }

  /** One request; it follows nothing. */
  async ask(url: string, form?: Readonly<Record<string, string>>): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.#jars.get(origin) ?? new Map<string, string>();
    this.#jars.set(origin, jar);
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  }

  /** Goes where it is sent, through the provider's pages, until `origin` sends it to a page of its own. */
  async logIn(start: string, name: string, origin: string): Promise<string> {
    let url = start;
    let answer = await this.ask(url);
    for (let step = 0; step < 20; step++) {
      const to = answer.headers.get('location');
      if (to !== null) {
        if (url.startsWith(`${origin}/api/login/provider/callback`)) return to;
        url = new URL(to, url).href;
        answer = await this.ask(url);
        continue;
      }
      const page = await answer.text();
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
      if (answer.status !== 200 || prompt === undefined)
        throw new Error(`${url} answered ${answer.status}: ${page}`);
      answer = await this.ask(
        url,
        prompt === 'login' ? { prompt, login: name, password: 'any' } : { prompt },
      );
    }
    throw new Error('it is sent round and round');
  }
}

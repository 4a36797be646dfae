import * as openid from 'openid-client';
import type { Clock } from '../../protocol/clock.ts';
import { type Role, roles } from '../ports/user-store.ts';
import { tenantPattern } from './tenant-pattern.ts';

/** What the provider published is taken for so long, ms: it changes its keys now and then. */
const DISCOVERED_MS = 3_600_000;
/** After a failure it is not asked again for so long, ms. */
const FAILED_MS = 5_000;
/** How long the provider may take to answer, s. */
const TIMEOUT_S = 10;
const MAX_NAME = 200;

export interface IdentityProviderConfig {
  /** As it names itself; what it publishes is below it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, which PKCE alone protects. */
  readonly clientSecret: string | undefined;
  /** On the button of the log-in page. */
  readonly label: string;
  /** Where browsers reach this server: `https://simyard.example.org`. */
  readonly publicUrl: string;
  readonly scopes: string;
  /** Claim with the name of who it is. */
  readonly nameClaim: string;
  /** Claim with his roles or groups; parts of a name with dots are members: `realm_access.roles`. */
  readonly roleClaim: string;
  /** Which of its values gives which role. */
  readonly roles: ReadonlyMap<string, Role>;
  /** Claim with his tenant; absent: who logs in sees all of them. */
  readonly tenantClaim: string | undefined;
}

/** What has to be remembered between the way to the provider and the way back: in the browser that goes it. */
export interface LoginUnderWay {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Who somebody is, as the provider says. */
export interface ProvidedIdentity {
  readonly name: string;
  readonly role: Role;
  readonly tenant?: string;
}

/** The provider does not answer, or not as one does. */
export class ProviderUnavailableError extends Error {
  override readonly name = 'ProviderUnavailableError';
}

/** The provider says that it is somebody, who may not use this server; or it does not say so to this browser. */
export class ProviderRefusedError extends Error {
  override readonly name = 'ProviderRefusedError';
}

/**
 * Log-in at an OpenID Connect provider: authorization code with PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636). The protocol
 * and the checks of the ID token are those of the library `openid-client`.
 */
export class IdentityProvider {
  readonly label: string;
  readonly #config: IdentityProviderConfig;
  readonly #clock: Clock;
  #discovered: { readonly client: Promise<openid.Configuration>; until: number } | undefined;

  constructor(config: IdentityProviderConfig, clock: Clock) {
    this.label = config.label;
    this.#config = config;
    this.#clock = clock;
  }

  /** Where the browser is to go, and what it has to bring back. @throws ProviderUnavailableError */
  async begin(): Promise<{ readonly url: string; readonly login: LoginUnderWay }> {
    const client = await this.#client();
    const verifier = openid.randomPKCECodeVerifier();
    const login = { state: openid.randomState(), nonce: openid.randomNonce(), verifier };
    const url = openid.buildAuthorizationUrl(client, {
      redirect_uri: this.#callback,
      scope: this.#config.scopes,
      state: login.state,
      nonce: login.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, login };
  }

  /**
   * @param query with which the browser came back
   * @throws ProviderRefusedError, ProviderUnavailableError
   */
  async finish(query: string, { state, nonce, verifier }: LoginUnderWay): Promise<ProvidedIdentity> {
    const client = await this.#client();
    const came = new URL(`${this.#callback}?${query}`);
    try {
      const tokens = await openid.authorizationCodeGrant(client, came, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new ProviderRefusedError('the provider gave no ID token');
      // Many providers put roles and groups where they have to be asked for.
      const more = await this.#moreClaims(client, tokens.access_token, claims);
      return this.#identity({ ...more, ...claims });
    } catch (error) {
      throw asProviderError(error);
    }
  }

  get #callback(): string {
    return `${this.#config.publicUrl}/api/login/provider/callback`;
  }

  async #moreClaims(
    client: openid.Configuration,
    accessToken: string,
    claims: openid.IDToken,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { nameClaim, roleClaim, tenantClaim } = this.#config;
    const wanted = [nameClaim, roleClaim, ...(tenantClaim === undefined ? [] : [tenantClaim])];
    const isMissing = wanted.some((name) => claimOf(claims, name) === undefined);
    if (!isMissing || client.serverMetadata().userinfo_endpoint === undefined) return {};
    return openid.fetchUserInfo(client, accessToken, claims.sub);
  }

  /** @throws ProviderRefusedError he has no role here, or no tenant that could be one */
  #identity(claims: Readonly<Record<string, unknown>>): ProvidedIdentity {
    const { nameClaim, roleClaim, tenantClaim, roles: known } = this.#config;
    const given = claimOf(claims, nameClaim) ?? claims['sub'];
    const name = typeof given === 'string' ? given.slice(0, MAX_NAME) : '';
    if (name === '') throw new ProviderRefusedError(`the provider tells no name (claim '${nameClaim}')`);
    const has = [claimOf(claims, roleClaim)].flat();
    const role = roles.findLast((one) =>
      has.some((value) => typeof value === 'string' && known.get(value) === one),
    );
    if (role === undefined) {
      throw new ProviderRefusedError(
        `'${name}' has none of the roles that may use this server (claim '${roleClaim}')`,
      );
    }
    if (tenantClaim === undefined) return { name, role };
    const tenant = claimOf(claims, tenantClaim);
    // Without one he would see all devices: that is for who is configured so, and not for whom something is missing.
    if (typeof tenant !== 'string' || !new RegExp(tenantPattern).test(tenant)) {
      throw new ProviderRefusedError(`the provider tells no tenant of '${name}' (claim '${tenantClaim}')`);
    }
    return { name, role, tenant };
  }

  async #client(): Promise<openid.Configuration> {
    const now = this.#clock.now();
    if (this.#discovered === undefined || this.#discovered.until <= now) {
      const discovered = { client: this.#discover(), until: now + DISCOVERED_MS };
      this.#discovered = discovered;
      discovered.client.catch(() => {
        discovered.until = this.#clock.now() + FAILED_MS;
      });
    }
    try {
      return await this.#discovered.client;
    } catch (error) {
      throw new ProviderUnavailableError('the identity provider does not answer as one', { cause: error });
    }
  }

  #discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.#config;
    // config.ts lets http pass for loopback alone.
    const execute = issuer.startsWith('http:') ? [openid.allowInsecureRequests] : [];
    const authentication =
      clientSecret === undefined ? openid.None() : openid.ClientSecretBasic(clientSecret);
    return openid.discovery(new URL(issuer), clientId, undefined, authentication, {
      execute,
      timeout: TIMEOUT_S,
    });
  }
}

/** By its name as it stands, or by the members that it names. */
function claimOf(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[part];
  }
  return found;
}

/** What the provider, or whoever sent the browser, made wrong; a bug of ours stays one. */
function asProviderError(error: unknown): unknown {
  if (error instanceof openid.AuthorizationResponseError || error instanceof openid.ResponseBodyError) {
    return new ProviderRefusedError(`the identity provider refused: ${error.error}`, { cause: error });
  }
  if (error instanceof openid.ClientError) {
    return new ProviderRefusedError('the answer of the identity provider does not fit this log-in', {
      cause: error,
    });
  }
  if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) {
    return new ProviderUnavailableError('the identity provider does not answer', { cause: error });
  }
  return error;
}

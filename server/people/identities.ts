import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import { type ApiToken, nameOfSession, type Session, type UserStore } from '../ports/user-store.ts';
import { parseSecret, type SecretKind } from './credentials.ts';
import { lesserRole, type Principal } from './principal.ts';

/** Who a secret stands for, by what is known of him now. */
export interface Identity {
  readonly principal: Principal;
  /** Absent for a token. */
  readonly session?: Session;
  /** Nothing may be done before the password is changed. */
  readonly mustChange: boolean;
}

/** What was found is taken for so long, ms: what another node ends or changes is in force after that. */
const REMEMBERED_MS = 1_000;
const MAX_REMEMBERED = 10_000;
/** How exactly it is known when a session or a token was used last, ms. */
const SEEN_EVERY_MS = 60_000;

export interface IdentitiesOptions {
  readonly users: UserStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long a session lasts that nobody uses, ms. */
  readonly sessionIdle: number;
}

/** Finds out who makes a request. */
export class Identities {
  readonly #users: UserStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #idle: number;
  readonly #remembered = new Map<
    string,
    { readonly found: Promise<Identity | undefined>; readonly at: number }
  >();

  constructor({ users, clock, log, sessionIdle }: IdentitiesOptions) {
    this.#users = users;
    this.#clock = clock;
    this.#log = log;
    this.#idle = sessionIdle;
  }

  /** Undefined: it stands for nobody, or for nobody any more. @throws StoreUnavailableError */
  async of(secret: string): Promise<Identity | undefined> {
    const parsed = parseSecret(secret);
    if (parsed === undefined) return undefined;
    const { kind, id } = parsed;
    const now = this.#clock.now();
    const before = this.#remembered.get(id);
    if (before !== undefined && now - before.at < REMEMBERED_MS) return before.found;
    const found = this.#look(kind, id);
    this.#remembered.delete(id);
    this.#remembered.set(id, { found, at: now });
    if (this.#remembered.size > MAX_REMEMBERED) {
      this.#remembered.delete(this.#remembered.keys().next().value as string);
    }
    // What could not be found out is asked again.
    found.catch(() => this.#remembered.delete(id));
    return found;
  }

  /** Something was changed here: it is in force at once. */
  forget(): void {
    this.#remembered.clear();
  }

  #look(kind: SecretKind, id: string): Promise<Identity | undefined> {
    return kind === 'session' ? this.#ofSession(id) : this.#ofToken(id);
  }

  async #ofSession(id: string): Promise<Identity | undefined> {
    const session = await this.#users.session(id);
    const now = Math.floor(this.#clock.wallTime());
    if (session === undefined || session.endsAt <= now) return undefined;
    const principal = await this.#sessionPrincipal(session);
    if (principal === undefined) return undefined;
    if (now - session.seenAt < SEEN_EVERY_MS) return { session, ...principal };
    const times = { seenAt: now, endsAt: Math.min(session.lastsUntil, now + this.#idle) };
    const isThere = await this.#noted(() => this.#users.renewSession(id, times));
    return isThere ? { session: { ...session, ...times }, ...principal } : undefined;
  }

  async #sessionPrincipal(session: Session): Promise<Omit<Identity, 'session'> | undefined> {
    const { user: id, provided } = session;
    const name = nameOfSession(session);
    if (provided !== undefined) {
      return { principal: { id, kind: 'oidc', name, ...provided }, mustChange: false };
    }
    const user = await this.#users.user(name);
    if (user === undefined || !user.enabled) return undefined;
    const { role, tenant, mustChange } = user;
    const principal = { id: `user:${name}`, kind: 'user' as const, name, role };
    return { principal: tenant === undefined ? principal : { ...principal, tenant }, mustChange };
  }

  async #ofToken(id: string): Promise<Identity | undefined> {
    const token = await this.#users.token(id);
    const now = Math.floor(this.#clock.wallTime());
    if (token === undefined || (token.expiresAt ?? Number.POSITIVE_INFINITY) <= now) return undefined;
    const principal = await this.#tokenPrincipal(token);
    if (principal === undefined) return undefined;
    if (now - (token.usedAt ?? 0) >= SEEN_EVERY_MS) {
      if (!(await this.#noted(() => this.#users.useToken(id, now)))) return undefined;
    }
    return { principal, mustChange: false };
  }

  async #tokenPrincipal({
    id,
    name,
    user: owner,
    role,
    tenant,
    scopes,
  }: ApiToken): Promise<Principal | undefined> {
    const principal = { id: `token:${id}`, kind: 'token' as const, name, scopes };
    if (owner === undefined) return { ...principal, role, ...(tenant !== undefined && { tenant }) };
    const user = await this.#users.user(owner);
    if (user === undefined || !user.enabled || user.mustChange) return undefined;
    // Who was moved to another tenant has not that one's devices by a token of before.
    if (tenant !== undefined && user.tenant !== undefined && tenant !== user.tenant) return undefined;
    const seen = tenant ?? user.tenant;
    return {
      ...principal,
      owner,
      role: lesserRole(role, user.role),
      ...(seen !== undefined && { tenant: seen }),
    };
  }

  /** A store that takes no writes, as a full one, does not keep people out. */
  async #noted(write: () => Promise<boolean>): Promise<boolean> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#log.warn({ error }, 'when a session or a token was used last was not stored');
      return true;
    }
  }
}

import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import { ConflictError } from '../errors.ts';
import {
  type ApiToken,
  type AttemptKey,
  providedUser,
  type Role,
  type Scope,
  type Session,
  type User,
  type UserChanged,
  type UserStore,
} from '../ports/user-store.ts';
import { issueSecret } from './credentials.ts';
import { LoginPausedError, LoginRefusedError } from './errors.ts';
import { Identities, type Identity } from './identities.ts';
import { PasswordHasher } from './password.ts';
import { makePassword, passwordFault } from './password-rules.ts';

export const MAX_USERS = 1_000;
const MAX_TOKENS = 1_000;
/** Of one user; the oldest goes when there is one more. */
const SESSIONS_OF_USER = 20;
/** Of failed log-ins. */
const MAX_ATTEMPT_KEYS = 100_000;
const ATTEMPTS_REMEMBERED_MS = 3_600_000;
const LONGEST_PAUSE_MS = 900_000;
const AGENT_LENGTH = 200;
/** A token that has expired is shown for so long, ms: whoever wonders why a program fails finds it. */
const EXPIRED_SHOWN_MS = 30 * 86_400_000;

export interface PeopleOptions {
  readonly users: UserStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sessionIdle: number;
  /** How long a session lasts at the most, ms. */
  readonly sessionMaxAge: number;
  readonly hasher?: PasswordHasher;
}

/** From where somebody logs in. */
export interface LoginPlace {
  readonly source: string;
  readonly agent?: string | undefined;
}

/** A session that begins. Its secret is told this once. */
export interface BegunSession {
  readonly session: Session;
  readonly secret: string;
}

export interface NewUser {
  readonly name: string;
  readonly role: Role;
  readonly tenant?: string;
  /** Absent: one is made. */
  readonly password?: string;
  /** Whether he has to change it at his first log-in; true where absent. */
  readonly mustChange?: boolean;
}

export interface NewToken {
  readonly name: string;
  readonly user?: string;
  readonly role: Role;
  readonly tenant?: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt?: number;
}

/** Users, their sessions and tokens. */
export class People {
  readonly identities: Identities;
  readonly #users: UserStore;
  readonly #clock: Clock;
  readonly #idle: number;
  readonly #maxAge: number;
  readonly #hasher: PasswordHasher;

  constructor({
    users,
    clock,
    log,
    sessionIdle,
    sessionMaxAge,
    hasher = new PasswordHasher(),
  }: PeopleOptions) {
    this.#users = users;
    this.#clock = clock;
    this.#idle = sessionIdle;
    this.#maxAge = sessionMaxAge;
    this.#hasher = hasher;
    this.identities = new Identities({ users, clock, log, sessionIdle });
  }

  /**
   * By name and password. Guesses are slowed down, by name and by address; names that are not there take as long as others.
   * @throws LoginRefusedError, LoginPausedError, BusyError, StoreUnavailableError
   */
  async login(
    name: string,
    password: string,
    place: LoginPlace,
  ): Promise<BegunSession & { readonly user: User }> {
    const user = await this.#checked(name, password, place);
    const now = this.#now();
    const begun = await this.begin(user.name, place);
    await this.#users.changeUser(user.name, { lastLoginAt: now });
    return { ...begun, user: { ...user, lastLoginAt: now } };
  }

  /** Somebody is logged in, who has proved who he is. */
  async begin(
    user: string,
    { source, agent }: LoginPlace,
    provided?: NonNullable<Session['provided']>,
  ): Promise<BegunSession> {
    const { secret, id } = issueSecret('session');
    const now = this.#now();
    const lastsUntil = now + this.#maxAge;
    const session: Session = {
      id,
      user: provided === undefined ? user : providedUser(user),
      createdAt: now,
      seenAt: now,
      endsAt: Math.min(lastsUntil, now + this.#idle),
      lastsUntil,
      source,
      ...(provided !== undefined && { provided }),
      ...(agent !== undefined && { agent: agent.slice(0, AGENT_LENGTH) }),
    };
    await this.#users.prune(now, now - EXPIRED_SHOWN_MS);
    await this.#users.addSession(session, SESSIONS_OF_USER);
    return { session, secret };
  }

  async logout(id: string): Promise<boolean> {
    const ended = await this.#users.removeSession(id);
    this.identities.forget();
    return ended;
  }

  sessions(user?: string): Promise<readonly Session[]> {
    return this.#users.sessions(this.#now(), user);
  }

  session(id: string): Promise<Session | undefined> {
    return this.#users.session(id);
  }

  /**
   * By who knows the present one. His other sessions end.
   * @throws LoginRefusedError, LoginPausedError, RequestError it breaks a rule
   */
  async changePassword(
    { principal, session }: Identity,
    current: string,
    password: string,
    place: LoginPlace,
  ): Promise<void> {
    if (principal.kind !== 'user' || session === undefined) {
      throw new RequestError('only a user who is logged in has a password to change');
    }
    await this.#checked(principal.name, current, place);
    if (password === current) throw new RequestError('password: it must be another one than before');
    const now = this.#now();
    await this.#change(principal.name, {
      password: await this.#hashed(password, principal.name),
      mustChange: false,
      passwordChangedAt: now,
      updatedAt: now,
    });
    await this.#users.removeSessions(principal.name, session.id);
    this.identities.forget();
  }

  users(): Promise<readonly User[]> {
    return this.#users.users();
  }

  user(name: string): Promise<User | undefined> {
    return this.#users.user(name);
  }

  /**
   * @returns the password, where one was made: told this once
   * @throws ConflictError the name is taken; RequestError the password breaks a rule
   */
  async addUser(given: NewUser): Promise<{ readonly user: User; readonly password?: string }> {
    const { name, role, tenant } = given;
    const made = given.password === undefined ? makePassword() : undefined;
    const now = this.#now();
    const user: User = {
      name,
      role,
      ...(tenant !== undefined && { tenant }),
      password: await this.#hashed(given.password ?? (made as string), name),
      mustChange: given.mustChange ?? true,
      enabled: true,
      createdAt: now,
      updatedAt: now,
      passwordChangedAt: now,
    };
    const added = await this.#users.addUser(user, { limit: MAX_USERS });
    if (added === 'taken') throw new ConflictError(`there is a user '${name}' already`);
    if (added === 'full') throw new ConflictError(`there are ${MAX_USERS} users, which is the limit`);
    return made === undefined ? { user } : { user, password: made };
  }

  /** Undefined: there is no such user. @throws ConflictError he is the last administrator */
  async changeUser(
    name: string,
    change: { readonly role: Role; readonly tenant: string | null; readonly enabled: boolean },
  ): Promise<User | undefined> {
    const before = await this.#users.user(name);
    if (before === undefined) return undefined;
    const changed = await this.#change(name, { ...change, updatedAt: this.#now() });
    if (changed === 'unknown') return undefined;
    if (!change.enabled) await this.#users.removeSessions(name);
    this.identities.forget();
    return this.#users.user(name);
  }

  /** Gives a user a password that he has to change; his sessions end. Undefined: there is no such user. */
  async resetPassword(name: string, given?: string): Promise<{ readonly password?: string } | undefined> {
    const made = given === undefined ? makePassword() : undefined;
    const now = this.#now();
    const changed = await this.#change(name, {
      password: await this.#hashed(given ?? (made as string), name),
      mustChange: true,
      passwordChangedAt: now,
      updatedAt: now,
    });
    if (changed === 'unknown') return undefined;
    await this.#users.removeSessions(name);
    this.identities.forget();
    return made === undefined ? {} : { password: made };
  }

  /** With sessions and tokens. False: there was none. @throws ConflictError he is the last administrator */
  async removeUser(name: string): Promise<boolean> {
    const removed = await this.#users.removeUser(name);
    this.identities.forget();
    if (removed === 'last_administrator') throw lastAdministrator(name);
    return removed === 'removed';
  }

  tokens(): Promise<readonly ApiToken[]> {
    return this.#users.tokens();
  }

  token(id: string): Promise<ApiToken | undefined> {
    return this.#users.token(id);
  }

  /** @throws ConflictError there are too many; RequestError it would be void at once */
  async addToken(given: NewToken): Promise<{ readonly token: ApiToken; readonly secret: string }> {
    const now = this.#now();
    if (given.expiresAt !== undefined && given.expiresAt <= now) {
      throw new RequestError('expiresAt: it must be in the future');
    }
    const { secret, id } = issueSecret('token');
    const token: ApiToken = { id, ...given, scopes: [...new Set(given.scopes)], createdAt: now };
    await this.#users.prune(now, now - EXPIRED_SHOWN_MS);
    const added = await this.#users.addToken(token, MAX_TOKENS);
    if (added === 'full') throw new ConflictError(`there are ${MAX_TOKENS} tokens, which is the limit`);
    if (added === 'unknown') throw new ConflictError('its user has been removed');
    return { token, secret };
  }

  async removeToken(id: string): Promise<boolean> {
    const removed = await this.#users.removeToken(id);
    this.identities.forget();
    return removed;
  }

  /**
   * The first administrator, where there is no user at all: of nodes that start together one makes him.
   * @param given his password; absent: one is made, which he has to change
   * @returns the password that was made
   */
  async addFirstAdministrator(name: string, given?: string): Promise<string | undefined> {
    if ((await this.#users.users()).length > 0) return undefined;
    const password = given ?? makePassword();
    const now = this.#now();
    const user: User = {
      name,
      role: 'administrator',
      password: await this.#hasher.hash(password),
      mustChange: given === undefined,
      enabled: true,
      createdAt: now,
      updatedAt: now,
      passwordChangedAt: now,
    };
    const added = await this.#users.addUser(user, { limit: 1, first: true });
    return added === 'added' && given === undefined ? password : undefined;
  }

  /** @throws LoginRefusedError, LoginPausedError, BusyError */
  async #checked(name: string, password: string, { source }: LoginPlace): Promise<User> {
    // Before anything is counted: who finds the server busy has not guessed wrong.
    this.#hasher.admit();
    const keys = attemptKeys(name, source);
    const options = { at: this.#now(), memory: ATTEMPTS_REMEMBERED_MS, limit: MAX_ATTEMPT_KEYS };
    const wait = await this.#users.beginAttempt(keys, options);
    if (wait > 0) throw new LoginPausedError(wait);
    const user = await this.#users.user(name);
    const fits = await this.#hasher.verify(password, user?.password);
    if (!fits || user === undefined || !user.enabled) {
      throw new LoginRefusedError('the user name or the password is wrong');
    }
    const [ofUser, ofSource] = keys;
    await this.#users.attemptSucceeded(ofUser.key, ofSource.key);
    return user;
  }

  async #change(name: string, change: Parameters<UserStore['changeUser']>[1]): Promise<UserChanged> {
    const changed = await this.#users.changeUser(name, change);
    if (changed === 'last_administrator') throw lastAdministrator(name);
    return changed;
  }

  /** @throws RequestError it breaks a rule */
  async #hashed(password: string, username: string): Promise<string> {
    const fault = passwordFault(password, username);
    if (fault !== undefined) throw new RequestError(`password: ${fault}`);
    return this.#hasher.hash(password);
  }

  #now(): number {
    return Math.floor(this.#clock.wallTime());
  }
}

/** Of one name few failures are free, for that is a person who mistypes; of one address more, for many may share it. */
function attemptKeys(name: string, source: string): readonly [AttemptKey, AttemptKey] {
  const pauses = { pause: 1_000, longestPause: LONGEST_PAUSE_MS };
  return [
    { key: `user ${name}`, free: 5, ...pauses },
    { key: `source ${source}`, free: 20, ...pauses },
  ];
}

function lastAdministrator(name: string): ConflictError {
  return new ConflictError(
    `'${name}' is the last administrator: nobody could administer the server any more`,
  );
}

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import {
  type ApiToken,
  type AttemptKey,
  changedUser,
  mayDoEverything,
  pauseAfter,
  type Session,
  type User,
  type UserChange,
  type UserChanged,
  type UserStore,
} from '../ports/user-store.ts';

/** Of what is forgotten by age, one call removes at most. */
const removedPerCall = 100;

type Row = Record<string, SQLOutputValue>;

/** Users, sessions, tokens and failed log-ins on the worker's side. */
export class UserTable {
  readonly #users;
  readonly #user;
  readonly #countUsers;
  readonly #countAdministrators;
  readonly #putUser;
  readonly #dropUser;
  readonly #addSession;
  readonly #trimSessions;
  readonly #session;
  readonly #sessions;
  readonly #sessionsOf;
  readonly #putSession;
  readonly #dropSession;
  readonly #dropSessions;
  readonly #addToken;
  readonly #countTokens;
  readonly #token;
  readonly #tokens;
  readonly #putToken;
  readonly #dropToken;
  readonly #dropTokensOf;
  readonly #attempt;
  readonly #putAttempt;
  readonly #dropAttempt;
  readonly #takeBack;
  readonly #forgetAttempts;
  readonly #boundAttempts;
  readonly #pruneSessions;
  readonly #pruneTokens;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => database.prepare(sql);
    this.#users = prepare('SELECT record FROM user ORDER BY name');
    this.#user = prepare('SELECT record FROM user WHERE name = ?');
    this.#countUsers = prepare('SELECT count(*) AS count FROM user');
    this.#countAdministrators = prepare('SELECT count(*) AS count FROM user WHERE administers = 1');
    this.#putUser = prepare('INSERT OR REPLACE INTO user (name, administers, record) VALUES (?, ?, ?)');
    this.#dropUser = prepare('DELETE FROM user WHERE name = ?');
    this.#addSession = prepare(
      'INSERT INTO login_session (id, user, created_at, ends_at, record) VALUES (?, ?, ?, ?, ?)',
    );
    this.#trimSessions = prepare(
      `DELETE FROM login_session WHERE id IN
         (SELECT id FROM login_session WHERE user = ? ORDER BY created_at DESC, sequence DESC LIMIT -1 OFFSET ?)`,
    );
    this.#session = prepare('SELECT record FROM login_session WHERE id = ?');
    this.#sessions = prepare(
      'SELECT record FROM login_session WHERE ends_at > ? ORDER BY created_at DESC, sequence DESC',
    );
    this.#sessionsOf = prepare(
      'SELECT record FROM login_session WHERE ends_at > ? AND user = ? ORDER BY created_at DESC, sequence DESC',
    );
    this.#putSession = prepare('UPDATE login_session SET ends_at = ?, record = ? WHERE id = ?');
    this.#dropSession = prepare('DELETE FROM login_session WHERE id = ?');
    this.#dropSessions = prepare('DELETE FROM login_session WHERE user = ? AND id <> ?');
    this.#addToken = prepare('INSERT INTO api_token (id, user, expires_at, record) VALUES (?, ?, ?, ?)');
    this.#countTokens = prepare('SELECT count(*) AS count FROM api_token');
    this.#token = prepare('SELECT record FROM api_token WHERE id = ?');
    this.#tokens = prepare('SELECT record FROM api_token ORDER BY sequence DESC');
    this.#putToken = prepare('UPDATE api_token SET record = ? WHERE id = ?');
    this.#dropToken = prepare('DELETE FROM api_token WHERE id = ?');
    this.#dropTokensOf = prepare('DELETE FROM api_token WHERE user = ?');
    this.#attempt = prepare('SELECT failures, until FROM login_attempt WHERE key = ? AND at > ?');
    this.#putAttempt = prepare(
      'INSERT OR REPLACE INTO login_attempt (key, failures, until, at) VALUES (?, ?, ?, ?)',
    );
    this.#dropAttempt = prepare('DELETE FROM login_attempt WHERE key = ?');
    this.#takeBack = prepare(
      'UPDATE login_attempt SET failures = max(0, failures - 1), until = 0 WHERE key = ?',
    );
    this.#forgetAttempts = prepare(
      'DELETE FROM login_attempt WHERE key IN (SELECT key FROM login_attempt WHERE at <= ? ORDER BY at LIMIT ?)',
    );
    this.#boundAttempts = prepare(
      'DELETE FROM login_attempt WHERE key IN (SELECT key FROM login_attempt ORDER BY at DESC LIMIT -1 OFFSET ?)',
    );
    this.#pruneSessions = prepare('DELETE FROM login_session WHERE ends_at <= ?');
    this.#pruneTokens = prepare('DELETE FROM api_token WHERE expires_at <= ?');
  }

  users(): readonly User[] {
    return this.#users.all().map(record<User>);
  }

  user(name: string): User | undefined {
    return found<User>(this.#user.get(name));
  }

  addUser(user: User, { limit, first }: Parameters<UserStore['addUser']>[1]): 'added' | 'taken' | 'full' {
    const count = counted(this.#countUsers.get());
    if (first === true ? count > 0 : count >= limit) return 'full';
    if (this.user(user.name) !== undefined) return 'taken';
    this.#put(user);
    return 'added';
  }

  changeUser(name: string, change: UserChange): UserChanged {
    const before = this.user(name);
    if (before === undefined) return 'unknown';
    const after = changedUser(before, change);
    if (!mayDoEverything(after) && this.#isLast(before)) return 'last_administrator';
    this.#put(after);
    return 'changed';
  }

  removeUser(name: string): 'removed' | 'unknown' | 'last_administrator' {
    const user = this.user(name);
    if (user === undefined) return 'unknown';
    if (this.#isLast(user)) return 'last_administrator';
    this.#dropUser.run(name);
    this.#dropSessions.run(name, '');
    this.#dropTokensOf.run(name);
    return 'removed';
  }

  addSession(session: Session, keep: number): void {
    const { id, user, createdAt, endsAt } = session;
    this.#addSession.run(id, user, createdAt, endsAt, JSON.stringify(session));
    this.#trimSessions.run(user, keep);
  }

  session(id: string): Session | undefined {
    return found<Session>(this.#session.get(id));
  }

  sessions(now: number, user: string | undefined): readonly Session[] {
    const rows = user === undefined ? this.#sessions.all(now) : this.#sessionsOf.all(now, user);
    return rows.map(record<Session>);
  }

  renewSession(id: string, times: Parameters<UserStore['renewSession']>[1]): boolean {
    const session = this.session(id);
    if (session === undefined) return false;
    this.#putSession.run(times.endsAt, JSON.stringify({ ...session, ...times }), id);
    return true;
  }

  removeSession(id: string): boolean {
    return this.#dropSession.run(id).changes === 1;
  }

  removeSessions(user: string, except: string | undefined): number {
    return Number(this.#dropSessions.run(user, except ?? '').changes);
  }

  addToken(token: ApiToken, limit: number): 'added' | 'full' | 'unknown' {
    if (token.user !== undefined && this.user(token.user) === undefined) return 'unknown';
    if (counted(this.#countTokens.get()) >= limit) return 'full';
    this.#addToken.run(token.id, token.user ?? null, token.expiresAt ?? null, JSON.stringify(token));
    return 'added';
  }

  token(id: string): ApiToken | undefined {
    return found<ApiToken>(this.#token.get(id));
  }

  tokens(): readonly ApiToken[] {
    return this.#tokens.all().map(record<ApiToken>);
  }

  useToken(id: string, usedAt: number): boolean {
    const token = this.token(id);
    if (token === undefined) return false;
    this.#putToken.run(JSON.stringify({ ...token, usedAt }), id);
    return true;
  }

  removeToken(id: string): boolean {
    return this.#dropToken.run(id).changes === 1;
  }

  beginAttempt(
    keys: readonly AttemptKey[],
    { at, memory, limit }: Parameters<UserStore['beginAttempt']>[1],
  ): number {
    this.#forgetAttempts.run(at - memory, removedPerCall);
    const known = keys.map((key) => ({ key, row: this.#attempt.get(key.key, at - memory) }));
    const wait = Math.max(...known.map(({ row }) => Number(row?.['until'] ?? 0) - at));
    if (wait > 0) return wait;
    for (const { key, row } of known) {
      const failures = Number(row?.['failures'] ?? 0) + 1;
      this.#putAttempt.run(key.key, failures, at + pauseAfter(failures, key), at);
    }
    this.#boundAttempts.run(limit);
    return 0;
  }

  attemptSucceeded(forget: string, takeBack: string): void {
    this.#dropAttempt.run(forget);
    this.#takeBack.run(takeBack);
  }

  prune(now: number, expiredBefore: number): void {
    this.#pruneSessions.run(now);
    this.#pruneTokens.run(expiredBefore);
  }

  #put(user: User): void {
    this.#putUser.run(user.name, mayDoEverything(user) ? 1 : 0, JSON.stringify(user));
  }

  #isLast(user: User): boolean {
    return mayDoEverything(user) && counted(this.#countAdministrators.get()) === 1;
  }
}

function record<T>(row: Row): T {
  return JSON.parse(row['record'] as string);
}

function found<T>(row: Row | undefined): T | undefined {
  return row && record<T>(row);
}

function counted(row: Row | undefined): number {
  return Number(row?.['count'] ?? 0);
}

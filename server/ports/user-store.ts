/** What a person or a program may do; each may all that those before it may. */
export const roles = ['viewer', 'operator', 'administrator'] as const;
export type Role = (typeof roles)[number];

/** What a token is narrowed to: a kind of request with all that is less, or the figures for Prometheus alone. */
export const scopes = ['metrics', 'read', 'operate', 'administer'] as const;
export type Scope = (typeof scopes)[number];

/** A person, or a program with a password. */
export interface User {
  /** Lower-case; never changes. */
  readonly name: string;
  readonly role: Role;
  /** Absent: all tenants. */
  readonly tenant?: string;
  /** As `server/people/password.ts` hashes it. */
  readonly password: string;
  /** The password was chosen by somebody else: nothing is to be done before it is changed. */
  readonly mustChange: boolean;
  readonly enabled: boolean;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly passwordChangedAt: number;
  readonly lastLoginAt?: number;
}

/** What of a user changes; `tenant: null` takes it away. */
export type UserChange = Partial<
  Pick<
    User,
    'role' | 'password' | 'mustChange' | 'enabled' | 'updatedAt' | 'passwordChangedAt' | 'lastLoginAt'
  >
> & { readonly tenant?: string | null };

/** Somebody who is logged in. */
export interface Session {
  /** From a hash of the secret that its browser has: it finds the session, and opens nothing. */
  readonly id: string;
  /** Name of the user; of who is known by an identity provider, `oidc:` and the name, which no user has. */
  readonly user: string;
  /** What an identity provider says of him; absent where it is a user of this server. */
  readonly provided?: { readonly role: Role; readonly tenant?: string };
  readonly createdAt: number;
  readonly seenAt: number;
  /** When it ends if nobody uses it till then; never behind `lastsUntil`. */
  readonly endsAt: number;
  /** When it ends at the latest. */
  readonly lastsUntil: number;
  /** Address that logged in. */
  readonly source: string;
  /** How its program called itself. */
  readonly agent?: string;
}

/** What a program shows in place of a log-in. */
export interface ApiToken {
  /** As of a session. */
  readonly id: string;
  readonly name: string;
  /** Whose it is, and without whom it is void; absent: made on a server that needs no log-in. */
  readonly user?: string;
  /** The most that it may be good for; the user's own role counts beside it. */
  readonly role: Role;
  readonly tenant?: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  /** Absent: it does not end. */
  readonly expiresAt?: number;
  readonly usedAt?: number;
}

/** Who tries to log in, as a name or as an address: how often that may go wrong. */
export interface AttemptKey {
  readonly key: string;
  /** So many are free. */
  readonly free: number;
  /** After the next one nothing is tried for so long, ms; twice as long after each that follows. */
  readonly pause: number;
  readonly longestPause: number;
}

export type UserChanged = 'changed' | 'unknown' | 'last_administrator';

/**
 * People, their sessions and tokens, and failed log-ins. There is always a user who may do everything: who is enabled, an
 * administrator and of no tenant. Who is that alone cannot be changed into another or removed.
 */
export interface UserStore {
  /** By name. */
  users(): Promise<readonly User[]>;
  user(name: string): Promise<User | undefined>;
  /**
   * Makes one; with `first` only where there is none at all.
   * @returns `full` where there are `limit` already, or with `first`, any
   */
  addUser(
    user: User,
    options: { readonly limit: number; readonly first?: boolean },
  ): Promise<'added' | 'taken' | 'full'>;
  changeUser(name: string, change: UserChange): Promise<UserChanged>;
  /** With his sessions and tokens. */
  removeUser(name: string): Promise<'removed' | 'unknown' | 'last_administrator'>;

  /** Of one user's sessions the newest `keep` stay. */
  addSession(session: Session, keep: number): Promise<void>;
  session(id: string): Promise<Session | undefined>;
  /** Those that have not ended, newest first; of one user where named. */
  sessions(now: number, user?: string): Promise<readonly Session[]>;
  /** It was seen. False where it has been ended meanwhile. */
  renewSession(id: string, times: { readonly seenAt: number; readonly endsAt: number }): Promise<boolean>;
  removeSession(id: string): Promise<boolean>;
  /** All of a user, but for one where named. How many. */
  removeSessions(user: string, except?: string): Promise<number>;

  /** `full` where there are `limit` already; `unknown` where its user is not there. */
  addToken(token: ApiToken, limit: number): Promise<'added' | 'full' | 'unknown'>;
  token(id: string): Promise<ApiToken | undefined>;
  /** Newest first, those that have expired too. */
  tokens(): Promise<readonly ApiToken[]>;
  /** It was used. False where it has been removed meanwhile. */
  useToken(id: string, usedAt: number): Promise<boolean>;
  removeToken(id: string): Promise<boolean>;

  /**
   * An attempt begins, and counts as failed until `attemptSucceeded`: so guesses at the same time count one by one. Where one
   * of the keys is in a pause nothing is counted. What was not tried for `memory` ms is forgotten.
   * @returns how long to wait, ms; 0: try
   */
  beginAttempt(
    keys: readonly AttemptKey[],
    options: { readonly at: number; readonly memory: number; readonly limit: number },
  ): Promise<number>;
  /** Forgets what went wrong for `forget`, and takes back the attempt alone for `takeBack`. */
  attemptSucceeded(forget: string, takeBack: string): Promise<void>;

  /** Removes sessions that have ended, and tokens that have expired before `expiredBefore`. */
  prune(now: number, expiredBefore: number): Promise<void>;
}

/** What the session's user of an identity provider is called. */
const PROVIDED = 'oidc:';

export function providedUser(name: string): string {
  return `${PROVIDED}${name}`;
}

/** As people call him. */
export function nameOfSession({ user, provided }: Pick<Session, 'user' | 'provided'>): string {
  return provided === undefined ? user : user.slice(PROVIDED.length);
}

/** Whether the user is one of those of whom there is always one. */
export function mayDoEverything({
  role,
  tenant,
  enabled,
}: Pick<User, 'role' | 'tenant' | 'enabled'>): boolean {
  return role === 'administrator' && tenant === undefined && enabled;
}

/** As `changeUser` changes him. */
export function changedUser(user: User, { tenant, ...change }: UserChange): User {
  if (tenant === undefined) return { ...user, ...change };
  const { tenant: _former, ...rest } = { ...user, ...change };
  return tenant === null ? rest : { ...rest, tenant };
}

/** After so many failures nothing is tried for so long, ms. */
export function pauseAfter(failures: number, { free, pause, longestPause }: AttemptKey): number {
  if (failures <= free) return 0;
  return Math.min(longestPause, pause * 2 ** Math.min(failures - free - 1, 40));
}

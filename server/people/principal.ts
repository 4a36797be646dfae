import { type Role, roles, type Scope } from '../ports/user-store.ts';

/** Who makes a request, and what he may do. */
export interface Principal {
  /** Tells him from all others: `user:anna`, `token:<id>`, `local`. */
  readonly id: string;
  /** `local`: anybody on this machine, where no log-in is needed. `oidc`: known by an identity provider. */
  readonly kind: 'user' | 'token' | 'local' | 'oidc';
  /** Of the user; of a token, its own, which need not be the only one. */
  readonly name: string;
  /** Of a token: the user whose it is; absent where it was made on a server that needs no log-in. */
  readonly owner?: string;
  readonly role: Role;
  /** The only one whose devices he sees; undefined: all. */
  readonly tenant?: string;
  /** Of a token: it may no more than these, whatever its role. */
  readonly scopes?: readonly Scope[];
}

/**
 * What a request takes: `public` none at all, `self` to be somebody (one's own password, who one is), `metrics` the figures for
 * Prometheus; `read`, `operate`, `administer` the roles.
 */
export type Needs = 'public' | 'self' | 'metrics' | 'read' | 'operate' | 'administer';

/** Anybody who reaches a server that listens on loopback alone. */
export const localPrincipal: Principal = {
  id: 'local',
  kind: 'local',
  name: 'local',
  role: 'administrator',
};

const needed = ['read', 'operate', 'administer'] as const;

/** Whether the role, and of a token its scopes, suffice. */
export function isAllowed({ role, scopes }: Pick<Principal, 'role' | 'scopes'>, needs: Needs): boolean {
  if (needs === 'public' || needs === 'self') return true;
  const level = needs === 'metrics' ? 0 : needed.indexOf(needs);
  if (roles.indexOf(role) < level) return false;
  if (scopes === undefined) return true;
  if (needs === 'metrics' && scopes.includes('metrics')) return true;
  return needed.some((scope, index) => index >= level && scopes.includes(scope));
}

/** The lesser of two. */
export function lesserRole(a: Role, b: Role): Role {
  return roles.indexOf(a) < roles.indexOf(b) ? a : b;
}

import type { Identity } from '../people/identities.ts';
import { isAllowed } from '../people/principal.ts';
import type { StoredAuditEntry } from '../ports/audit-log.ts';
import { type ApiToken, nameOfSession, type Session, type User } from '../ports/user-store.ts';
import type { ApiAuditEntry } from './schemas/audit.ts';
import type { ApiMe, ApiSession, ApiTokenInfo, ApiUser } from './schemas/people.ts';

// As in presenters.ts: each member that goes out is named. Hashes of passwords must not.

const actions = ['read', 'operate', 'administer'] as const;

export function presentMe({ principal, session, mustChange }: Identity): ApiMe {
  const { kind, name, role, tenant, scopes } = principal;
  return {
    kind,
    name,
    role,
    ...(tenant !== undefined && { tenant }),
    ...(scopes !== undefined && { scopes: [...scopes] }),
    may: actions.filter((action) => isAllowed(principal, action)),
    mustChangePassword: mustChange,
    ...(session !== undefined && { session: session.id, endsAt: session.endsAt }),
  };
}

export function presentUser(user: User): ApiUser {
  const { name, role, tenant, enabled, mustChange, createdAt, updatedAt, passwordChangedAt, lastLoginAt } =
    user;
  return {
    name,
    role,
    ...(tenant !== undefined && { tenant }),
    enabled,
    mustChangePassword: mustChange,
    createdAt,
    updatedAt,
    passwordChangedAt,
    ...(lastLoginAt !== undefined && { lastLoginAt }),
  };
}

/** @param present id of the one by which is asked */
export function presentSession(session: Session, present: string | undefined): ApiSession {
  const { id, provided, createdAt, seenAt, endsAt, source, agent } = session;
  return {
    id,
    user: nameOfSession(session),
    kind: provided === undefined ? 'user' : 'oidc',
    isPresent: id === present,
    createdAt,
    seenAt,
    endsAt,
    source,
    ...(agent !== undefined && { agent }),
  };
}

export function presentToken(token: ApiToken): ApiTokenInfo {
  const { id, name, user, role, tenant, scopes, createdAt, expiresAt, usedAt } = token;
  return {
    id,
    name,
    ...(user !== undefined && { user }),
    role,
    ...(tenant !== undefined && { tenant }),
    scopes: [...scopes],
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(usedAt !== undefined && { lastUsedAt: usedAt }),
  };
}

export function presentAuditEntry(entry: StoredAuditEntry): ApiAuditEntry {
  const { id, at, actor, action, target, method, path, source, outcome, status, code, detail, node } = entry;
  return {
    id,
    at,
    actor: {
      kind: actor.kind,
      name: actor.name,
      ...(actor.tenant !== undefined && { tenant: actor.tenant }),
    },
    action,
    ...(target !== undefined && { target }),
    method,
    path,
    source,
    outcome,
    status,
    ...(code !== undefined && { code }),
    ...(detail !== undefined && {
      detail: Object.fromEntries(
        Object.entries(detail).map(([name, value]) => [name, isTexts(value) ? [...value] : value]),
      ),
    }),
    node,
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value);
}

import type { AuditLog } from '../ports/audit-log.ts';
import type { UserStore } from '../ports/user-store.ts';
import type { Channel } from './channel.ts';

export function userStore(channel: Channel): UserStore {
  return {
    users: () => channel.read('users'),
    user: (name) => channel.read('user', name),
    addUser: (user, options) => channel.write('addUser', user, options),
    changeUser: (name, change) => channel.write('changeUser', name, change),
    removeUser: (name) => channel.write('removeUser', name),
    addSession: (session, keep) => channel.write('addLoginSession', session, keep),
    session: (id) => channel.read('loginSession', id),
    sessions: (now, user) => channel.read('loginSessions', now, user),
    renewSession: (id, times) => channel.write('renewLoginSession', id, times),
    removeSession: (id) => channel.write('removeLoginSession', id),
    removeSessions: (user, except) => channel.write('removeLoginSessions', user, except),
    addToken: (token, limit) => channel.write('addToken', token, limit),
    token: (id) => channel.read('token', id),
    tokens: () => channel.read('tokens'),
    useToken: (id, usedAt) => channel.write('useToken', id, usedAt),
    removeToken: (id) => channel.write('removeToken', id),
    beginAttempt: (keys, options) => channel.write('beginAttempt', keys, options),
    attemptSucceeded: (forget, takeBack) => channel.write('attemptSucceeded', forget, takeBack),
    prune: (now, expiredBefore) => channel.write('prunePeople', now, expiredBefore),
  };
}

export function auditLog(channel: Channel, queries: Channel): AuditLog {
  return {
    append: (entries) => channel.write('appendAudit', entries),
    search: (query) => queries.query('audit', query),
    trim: async (bounds) => {
      while (await channel.write('trimAudit', bounds));
    },
  };
}

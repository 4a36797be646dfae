import type { ApiClient } from './api-client.ts';
import type {
  ApiAuditPage,
  ApiLoginWays,
  ApiMe,
  ApiNewToken,
  ApiNewUser,
  ApiSession,
  ApiTokenInfo,
  ApiUser,
  ApiUserBody,
} from './api-types.ts';

/** Roles, the least first, as they are said. */
export const roles = [
  { role: 'viewer', label: 'Viewer', what: 'sees everything, changes nothing' },
  { role: 'operator', label: 'Operator', what: 'acts on devices: reads, writes, switches, jobs' },
  {
    role: 'administrator',
    label: 'Administrator',
    what: 'administers the server too: people, policies, webhooks',
  },
] as const;

export const scopes = [
  { scope: 'metrics', label: 'metrics', what: '/metrics alone, for Prometheus' },
  { scope: 'read', label: 'read', what: 'everything that a viewer sees' },
  { scope: 'operate', label: 'operate', what: 'act on devices, and read' },
  { scope: 'administer', label: 'administer', what: 'all of it' },
] as const;

export type Role = ApiMe['role'];

/** Why a control is off. */
export function whoMay(action: ApiMe['may'][number]): string {
  if (action === 'administer') return 'It takes an administrator';
  return action === 'operate' ? 'It takes an operator' : 'It takes a viewer';
}

export function fetchMe(api: ApiClient, signal?: AbortSignal): Promise<ApiMe> {
  return api.get('/api/me', {}, signal);
}

/** The cookie that the answer sets is the browser's: the token in it is for programs, and forgotten here. */
export async function login(api: ApiClient, username: string, password: string): Promise<void> {
  await api.send('POST', '/api/login', { username, password });
}

export function fetchLoginWays(api: ApiClient): Promise<ApiLoginWays> {
  return api.get('/api/login');
}

/** Where a browser goes to log in at the identity provider, and from there back to a page of the console. */
export function providerHref(to: string): string {
  return `/api/login/provider?${new URLSearchParams({ to })}`;
}

export function logout(api: ApiClient): Promise<void> {
  return api.send('POST', '/api/logout');
}

export function changePassword(api: ApiClient, current: string, password: string): Promise<void> {
  return api.send('PUT', '/api/me/password', { current, password });
}

const users = '/api/users';
const userAt = (name: string) => `${users}/${encodeURIComponent(name)}`;

export async function fetchUsers(api: ApiClient, signal?: AbortSignal): Promise<readonly ApiUser[]> {
  return (await api.get<{ readonly items: readonly ApiUser[] }>(users, {}, signal)).items;
}

/** The password is the one that was made, where none was given. */
export function createUser(
  api: ApiClient,
  user: ApiNewUser,
): Promise<{ readonly user: ApiUser; readonly password?: string }> {
  return api.send('POST', users, user);
}

export function saveUser(api: ApiClient, name: string, body: ApiUserBody): Promise<ApiUser> {
  return api.send('PUT', userAt(name), body);
}

export function removeUser(api: ApiClient, name: string): Promise<void> {
  return api.send('DELETE', userAt(name));
}

export async function resetPassword(api: ApiClient, name: string): Promise<string> {
  const { password } = await api.send<{ readonly password: string }>('POST', `${userAt(name)}/password`, {});
  return password;
}

export async function fetchSessions(api: ApiClient, signal?: AbortSignal): Promise<readonly ApiSession[]> {
  return (await api.get<{ readonly items: readonly ApiSession[] }>('/api/sessions', {}, signal)).items;
}

export function endSession(api: ApiClient, id: string): Promise<void> {
  return api.send('DELETE', `/api/sessions/${encodeURIComponent(id)}`);
}

export async function fetchTokens(api: ApiClient, signal?: AbortSignal): Promise<readonly ApiTokenInfo[]> {
  return (await api.get<{ readonly items: readonly ApiTokenInfo[] }>('/api/tokens', {}, signal)).items;
}

export function createToken(
  api: ApiClient,
  token: ApiNewToken,
): Promise<ApiTokenInfo & { readonly token: string }> {
  return api.send('POST', '/api/tokens', token);
}

export function removeToken(api: ApiClient, id: string): Promise<void> {
  return api.send('DELETE', `/api/tokens/${encodeURIComponent(id)}`);
}

/** What is searched for: as it stands in the address. */
export const auditFields = ['actor', 'action', 'target', 'source', 'outcome'] as const;
export type AuditField = (typeof auditFields)[number];
export type AuditSearch = Readonly<Partial<Record<AuditField, string>>>;

export function auditSearchOf(query: string): AuditSearch {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries(
    auditFields.flatMap((field) => {
      const value = parameters.get(field)?.trim() ?? '';
      return value === '' ? [] : [[field, value]];
    }),
  );
}

export function fetchAudit(
  api: ApiClient,
  search: AuditSearch & { readonly cursor?: string; readonly limit: number },
  signal?: AbortSignal,
): Promise<ApiAuditPage> {
  return api.get('/api/audit', { ...search }, signal);
}

/** What of a browser is told by what it calls itself: `Firefox on Linux`; else the beginning of that. */
export function agentText(agent: string | undefined): string {
  if (agent === undefined) return 'unknown program';
  const browser = [
    ['Edg/', 'Edge'],
    ['Firefox/', 'Firefox'],
    ['Chrome/', 'Chrome'],
    ['Safari/', 'Safari'],
  ].find(([mark = '']) => agent.includes(mark))?.[1];
  if (browser === undefined) return agent.slice(0, 40);
  const system = ['Android', 'iPhone', 'Windows', 'Mac OS', 'Linux'].find((mark) => agent.includes(mark));
  return system === undefined ? browser : `${browser} on ${system}`;
}

/** `switchCarrier` as words: `switch carrier`. */
export function actionText(action: string): string {
  return action.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

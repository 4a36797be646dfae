/** Where the Redis is that nodes share. */
export type RedisAddress =
  | ({ readonly kind: 'single'; readonly host: string; readonly port: number; readonly db: number } & Access)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly HostPort[] } & Access)
  | ({
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      /** Of the master, as the sentinels know it. */
      readonly name: string;
      readonly db: number;
    } & Access);

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Access {
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

const schemes: Readonly<Record<string, { kind: RedisAddress['kind']; tls: boolean }>> = {
  redis: { kind: 'single', tls: false },
  rediss: { kind: 'single', tls: true },
  'redis+cluster': { kind: 'cluster', tls: false },
  'rediss+cluster': { kind: 'cluster', tls: true },
  'redis+sentinel': { kind: 'sentinel', tls: false },
  'rediss+sentinel': { kind: 'sentinel', tls: true },
};

/**
 * `redis://[user[:password]@]host[:port][/db]`, `rediss://` with TLS, `redis+cluster://h1:p1,h2:p2,…`,
 * `redis+sentinel://h1:p1,h2:p2,…/name[/db]`; both with TLS as `rediss+…`.
 * @throws Error with one line that says what is wrong; never with the password in it.
 */
export function parseRedisAddress(text: string): RedisAddress {
  const match = /^(?<scheme>[a-z+]+):\/\/(?:(?<access>[^@/]*)@)?(?<hosts>[^/]+)(?:\/(?<rest>.*))?$/.exec(
    text,
  );
  const scheme = schemes[match?.groups?.['scheme'] ?? ''];
  if (match?.groups === undefined || scheme === undefined) {
    throw new Error(
      'it must be redis://host:port, rediss://host:port, redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/name',
    );
  }
  const { access = '', hosts = '', rest = '' } = match.groups;
  const shared = { tls: scheme.tls, ...parseAccess(access) };
  const parts = rest === '' ? [] : rest.split('/');
  if (scheme.kind === 'single') {
    const all = parseHosts(hosts, 6379);
    const [only] = all;
    if (only === undefined || all.length > 1) {
      throw new Error('redis:// names one host; several are a redis+cluster:// or a redis+sentinel://');
    }
    return { kind: 'single', ...only, db: parseDatabase(parts), ...shared };
  }
  if (scheme.kind === 'cluster') {
    if (parts.length > 0)
      throw new Error('a Redis Cluster has no database numbers: nothing may follow the hosts');
    return { kind: 'cluster', nodes: parseHosts(hosts, 6379), ...shared };
  }
  const [name = '', ...database] = parts;
  if (name === '')
    throw new Error('redis+sentinel:// needs the name of the master behind the hosts: …/mymaster');
  return {
    kind: 'sentinel',
    sentinels: parseHosts(hosts, 26379),
    name,
    db: parseDatabase(database),
    ...shared,
  };
}

/** As a person may see it: without user and password. */
export function describeAddress(address: RedisAddress): string {
  const hosts = (list: readonly HostPort[]): string =>
    list.map(({ host, port }) => `${host}:${port}`).join(', ');
  switch (address.kind) {
    case 'single':
      return `Redis at ${hosts([address])}`;
    case 'cluster':
      return `Redis Cluster at ${hosts(address.nodes)}`;
    case 'sentinel':
      return `Redis '${address.name}' by Sentinel at ${hosts(address.sentinels)}`;
  }
}

function parseAccess(access: string): Pick<Access, 'username' | 'password'> {
  if (access === '') return {};
  const colon = access.indexOf(':');
  const username = decode(colon < 0 ? access : access.slice(0, colon));
  const password = colon < 0 ? '' : decode(access.slice(colon + 1));
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('user and password must be percent-encoded');
  }
}

function parseHosts(hosts: string, defaultPort: number): readonly HostPort[] {
  return hosts.split(',').map((text) => {
    const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text.trim());
    const port = match?.groups?.['port'] === undefined ? defaultPort : Number(match.groups['port']);
    const host = match?.groups?.['v6'] ?? match?.groups?.['host'];
    if (host === undefined || port === 0 || port > 65_535) {
      throw new Error(`'${text}' is no host, or host and port`);
    }
    return { host, port };
  });
}

function parseDatabase(parts: readonly string[]): number {
  if (parts.length === 0 || (parts.length === 1 && parts[0] === '')) return 0;
  const [db = ''] = parts;
  if (parts.length > 1 || !/^\d{1,4}$/.test(db))
    throw new Error(`'${parts.join('/')}' is no database number`);
  return Number(db);
}

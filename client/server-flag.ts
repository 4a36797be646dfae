import { number, oneOf, UsageError } from './flag-values.ts';
import { rightBits } from './lwm2m/access-control.ts';
import type { LwM2mVersion } from './lwm2m/formats.ts';
import { firstShortServerId } from './lwm2m/server-account.ts';
import { type CredentialFlags, type CredentialsOf, readCredentials } from './server-credentials.ts';

/** One server of the command line. */
export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly uri: string;
  readonly shortServerId: number;
  /** Of its instances of objects 0 and 1. */
  readonly instanceId: number;
  /** Seconds; 0: without end; undefined: as the server wrote it, or 300. */
  readonly lifetime: number | undefined;
  readonly version: LwM2mVersion;
  /** Registration Priority Order. */
  readonly priority: number | undefined;
  /** Initial Registration Delay Timer, seconds. */
  readonly delay: number | undefined;
  /** What the modem proves itself by; undefined: it comes without security. */
  readonly credentials: CredentialsOf | undefined;
}

const keys = [
  'id',
  'instance',
  'lifetime',
  'version',
  'priority',
  'delay',
  'identity',
  'key',
  'key-file',
] as const;
const longest = 2 ** 31;

/** `coap://HOST:PORT,KEY=VALUE,…`; `index` says which of the servers it is. @throws UsageError */
export function parseServer(
  text: string,
  index: number,
  defaults: Pick<ServerSettings, 'lifetime' | 'version'>,
  credentials: CredentialFlags = {},
): ServerSettings {
  const [address = '', ...settings] = text.split(',');
  const given = new Map<string, string>();
  for (const setting of settings) {
    const at = setting.indexOf('=');
    const key = oneOf('--server: a setting', at < 0 ? setting : setting.slice(0, at), keys);
    if (given.has(key)) throw new UsageError(`--server has ${key} twice: ${text}`);
    given.set(key, at < 0 ? '' : setting.slice(at + 1));
  }
  const whole = (key: (typeof keys)[number], minimum: number, maximum: number): number | undefined => {
    const value = given.get(key);
    return value === undefined ? undefined : number(`--server ${key}`, value, minimum, maximum);
  };
  const version = given.get('version');
  const named = parseServerAddress('--server', address);
  return {
    ...named,
    credentials: credentialsOf(named, given, credentials),
    shortServerId: whole('id', 1, 65_534) ?? firstShortServerId + index,
    instanceId: whole('instance', 0, 65_534) ?? index,
    lifetime: whole('lifetime', 0, longest) ?? defaults.lifetime,
    version:
      version === undefined ? defaults.version : oneOf('--server version', version, ['1.0', '1.1', '1.2']),
    priority: whole('priority', 0, longest),
    delay: whole('delay', 0, longest),
  };
}

/** What is said of this server goes before what is said of all; an identity with its key is one thing. */
function credentialsOf(
  { uri, host }: Pick<ServerSettings, 'uri' | 'host'>,
  given: ReadonlyMap<string, string>,
  all: CredentialFlags,
): CredentialsOf | undefined {
  const own: CredentialFlags = {
    identity: given.get('identity'),
    key: given.get('key'),
    keyFile: given.get('key-file'),
  };
  const hasOwn = Object.values(own).some((value) => value !== undefined);
  if (!isSecure(uri)) {
    if (hasOwn) throw new UsageError(`${uri} takes no credentials: use coaps://`);
    return undefined;
  }
  const found = readCredentials(hasOwn ? own : all, host);
  if (found === undefined) {
    throw new UsageError(
      `${uri}: what does the modem prove itself by? --identity with --key or --key-file, --private-key with ` +
        '--server-public-key, or --certificate with --private-key',
    );
  }
  return found;
}

/** Whether a server is spoken with by DTLS. */
export function isSecure(uri: string): boolean {
  return uri.startsWith('coaps:');
}

/** `coap://HOST:PORT` or `coaps://HOST:PORT`. @throws UsageError */
export function parseServerAddress(
  flag: string,
  text: string,
): Pick<ServerSettings, 'host' | 'port' | 'uri'> {
  const match = /^(coaps?):\/\/(\[[0-9a-fA-F:.]+\]|[^/:?#@[\]\s]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  const scheme = match?.[1]?.toLowerCase();
  const host = match?.[2];
  const port = Number(match?.[3] ?? (scheme === 'coaps' ? 5684 : 5683));
  if (host === undefined || port < 1 || port > 65_535) {
    throw new UsageError(`${flag} is coap://HOST:PORT or coaps://HOST:PORT, not ${text}`);
  }
  return { host, port, uri: `${scheme}://${host}:${port}` };
}

const rightLetters = {
  r: rightBits.read,
  w: rightBits.write,
  e: rightBits.execute,
  d: rightBits.delete,
} as const;

/** Letters of rights as the bits of an ACL; `none`: 0. @throws UsageError */
export function parseRights(flag: string, text: string): number {
  if (text === 'none') return 0;
  if (!/^[rwed]+$/.test(text)) throw new UsageError(`${flag} is none, or letters of rwed, not ${text}`);
  let bits = 0;
  for (const letter of text) bits |= rightLetters[letter as keyof typeof rightLetters];
  return bits;
}

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import type { IdentityProviderConfig } from './people/identity-provider.ts';
import { type Role, roles } from './ports/user-store.ts';
import { parseSecretKeys } from './secrets/secret-keys.ts';
import { type Setting, type SettingInForce, settings } from './settings.ts';

import { createAddressPolicy } from './webhooks/address-policy.ts';

/** So many may share an address: see cluster/shared-port.ts. */
const MOST_WORKERS = 16;
const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
/** Bytes: 1 MiB to 1 GiB. */
const SMALLEST_TRACE = 1024 * 1024;
const LARGEST_TRACE = 1024 * 1024 * 1024;
export type LogLevel = (typeof levels)[number];

export interface Config {
  /** All of them, as they were read. */
  readonly inForce: readonly SettingInForce[];
  readonly coapHost: string;
  readonly coapPort: number;
  /** `coap://host:port`, as devices use it; undefined: where CoAP listens. */
  readonly coapAddress: string | undefined;
  /** Undefined: DTLS is not opened. */
  readonly coapsPort: number | undefined;
  /** Whether devices may come without security. */
  readonly noSec: boolean;
  /** PEM file; undefined: no authority is trusted. */
  readonly deviceCa: string | undefined;
  /** `coaps://host:port`, as devices use it; undefined: where DTLS listens. */
  readonly coapsAddress: string | undefined;
  /** Of the bootstrap server, over DTLS and without; undefined: it does not listen there. */
  readonly bootstrapsPort: number | undefined;
  readonly bootstrapPort: number | undefined;
  readonly gatewayHost: string;
  /** Undefined: the gateway is not open. */
  readonly gatewayPort: number | undefined;
  /** JSON file; there where the gateway is open. */
  readonly gatewayDevices: string | undefined;
  /** What seals: the first one; all of them open. Undefined: none is set. */
  readonly secretKeys: readonly Uint8Array[] | undefined;
  /** ms */
  readonly dtlsSessionsMaxAge: number;
  /** PEM files. */
  readonly serverKey: string | undefined;
  readonly serverCertificate: string | undefined;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly allowedHosts: readonly string[];
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly people: PeopleConfig;
  readonly data: string;
  /** Undefined: the embedded store. */
  readonly redisUrl: string | undefined;
  /** What all keys begin with. */
  readonly redisPrefix: string;
  readonly node: string;
  /** Processes; more than one are started by a process that is no node itself. */
  readonly workers: number;
  readonly reusePort: boolean;
  readonly takeOver: boolean;
  readonly logLevel: LogLevel;
  /** ms */
  readonly requestTimeout: number;
  /** HTTP requests a second of one address; 0: no limit. */
  readonly rateLimit: number;
  readonly rateBurst: number;
  readonly streamsPerAddress: number;
  /** ms */
  readonly awakeTime: number;
  /** ms */
  readonly commandsMaxAge: number;
  readonly commandsMaxCount: number;
  /** ms */
  readonly jobsMaxAge: number;
  readonly jobsMaxCount: number;
  /** Of commands that wait for one device. */
  readonly waitingMaxCount: number;
  readonly waitingMaxBytes: number;
  readonly shortServerId: number | undefined;
  /** ms */
  readonly lifetimeGrace: number;
  /** ms */
  readonly readingsMaxAge: number;
  readonly readingsMaxBytes: number;
  /** ms */
  readonly rollUpsMaxAge: number;
  readonly carrierObject: number;
  readonly sensorObject: number;
  /** 0: no messages are kept. */
  readonly traceBytes: number;
  /** Folder of OMA XML; undefined where there is none. */
  readonly objects: string | undefined;
  /** Where webhooks may go; see webhooks/address-policy.ts. */
  readonly webhookAllow: readonly string[];
  readonly leshan: LeshanConfig;
}

/** Who may use REST and console, and what is remembered of it. */
export interface PeopleConfig {
  readonly loginRequired: boolean;
  readonly adminPassword: string | undefined;
  readonly metricsToken: string | undefined;
  /** Undefined: people log in by passwords alone. */
  readonly provider: IdentityProviderConfig | undefined;
  /** ms */
  readonly sessionIdle: number;
  /** ms */
  readonly sessionMaxAge: number;
  /** ms */
  readonly auditMaxAge: number;
  readonly auditMaxCount: number;
}

/** The Leshan-compatible interface. */
export interface LeshanConfig {
  readonly enabled: boolean;
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
}

/** A setting is wrong; the message is the one line that the user gets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Thrown for `--help`; the message is the help. */
export class HelpRequested extends Error {
  override readonly name = 'HelpRequested';
}

/**
 * Reads the settings: a flag wins over the environment, which wins over the default.
 * @throws ConfigError one clear line; HelpRequested for `--help`.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  args: readonly string[] = process.argv.slice(2),
): Config {
  const flags = readFlags(args);
  const known = new Set<string>(settings.map((setting) => setting.name));
  for (const name of Object.keys(env)) {
    if (name.startsWith('SIMYARD_') && !known.has(name)) {
      throw new ConfigError(`${name} is not a setting of the server; --help lists them`);
    }
  }
  const text = (name: (typeof settings)[number]['name']): string | undefined => {
    const setting: Setting | undefined = settings.find((candidate) => candidate.name === name);
    if (setting === undefined) throw new Error(`no setting ${name}`);
    const value = flags.get(setting.flag) ?? env[name];
    return value === undefined || value === '' ? setting.default : value;
  };
  const isGiven = (name: (typeof settings)[number]['name']): boolean => {
    const setting = settings.find((candidate) => candidate.name === name);
    return ((setting && flags.get(setting.flag)) ?? env[name] ?? '') !== '';
  };
  const required = (name: (typeof settings)[number]['name']): string => {
    const value = text(name);
    if (value === undefined) throw new Error(`${name} has no default`);
    return value;
  };
  const integer = (name: (typeof settings)[number]['name'], min: number, max: number): number => {
    const value = required(name);
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < min || number > max) {
      throw new ConfigError(`${name} must be a whole number from ${min} to ${max}, not '${value}'`);
    }
    return number;
  };
  /** `off`: undefined. */
  const portOrOff = (name: (typeof settings)[number]['name']): number | undefined =>
    required(name) === 'off' ? undefined : integer(name, 0, 65535);
  const toggle = (name: (typeof settings)[number]['name']): boolean => {
    const value = required(name);
    if (value === 'true' || value === 'false') return value === 'true';
    throw new ConfigError(`${name} must be true or false, not '${value}'`);
  };
  const logLevel = required('SIMYARD_LOG_LEVEL');
  if (!isLevel(logLevel)) {
    throw new ConfigError(`SIMYARD_LOG_LEVEL must be one of ${levels.join(', ')}, not '${logLevel}'`);
  }
  const carrierObject = integer('SIMYARD_CARRIER_OBJECT', 1024, 65534);
  const sensorObject = integer('SIMYARD_SENSOR_OBJECT', 1024, 65534);
  if (carrierObject === sensorObject) {
    throw new ConfigError('SIMYARD_CARRIER_OBJECT and SIMYARD_SENSOR_OBJECT must differ');
  }
  const secretKeys = readSecretKeys(text('SIMYARD_SECRET_KEY'));
  const coapPort = integer('SIMYARD_COAP_PORT', 0, 65535);
  const noSec = isNoSecOn(required('SIMYARD_NOSEC'), required('SIMYARD_COAP_HOST'));
  const coapsPort = ((): number | undefined => {
    const sealed = secretKeys !== undefined || text('SIMYARD_REDIS_URL') === undefined;
    if (isGiven('SIMYARD_COAPS_PORT')) {
      const port = portOrOff('SIMYARD_COAPS_PORT');
      if (port !== undefined && !sealed) {
        throw new ConfigError(
          'SIMYARD_COAPS_PORT with SIMYARD_REDIS_URL needs SIMYARD_SECRET_KEY, by which DTLS sessions are sealed in the store: make one by `openssl rand -hex 32`, and give all nodes the same',
        );
      }
      return port;
    }
    if (!sealed || coapPort === 65_535) return undefined;
    return coapPort === 0 ? 0 : coapPort + 1;
  })();
  /** The ports of the bootstrap server lie behind the others, where nobody says otherwise. */
  const behindCoap = (
    name: 'SIMYARD_BOOTSTRAPS_PORT' | 'SIMYARD_BOOTSTRAP_PORT',
    distance: number,
  ): number | undefined => {
    if (isGiven(name)) return portOrOff(name);
    if (coapPort === 0) return 0;
    return coapPort + distance > 65_535 ? undefined : coapPort + distance;
  };
  const bootstrapsPort =
    isGiven('SIMYARD_BOOTSTRAPS_PORT') || coapsPort !== undefined
      ? behindCoap('SIMYARD_BOOTSTRAPS_PORT', 2)
      : undefined;
  if (!noSec && coapsPort === undefined) {
    throw new ConfigError(
      'no device can reach this server: SIMYARD_NOSEC does not let them come without security, and DTLS is off (SIMYARD_COAPS_PORT; with SIMYARD_REDIS_URL it needs SIMYARD_SECRET_KEY)',
    );
  }
  return {
    inForce: settings.map(({ name, flag, meaning, ...setting }: Setting) => {
      const given = flags.get(flag) ?? env[name] ?? '';
      const value = text(name as (typeof settings)[number]['name']);
      return {
        name,
        flag,
        default: setting.default,
        meaning,
        value,
        given: given !== '',
        secret: setting.secret === true,
      };
    }),
    coapHost: required('SIMYARD_COAP_HOST'),
    coapPort,
    coapAddress: coapAddress('SIMYARD_COAP_ADDRESS', 'coap', 5683, text('SIMYARD_COAP_ADDRESS')),
    coapsPort,
    noSec,
    deviceCa: text('SIMYARD_DEVICE_CA'),
    coapsAddress: coapAddress('SIMYARD_COAPS_ADDRESS', 'coaps', 5684, text('SIMYARD_COAPS_ADDRESS')),
    bootstrapsPort,
    bootstrapPort: behindCoap('SIMYARD_BOOTSTRAP_PORT', 3),
    ...gatewayConfig({
      gatewayHost: required('SIMYARD_GATEWAY_HOST'),
      gatewayPort: portOrOff('SIMYARD_GATEWAY_PORT'),
      gatewayDevices: text('SIMYARD_GATEWAY_DEVICES'),
    }),
    secretKeys,
    dtlsSessionsMaxAge: integer('SIMYARD_DTLS_SESSIONS_MAX_AGE', 1, 36_500) * 86_400_000,
    serverKey: text('SIMYARD_SERVER_KEY'),
    serverCertificate: text('SIMYARD_SERVER_CERTIFICATE'),
    httpHost: required('SIMYARD_HTTP_HOST'),
    httpPort: integer('SIMYARD_HTTP_PORT', 0, 65535),
    allowedHosts: list(text('SIMYARD_ALLOWED_HOSTS')),
    trustedProxies: trustedProxies(list(text('SIMYARD_TRUSTED_PROXIES'))),
    people: {
      loginRequired: isLoginRequired(required('SIMYARD_LOGIN'), required('SIMYARD_HTTP_HOST')),
      adminPassword: text('SIMYARD_ADMIN_PASSWORD'),
      metricsToken: metricsToken(text('SIMYARD_METRICS_TOKEN')),
      provider: identityProvider({
        issuer: text('SIMYARD_OIDC_ISSUER'),
        clientId: text('SIMYARD_OIDC_CLIENT_ID'),
        publicUrl: text('SIMYARD_PUBLIC_URL'),
        roles: entries(text('SIMYARD_OIDC_ROLES')),
        clientSecret: text('SIMYARD_OIDC_CLIENT_SECRET'),
        label: required('SIMYARD_OIDC_LABEL'),
        scopes: required('SIMYARD_OIDC_SCOPES'),
        nameClaim: required('SIMYARD_OIDC_NAME_CLAIM'),
        roleClaim: required('SIMYARD_OIDC_ROLE_CLAIM'),
        tenantClaim: text('SIMYARD_OIDC_TENANT_CLAIM'),
      }),
      sessionIdle: integer('SIMYARD_SESSION_IDLE', 1, 525_600) * 60_000,
      sessionMaxAge: integer('SIMYARD_SESSION_MAX_AGE', 1, 8_760) * 3_600_000,
      auditMaxAge: integer('SIMYARD_AUDIT_MAX_AGE', 1, 36_500) * 86_400_000,
      auditMaxCount: integer('SIMYARD_AUDIT_MAX_COUNT', 1, Number.MAX_SAFE_INTEGER),
    },
    data: required('SIMYARD_DATA'),
    redisUrl: text('SIMYARD_REDIS_URL'),
    redisPrefix: redisPrefix(required('SIMYARD_REDIS_PREFIX')),
    node: nodeName(text('SIMYARD_NODE') ?? hostname()),
    ...processes({
      workers: integer('SIMYARD_WORKERS', 1, MOST_WORKERS),
      reusePort: toggle('SIMYARD_REUSE_PORT'),
      shared: text('SIMYARD_REDIS_URL') !== undefined,
      ports: (
        [
          'SIMYARD_COAP_PORT',
          'SIMYARD_COAPS_PORT',
          'SIMYARD_BOOTSTRAPS_PORT',
          'SIMYARD_BOOTSTRAP_PORT',
          'SIMYARD_GATEWAY_PORT',
          'SIMYARD_HTTP_PORT',
          'SIMYARD_LESHAN_PORT',
        ] as const
      ).filter((name) => text(name) === '0'),
    }),
    takeOver: toggle('SIMYARD_TAKE_OVER'),
    logLevel,
    requestTimeout: integer('SIMYARD_REQUEST_TIMEOUT', 100, 600_000),
    rateLimit: integer('SIMYARD_RATE_LIMIT', 0, 1_000_000),
    rateBurst: integer('SIMYARD_RATE_BURST', 1, 1_000_000),
    streamsPerAddress: integer('SIMYARD_STREAMS_PER_ADDRESS', 1, 4096),
    awakeTime: integer('SIMYARD_AWAKE_TIME', 1_000, 86_400_000),
    commandsMaxAge: integer('SIMYARD_COMMANDS_MAX_AGE', 1, 36_500) * 86_400_000,
    commandsMaxCount: integer('SIMYARD_COMMANDS_MAX_COUNT', 0, Number.MAX_SAFE_INTEGER),
    jobsMaxAge: integer('SIMYARD_JOBS_MAX_AGE', 1, 36_500) * 86_400_000,
    jobsMaxCount: integer('SIMYARD_JOBS_MAX_COUNT', 0, Number.MAX_SAFE_INTEGER),
    waitingMaxCount: integer('SIMYARD_WAITING_MAX_COUNT', 1, 1_000_000),
    waitingMaxBytes: integer('SIMYARD_WAITING_MAX_BYTES', 1_048_576, Number.MAX_SAFE_INTEGER),
    shortServerId:
      text('SIMYARD_SHORT_SERVER_ID') === undefined
        ? undefined
        : integer('SIMYARD_SHORT_SERVER_ID', 1, 65534),
    lifetimeGrace: integer('SIMYARD_LIFETIME_GRACE', 0, 600_000),
    readingsMaxAge: integer('SIMYARD_READINGS_MAX_AGE', 1, 36_500) * 86_400_000,
    readingsMaxBytes: integer('SIMYARD_READINGS_MAX_BYTES', 1_000_000, Number.MAX_SAFE_INTEGER),
    rollUpsMaxAge: integer('SIMYARD_ROLLUPS_MAX_AGE', 1, 36_500) * 86_400_000,
    carrierObject,
    sensorObject,
    traceBytes: traceBytes(integer('SIMYARD_TRACE_BYTES', 0, LARGEST_TRACE)),
    objects: text('SIMYARD_OBJECTS'),
    webhookAllow: webhookDestinations(text('SIMYARD_WEBHOOK_ALLOW'), required('SIMYARD_HTTP_HOST')),
    leshan: leshanConfig({
      enabled: toggle('SIMYARD_LESHAN_API'),
      host: required('SIMYARD_LESHAN_HOST'),
      port: integer('SIMYARD_LESHAN_PORT', 0, 65535),
      token: text('SIMYARD_LESHAN_TOKEN'),
    }),
  };
}

/** The interface knows no log-in: whom it serves is told by where it listens, or by a token. @throws ConfigError */
function leshanConfig(config: LeshanConfig): LeshanConfig {
  const { enabled, host, token } = config;
  if (token !== undefined && !/^[\w.~+/-]+=*$/.test(token)) {
    throw new ConfigError(
      'SIMYARD_LESHAN_TOKEN has a character that no bearer token may have (RFC 6750 §2.1)',
    );
  }
  if (enabled && token === undefined && !isLoopback(host)) {
    throw new ConfigError(
      `SIMYARD_LESHAN_HOST is ${host}, which others reach: set SIMYARD_LESHAN_TOKEN, or listen on 127.0.0.1`,
    );
  }
  return config;
}

type GatewayConfig = Pick<Config, 'gatewayHost' | 'gatewayPort' | 'gatewayDevices'>;

/** Without devices the gateway would drop all that comes. @throws ConfigError */
function gatewayConfig(config: GatewayConfig): GatewayConfig {
  if (config.gatewayPort !== undefined && config.gatewayDevices === undefined) {
    throw new ConfigError(
      'SIMYARD_GATEWAY_PORT needs SIMYARD_GATEWAY_DEVICES, the file that says which sources are which devices',
    );
  }
  return config;
}

/** @throws ConfigError */
function isLoginRequired(login: string, httpHost: string): boolean {
  if (login === 'required') return true;
  if (login === 'auto') return !isLoopback(httpHost);
  throw new ConfigError(`SIMYARD_LOGIN must be auto or required, not '${login}'`);
}

/** @throws ConfigError one that no header could have, or that could be guessed */
function metricsToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\w.~+/-]{32,}=*$/.test(token)) return token;
  throw new ConfigError(
    'SIMYARD_METRICS_TOKEN must be 32 characters or more that a bearer token may have (RFC 6750 §2.1)',
  );
}

/** @throws ConfigError */
function trustedProxies(entries: readonly string[]): readonly string[] {
  for (const entry of entries) {
    const [address = '', length, ...more] = entry.split('/');
    const bits = { 4: 32, 6: 128 }[isIP(address)];
    const fits = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (bits ?? 0));
    if (bits === undefined || !fits || more.length > 0) {
      throw new ConfigError(
        `SIMYARD_TRUSTED_PROXIES must be addresses or networks as 10.0.0.0/8, by comma, not '${entry}'`,
      );
    }
  }
  return entries;
}

/** @throws ConfigError what would be a hash tag, or be taken for more than one name */
function redisPrefix(prefix: string): string {
  if (/^[\w.-]{1,32}$/.test(prefix)) return prefix;
  throw new ConfigError(
    `SIMYARD_REDIS_PREFIX must be 1 to 32 letters, digits, '.', '_' or '-', not '${prefix}'`,
  );
}

/** @throws ConfigError it could not stand in a line of its own */
function nodeName(name: string): string {
  if (/^[\x21-\x7e]{1,100}$/.test(name)) return name;
  throw new ConfigError('SIMYARD_NODE must be 1 to 100 characters of ASCII without spaces');
}

/** What several processes on one machine need. @throws ConfigError where it is missing */
function processes({
  workers,
  reusePort,
  shared,
  ports,
}: {
  readonly workers: number;
  readonly reusePort: boolean;
  /** Whether the store is one that several processes may share. */
  readonly shared: boolean;
  /** Settings of ports that are left to the system. */
  readonly ports: readonly string[];
}): Pick<Config, 'workers' | 'reusePort'> {
  if (workers > 1 && !shared) {
    throw new ConfigError(
      `SIMYARD_WORKERS is ${workers}, which needs SIMYARD_REDIS_URL: the embedded store is one process's`,
    );
  }
  if (reusePort && !shared) {
    throw new ConfigError("SIMYARD_REUSE_PORT needs SIMYARD_REDIS_URL: the embedded store is one process's");
  }
  if (workers > 1 && ports.length > 0) {
    throw new ConfigError(
      `${ports[0]} is 0, and SIMYARD_WORKERS is ${workers}: workers share a port that is known beforehand`,
    );
  }
  return { workers, reusePort };
}

/** @throws ConfigError */
function coapAddress(
  name: string,
  scheme: 'coap' | 'coaps',
  defaultPort: number,
  text: string | undefined,
): string | undefined {
  if (text === undefined) return undefined;
  const match = /^(coaps?):\/\/(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  if (match?.[1]?.toLowerCase() !== scheme || port === 0 || port > 65_535) {
    throw new ConfigError(`${name} must be ${scheme}://host:port, not '${text}'`);
  }
  return `${scheme}://${match[2]?.toLowerCase()}:${port}`;
}

/** @throws ConfigError */
function readSecretKeys(text: string | undefined): readonly Uint8Array[] | undefined {
  try {
    return text === undefined ? undefined : parseSecretKeys(text);
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError(`SIMYARD_SECRET_KEY: ${error.message}`);
    throw error;
  }
}

/** @throws ConfigError */
function isNoSecOn(text: string, coapHost: string): boolean {
  if (text === 'auto') return isLoopback(coapHost);
  if (text === 'on' || text === 'off') return text === 'on';
  throw new ConfigError(`SIMYARD_NOSEC must be auto, on or off, not '${text}'`);
}

/** What has to be there for a provider. */
interface GivenProvider extends Omit<IdentityProviderConfig, 'issuer' | 'clientId' | 'publicUrl' | 'roles'> {
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly publicUrl: string | undefined;
  readonly roles: readonly string[];
}

/** @throws ConfigError */
function identityProvider(given: GivenProvider): IdentityProviderConfig | undefined {
  const { issuer, clientId, publicUrl } = given;
  if (issuer === undefined) return undefined;
  if (clientId === undefined || publicUrl === undefined || given.roles.length === 0) {
    throw new ConfigError(
      'SIMYARD_OIDC_ISSUER needs SIMYARD_OIDC_CLIENT_ID, SIMYARD_OIDC_ROLES and SIMYARD_PUBLIC_URL',
    );
  }
  return {
    ...given,
    issuer: webAddress('SIMYARD_OIDC_ISSUER', issuer),
    clientId,
    publicUrl: webAddress('SIMYARD_PUBLIC_URL', publicUrl).replace(/\/+$/, ''),
    roles: new Map(given.roles.map(providedRole)),
  };
}

/** @throws ConfigError */
function providedRole(entry: string): readonly [string, Role] {
  const at = entry.lastIndexOf('=');
  const role = roles.find((one) => one === entry.slice(at + 1));
  if (at > 0 && role !== undefined) return [entry.slice(0, at), role];
  throw new ConfigError(
    `SIMYARD_OIDC_ROLES must be entries as simyard-ops=operator, by comma, with ${roles.join(', ')}; not '${entry}'`,
  );
}

/** What is secret goes over TLS, or does not leave this machine. @throws ConfigError */
function webAddress(name: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (isSafe && url?.search === '' && url.hash === '') return text;
  throw new ConfigError(`${name} must be an https: address, or one on loopback, not '${text}'`);
}

function list(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
}

/**
 * Who reaches the API can have the server send anywhere that this allows: where that is only who is on this
 * machine, its own services are no secret to them.
 */
function webhookDestinations(text: string | undefined, httpHost: string): readonly string[] {
  if (text === undefined) return isLoopback(httpHost) ? ['public', 'loopback'] : ['public'];
  const entries = list(text);
  try {
    createAddressPolicy(entries);
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError(`SIMYARD_WEBHOOK_ALLOW: ${error.message}`);
    throw error;
  }
  return entries;
}

/** As a list, with its letters as they are. */
function entries(text = ''): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** @throws ConfigError a ring so small that it is of no use */
function traceBytes(bytes: number): number {
  if (bytes > 0 && bytes < SMALLEST_TRACE) {
    throw new ConfigError(
      `SIMYARD_TRACE_BYTES must be 0, or ${SMALLEST_TRACE} to ${LARGEST_TRACE}, not '${bytes}'`,
    );
  }
  return bytes;
}

function isLevel(value: string): value is LogLevel {
  return (levels as readonly string[]).includes(value);
}

function readFlags(args: readonly string[]): Map<string, string> {
  const options: Record<string, { type: 'string' } | { type: 'boolean'; short: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const setting of settings) options[setting.flag] = { type: 'string' };
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    values = parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error);
    throw new ConfigError(`${message}; --help lists the flags`);
  }
  if (values['help'] === true) throw new HelpRequested(help());
  const flags = new Map<string, string>();
  for (const [name, value] of Object.entries(values)) if (typeof value === 'string') flags.set(name, value);
  return flags;
}

/** The text of `--help`. */
export function help(): string {
  const lines = [
    'Simyard, an OMA LwM2M device-management server.',
    '',
    'Usage: npm run server -- [flags]',
    '',
  ];
  for (const setting of settings) {
    const initial = setting.default === undefined ? '' : ` (default ${setting.default})`;
    lines.push(`  --${setting.flag} VALUE, ${setting.name}${initial}`, `      ${setting.meaning}`);
  }
  return lines.join('\n');
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

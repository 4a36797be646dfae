/** One setting: an environment variable that is also a flag. */
export interface Setting {
  /** Environment variable. */
  readonly name: string;
  /** `--flag VALUE`. */
  readonly flag: string;
  readonly type: 'port' | 'integer' | 'text' | 'level' | 'list' | 'switch';
  /** As text, as one would write it; undefined where unset means none. */
  readonly default: string | undefined;
  readonly meaning: string;
  /** Its value is told to nobody. */
  readonly secret?: true;
}

/** A setting as the server runs with it. */
export interface SettingInForce extends Omit<Setting, 'type' | 'secret'> {
  /** As text; undefined where there is neither a value nor a default. */
  readonly value: string | undefined;
  /** Whether a flag or the environment set it. */
  readonly given: boolean;
  readonly secret: boolean;
}

/** Every setting of the server; docs/configuration.md is checked against this table. */
export const settings = [
  {
    name: 'SIMYARD_COAP_PORT',
    flag: 'coap-port',
    type: 'port',
    default: '5683',
    meaning: 'UDP port for CoAP without security; 0 takes any free one.',
  },
  {
    name: 'SIMYARD_COAP_HOST',
    flag: 'coap-host',
    type: 'text',
    default: '127.0.0.1',
    meaning:
      'Numeric address that CoAP listens on. Anything but loopback lets the network in, without security.',
  },
  {
    name: 'SIMYARD_COAP_ADDRESS',
    flag: 'coap-address',
    type: 'text',
    default: undefined,
    meaning:
      'Address that devices use, `coap://host:port`, where it is not the one that CoAP listens on: that of a balancer. Nodes with the same one stand in for each other at once.',
  },
  {
    name: 'SIMYARD_NOSEC',
    flag: 'nosec',
    type: 'text',
    default: 'auto',
    meaning:
      'Whether devices may come without security: `on`, `off`, or `auto`, which lets them only where SIMYARD_COAP_HOST is loopback. Where they may not, the ports for CoAP without security are not opened.',
  },
  {
    name: 'SIMYARD_COAPS_PORT',
    flag: 'coaps-port',
    type: 'port',
    default: '5684',
    meaning:
      'UDP port for CoAP over DTLS; `off` opens none. Unset, it is the one after SIMYARD_COAP_PORT, or any free one where that is 0; none where SIMYARD_REDIS_URL is set and SIMYARD_SECRET_KEY is not.',
  },
  {
    name: 'SIMYARD_COAPS_ADDRESS',
    flag: 'coaps-address',
    type: 'text',
    default: undefined,
    meaning:
      'Address that devices use for DTLS, `coaps://host:port`; unset, the host of SIMYARD_COAP_ADDRESS and the port that DTLS listens on.',
  },
  {
    name: 'SIMYARD_BOOTSTRAPS_PORT',
    flag: 'bootstraps-port',
    type: 'port',
    default: '5685',
    meaning:
      'UDP port of the bootstrap server over DTLS; `off` opens none. Unset, it is the second after SIMYARD_COAP_PORT, or any free one where that is 0; none where there is no DTLS.',
  },
  {
    name: 'SIMYARD_BOOTSTRAP_PORT',
    flag: 'bootstrap-port',
    type: 'port',
    default: '5686',
    meaning:
      'UDP port of the bootstrap server without security; `off` opens none. Unset, it is the third after SIMYARD_COAP_PORT, or any free one where that is 0.',
  },
  {
    name: 'SIMYARD_GATEWAY_PORT',
    flag: 'gateway-port',
    type: 'port',
    default: 'off',
    meaning:
      'UDP port of the gateway for devices that speak the binary protocol of guides/gateway.md; their port for it is 6001. `off` opens none; 0 takes any free one. Needs SIMYARD_GATEWAY_DEVICES.',
  },
  {
    name: 'SIMYARD_GATEWAY_HOST',
    flag: 'gateway-host',
    type: 'text',
    default: '127.0.0.1',
    meaning:
      'Numeric address that the gateway listens on. Anything but loopback lets the network in: the protocol has no security, and sources can be forged.',
  },
  {
    name: 'SIMYARD_GATEWAY_DEVICES',
    flag: 'gateway-devices',
    type: 'text',
    default: undefined,
    meaning:
      'JSON file that says which sources (addresses, networks, addresses with a port) are which devices at the gateway; what is not in it is dropped.',
  },
  {
    name: 'SIMYARD_DEVICE_CA',
    flag: 'device-ca',
    type: 'text',
    default: undefined,
    meaning:
      'PEM file with the certificates of the authorities whose certificates devices prove themselves by; unset, only certificates that were enrolled one by one are taken.',
  },
  {
    name: 'SIMYARD_SECRET_KEY',
    flag: 'secret-key',
    type: 'list',
    default: undefined,
    secret: true,
    meaning:
      'What is secret in the store (keys of devices, DTLS sessions) is sealed by it: 32 random bytes as hex or base64, as `openssl rand -hex 32` makes them. Several, comma-separated: the first seals, all of them open. Unset, it is in the file `secret.key` beside the embedded database; nodes that share a Redis need one.',
  },
  {
    name: 'SIMYARD_DTLS_SESSIONS_MAX_AGE',
    flag: 'dtls-sessions-max-age',
    type: 'integer',
    default: '30',
    meaning: 'Days that a DTLS session is kept in the store while nothing is heard in it.',
  },
  {
    name: 'SIMYARD_SERVER_KEY',
    flag: 'server-key',
    type: 'text',
    default: undefined,
    meaning:
      'File (PEM) with the private key, on the curve P-256, by which the server proves itself to devices that have raw public keys or certificates. Unset, it is in the file `server.key` beside the embedded database; nodes that share a Redis need one.',
  },
  {
    name: 'SIMYARD_SERVER_CERTIFICATE',
    flag: 'server-certificate',
    type: 'text',
    default: undefined,
    meaning:
      'File (PEM) with the certificate of that key first, and those of its issuers; without it devices are not served by certificates.',
  },
  {
    name: 'SIMYARD_HTTP_PORT',
    flag: 'http-port',
    type: 'port',
    default: '8080',
    meaning: 'TCP port of the REST API and the console; 0 takes any free one.',
  },
  {
    name: 'SIMYARD_HTTP_HOST',
    flag: 'http-host',
    type: 'text',
    default: '127.0.0.1',
    meaning:
      'Address that REST and console listen on. Anything but loopback lets the network in, and needs a log-in.',
  },
  {
    name: 'SIMYARD_ALLOWED_HOSTS',
    flag: 'allowed-hosts',
    type: 'list',
    default: undefined,
    meaning:
      'Host names, comma-separated, that requests may name in Host and Origin beside localhost and the address listened on.',
  },
  {
    name: 'SIMYARD_TRUSTED_PROXIES',
    flag: 'trusted-proxies',
    type: 'list',
    default: undefined,
    meaning:
      'Addresses and networks, comma-separated, of proxies before REST and console, whose `X-Forwarded-For` is believed: rate limits and log-ins then count by the address before them.',
  },
  {
    name: 'SIMYARD_LOGIN',
    flag: 'login',
    type: 'text',
    default: 'auto',
    meaning:
      '`required`: REST and console need a log-in or a token. `auto`: unless they listen on loopback, where whoever is on this machine may do everything.',
  },
  {
    name: 'SIMYARD_ADMIN_PASSWORD',
    flag: 'admin-password',
    type: 'text',
    default: undefined,
    secret: true,
    meaning:
      'Password of the user `admin`, who is made where there is no user yet. Unset: where a log-in is needed one is made, printed once, and to be changed at the first log-in.',
  },
  {
    name: 'SIMYARD_OIDC_ISSUER',
    flag: 'oidc-issuer',
    type: 'text',
    default: undefined,
    meaning: 'URL of an OpenID Connect provider: people then log in there too. Unset: none.',
  },
  {
    name: 'SIMYARD_OIDC_CLIENT_ID',
    flag: 'oidc-client-id',
    type: 'text',
    default: undefined,
    meaning: 'What the provider knows this server as.',
  },
  {
    name: 'SIMYARD_OIDC_CLIENT_SECRET',
    flag: 'oidc-client-secret',
    type: 'text',
    default: undefined,
    secret: true,
    meaning: 'Secret of the client; unset for a public one.',
  },
  {
    name: 'SIMYARD_OIDC_LABEL',
    flag: 'oidc-label',
    type: 'text',
    default: 'Single sign-on',
    meaning: 'What the log-in page calls the provider.',
  },
  {
    name: 'SIMYARD_OIDC_SCOPES',
    flag: 'oidc-scopes',
    type: 'text',
    default: 'openid profile',
    meaning: 'Scopes that are asked for.',
  },
  {
    name: 'SIMYARD_OIDC_NAME_CLAIM',
    flag: 'oidc-name-claim',
    type: 'text',
    default: 'preferred_username',
    meaning: 'Claim with the name of who logs in; `sub` where it is not there.',
  },
  {
    name: 'SIMYARD_OIDC_ROLE_CLAIM',
    flag: 'oidc-role-claim',
    type: 'text',
    default: 'roles',
    meaning: 'Claim with roles or groups; with dots, members of claims: `realm_access.roles`.',
  },
  {
    name: 'SIMYARD_OIDC_ROLES',
    flag: 'oidc-roles',
    type: 'list',
    default: undefined,
    meaning:
      'Which of its values gives which role here, comma-separated: `simyard-view=viewer,simyard-ops=operator,simyard-admins=administrator`. Who has none of them is refused.',
  },
  {
    name: 'SIMYARD_OIDC_TENANT_CLAIM',
    flag: 'oidc-tenant-claim',
    type: 'text',
    default: undefined,
    meaning:
      'Claim with the tenant; who has none is then refused. Unset: people of the provider see all devices.',
  },
  {
    name: 'SIMYARD_PUBLIC_URL',
    flag: 'public-url',
    type: 'text',
    default: undefined,
    meaning:
      'Where browsers reach the console, `https://simyard.example.org`: the provider sends them back there.',
  },
  {
    name: 'SIMYARD_METRICS_TOKEN',
    flag: 'metrics-token',
    type: 'text',
    default: undefined,
    secret: true,
    meaning:
      'Bearer token that Prometheus shows at `/metrics`, and that is good for nothing else: for set-ups that cannot make one by the API. 32 characters at the least.',
  },
  {
    name: 'SIMYARD_SESSION_IDLE',
    flag: 'session-idle',
    type: 'integer',
    default: '480',
    meaning: 'Minutes after which a log-in ends that nobody uses.',
  },
  {
    name: 'SIMYARD_SESSION_MAX_AGE',
    flag: 'session-max-age',
    type: 'integer',
    default: '168',
    meaning: 'Hours after which a log-in ends, used or not.',
  },
  {
    name: 'SIMYARD_AUDIT_MAX_AGE',
    flag: 'audit-max-age',
    type: 'integer',
    default: '365',
    meaning: 'Days that entries of the audit log are kept.',
  },
  {
    name: 'SIMYARD_AUDIT_MAX_COUNT',
    flag: 'audit-max-count',
    type: 'integer',
    default: '1000000',
    meaning: 'Entries of the audit log that are kept at the most; the oldest go first.',
  },
  {
    name: 'SIMYARD_DATA',
    flag: 'data',
    type: 'text',
    default: './data',
    meaning: 'Folder of the embedded store, made if it is missing; `:memory:` keeps nothing.',
  },
  {
    name: 'SIMYARD_REDIS_URL',
    flag: 'redis-url',
    type: 'text',
    default: undefined,
    // It may have a password in it.
    secret: true,
    meaning:
      'Address of the Redis that nodes share, in place of the embedded store: `redis://[user:password@]host[:port][/db]`, `redis+cluster://host:port,host:port`, `redis+sentinel://host:port,host:port/name`; `rediss` in place of `redis` for TLS.',
  },
  {
    name: 'SIMYARD_REDIS_PREFIX',
    flag: 'redis-prefix',
    type: 'text',
    default: 'sy',
    meaning:
      'What all keys in Redis begin with: clusters of different prefixes share a Redis and nothing else.',
  },
  {
    name: 'SIMYARD_NODE',
    flag: 'node',
    type: 'text',
    default: undefined,
    meaning: "Name of this server node; the machine's host name where unset.",
  },
  {
    name: 'SIMYARD_WORKERS',
    flag: 'workers',
    type: 'integer',
    default: '1',
    meaning:
      'Processes that share the ports, each a node of the cluster (`<node>-1`, `<node>-2`, …): one for each core, 16 at the most. More than one need SIMYARD_REDIS_URL.',
  },
  {
    name: 'SIMYARD_REUSE_PORT',
    flag: 'reuse-port',
    type: 'switch',
    default: 'false',
    meaning:
      '`true`: shares its UDP and TCP ports with other nodes on this machine that say so too. Needs SIMYARD_REDIS_URL.',
  },
  {
    name: 'SIMYARD_TAKE_OVER',
    flag: 'take-over',
    type: 'switch',
    default: 'false',
    meaning:
      '`true`: no other process runs under the name of this node any more, so that the place of one that was killed is taken without waiting until it counts as gone.',
  },
  {
    name: 'SIMYARD_LOG_LEVEL',
    flag: 'log-level',
    type: 'level',
    default: 'info',
    meaning: 'fatal, error, warn, info, debug, trace or silent.',
  },
  {
    name: 'SIMYARD_REQUEST_TIMEOUT',
    flag: 'request-timeout',
    type: 'integer',
    default: '10000',
    meaning: 'Milliseconds that a request to a device may take, where the caller does not say.',
  },
  {
    name: 'SIMYARD_RATE_LIMIT',
    flag: 'rate-limit',
    type: 'integer',
    default: '200',
    meaning:
      'HTTP requests a second that one address may make; a hundred times as many from loopback. 0: no limit.',
  },
  {
    name: 'SIMYARD_RATE_BURST',
    flag: 'rate-burst',
    type: 'integer',
    default: '1000',
    meaning:
      'HTTP requests that an address which was silent may make at once; a hundred times as many from loopback.',
  },
  {
    name: 'SIMYARD_STREAMS_PER_ADDRESS',
    flag: 'streams-per-address',
    type: 'integer',
    default: '100',
    meaning: 'Event streams that one address may have open; loopback is bounded by the 4096 of all alone.',
  },
  {
    name: 'SIMYARD_AWAKE_TIME',
    flag: 'awake-time',
    type: 'integer',
    default: '93000',
    meaning:
      'Milliseconds that a device in queue mode is taken to listen after it was heard, until it is known better.',
  },
  {
    name: 'SIMYARD_COMMANDS_MAX_AGE',
    flag: 'commands-max-age',
    type: 'integer',
    default: '90',
    meaning: 'Days that commands are kept after they have ended.',
  },
  {
    name: 'SIMYARD_COMMANDS_MAX_COUNT',
    flag: 'commands-max-count',
    type: 'integer',
    default: '1000000',
    meaning: 'Commands that have ended and are kept at the most; the oldest go first.',
  },
  {
    name: 'SIMYARD_JOBS_MAX_AGE',
    flag: 'jobs-max-age',
    type: 'integer',
    default: '90',
    meaning: 'Days that jobs are kept after they have ended.',
  },
  {
    name: 'SIMYARD_JOBS_MAX_COUNT',
    flag: 'jobs-max-count',
    type: 'integer',
    default: '1000',
    meaning: 'Jobs that have ended and are kept at the most; the oldest go first.',
  },
  {
    name: 'SIMYARD_WAITING_MAX_COUNT',
    flag: 'waiting-max-count',
    type: 'integer',
    default: '1000',
    meaning: 'Commands that may wait for one device; more get 429.',
  },
  {
    name: 'SIMYARD_WAITING_MAX_BYTES',
    flag: 'waiting-max-bytes',
    type: 'integer',
    default: '8388608',
    meaning: 'Bytes that the contents of the commands that wait for one device may have; more get 429.',
  },
  {
    name: 'SIMYARD_SHORT_SERVER_ID',
    flag: 'short-server-id',
    type: 'integer',
    default: undefined,
    meaning:
      'Short server id by which devices know this server: tells its instance of the Server object from those of others.',
  },
  {
    name: 'SIMYARD_LIFETIME_GRACE',
    flag: 'lifetime-grace',
    type: 'integer',
    default: '5000',
    meaning: 'Milliseconds that a registration outlives its lifetime, for an Update on its way.',
  },
  {
    name: 'SIMYARD_READINGS_MAX_AGE',
    flag: 'readings-max-age',
    type: 'integer',
    default: '30',
    meaning: 'Days that readings are kept.',
  },
  {
    name: 'SIMYARD_READINGS_MAX_BYTES',
    flag: 'readings-max-bytes',
    type: 'integer',
    default: '10000000000',
    meaning:
      'Bytes of readings that are kept at the most: in the log, in history, and as roll-ups, each; the oldest go first. On Redis these are bytes of memory.',
  },
  {
    name: 'SIMYARD_ROLLUPS_MAX_AGE',
    flag: 'rollups-max-age',
    type: 'integer',
    default: '400',
    meaning:
      'Days that the roll-ups of readings are kept (minimum, maximum, mean and last of each quarter of an hour).',
  },
  {
    name: 'SIMYARD_CARRIER_OBJECT',
    flag: 'carrier-object',
    type: 'integer',
    default: '42769',
    meaning: 'Object id of the Carrier object (42769 is of the range that OMA gives for tests).',
  },
  {
    name: 'SIMYARD_SENSOR_OBJECT',
    flag: 'sensor-object',
    type: 'integer',
    default: '42770',
    meaning: 'Object id of the IoT Sensor object (42770 is of the range that OMA gives for tests).',
  },
  {
    name: 'SIMYARD_TRACE_BYTES',
    flag: 'trace-bytes',
    type: 'integer',
    default: '16777216',
    meaning:
      'Bytes of memory for the last CoAP messages of all devices, which traces are made of; 0 keeps none.',
  },
  {
    name: 'SIMYARD_OBJECTS',
    flag: 'objects',
    type: 'text',
    default: undefined,
    meaning: 'Folder of object definition files (OMA XML, `*.xml`) that are read at the start.',
  },
  {
    name: 'SIMYARD_WEBHOOK_ALLOW',
    flag: 'webhook-allow',
    type: 'list',
    default: undefined,
    meaning:
      'Where webhooks may go, comma-separated: `public`, `loopback`, `private`, host names (with `*`), addresses, networks. Unset: `public`, and `loopback` while the API listens on loopback.',
  },
  {
    name: 'SIMYARD_LESHAN_API',
    flag: 'leshan-api',
    type: 'switch',
    default: 'false',
    meaning: "`true` opens the interface of Leshan's demo server on a port of its own.",
  },
  {
    name: 'SIMYARD_LESHAN_PORT',
    flag: 'leshan-port',
    type: 'port',
    default: '8081',
    meaning: 'TCP port of the Leshan-compatible interface; 0 takes any free one.',
  },
  {
    name: 'SIMYARD_LESHAN_HOST',
    flag: 'leshan-host',
    type: 'text',
    default: '127.0.0.1',
    meaning: 'Address that the Leshan-compatible interface listens on. Anything but loopback needs a token.',
  },
  {
    name: 'SIMYARD_LESHAN_TOKEN',
    flag: 'leshan-token',
    type: 'text',
    default: undefined,
    secret: true,
    meaning:
      'Bearer token that every request to the Leshan-compatible interface must show; none is asked for where unset.',
  },
] as const satisfies readonly Setting[];

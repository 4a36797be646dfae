import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Config, ConfigError, loadConfig } from '../server/config.ts';
import { buildConsole } from './build-console.ts';
import { Child, ChildDiedError } from './child.ts';

const help = `Simyard: starts a server and one simulated modem with three sensors, each in its own process.

Usage: npm start [-- flags]

  --endpoint NAME   endpoint name of the modem (default modem-1)
  --no-modem        the server alone
  --help            this text

The server's settings are environment variables; docs/configuration.md lists them. The ones most often changed:
  SIMYARD_HTTP_PORT   port of console and REST API (default 8080)
  SIMYARD_COAP_PORT   UDP port of CoAP (default 5683)
  SIMYARD_DATA        folder of the data (default ./data)
  SIMYARD_LOG_LEVEL   fatal, error, warn, info, debug or trace (default info)

Ctrl-C stops both: the modem deregisters, the server drains.`;

/** What the user has to be told, in a line or two. */
class StartError extends Error {
  override readonly name = 'StartError';
}

const interrupted = Promise.withResolvers<string>();
let asked = 0;

/** The first signal asks for a graceful end. npm may hand the same one on again; one that comes later means: now. */
function onSignal(signal: string, children: readonly Child[]): void {
  const now = performance.now();
  if (asked === 0) {
    asked = now;
    interrupted.resolve(signal);
  } else if (now - asked > 1_000) {
    for (const child of children) child.kill();
    process.exit(130);
  }
}

async function start(): Promise<void> {
  const values = readFlags();
  if (values.help) {
    console.log(help);
    return;
  }
  const config = loadConfig(process.env, []);
  if (config.httpPort === 0 || config.coapPort === 0) {
    throw new StartError(
      'npm start needs port numbers that it can tell you: set SIMYARD_HTTP_PORT and SIMYARD_COAP_PORT.',
    );
  }
  if (!config.noSec && !values['no-modem']) {
    throw new StartError(
      `The modem of npm start comes without security, which is closed at ${config.coapHost}. Set SIMYARD_NOSEC=on, or start without it: npm start -- --no-modem`,
    );
  }
  await requireFreePorts(config);
  await buildConsole();

  const children: Child[] = [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => onSignal(signal, children));
  // Killed, the script that npm runs cannot hand anything on: then this process has another parent.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && asked === 0) onSignal('SIGTERM', children);
  }, 250);
  // Whatever ends this process, the two must not live on without it.
  process.on('exit', () => {
    for (const child of children) child.kill();
  });

  try {
    await run(config, values['no-modem'] ? undefined : values.endpoint, children);
  } finally {
    await stopAll(children);
  }
}

function readFlags(): { endpoint: string; 'no-modem': boolean; help: boolean } {
  try {
    return parseArgs({
      options: {
        endpoint: { type: 'string', default: 'modem-1' },
        'no-modem': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new StartError(`${error.message.split('. ')[0]}; npm start -- --help lists the flags`);
  }
}

/** Returns when the user asks for the end; throws when something went wrong. */
async function run(config: Config, endpoint: string | undefined, children: Child[]): Promise<void> {
  const address = `http://${reachable(config.httpHost)}:${config.httpPort}`;
  const coap = `coap://${reachable(config.coapHost)}:${config.coapPort}`;
  const launch = (name: string, args: readonly string[]): Promise<never> => {
    const child = new Child(name, args, console.log);
    children.push(child);
    return child.died();
  };
  const serverDied = launch('server', ['server/main.ts']);
  await Promise.race([
    waitFor(`${address}/healthz`, 'the server to be ready'),
    interrupted.promise,
    serverDied,
  ]);
  if (asked !== 0) return;
  if (endpoint === undefined) {
    console.log((config.people.loginRequired ? loginBanner : banner)(address, coap, endpoint));
    await Promise.race([interrupted.promise, serverDied]);
    return;
  }
  const began = Date.now();
  const keep = config.data === ':memory:' ? ['--state', ':memory:'] : ['--data', join(config.data, 'modem')];
  const modemDied = launch('modem', ['client/main.ts', '--server', coap, '--endpoint', endpoint, ...keep]);
  // Where a log-in is needed nothing can be asked without one: the person who logs in sees the modem.
  if (config.people.loginRequired) {
    console.log(loginBanner(address, coap, endpoint));
    await Promise.race([interrupted.promise, serverDied, modemDied]);
    return;
  }
  const device = `${address}/api/devices/${encodeURIComponent(endpoint)}`;
  const readings = `${device}/readings?path=/${config.sensorObject}`;
  await Promise.race([
    waitFor(device, `${endpoint} to register`, (body) => isRegisteredSince(began, body)).then(() =>
      waitFor(readings, `the first readings of ${endpoint}`, hasItems),
    ),
    interrupted.promise,
    serverDied,
    modemDied,
  ]);
  if (asked !== 0) return;
  console.log(banner(address, coap, endpoint));
  await Promise.race([interrupted.promise, serverDied, modemDied]);
}

/** The modem first, for its deregistration needs the server. */
async function stopAll(children: readonly Child[]): Promise<void> {
  if (children.length === 0) return;
  console.log('\nStopping …');
  for (const child of children) child.expectEnd();
  for (const child of [...children].reverse()) {
    if (!(await child.stop(15_000)))
      console.log(`The ${child.name} did not stop within 15 s and was killed.`);
  }
  console.log('Stopped.');
}

async function requireFreePorts(config: Config): Promise<void> {
  const tcp = createServer();
  const udp = createSocket(config.coapHost.includes(':') ? 'udp6' : 'udp4');
  try {
    tcp.listen(config.httpPort, config.httpHost);
    await once(tcp, 'listening').catch((error: unknown) => {
      throw busy(error, 'TCP', config.httpHost, config.httpPort, 'SIMYARD_HTTP');
    });
    udp.bind(config.coapPort, config.coapHost);
    await once(udp, 'listening').catch((error: unknown) => {
      throw busy(error, 'UDP', config.coapHost, config.coapPort, 'SIMYARD_COAP');
    });
  } finally {
    if (tcp.listening) {
      tcp.close();
      await once(tcp, 'close');
    }
    const closed = once(udp, 'close');
    udp.close();
    await closed;
  }
}

function busy(error: unknown, transport: string, host: string, port: number, prefix: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${transport} port ${port} on ${host}`;
  if (code === 'EADDRINUSE') {
    return new StartError(
      `${where} is taken by another program. Choose another one with ${prefix}_PORT=… npm start`,
    );
  }
  if (code === 'EACCES') {
    return new StartError(
      `${where} may not be opened by this user. Choose another one with ${prefix}_PORT=… npm start`,
    );
  }
  if (code === 'EADDRNOTAVAIL') {
    return new StartError(`This machine has no address ${host}. Set ${prefix}_HOST to one that it has.`);
  }
  return error;
}

/** Asks until the answer is 200 and what it should be. */
async function waitFor(
  url: string,
  what: string,
  isRight: (body: unknown) => boolean = () => true,
): Promise<void> {
  const patience = 60_000;
  const end = performance.now() + patience;
  let last = 'no answer';
  while (performance.now() < end && asked === 0) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      last = `HTTP ${answer.status}`;
      const text = await answer.text();
      if (answer.ok && isRight(text === '' ? undefined : JSON.parse(text))) return;
    } catch (error) {
      // Not there yet, or not yet what it should be: that is what the loop is for; in the end it is told.
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(100);
  }
  if (asked === 0)
    throw new StartError(`Waited ${patience / 1000} s for ${what}, in vain (${url}: ${last}).`);
}

/** A registration that an earlier run left behind does not count. */
function isRegisteredSince(time: number, body: unknown): boolean {
  if (typeof body !== 'object' || body === null || !('registration' in body)) return false;
  const { registration } = body;
  if (typeof registration !== 'object' || registration === null || !('updatedAt' in registration))
    return false;
  return typeof registration.updatedAt === 'number' && registration.updatedAt >= time;
}

function hasItems(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    'items' in body &&
    Array.isArray(body.items) &&
    body.items.length > 0
  );
}

/** An address that a browser on this machine can open: a wildcard is not one. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** Of a server that asks who one is. */
function loginBanner(address: string, coap: string, endpoint: string | undefined): string {
  const lines = [
    `Console    ${address}/`,
    `API        ${address}/docs`,
    '',
    "Log in as 'admin': the password is that of SIMYARD_ADMIN_PASSWORD at the first start,",
    'or the one that the server printed above at its first start.',
    ...(endpoint === undefined ? [] : ['', `${endpoint} is on its way to the server.`]),
  ];
  return framed(lines, coap);
}

function banner(address: string, coap: string, endpoint: string | undefined): string {
  const lines = [`Console    ${address}/`, `API        ${address}/docs`];
  if (endpoint !== undefined) {
    lines.push(
      '',
      `${endpoint} is registered and sends its readings. Open it in the console, or switch its carrier:`,
    );
    lines.push(`  curl -X POST ${address}/api/devices/${endpoint}/carrier \\`);
    lines.push(`    -H 'content-type: application/json' -d '{"carrier":"T-Mobile"}'`);
  }
  return framed(lines, coap);
}

function framed(given: readonly string[], coap: string): string {
  const lines = [...given, '', 'A hundred more modems, from another terminal:'];
  lines.push(`  npm run fleet -- --count 100 --server ${coap}`, '', 'Ctrl-C stops everything.');
  const rule = '─'.repeat(Math.max(...lines.map((line) => line.length)));
  return ['', rule, ...lines, rule, ''].join('\n');
}

try {
  await start();
} catch (error) {
  const expected =
    error instanceof StartError || error instanceof ChildDiedError || error instanceof ConfigError;
  console.error(`\n${expected ? error.message : error instanceof Error ? error.stack : String(error)}`);
  process.exitCode = 1;
}
process.exit();

import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../protocol/clock.ts';
import type { DatagramPort } from '../protocol/coap/datagram-port.ts';
import { parseRedisAddress } from '../redis/address.ts';
import { roomForReadings } from '../redis/durability.ts';
import { openRedisStores } from '../redis/index.ts';
import { compose, type Listening } from './compose.ts';
import { type Config, ConfigError, HelpRequested, loadConfig } from './config.ts';
import { openEmbeddedStores } from './embedded/index.ts';
import { ConflictError } from './errors.ts';
import { createLog } from './log.ts';
import { StoreUnavailableError } from './ports/errors.ts';
import type { Stores } from './ports/stores.ts';
import { warnRepeated } from './repeated-log.ts';
import { sealCredentials } from './secrets/sealed-credentials.ts';
import { openSealer } from './secrets/secret-keys.ts';
import { openServerIdentity } from './secrets/server-identity.ts';
import { openSockets, type SocketOptions, type Sockets } from './transport/open-sockets.ts';
import { tellParent } from './workers/parent.ts';
import { runWorkers } from './workers/run-workers.ts';

/** A server that runs. */
export interface RunningServer extends Listening {
  /** Idempotent: stops listening, lets go of what is under way, closes the store. */
  close(): Promise<void>;
}

/** Parts that may come from elsewhere: a test owns time and the network, another engine the stores. */
export interface ServerParts {
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly stores?: Stores;
  /** Of CoAP, in place of all sockets. */
  readonly port?: DatagramPort;
  /** Of DTLS, beside `port`. */
  readonly securedPort?: DatagramPort;
  /** Of the bootstrap server, without security and with; with `port` given and these not, there is none. */
  readonly bootstrapPort?: DatagramPort;
  readonly securedBootstrapPort?: DatagramPort;
  /** Of the gateway; with `port` given and this not, there is none. */
  readonly gatewayPort?: DatagramPort;
  /**
   * Another process has taken this node's place while it was held up, or others have brought the database too far
   * forward for it; it acts on nothing any more. The process ends unless told.
   */
  readonly onEvicted?: (reason: string) => void;
  /** Tells the person who starts the server a line that no log may have; on standard error unless told. */
  readonly tell?: (line: string) => void;
}

/**
 * Puts the server together and starts it: stores, then transport, then API; closed in reverse.
 * @throws Error with one clear line where a port is taken or the store cannot be opened.
 */
export async function startServer(config: Config, given: ServerParts = {}): Promise<RunningServer> {
  const { log = createLog(config.logLevel), clock = systemClock } = given;
  const startedAt = Math.floor(clock.wallTime());
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (let step = closing.pop(); step !== undefined; step = closing.pop()) {
      try {
        await step();
      } catch (error) {
        log.error({ error }, 'closing: a part did not end well');
      }
    }
  };
  try {
    const { onEvicted = endProcess } = given;
    const stores =
      given.stores ??
      (await openStores(config, log, clock, (error) => {
        log.fatal({ error }, 'this node may not use the database any more');
        onEvicted(error.message);
      }));
    closing.push(() => stores.close());
    const data = config.redisUrl === undefined ? config.data : undefined;
    const sealer = await openSealer({ keys: config.secretKeys, data });
    const serverIdentity = await openServerIdentity({
      keyFile: config.serverKey,
      certificateFile: config.serverCertificate,
      data,
    });
    const open = async (options: SocketOptions): Promise<Sockets> => {
      const sockets = await openSockets(options, log);
      closing.push(async () => {
        await Promise.all([sockets.coap?.close(), sockets.coaps?.close()]);
      });
      return sockets;
    };
    const isGiven = given.port !== undefined;
    const sockets = isGiven
      ? { coap: given.port, coaps: given.securedPort }
      : await open(socketsOfServer(config));
    const bootstrapSockets = isGiven
      ? { coap: given.bootstrapPort, coaps: given.securedBootstrapPort }
      : await open(socketsOfBootstrap(config));
    const gatewaySocket =
      given.gatewayPort ?? (isGiven ? undefined : (await open(socketOfGateway(config))).coap);
    const onClose = (step: () => Promise<unknown>): void => {
      closing.push(step);
    };
    const listening = await compose({
      config,
      stores: { ...stores, credentials: sealCredentials(stores.credentials, sealer) },
      sockets,
      bootstrapSockets,
      gatewaySocket,
      sealer,
      serverIdentity,
      log,
      clock,
      startedAt,
      onClose,
      tell: given.tell ?? ((line) => process.stderr.write(`simyard: ${line}\n`)),
      onEvicted: (reason) => {
        log.fatal({ node: config.node, reason }, 'this node has lost its place in the cluster');
        onEvicted(reason);
      },
    });
    return { ...listening, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function socketsOfServer({ coapHost, coapPort, coapsPort, noSec, reusePort }: Config): SocketOptions {
  return {
    host: coapHost,
    coap: noSec ? socketSetting(coapPort, 'SIMYARD_COAP_PORT') : undefined,
    coaps: socketSetting(coapsPort, 'SIMYARD_COAPS_PORT'),
    reusePort,
  };
}

function socketsOfBootstrap(config: Config): SocketOptions {
  const { coapHost, bootstrapPort, bootstrapsPort, noSec, reusePort } = config;
  return {
    host: coapHost,
    coap: noSec ? socketSetting(bootstrapPort, 'SIMYARD_BOOTSTRAP_PORT') : undefined,
    coaps: socketSetting(bootstrapsPort, 'SIMYARD_BOOTSTRAPS_PORT'),
    reusePort,
  };
}

/** A socket of plain UDP, as that of CoAP is. */
function socketOfGateway({ gatewayHost, gatewayPort, reusePort }: Config): SocketOptions {
  const coap = socketSetting(gatewayPort, 'SIMYARD_GATEWAY_PORT');
  return { host: gatewayHost, coap, coaps: undefined, reusePort };
}

function socketSetting(port: number | undefined, setting: string): SocketOptions['coap'] {
  return port === undefined ? undefined : { port, setting };
}

/** What it has under way is another one's by now: it leaves as one that was killed does. */
function endProcess(): void {
  process.exit(1);
}

/** @throws StoreUnavailableError, ConfigError one line */
async function openStores(
  config: Config,
  log: Logger,
  clock: Clock,
  onRefused: (error: Error) => void,
): Promise<Stores> {
  const { redisUrl, redisPrefix } = config;
  if (redisUrl === undefined) {
    return openEmbeddedStores({
      path: config.data,
      onFault: (error) => log.error({ error }, 'a database thread met a bug'),
    });
  }
  try {
    parseRedisAddress(redisUrl);
  } catch (error) {
    throw new ConfigError(`SIMYARD_REDIS_URL: ${error instanceof Error ? error.message : String(error)}`);
  }
  const stores = await openRedisStores({
    url: redisUrl,
    prefix: redisPrefix,
    onError: warnRepeated(log, clock, 'the connection to Redis met an error'),
    onRefused,
  });
  if (!stores.durable) log.warn({ store: stores.description }, 'what is acknowledged can be lost');
  const room = roomForReadings(stores.memory);
  if (config.readingsMaxBytes > room) {
    const { bytes: memory, isBounded } = stores.memory;
    const end = isBounded ? 'refuses all writes' : 'without maxmemory is ended by its machine';
    log.warn(
      { readingsMaxBytes: config.readingsMaxBytes, memory, room },
      `readings may take more memory than Redis has, and a full Redis ${end}: set SIMYARD_READINGS_MAX_BYTES to ${room} or less`,
    );
  }
  return stores;
}

/** The process: settings, start, and an end that loses nothing. */
async function main(): Promise<void> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (error instanceof HelpRequested) {
      process.stdout.write(`${error.message}\n`);
      return;
    }
    if (error instanceof ConfigError) return fail(error.message);
    throw error;
  }
  if (config.workers > 1) {
    const log = createLog(config.logLevel, config.node);
    process.exitCode = await runWorkers(config, log, fileURLToPath(import.meta.url), process.argv.slice(2));
    return;
  }
  const log = createLog(config.logLevel, config.reusePort ? config.node : undefined);
  let server: RunningServer;
  try {
    server = await startServer(config, { log });
  } catch (error) {
    const kinds = [ConfigError, StoreUnavailableError, ConflictError];
    if (kinds.some((kind) => error instanceof kind)) return fail((error as Error).message);
    log.fatal({ error }, 'the server cannot start');
    return fail(error instanceof Error ? error.message : String(error));
  }
  let stopping = false;
  const stop = (signal: NodeJS.Signals | 'the supervisor is gone'): void => {
    if (stopping) {
      log.warn({ signal }, 'stopped at once');
      process.exit(1);
    }
    stopping = true;
    log.info({ signal }, 'closing');
    server.close().then(
      () => log.info('closed'),
      (error: unknown) => {
        log.fatal({ error }, 'closing failed');
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  tellParent(() => stop('the supervisor is gone'));
}

function fail(message: string): void {
  process.stderr.write(`simyard: ${message}\n`);
  process.exitCode = 1;
}

if (import.meta.main) await main();

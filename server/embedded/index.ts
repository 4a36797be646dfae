import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Stores } from '../ports/stores.ts';
import { ChangedDevices } from './changed-devices.ts';
import { Channel } from './channel.ts';
import { databaseFile } from './database-file.ts';
import {
  bootstrapStore,
  commandQueue,
  credentialStore,
  deviceStore,
  idempotencyStore,
  jobStore,
  objectModelStore,
  observationPolicyStore,
  observationStore,
  profileStore,
  sessionStore,
  webhookStore,
} from './device-ports.ts';
import { history } from './history-port.ts';
import { auditLog, userStore } from './people-ports.ts';
import { EmbeddedRegistrations } from './registrations.ts';
import { eventLog, lastValues, statisticsStore, telemetryLog } from './telemetry-ports.ts';

/** Where the embedded database is, and how careful it is. */
export interface EmbeddedOptions {
  /** Folder of `simyard.db`, made if it is not there; or `:memory:`. */
  readonly path: string;
  /** Default true. False: what was acknowledged survives the end of the process, but not a power cut. */
  readonly durable?: boolean;
  /** Upper bound of the database in pages of 4096 bytes: for tests of a full disk. */
  readonly maxPages?: number;
  /** How long after the end of a database thread another may be started, ms; default 1000. */
  readonly restartPause?: number;
  /** Hears what ended a database thread; a warning of the process by default. */
  readonly onFault?: (error: Error) => void;
}

/**
 * All ports on one SQLite file: one thread writes it, another answers what may take long.
 * @throws StoreUnavailableError the folder cannot be written, another process has it, or a newer program
 *   wrote it; the message is one line for the person who started the server.
 */
export async function openEmbeddedStores(options: EmbeddedOptions): Promise<Stores> {
  const memory = options.path === ':memory:';
  const path = memory ? options.path : resolve(options.path);
  const durable = options.durable ?? true;
  const restartPause = options.restartPause ?? 1000;
  const onFault = options.onFault ?? ((error) => process.emitWarning(error));
  const channel = new Channel(
    { path, durable, ...(options.maxPages === undefined ? {} : { maxPages: options.maxPages }) },
    restartPause,
    onFault,
  );
  await channel.open();
  // A database in memory belongs to one connection: there the writer answers queries too.
  const queries = memory ? channel : new Channel({ path, durable, reader: true }, restartPause, onFault);
  const changes = new ChangedDevices();
  const registrations = new EmbeddedRegistrations(channel, changes);
  try {
    if (queries !== channel) await queries.open();
    await registrations.load();
  } catch (error) {
    if (queries !== channel) await queries.close();
    await channel.close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // The writer last: it takes the write-ahead log into the file.
    await queries.close();
    await channel.close();
  };
  return {
    devices: deviceStore(channel, queries, changes, registrations),
    registrations,
    observations: observationStore(channel),
    profiles: profileStore(channel),
    observationPolicies: observationPolicyStore(channel),
    objectModels: objectModelStore(channel),
    credentials: credentialStore(channel, queries),
    bootstrap: bootstrapStore(channel, queries),
    sessions: sessionStore(channel),
    commands: commandQueue(channel, queries),
    jobs: jobStore(channel, queries),
    idempotency: idempotencyStore(channel),
    log: telemetryLog(channel, queries),
    history: history(channel, queries),
    lastValues: lastValues(channel),
    events: eventLog(channel, queries),
    webhooks: webhookStore(channel),
    statistics: statisticsStore(channel, queries),
    users: userStore(channel),
    audit: auditLog(channel, queries),
    description: memory
      ? 'embedded, in memory: nothing survives the end of the process'
      : `embedded, ${options.path}, ${durable ? 'durable' : 'not durable through a power cut'}`,
    durable: durable && !memory,
    waiting: () => channel.waiting + (queries === channel ? 0 : queries.waiting),
    size: async () => (memory ? undefined : sizeOf(databaseFile(path))),
    check: () => channel.write('check'),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** The database with what is still to be taken into it. */
async function sizeOf(file: string): Promise<number> {
  const [database, log] = await Promise.all([
    stat(file),
    // There is none while nobody writes.
    stat(`${file}-wal`).catch(() => undefined),
  ]);
  return database.size + (log?.size ?? 0);
}

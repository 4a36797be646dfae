import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { RedisClient, RedisConnection } from './connection.ts';

/** The scripts begin with `#!lua`, which Redis knows since 7.0. */
const oldest = 7;

export interface Durability {
  /** Whether what was acknowledged survives a power cut. */
  readonly durable: boolean;
  /** What a person should know of it: `durable`, or what can be lost. */
  readonly description: string;
  readonly memory: RedisMemory;
}

/** What Redis may take. */
export interface RedisMemory {
  /** Of the master that may take least: its `maxmemory`, or, where there is none, what its machine has. */
  readonly bytes: number;
  /** False: a master has no `maxmemory`, and its machine ends it when there is no memory left. */
  readonly isBounded: boolean;
  readonly masters: number;
}

/** What one Redis says of itself. */
interface Master {
  readonly version: string;
  readonly role: string;
  readonly evictionPolicy: string;
  readonly appendOnly: boolean;
  /** Undefined: it does not tell, as hosted ones. */
  readonly appendFsync: string | undefined;
  readonly fsyncPauses: boolean;
  readonly replicas: number;
  /** How many replicas must be there, or writes are refused; undefined: it does not tell. */
  readonly replicasToWrite: number | undefined;
  /** 0: as much as its machine has. */
  readonly maxMemory: number;
  readonly machineMemory: number;
}

/**
 * Looks at every master: whether it can be used at all, and what it can lose.
 * @throws StoreUnavailableError one line that says what must be changed
 */
export async function checkDurability(redis: RedisConnection): Promise<Durability> {
  const masters = await redis.call((client) => Promise.all(mastersOf(client).map(lookAt)));
  for (const { version, role, evictionPolicy } of masters) {
    if (Number(version.split('.')[0]) < oldest) {
      throw new StoreUnavailableError(
        `${redis.description} has version ${version}; Simyard needs Redis ${oldest}.0 or newer`,
      );
    }
    if (role !== 'master') {
      throw new StoreUnavailableError(
        `${redis.description} is a replica, which takes no writes: name its master, or its sentinels`,
      );
    }
    if (evictionPolicy !== 'noeviction') {
      throw new StoreUnavailableError(
        `${redis.description} has maxmemory-policy ${evictionPolicy} and would throw devices and commands away when it is full: set it to noeviction`,
      );
    }
  }
  const losses = [...new Set(masters.flatMap(lossesOf))];
  const memory: RedisMemory = {
    bytes: Math.min(...masters.map(({ maxMemory, machineMemory }) => maxMemory || machineMemory)),
    isBounded: masters.every(({ maxMemory }) => maxMemory > 0),
    masters: masters.length,
  };
  return losses.length === 0
    ? { durable: true, description: 'durable', memory }
    : { durable: false, description: `not durable: ${losses.join('; ')}`, memory };
}

/** How much of a master's memory readings may take: the rest is for devices, commands and events, and for copies. */
const shareOfReadings = 0.7;
/** Memory for each byte of the log, which lies in one master; history and roll-ups take as much each, in all of them. */
const logOverhead = 1.3;

/** Bytes of readings for which there is room: in the log, in history and as roll-ups, each. */
export function roomForReadings({ bytes, masters }: RedisMemory): number {
  return Math.floor((bytes * shareOfReadings) / (logOverhead + 2 / masters));
}

/** Bytes of the append-only files; undefined where there are none. */
export async function sizeOnDisk(redis: RedisConnection): Promise<number | undefined> {
  const infos = await redis.call((client) =>
    Promise.all(mastersOf(client).map((master) => master.info('persistence'))),
  );
  const sizes = infos.flatMap((info) => {
    const size = fieldsOf(info).get('aof_current_size');
    return size === undefined ? [] : [Number(size)];
  });
  return sizes.length === 0 ? undefined : sizes.reduce((sum, size) => sum + size, 0);
}

function lossesOf(master: Master): readonly string[] {
  return [...lossesOfPower(master), ...lossesOfFailOver(master)];
}

function lossesOfPower({ appendOnly, appendFsync, fsyncPauses }: Master): readonly string[] {
  if (!appendOnly) return ['appendonly is off, and what Redis has in memory goes with it'];
  if (appendFsync === undefined) return ['Redis does not tell its appendfsync'];
  if (appendFsync !== 'always') {
    const last = appendFsync === 'everysec' ? 'about the last second' : 'the last seconds';
    return [`appendfsync is ${appendFsync}, and a power cut loses ${last}`];
  }
  return fsyncPauses
    ? ['no-appendfsync-on-rewrite is yes, and a power cut during a rewrite loses its time']
    : [];
}

/** One that is cut off from its replicas must not acknowledge what is gone when they take over. */
function lossesOfFailOver({ replicas, replicasToWrite }: Master): readonly string[] {
  if (replicas === 0 || replicasToWrite === undefined || replicasToWrite > 0) return [];
  return [
    'min-replicas-to-write is 0, and what a master that is cut off writes is lost when a replica takes over',
  ];
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

type Node = Pick<Extract<RedisClient, { info: unknown }>, 'info' | 'config'>;

function mastersOf(client: RedisClient): readonly Node[] {
  return 'nodes' in client ? client.nodes('master') : [client];
}

async function lookAt(node: Node): Promise<Master> {
  const fields = fieldsOf(await node.info());
  const settings = await configOf(node);
  return {
    version: fields.get('redis_version') ?? '0',
    role: fields.get('role') ?? '',
    evictionPolicy: fields.get('maxmemory_policy') ?? 'noeviction',
    appendOnly: fields.get('aof_enabled') === '1',
    appendFsync: settings.get('appendfsync'),
    fsyncPauses: settings.get('no-appendfsync-on-rewrite') === 'yes',
    replicas: Number(fields.get('connected_slaves') ?? 0),
    replicasToWrite: numberOf(settings.get('min-replicas-to-write')),
    maxMemory: Number(fields.get('maxmemory') ?? 0),
    // Hosted ones do not always tell: then nobody knows that it is too little.
    machineMemory: Number(fields.get('total_system_memory') || Number.POSITIVE_INFINITY),
  };
}

/** Hosted ones refuse the command, and users may lack the right to it: then nothing is known. */
async function configOf(node: Node): Promise<ReadonlyMap<string, string>> {
  let found: unknown;
  try {
    found = await node.config('GET', '*append*fsync*', 'min-replicas-to-write');
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return new Map();
    throw error;
  }
  const parts = found as readonly string[];
  return new Map(parts.flatMap((name, index) => (index % 2 === 0 ? [[name, parts[index + 1] ?? '']] : [])));
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../../scripts/requirements.ts';
import { root } from '../../scripts/root.ts';
import { type RedisServer, startRedis } from '../../test/support/redis.ts';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { buildLeshan, inMemory, onRedis, overDtls, startLeshan } from './leshan.ts';
import { type Peer, startScript } from './target.ts';

/** ms; what Node compiles is compiled by then. */
const NODE_WARM_UP = 3_000;
/** ms; a JVM's just-in-time compilers go on for longer than that, but change little. */
const JVM_WARM_UP = 8_000;

const nothing = async (): Promise<undefined> => undefined;
const needsRedis = async (): Promise<string | undefined> =>
  isInstalled('redis-server') ? undefined : 'redis-server is not installed';

const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};

/** CPU of a Redis since its start, all threads, µs, by its own accounting. */
async function redisCpu(redis: RedisServer): Promise<number> {
  const info = await redis.cli('info', 'cpu');
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
}

/** Both sides have the same Redis: each write on disk before it is answered. */
async function ownRedis() {
  const redis = await startRedis({ durable: true });
  return { redis, parts: { redisCpu: () => redisCpu(redis), end: () => redis.close() } };
}

export const echo: Peer = {
  name: 'raw UDP echo',
  warmUp: NODE_WARM_UP,
  prepare: nothing,
  start: () => startScript('./targets/echo.ts'),
};

export const nodeCoap: Peer = {
  name: 'npm coap',
  ...(devDependencies['coap'] === undefined ? {} : { version: devDependencies['coap'] }),
  warmUp: NODE_WARM_UP,
  prepare: nothing,
  start: () => startScript('./targets/node-coap.ts'),
};

const simyardReadPath = (endpoint: string, resource: string): string =>
  `/api/devices/${endpoint}/objects${resource}`;

export const simyardInMemory: Peer = {
  name: 'Simyard, in memory',
  warmUp: NODE_WARM_UP,
  readPath: simyardReadPath,
  prepare: nothing,
  start: () => startScript('./targets/simyard.ts', [':memory:']),
};

export const simyardOnDisk: Peer = {
  name: 'Simyard, on disk',
  warmUp: NODE_WARM_UP,
  prepare: nothing,
  start() {
    const folder = temporaryFolder();
    const end = async (): Promise<void> => removeFolder(folder);
    return startScript('./targets/simyard.ts', [folder], { end });
  },
};

export const simyardOnRedis: Peer = {
  name: 'Simyard, Redis',
  warmUp: NODE_WARM_UP,
  prepare: needsRedis,
  async start() {
    const { redis, parts } = await ownRedis();
    return startScript('./targets/simyard.ts', [redis.url], parts);
  },
};

export const leshan: Peer = {
  name: 'Leshan, in memory',
  version: '2.0.0-M18',
  warmUp: JVM_WARM_UP,
  readPath: (endpoint, resource) => `/api/clients/${endpoint}${resource}`,
  prepare: () => buildLeshan(inMemory),
  start: () => startLeshan(inMemory),
};

/** The newest of which the Redis store is on Maven Central. */
export const leshanOnRedis: Peer = {
  name: 'Leshan, Redis',
  version: '2.0.0-M15',
  warmUp: JVM_WARM_UP,
  prepare: async () => (await needsRedis()) ?? (await buildLeshan(onRedis)),
  async start() {
    const { redis, parts } = await ownRedis();
    return startLeshan(onRedis, [redis.url], parts);
  },
};

/** Devices that are enrolled, with the names that the load gives them. */
const [ENROLLED, PREFIX, KEY] = ['1000', 'bench-', '000102030405060708090a0b0c0d0e0f'];
const psk = { identity: '{name}', key: KEY };

export const simyardOverDtls: Peer = {
  name: 'Simyard, in memory, DTLS',
  warmUp: NODE_WARM_UP,
  psk,
  prepare: nothing,
  start: () => startScript('./targets/simyard-dtls.ts', [':memory:', ENROLLED, PREFIX, KEY]),
};

/** Its DTLS is Scandium. */
export const leshanOverDtls: Peer = {
  name: 'Leshan, in memory, DTLS by Scandium',
  version: '2.0.0-M18',
  warmUp: JVM_WARM_UP,
  psk,
  prepare: () => buildLeshan(overDtls),
  start: () => startLeshan(overDtls, [ENROLLED, PREFIX, KEY]),
};

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A redis-server process of the test's own, on a folder of its own. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** SIGKILL, and waits for its end. What is on disk stays. */
  kill(): Promise<void>;
  /** SIGSTOP, SIGCONT. */
  pause(): void;
  resume(): void;
  /** Starts it again on what is on disk; resolves when it answers. */
  start(): Promise<void>;
  /** redis-cli to it. */
  cli(...args: readonly string[]): Promise<string>;
  /** Ends it, and removes its folder. */
  close(): Promise<void>;
}

/** Durable as the project defines it: each write on disk before it is answered. */
const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
/** Nothing on disk. */
const fleeting = ['--appendonly', 'no', '--save', ''];

/** Starts a Redis on a free port; `settings` are further arguments of redis-server. */
export async function startRedis(
  options: { readonly durable?: boolean; readonly settings?: readonly string[] } = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'simyard-redis-'));
  const port = await freePort();
  const args = [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--maxmemory-policy', 'noeviction'],
    ...(options.durable === true ? durable : fleeting),
    ...(options.settings ?? []),
  ];
  return start('redis-server', args, port, folder);
}

/** A Redis Cluster of masters without replicas (or with `replicas` each), ready when it resolves. */
export async function startRedisCluster(
  options: { readonly masters?: number; readonly replicas?: number; readonly durable?: boolean } = {},
): Promise<{ readonly url: string; readonly servers: readonly RedisServer[]; close(): Promise<void> }> {
  const { masters = 3, replicas = 0, durable: onDisk = false } = options;
  const servers: RedisServer[] = [];
  for (let i = 0; i < masters * (1 + replicas); i++) {
    servers.push(
      await startRedis({
        durable: onDisk,
        settings: [
          ...[
            '--cluster-enabled',
            'yes',
            '--cluster-config-file',
            'nodes.conf',
            '--cluster-node-timeout',
            '2000',
          ],
          ...['--cluster-port', String(await freePort())],
        ],
      }),
    );
  }
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
  };
  try {
    await run('redis-cli', [
      ...['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'],
    ]);
    for (const server of servers) {
      await until(async () => (await server.cli('cluster', 'info')).includes('cluster_state:ok'));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `redis+cluster://${addresses.join(',')}`, servers, close };
}

/** A master, a replica and three sentinels that watch over them. */
export async function startSentinel(): Promise<{
  readonly url: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  close(): Promise<void>;
}> {
  const parts: RedisServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.close()));
  };
  try {
    const master = await startRedis({ durable: true });
    parts.push(master);
    const replica = await startRedis({
      durable: true,
      settings: ['--replicaof', '127.0.0.1', String(master.port)],
    });
    parts.push(replica);
    const addresses: string[] = [];
    for (let i = 0; i < 3; i++) {
      const folder = mkdtempSync(join(tmpdir(), 'simyard-sentinel-'));
      const port = await freePort();
      const file = join(folder, 'sentinel.conf');
      writeFileSync(
        file,
        [
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${folder}`,
          `sentinel monitor simyard 127.0.0.1 ${master.port} 2`,
          'sentinel down-after-milliseconds simyard 1000',
          'sentinel failover-timeout simyard 5000',
          '',
        ].join('\n'),
      );
      parts.push(await start('redis-sentinel', [file], port, folder));
      addresses.push(`127.0.0.1:${port}`);
    }
    await until(async () => (await master.cli('info', 'replication')).includes('state=online'));
    const sentinel = parts.at(-1) as RedisServer;
    // A sentinel that does not know the others and the replica cannot fail over.
    await until(async () => {
      const told = await sentinel.cli('sentinel', 'master', 'simyard');
      return /num-slaves\s+1/.test(told) && /num-other-sentinels\s+2/.test(told);
    });
    return { url: `redis+sentinel://${addresses.join(',')}/simyard`, master, replica, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  command: string,
  args: readonly string[],
  port: number,
  folder: string,
): Promise<RedisServer> {
  let child: ChildProcess | undefined;
  const cli = async (...words: readonly string[]): Promise<string> =>
    (await run('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...words])).stdout;
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill(name);
    await ended;
  };
  const begin = async (): Promise<void> => {
    const started = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let told = '';
    const note = (data: Buffer): void => {
      told = (told + data.toString()).slice(-4_000);
    };
    started.stdout.on('data', note);
    started.stderr.on('data', note);
    await until(async () => {
      if (started.exitCode !== null) throw new Error(`${command} ended at once: ${told}`);
      return (await cli('ping').catch(() => '')).includes('PONG');
    });
  };
  await begin();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? 0;
    },
    kill: () => signal('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    start: begin,
    cli,
    close: async () => {
      await signal('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Looks again and again, for at most 20 s. */
async function until(what: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error('a Redis did not get ready in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}

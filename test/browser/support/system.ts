import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const startPatience = 90_000;

/** One process of the system under test, with what it printed. */
export class SystemProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly output: string[] = [];

  constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#ended = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.output.push(line));
    }
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it has printed a line that fits. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (const end = Date.now() + startPatience; Date.now() < end; ) {
      for (const line of this.output) {
        const match = pattern.exec(line);
        if (match !== null) return match;
      }
      if (!this.alive) throw new Error(`it ended before it printed ${pattern}:\n${this.output.join('\n')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`it did not print ${pattern}:\n${this.output.join('\n')}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.alive) this.#child.kill(signal);
    await this.#ended;
  }
}

/** Ports and a folder of its own; whatever was started in it ends with it. */
export class TestSystem {
  readonly httpPort: number;
  readonly coapPort: number;
  readonly folder: string;
  readonly #processes: SystemProcess[] = [];

  private constructor(httpPort: number, coapPort: number, folder: string) {
    this.httpPort = httpPort;
    this.coapPort = coapPort;
    this.folder = folder;
  }

  static async create(): Promise<TestSystem> {
    const folder = await mkdtemp(join(tmpdir(), 'simyard-browser-'));
    return new TestSystem(await freeTcpPort(), await freeUdpPort(), folder);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get coapUri(): string {
    return `coap://127.0.0.1:${this.coapPort}`;
  }

  /** All of it, by the program behind `npm start`; resolves with the address that it prints for the console. */
  async startAll(endpoint: string): Promise<string> {
    const start = this.#spawn(['scripts/start.ts', '--endpoint', endpoint]);
    const [, address = ''] = await start.printed(/^Console\s+(http\S+)/);
    return address;
  }

  /** The server alone; the console must be built. Again after a stop: on the same ports and data. */
  async startServer(): Promise<SystemProcess> {
    const server = this.#spawn(['server/main.ts']);
    await untilAnswer(`${this.origin}/healthz`, server);
    return server;
  }

  startModem(endpoint: string, ...options: string[]): SystemProcess {
    const data = join(this.folder, 'modems');
    return this.#spawn([
      'client/main.ts',
      '--server',
      this.coapUri,
      '--endpoint',
      endpoint,
      '--data',
      data,
      ...options,
    ]);
  }

  startFleet(count: number, ...options: string[]): SystemProcess {
    return this.#spawn([
      'client/main.ts',
      '--fleet',
      '--server',
      this.coapUri,
      '--count',
      String(count),
      ...options,
    ]);
  }

  async api<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.origin}${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async close(): Promise<void> {
    for (const process of [...this.#processes].reverse()) await process.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(args: readonly string[]): SystemProcess {
    const process = new SystemProcess(args, {
      SIMYARD_HTTP_PORT: String(this.httpPort),
      SIMYARD_COAP_PORT: String(this.coapPort),
      SIMYARD_DATA: join(this.folder, 'server'),
    });
    this.#processes.push(process);
    return process;
  }
}

async function untilAnswer(url: string, process: SystemProcess): Promise<void> {
  for (const end = Date.now() + startPatience; Date.now() < end; ) {
    if (!process.alive) throw new Error(`the server ended:\n${process.output.join('\n')}`);
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // It does not listen yet: that is what is waited for.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} never answered:\n${process.output.join('\n')}`);
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return port;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { root } from '../../scripts/root.ts';
import { until } from './until.ts';

/** A process of the project, with what it printed. Of the environment it has no setting but those given. */
export class ProjectProcess {
  readonly #child: ChildProcess;
  output = '';

  /** @param under a program, with its arguments, that runs it */
  constructor(
    script: string,
    args: readonly string[],
    settings: Readonly<Record<string, string>> = {},
    under: readonly string[] = [],
  ) {
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('SIMYARD_'));
    const env = { ...Object.fromEntries(others), ...settings };
    const [command = process.execPath, ...rest] = [...under, process.execPath, script, ...args];
    this.#child = spawn(command, rest, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (data: Buffer): void => {
      this.output += data.toString();
    };
    this.#child.stdout?.on('data', take);
    this.#child.stderr?.on('data', take);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * The first match in what it prints.
   * @throws Error where it ends before, or `limit` ms go by.
   */
  async printed(pattern: RegExp, limit?: number): Promise<RegExpExecArray> {
    return until(
      `${pattern} is printed`,
      () => {
        const match = pattern.exec(this.output);
        if (match !== null) return match;
        if (this.ended) throw new Error(`it ended before it printed ${pattern}:\n${this.output}`);
        return undefined;
      },
      limit,
    );
  }

  /** Resolves with the exit code, or the signal that ended it. */
  async exit(): Promise<number | string> {
    if (!this.ended) await once(this.#child, 'exit');
    return this.#child.signalCode ?? this.#child.exitCode ?? -1;
  }

  async kill(signal: NodeJS.Signals): Promise<number | string> {
    if (!this.ended) this.#child.kill(signal);
    return this.exit();
  }
}

/** A port that is free now, for UDP and TCP. */
export async function freePort(): Promise<number> {
  for (let tries = 10; ; tries--) {
    try {
      return await findPort();
    } catch (error) {
      // Free for TCP, and somebody's for UDP: another one is tried.
      if (tries === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

async function findPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = createSocket('udp4');
  try {
    socket.bind({ port, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
  } finally {
    socket.close();
    server.close();
  }
  return port;
}

export interface ServerProcessOptions {
  readonly data: string;
  readonly coapPort: number;
  readonly httpPort: number;
  readonly flags?: readonly string[];
  /** How long it may take to be ready, ms. */
  readonly limit?: number;
}

/** What nodes of a test seal by, in a Redis that they share. */
export const SECRET_KEY = '5e'.repeat(32);

/** server/main.ts as a process of its own, to be killed. Resolves when it is ready. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ProjectProcess> {
  const server = new ProjectProcess('server/main.ts', [
    '--data',
    options.data,
    '--coap-port',
    String(options.coapPort),
    '--http-port',
    String(options.httpPort),
    // Of its own: the ports behind that of CoAP may be other tests'.
    ...['--coaps-port', '0', '--bootstraps-port', '0', '--bootstrap-port', '0'],
    ...(options.flags?.includes('--redis-url') === true ? ['--secret-key', SECRET_KEY] : []),
    ...(options.flags ?? ['--log-level', 'warn']),
  ]);
  try {
    const ready = async (): Promise<boolean> => {
      if (server.ended) throw new Error('the server ended');
      return isReady(options.httpPort);
    };
    await until('the server is ready', ready, options.limit);
  } catch (error) {
    await server.kill('SIGKILL');
    throw new Error(`the server did not start:\n${server.output}`, { cause: error });
  }
  return server;
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  } catch (error) {
    // Nobody listens yet.
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Calls of the REST API, as a script would make them. */
export class ApiClient {
  readonly #base: string;

  constructor(httpPort: number | string) {
    this.#base = typeof httpPort === 'string' ? httpPort : `http://127.0.0.1:${httpPort}`;
  }

  /** @throws Error with the problem, where the answer is no success. */
  async get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path);
  }

  async post<T>(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.#call<T>('POST', path, body, headers);
  }

  async put<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('PUT', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.#call('DELETE', path);
  }

  async #call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}

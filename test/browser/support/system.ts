import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiServer } from '../../../server/api/schemas.ts';
import { freePort, ProjectProcess, startServerProcess } from '../../support/server-process.ts';

const startPatience = 90_000;

/** Ports and a folder of its own; whatever was started in it ends with it. */
export class TestSystem {
  readonly httpPort: number;
  readonly coapPort: number;
  readonly folder: string;
  readonly #processes: ProjectProcess[] = [];

  private constructor(httpPort: number, coapPort: number, folder: string) {
    this.httpPort = httpPort;
    this.coapPort = coapPort;
    this.folder = folder;
  }

  static async create(): Promise<TestSystem> {
    const folder = await mkdtemp(join(tmpdir(), 'simyard-browser-'));
    return new TestSystem(await freePort(), await freePort(), folder);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get coapUri(): string {
    return `coap://127.0.0.1:${this.coapPort}`;
  }

  /** All of it, by the program behind `npm start`; resolves with the address that it prints for the console. */
  async startAll(endpoint: string): Promise<string> {
    const start = this.#spawn('scripts/start.ts', '--endpoint', endpoint);
    const [, address = ''] = await start.printed(/^Console\s+(http\S+)\n/m, startPatience);
    return address;
  }

  /** The server alone; the console must be built. Again after a stop: on the same ports and data. */
  async startServer(...flags: readonly string[]): Promise<ProjectProcess> {
    const server = await startServerProcess({
      data: join(this.folder, 'server'),
      coapPort: this.coapPort,
      httpPort: this.httpPort,
      ...(flags.length > 0 && { flags: ['--log-level', 'warn', ...flags] }),
      limit: startPatience,
    });
    this.#processes.push(server);
    return server;
  }

  startModem(endpoint: string, ...options: string[]): ProjectProcess {
    const data = join(this.folder, 'modems');
    return this.#spawn(
      'client/main.ts',
      '--server',
      this.coapUri,
      '--endpoint',
      endpoint,
      '--data',
      data,
      ...options,
    );
  }

  /** A modem that gets its servers from the bootstrap server. */
  async startBootstrapped(endpoint: string): Promise<ProjectProcess> {
    const { bootstrapUri = '' } = await this.api<ApiServer>('/api/server');
    const data = join(this.folder, 'modems');
    return this.#spawn('client/main.ts', '--bootstrap', bootstrapUri, '--endpoint', endpoint, '--data', data);
  }

  startFleet(count: number, ...options: string[]): ProjectProcess {
    return this.#spawn(
      'client/main.ts',
      '--fleet',
      '--server',
      this.coapUri,
      '--count',
      String(count),
      ...options,
    );
  }

  /** A device that speaks the gateway's protocol, from a port of its own. */
  startFlowDevice(...options: string[]): ProjectProcess {
    return this.#spawn('client/flow-device/main.ts', '--port', '0', '--quiet', ...options);
  }

  async api<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.origin}${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async close(): Promise<void> {
    for (const process of [...this.#processes].reverse()) await process.kill('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(script: string, ...args: readonly string[]): ProjectProcess {
    const process = new ProjectProcess(script, args, {
      SIMYARD_HTTP_PORT: String(this.httpPort),
      SIMYARD_COAP_PORT: String(this.coapPort),
      SIMYARD_COAPS_PORT: '0',
      SIMYARD_BOOTSTRAPS_PORT: '0',
      SIMYARD_BOOTSTRAP_PORT: '0',
      SIMYARD_DATA: join(this.folder, 'server'),
    });
    this.#processes.push(process);
    return process;
  }
}

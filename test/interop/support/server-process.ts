import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  type ProjectProcess,
  type ServerProcessOptions,
  startServerProcess,
} from '../../support/server-process.ts';

export interface Answer {
  readonly status: number;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

/** server/main.ts as its own process on free ports of loopback, with a data folder of its own. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  /** Shown with each call, where there is one. */
  bearer: string | undefined;
  #process: ProjectProcess;

  /** @param flags of the server, beside those of its own */
  static async start(more: readonly string[] = []): Promise<ServerProcess> {
    const data = mkdtempSync(join(tmpdir(), 'simyard-interop-'));
    try {
      const [coapPort, httpPort] = [await freePort(), await freePort()];
      const options = { data, coapPort, httpPort, flags: ['--log-level', 'debug', ...more], limit: 30_000 };
      return new ServerProcess(options, await startServerProcess(options));
    } catch (error) {
      rmSync(data, { recursive: true });
      throw error;
    }
  }

  private constructor(options: ServerProcessOptions, process: ProjectProcess) {
    this.#options = options;
    this.#process = process;
  }

  /** `127.0.0.1:port` of CoAP. */
  get coap(): string {
    return `127.0.0.1:${this.#options.coapPort}`;
  }

  /** Address of a path of the API. */
  url(path: string): string {
    return `http://127.0.0.1:${this.#options.httpPort}${path}`;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(this.url(path), {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.bearer !== undefined && { authorization: `Bearer ${this.bearer}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Everything that it has logged since it was started last. */
  log(): string {
    return this.#process.output;
  }

  /** Ends it without a chance to say goodbye, and starts it on the same data and the same ports. */
  async killAndStartAgain(): Promise<void> {
    await this.#process.kill('SIGKILL');
    this.#process = await startServerProcess(this.#options);
  }

  /** Ends it as a service manager would; answers how it ended. */
  async stop(): Promise<string> {
    const how = await this.#process.kill('SIGTERM');
    rmSync(this.#options.data, { recursive: true });
    return typeof how === 'number' ? `exit code ${how}` : how;
  }
}

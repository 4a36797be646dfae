import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../scripts/root.ts';
import { JsonLinesProcess } from './json-lines-process.ts';

export interface Answer {
  readonly status: number;
  /** Parsed JSON; undefined for an empty body. */
  readonly body: unknown;
}

interface Running {
  readonly child: JsonLinesProcess;
  /** `127.0.0.1:port` */
  readonly coap: string;
  /** `http://127.0.0.1:port` */
  readonly http: string;
}

/** server/main.ts as its own process on free ports of loopback, with a data folder of its own. */
export class ServerProcess {
  readonly #data: string;
  #running: Running;

  static async start(): Promise<ServerProcess> {
    const data = mkdtempSync(join(tmpdir(), 'simyard-interop-'));
    try {
      return new ServerProcess(data, await run(data, '0'));
    } catch (error) {
      rmSync(data, { recursive: true });
      throw error;
    }
  }

  private constructor(data: string, running: Running) {
    this.#data = data;
    this.#running = running;
  }

  /** `127.0.0.1:port` of CoAP. */
  get coap(): string {
    return this.#running.coap;
  }

  /** Address of a path of the API. */
  url(path: string): string {
    return this.#running.http + path;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(this.url(path), {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Everything that it has logged. */
  log(): string {
    return this.#running.child.said();
  }

  /** Ends it without a chance to say goodbye, and starts it on the same data and the same CoAP port. */
  async killAndStartAgain(): Promise<void> {
    const port = this.coap.slice(this.coap.lastIndexOf(':') + 1);
    await this.#running.child.stop('SIGKILL');
    this.#running = await run(this.#data, port);
  }

  /** Ends it as a service manager would; answers how it ended. */
  async stop(): Promise<string> {
    const how = await this.#running.child.stop();
    rmSync(this.#data, { recursive: true });
    return how;
  }
}

async function run(data: string, coapPort: string): Promise<Running> {
  const settings = ['--coap-port', coapPort, '--http-port', '0', '--data', data, '--log-level', 'debug'];
  const child = new JsonLinesProcess(process.execPath, [join(root, 'server/main.ts'), ...settings]);
  try {
    const { coap, http } = await child.until((line) => line.msg === 'ready', 30_000);
    if (typeof coap !== 'string' || typeof http !== 'string') throw new Error(child.said());
    return { child, coap, http };
  } catch (error) {
    await child.stop('SIGKILL');
    throw error;
  }
}

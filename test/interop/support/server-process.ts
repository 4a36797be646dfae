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

/** server/main.ts as its own process on free ports of loopback, with a data folder of its own. */
export class ServerProcess {
  /** `127.0.0.1:port` of CoAP. */
  readonly coap: string;
  readonly #http: string;
  readonly #process: JsonLinesProcess;
  readonly #data: string;

  static async start(): Promise<ServerProcess> {
    const data = mkdtempSync(join(tmpdir(), 'simyard-interop-'));
    const settings = ['--coap-port', '0', '--http-port', '0', '--data', data, '--log-level', 'debug'];
    const child = new JsonLinesProcess(process.execPath, [join(root, 'server/main.ts'), ...settings]);
    try {
      const { coap, http } = await child.until((line) => line.msg === 'ready', 30_000);
      if (typeof coap !== 'string' || typeof http !== 'string') throw new Error(child.said());
      return new ServerProcess(coap, http, child, data);
    } catch (error) {
      await child.stop('SIGKILL');
      rmSync(data, { recursive: true });
      throw error;
    }
  }

  private constructor(coap: string, http: string, child: JsonLinesProcess, data: string) {
    this.coap = coap;
    this.#http = http;
    this.#process = child;
    this.#data = data;
  }

  /** Address of a path of the API. */
  url(path: string): string {
    return this.#http + path;
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
    return this.#process.said();
  }

  /** Ends it as a service manager would; answers how it ended. */
  async stop(): Promise<string> {
    const how = await this.#process.stop();
    rmSync(this.#data, { recursive: true });
    return how;
  }
}

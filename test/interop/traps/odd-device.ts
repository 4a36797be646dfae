import { fileURLToPath } from 'node:url';
import { pythonWithPeers } from '../../support/python-peers.ts';
import { type JsonLine, JsonLinesProcess } from '../support/json-lines-process.ts';

/** What a path of the device is answered; without a code it is acknowledged and never answered. */
export interface Served {
  readonly code?: string;
  /** Content-Format; none where it is left out. */
  readonly format?: number;
  readonly body?: string | Uint8Array;
  readonly how?: 'update first';
}

/** A device with odd habits, on aiocoap: odd_device.py, as tests steer it. */
export class OddDevice {
  readonly name: string;
  readonly #process: JsonLinesProcess;

  private constructor(name: string, process: JsonLinesProcess) {
    this.name = name;
    this.#process = process;
  }

  /** Starts one; it does nothing by itself. `server` is `host:port`. */
  static async start(server: string, name: string): Promise<OddDevice> {
    const script = fileURLToPath(new URL('odd_device.py', import.meta.url));
    const device = new OddDevice(name, new JsonLinesProcess(pythonWithPeers(), [script, server]));
    await device.until((line) => line.event === 'ready');
    return device;
  }

  /** Its answer to an order; `code` is what the server answered, where the server was asked. */
  async order(order: Readonly<Record<string, unknown>>): Promise<JsonLine> {
    const line = JSON.stringify(order);
    this.#process.order(line);
    const done = await this.until((told) => told.event === 'done' && JSON.stringify(told.order) === line);
    if (done.error !== undefined) throw new Error(`${line}: ${done.error}`);
    return done;
  }

  register(
    links: string,
    query: readonly string[] = ['lwm2m=1.1', 'lt=120'],
    format?: null,
  ): Promise<JsonLine> {
    return this.order({
      do: 'register',
      query: [`ep=${this.name}`, ...query],
      links,
      ...(format === null ? { format } : {}),
    });
  }

  serve(path: string, { body = '', ...answer }: Served): Promise<JsonLine> {
    return this.order({ do: 'serve', path, hex: Buffer.from(body).toString('hex'), ...answer });
  }

  until(isWanted: (line: JsonLine) => boolean): Promise<JsonLine> {
    return this.#process.until(isWanted, 30_000);
  }

  said(): string {
    return this.#process.said();
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }
}

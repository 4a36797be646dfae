import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEmbeddedStores } from '../../server/embedded/index.ts';
import type { Stores } from '../../server/ports/stores.ts';
import { freePort, type ProjectProcess, startServerProcess } from '../support/server-process.ts';

/** A node has so long to be ready, ms: on a machine that does much else. */
const startLimit = 120_000;
/** ms before one that ended is started again. */
const restartPause = 1_000;

/** A server process that can be killed, and started again with its name and ports. */
export class ServerNode {
  readonly name: string;
  readonly coapPort: number;
  readonly httpPort: number;
  readonly #folder: string;
  /** Settings beside ports, name and data. */
  flags: readonly string[] = [];
  #process: ProjectProcess | undefined;
  /** When it was killed, and when it was ready again: `performance.now()`; a request between is excused. */
  #downSince = 0;
  #upSince = Number.POSITIVE_INFINITY;
  kills = 0;

  private constructor(name: string, ports: { readonly coap: number; readonly http: number }, folder: string) {
    this.name = name;
    this.coapPort = ports.coap;
    this.httpPort = ports.http;
    this.#folder = folder;
  }

  /** Not started. */
  static async create(name: string, folder: string): Promise<ServerNode> {
    return new ServerNode(name, { coap: await freePort(), http: await freePort() }, folder);
  }

  get coap(): string {
    return `127.0.0.1:${this.coapPort}`;
  }

  get http(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get isUp(): boolean {
    return this.#upSince !== Number.POSITIVE_INFINITY;
  }

  /** Whether it was up, in one life, from then on until now. */
  wasUpSince(moment: number): boolean {
    return this.#upSince <= moment;
  }

  /**
   * Resolves when it is ready. One that ends meanwhile, as while its Redis is away, is started again, as a
   * supervisor does.
   * @throws Error with what it said, where it does not come up in time
   */
  async start(): Promise<void> {
    const end = performance.now() + startLimit;
    while (this.#process === undefined) {
      try {
        this.#process = await startServerProcess({
          data: join(this.#folder, this.name),
          coapPort: this.coapPort,
          httpPort: this.httpPort,
          flags: ['--node', this.name, '--log-level', 'info', ...this.flags],
          limit: startLimit,
        });
      } catch (error) {
        if (performance.now() > end) throw error;
        appendFileSync(
          this.logFile,
          `${error instanceof Error ? error.message : String(error)}\n--- again\n`,
        );
        await sleep(restartPause);
      }
    }
    this.#upSince = performance.now();
  }

  async kill(): Promise<void> {
    this.kills++;
    await this.#end('SIGKILL');
  }

  /** Asks it to end; resolves with its exit code. */
  async stop(): Promise<number | string | undefined> {
    return this.#end('SIGTERM');
  }

  /** It ended by itself: a bug of ours. */
  get died(): boolean {
    return this.#process?.ended === true;
  }

  /** ms that it was away last. */
  get lastOutage(): number {
    return this.#upSince - this.#downSince;
  }

  async #end(signal: NodeJS.Signals): Promise<number | string | undefined> {
    const ended = this.#process;
    this.#process = undefined;
    this.#upSince = Number.POSITIVE_INFINITY;
    this.#downSince = performance.now();
    const how = await ended?.kill(signal);
    if (ended !== undefined) appendFileSync(this.logFile, `${ended.output}\n--- ${signal}: ${how}\n`);
    return how;
  }

  get logFile(): string {
    return join(this.#folder, `${this.name}.log`);
  }
}

/** What is looked into when all is over. */
export type CheckedStores = Pick<
  Stores,
  'commands' | 'devices' | 'events' | 'log' | 'registrations' | 'close'
>;

/** Where the nodes keep what they know. */
export interface StoreUnderTest {
  /** Flags of a node that uses it. */
  readonly flags: readonly string[];
  /** Opens it, when no node has it any more. */
  open(): Promise<CheckedStores>;
  /** SIGKILL, and started again; undefined where it is no process of its own. */
  readonly restart: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

export function embeddedStore(folder: string, node: string): StoreUnderTest {
  return {
    flags: [],
    open: () => openEmbeddedStores({ path: join(folder, node) }),
    restart: undefined,
    close: async () => {},
  };
}

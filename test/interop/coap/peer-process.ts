import { type ChildProcess, spawn } from 'node:child_process';

/** A peer that runs beside us until it is stopped. */
export class PeerProcess {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #output = '';

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        this.#output += String(error);
        resolve();
      });
      this.#process.on('close', () => resolve());
    });
  }

  /** All that it has said. */
  get output(): string {
    return this.#output;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

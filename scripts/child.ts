import { type ChildProcess, spawn } from 'node:child_process';
import { lineCutter, readable } from './log-lines.ts';
import { root } from './root.ts';

/** A child that ended before anybody asked it to. */
export class ChildDiedError extends Error {
  override readonly name = 'ChildDiedError';
}

/**
 * A process of ours whose lines come out under its name. It has a process group of its own, so that Ctrl-C in the
 * terminal reaches only us, and we stop modem and server in the right order.
 */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<string>;
  #stopping = false;

  constructor(name: string, args: readonly string[], print: (line: string) => void) {
    this.name = name;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      const lines = lineCutter((line) => print(`${name.padEnd(6)} │ ${readable(line)}`));
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => lines.push(text));
      stream?.on('end', () => lines.end());
    }
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      // 'close' and not 'exit': its last words are to be read before we speak of its end.
      child.on('close', (code, signal) =>
        resolve(signal === null ? `with exit code ${code}` : `by signal ${signal}`),
      );
    });
  }

  /** Rejects when the process ends without having been stopped. */
  async died(): Promise<never> {
    const how = await this.#ended;
    if (this.#stopping) return new Promise<never>(() => {});
    throw new ChildDiedError(`The ${this.name} ended ${how}; its last lines above tell why.`);
  }

  /** From now on its end is no surprise. */
  expectEnd(): void {
    this.#stopping = true;
  }

  /** Asks the process to end and waits for it; after `patience` ms it is killed, and false is the answer. */
  async stop(patience: number): Promise<boolean> {
    this.expectEnd();
    this.#process.kill('SIGTERM');
    const timer = Promise.withResolvers<undefined>();
    const timeout = setTimeout(() => timer.resolve(undefined), patience);
    const how = await Promise.race([this.#ended, timer.promise]);
    clearTimeout(timeout);
    if (how !== undefined) return true;
    this.kill();
    await this.#ended;
    return false;
  }

  /** Ends the process at once. */
  kill(): void {
    this.expectEnd();
    this.#process.kill('SIGKILL');
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { lineCutter } from '../../../scripts/log-lines.ts';

export type JsonLine = Readonly<Record<string, unknown>>;

/** A program that tells what happens to it as JSON lines on standard output, and takes orders on standard input. */
export class JsonLinesProcess {
  readonly #process: ChildProcess;
  readonly #lines: JsonLine[] = [];
  readonly #other: string[] = [];
  readonly #ended: Promise<string>;
  #taken = 0;
  #wake: () => void = () => {};
  #hasEnded = false;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      const cutter = lineCutter((line) => this.#take(line));
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => cutter.push(text));
      stream.on('end', () => cutter.end());
    }
    // Orders to a program that has ended are told by the next `until`.
    child.stdin.on('error', (error) => this.#other.push(String(error)));
    this.#ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.#hasEnded = true;
        this.#wake();
        resolve(signal ?? `exit code ${code}`);
      });
    });
  }

  /**
   * The next line that is wanted; lines before it are passed over, and it is not given again.
   * @throws Error with all that the program has said, if it ends before or `patience` ms go by.
   */
  async until(isWanted: (line: JsonLine) => boolean, patience = 60_000): Promise<JsonLine> {
    const end = performance.now() + patience;
    for (;;) {
      for (; this.#taken < this.#lines.length; this.#taken++) {
        const line = this.#lines[this.#taken];
        if (line !== undefined && isWanted(line)) {
          this.#taken++;
          return line;
        }
      }
      const left = end - performance.now();
      if (this.#hasEnded || left <= 0) {
        const why = this.#hasEnded ? 'The program ended' : `Nothing came for ${patience} ms`;
        throw new Error(`${why}. It had said:\n${this.said()}`);
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }

  /** Of the process, for whoever looks at what it uses. */
  get pid(): number {
    return this.#process.pid as number;
  }

  order(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Everything that it has said so far. */
  said(): string {
    return [...this.#lines.map((line) => JSON.stringify(line)), ...this.#other].join('\n');
  }

  /** Sends a signal and waits for the end; answers how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
    if (!this.#hasEnded) this.#process.kill(signal);
    return this.#ended;
  }

  #take(line: string): void {
    if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as JsonLine);
    else this.#other.push(line);
    this.#wake();
  }
}

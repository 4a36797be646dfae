import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../support/until.ts';
import type { ModemsCommand, ModemsOptions, ModemsReport } from './modems.ts';

/** A group answers within that, ms; its process may be busy with hundreds of modems. */
const patience = 60_000;

/** Some modems in a process that can be killed, and started again on what they keep. */
export class ModemGroup {
  readonly options: Omit<ModemsOptions, 'ledger'>;
  readonly #ledgers: string[] = [];
  readonly #ledgerFolder: string;
  #child: ChildProcess | undefined;
  #quiet = false;
  #begun: Promise<unknown> = Promise.resolve();
  #killed = 0;

  constructor(options: Omit<ModemsOptions, 'ledger'>, ledgerFolder: string) {
    this.options = options;
    this.#ledgerFolder = ledgerFolder;
  }

  /** One of each process that there was. */
  get ledgers(): readonly string[] {
    return this.#ledgers;
  }

  get kills(): number {
    return this.#killed;
  }

  get endpoints(): readonly string[] {
    const { prefix, first, count } = this.options;
    return Array.from({ length: count }, (_, index) => `${prefix}${first + index}`);
  }

  /** Resolves when the process is told; `begun` when all its modems are switched on. */
  start(): void {
    const ledger = join(
      this.#ledgerFolder,
      `${this.options.prefix}${this.options.first}-${this.#ledgers.length}.ledger`,
    );
    this.#ledgers.push(ledger);
    const child = fork(new URL('./modems.ts', import.meta.url), [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    this.#begun = new Promise((resolve) => {
      child.on('message', (message) => {
        if (message === 'begun') resolve(undefined);
      });
      child.once('exit', resolve);
    });
    if (this.#quiet) this.#send({ kind: 'quiet' });
    this.#send({ kind: 'begin', options: { ...this.options, ledger } });
  }

  async begun(): Promise<void> {
    await this.#begun;
    this.#assertAlive();
  }

  /** SIGKILL: what is in memory is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    this.#killed++;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** No new readings from now on. */
  quiet(): void {
    this.#quiet = true;
    if (this.#child !== undefined) this.#send({ kind: 'quiet' });
  }

  async report(): Promise<ModemsReport> {
    this.#assertAlive();
    const child = this.#child as ChildProcess;
    let answer: ModemsReport | undefined;
    const take = (message: unknown): void => {
      if (typeof message === 'object') answer = message as ModemsReport;
    };
    child.on('message', take);
    try {
      this.#send({ kind: 'report' });
      return await until('a process of modems tells how it fares', () => answer, patience);
    } finally {
      child.off('message', take);
    }
  }

  #send(command: ModemsCommand): void {
    this.#child?.send(command);
  }

  /** A modem that meets a bug of its own ends its process: that is a finding, not chaos. */
  #assertAlive(): void {
    const child = this.#child;
    if (child === undefined) throw new Error(`modems from ${this.options.first} on are not started`);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the modems from ${this.options.first} on ended by themselves: ${child.exitCode}`);
    }
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { BalancerCommand } from './balancer.ts';

/** A load balancer in front of all nodes. */
export class BalancerProcess {
  /** UDP port that devices use. */
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(targets: readonly number[]): Promise<BalancerProcess> {
    const child = fork(new URL('./balancer.ts', import.meta.url), [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.send({ kind: 'open', targets } satisfies BalancerCommand);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the balancer ended: ${code}`);
    });
    ended.catch(() => undefined);
    const [port] = (await Promise.race([once(child, 'message'), ended])) as [number];
    return new BalancerProcess(child, port);
  }

  /** As a health check would find out. */
  set(target: number, up: boolean): void {
    this.#child.send({ kind: 'set', target, up } satisfies BalancerCommand);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

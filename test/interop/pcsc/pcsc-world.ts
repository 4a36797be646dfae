import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../scripts/root.ts';
import { ProjectProcess } from '../../support/server-process.ts';
import { until } from '../../support/until.ts';

/** Files whose being there says that Debian's packages are installed. */
const needed = [
  '/usr/sbin/pcscd',
  '/usr/lib/pcsc/drivers/serial/libifdvpcd.so',
  '/usr/bin/scriptor',
  '/usr/lib/python3/dist-packages/smartcard/__init__.py',
  '/usr/bin/nsenter',
];

/** Network and mounts of one's own: root has them, and needs them, for pcscd. pcsclite is built by `npm run interop`. */
export const hasPcsc =
  process.getuid?.() === 0 &&
  needed.every((file) => existsSync(file)) &&
  existsSync(join(root, 'node_modules/pcsclite/build/Release/pcsclite.node'));

/** How vpcd's two readers are called at pcscd. */
export const readers = ['Virtual PCD 00 00', 'Virtual PCD 00 01'] as const;
const ports = [35_963, 35_964] as const;

/**
 * pcscd with vpcd, in a network and a mount table of their own: vpcd listens on fixed ports of all addresses, and
 * pcscd on a fixed path. Outside of it the socket has another path, which libpcsclite is told by its variable
 * PCSCLITE_CSOCK_NAME, so that runs side by side do not meet.
 */
export class PcscWorld {
  readonly folder: string;
  readonly #holder: ChildProcess;
  readonly #programs: ProjectProcess[] = [];
  #daemon: ChildProcess | undefined;

  static async start(): Promise<PcscWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'simyard-pcsc-'));
    mkdirSync(join(folder, 'run'));
    const script = `mkdir -p /run/pcscd && mount --bind '${folder}/run' /run/pcscd && ip link set lo up && echo ready && cat`;
    const holder = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    const world = new PcscWorld(folder, holder);
    await world.startDaemon();
    return world;
  }

  private constructor(folder: string, holder: ChildProcess) {
    this.folder = folder;
    this.#holder = holder;
  }

  get socket(): string {
    return join(this.folder, 'run', 'pcscd.comm');
  }

  /** For PC/SC programs outside: where the daemon is. */
  get environment(): Record<string, string> {
    return { PCSCLITE_CSOCK_NAME: this.socket };
  }

  async startDaemon(): Promise<void> {
    // It ends when its standard input does, and so with us, however we end.
    const script = '/usr/sbin/pcscd --foreground & pcscd=$!; cat; kill $pcscd; wait $pcscd';
    const namespaces = ['--target', String(this.#holder.pid), '--net', '--mount'];
    this.#daemon = spawn('nsenter', [...namespaces, '--', 'sh', '-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await until('pcscd listens', () => existsSync(this.socket) || undefined, 20_000);
  }

  /** As a service manager would; its socket goes with it. */
  async stopDaemon(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon === undefined || hasEnded(daemon)) return;
    daemon.stdin?.end();
    await once(daemon, 'exit');
    rmSync(this.socket, { force: true });
  }

  /** `npm run sim -- serve-virtual-card` in vpcd's network; resolves when pcscd has the card. */
  async serve(file: string, slot: 0 | 1 = 0): Promise<ProjectProcess> {
    const process = new ProjectProcess(
      'client/sim/cli/main.ts',
      ['serve-virtual-card', '--card', `virtual:${file}`, '--port', String(ports[slot])],
      {},
      ['nsenter', '--target', String(this.#holder.pid), '--net', '--'],
    );
    this.#programs.push(process);
    await process.printed(/is in the reader at/, 20_000);
    return process;
  }

  /** Any PC/SC program, with this daemon. */
  program(script: string, args: readonly string[]): ProjectProcess {
    const program = new ProjectProcess(script, args, this.environment);
    this.#programs.push(program);
    return program;
  }

  /** Ends what a test that failed has left, too. */
  async stop(): Promise<void> {
    for (const program of this.#programs) await program.kill('SIGKILL');
    await this.stopDaemon();
    this.#holder.stdin?.end();
    if (!hasEnded(this.#holder)) await once(this.#holder, 'exit');
    rmSync(this.folder, { recursive: true });
  }
}

/** What PC/SC says to a program while another one resets the card, or has selected a file of its own. */
const passing = /Card protocol mismatch|Card was reset|SELECT: 6|READ BINARY: 6/;

/** What another PC/SC program reads of a card that a modem works with: it tries again where the modem came between. */
export function readBeside<T>(what: string, read: () => Promise<T | undefined>): Promise<T> {
  return until(what, () =>
    read().catch((error: unknown) => {
      if (error instanceof Error && passing.test(error.message)) return undefined;
      throw error;
    }),
  );
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

import { spawn } from 'node:child_process';
import { root } from './root.ts';

export interface Ended {
  /** Exit code; 128 and more where a signal ended it. */
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/**
 * Runs a program in the project's folder, or in `cwd`, and waits for its end. With `show` its
 * output goes to the terminal instead; `tee` sends it there and keeps it, too.
 */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: {
    readonly show?: boolean;
    readonly tee?: boolean;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Ended> {
  const child = spawn(command, [...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: options.show === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  const keep = (terminal: NodeJS.WriteStream) => (chunk: Buffer) => {
    chunks.push(chunk);
    if (options.tee === true) terminal.write(chunk);
  };
  child.stdout?.on('data', keep(process.stdout));
  child.stderr?.on('data', keep(process.stderr));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 128));
  });
  return { code, output: Buffer.concat(chunks).toString('utf8') };
}

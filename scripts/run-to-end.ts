import { spawn } from 'node:child_process';
import { root } from './root.ts';

export interface Ended {
  /** Exit code; 128 and more where a signal ended it. */
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs a program in the project's folder, or in `cwd`, and waits for its end. With `show` its output goes to the terminal instead. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: {
    readonly show?: boolean;
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
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 128));
  });
  return { code, output: Buffer.concat(chunks).toString('utf8') };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { decodeMessage } from '../../../protocol/coap/codec.ts';
import type { CoapMessage } from '../../../protocol/coap/message.ts';
import { until } from '../../support/until.ts';

/** A program whose standard input and output are the application's data, one record a piece. */
export class DataProgram {
  readonly #process: ChildProcess;
  readonly pieces: Buffer[] = [];
  /** What it says beside. */
  said = '';

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (piece: Buffer) => this.pieces.push(piece));
    this.#process.stderr?.on('data', (piece: Buffer) => {
      this.said += piece.toString();
    });
  }

  write(data: Uint8Array): void {
    this.#process.stdin?.write(data);
  }

  /** The CoAP message that comes out of it as the piece number `at`. */
  async message(at: number): Promise<CoapMessage> {
    await until('it tells a message', () => this.pieces.length > at);
    return decodeMessage(this.pieces[at] as Buffer);
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    this.#process.kill(signal);
    await once(this.#process, 'close');
  }
}

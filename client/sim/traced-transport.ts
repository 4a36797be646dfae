import type { CardPresence, CardTransport } from './card-transport.ts';
import { toHex } from './hex.ts';
import { Transcript } from './transcript.ts';

/** A transport that tells what goes over it, in lines for a person. */
export class TracedTransport implements CardTransport {
  readonly #transport: CardTransport;
  readonly #tell: (line: string) => void;
  readonly #transcript = new Transcript();

  constructor(transport: CardTransport, tell: (line: string) => void) {
    this.#transport = transport;
    this.#tell = tell;
  }

  connect(): Promise<Uint8Array> {
    return this.#told('power up', () => this.#transport.connect());
  }

  reset(): Promise<Uint8Array> {
    return this.#told('reset', () => this.#transport.reset());
  }

  async transmit(command: Uint8Array): Promise<Uint8Array> {
    for (const line of this.#transcript.command(command)) this.#tell(line);
    try {
      const response = await this.#transport.transmit(command);
      for (const line of this.#transcript.response(command, response)) this.#tell(line);
      return response;
    } catch (error) {
      this.#tell(`✗ ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  subscribe(listener: (presence: CardPresence) => void): () => void {
    return this.#transport.subscribe?.(listener) ?? (() => {});
  }

  async #told(what: string, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    this.#tell(what);
    this.#transcript.reset();
    try {
      const atr = await work();
      this.#tell(`ATR ${toHex(atr)}`);
      return atr;
    } catch (error) {
      this.#tell(`✗ ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
  }
}

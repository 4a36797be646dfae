import type { Tally } from './tally.ts';

export interface SilenceOptions {
  /** The server's. */
  readonly host: string;
  readonly port: number;
  readonly tally: Pick<Tally, 'listen'>;
}

/** ms after which a silent server is told. */
const TOLD = 3_000;
/** ms after which nothing is hoped for any more, where something says that nobody will answer. */
const HOPELESS = 10_000;

/** For how long a server has answered nothing at all, and why. */
export class Silence {
  readonly #options: SilenceOptions;
  #since = 0;
  #errors: Readonly<Record<string, number>> = {};
  #milliseconds = 0;

  constructor(options: SilenceOptions) {
    this.#options = options;
  }

  /** Nothing was sent before; times are those of `performance.now`, ms. */
  begin(now: number): void {
    this.#options.tally.listen();
    this.#since = now;
    this.#milliseconds = 0;
  }

  /** Looks whether something came: to be called each second, or so. */
  look(now: number): void {
    const { hasHeard, errors } = this.#options.tally.listen();
    if (hasHeard) this.#since = now;
    this.#errors = errors;
    this.#milliseconds = now - this.#since;
  }

  /** One line for the user; undefined where something was answered a moment ago. */
  get told(): string | undefined {
    if (this.#milliseconds < TOLD) return undefined;
    return `nothing was answered for ${Math.floor(this.#milliseconds / 1_000)} s: ${this.#cause}`;
  }

  /** Somebody has said that nobody will answer, and nobody has for a while. */
  get isHopeless(): boolean {
    return this.#milliseconds >= HOPELESS && Object.keys(this.#errors).length > 0;
  }

  get #cause(): string {
    const { host, port } = this.#options;
    const server = `${host}:${port}`;
    const errors = Object.entries(this.#errors);
    const [worst] = errors.sort(([, one], [, other]) => other - one);
    if (worst === undefined) return `${server} is silent; are address, port and DTLS as the server has them?`;
    const [code, count] = worst;
    if (code === 'ECONNREFUSED') return `no server listens at ${server} (ECONNREFUSED ${count})`;
    if (code.startsWith('handshake')) {
      return `no DTLS with ${server} (${code} ${count}); does the server know --psk-identity and --psk-key?`;
    }
    return `the system cannot send to ${server} (${code} ${count})`;
  }
}

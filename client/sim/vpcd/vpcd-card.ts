import { connect, type Socket } from 'node:net';
import { type Clock, systemClock, type Timer } from '../../../protocol/clock.ts';
import type { CardTransport } from '../card-transport.ts';
import { type SessionEnd, VpcdSession } from './vpcd-session.ts';

/** Port of vpcd's first reader, "Virtual PCD 00 00"; the second one is the next. */
export const vpcdPort = 35_963;

/** Between two attempts to reach vpcd, and before a card that failed is put in again, ms. */
const retryTime = 1_000;
/** pcscd looks for the card several times a second; after this it is served to nobody, ms. */
const unseenTime = 5_000;

export interface VpcdCardOptions {
  /** The card to serve; it stays its owner's to close. */
  readonly card: CardTransport;
  /** Where vpcd listens. Default 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  readonly clock?: Clock;
  /** `in`: pcscd has the card in that reader; `out`: it has not, and why. */
  readonly onState?: (state: 'in' | 'out', reason: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}

/**
 * Puts a card into the virtual reader that vpcd is to pcscd, so that every PC/SC program finds it there. Waits for
 * pcscd, comes back when that was restarted, and takes the card out and puts it in again as its transport tells.
 */
export class VpcdCard {
  readonly #options: VpcdCardOptions;
  readonly #clock: Clock;
  #running = false;
  #present = true;
  #socket: Socket | undefined;
  #session: VpcdSession | undefined;
  #retry: Timer | undefined;
  #unseen: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #told = '';

  constructor(options: VpcdCardOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Idempotent. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#unsubscribe = this.#options.card.subscribe?.((state) => {
      this.#present = state === 'present';
      if (this.#present) this.#connect();
      else this.#session?.end('absent', 'the card was taken out');
    });
    this.#connect();
  }

  /** Takes the card out. Idempotent. */
  stop(): void {
    this.#running = false;
    this.#unsubscribe?.();
    this.#retry?.cancel();
    this.#unseen?.cancel();
    this.#session?.end('closed', 'stopped');
    this.#socket?.destroy();
  }

  #connect(): void {
    this.#retry?.cancel();
    if (!this.#running || !this.#present || this.#socket !== undefined) return;
    const { host = '127.0.0.1', port = vpcdPort, card, onFault } = this.#options;
    const socket = connect({ host, port });
    this.#socket = socket;
    const onFailure = (error: Error): void => this.#over('closed', error.message);
    socket.once('error', onFailure);
    socket.once('connect', () => {
      socket.off('error', onFailure);
      if (!this.#running) {
        socket.destroy();
        return;
      }
      this.#session = new VpcdSession(socket, card, this.#clock, {
        onSeen: () => {
          this.#unseen?.cancel();
          this.#tell('in', `${host}:${port}`);
        },
        onEnd: (end, reason) => this.#over(end, reason),
        onFault,
      });
      // vpcd takes one connection at a time, and the system those that wait.
      this.#unseen = this.#clock.setTimer(unseenTime, () =>
        this.#tell('out', `pcscd does not look for it: is another card in the reader at ${host}:${port}?`),
      );
    });
  }

  #over(end: SessionEnd, reason: string): void {
    this.#socket = undefined;
    this.#session = undefined;
    this.#unseen?.cancel();
    if (!this.#running) return;
    this.#tell('out', reason);
    // A card that tells when it is back is waited for; of any other it is tried.
    if (end === 'absent' && this.#options.card.subscribe !== undefined && !this.#present) return;
    this.#retry = this.#clock.setTimer(retryTime, () => this.#connect());
  }

  /** The same thing over and over is told once. */
  #tell(state: 'in' | 'out', reason: string): void {
    const text = `${state} ${reason}`;
    if (text === this.#told) return;
    this.#told = text;
    this.#options.onState?.(state, reason);
  }
}

import type { Clock } from '../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../protocol/coap/datagram-port.ts';
import { createDtlsClientPort } from '../protocol/dtls/client-port.ts';
import type { ClientCredentials, DtlsClientPort } from '../protocol/dtls/types.ts';
import type { KeptSessions } from './kept-sessions.ts';

export interface SecuredPortOptions {
  readonly port: DatagramPort;
  readonly clock: Clock;
  /** Where sessions outlive the process; undefined: they end with it. */
  readonly sessions?: KeptSessions | undefined;
  readonly onLog?: (message: string) => void;
}

/**
 * One port for servers with DTLS and without. Its sessions are kept when it is closed, where there is a place for them:
 * the modem that comes back goes on with them, without another handshake.
 */
export class SecuredPort implements DatagramPort {
  readonly #options: SecuredPortOptions;
  readonly #dtls: DtlsClientPort;
  /** What is proven to each server, by where it was found last. */
  readonly #secured = new Map<
    string,
    { readonly peer: PeerAddress; readonly credentials: ClientCredentials }
  >();
  #closing: Promise<void> | undefined;

  constructor(options: SecuredPortOptions) {
    const { port, clock, onLog } = options;
    this.#options = options;
    this.#dtls = createDtlsClientPort({
      port,
      clock,
      events: {
        onEstablished: (peer, { resumed }) =>
          onLog?.(resumed ? `DTLS session with ${peer} resumed` : `DTLS session with ${peer} established`),
        onFailed: (peer, reason, detail) =>
          onLog?.(`no DTLS session with ${peer}: ${reason}${detail === '' ? '' : `, ${detail}`}`),
        onClosed: (peer) => onLog?.(`DTLS session with ${peer} ended by the server`),
      },
    });
  }

  get local(): PeerAddress {
    return this.#dtls.local;
  }

  /**
   * From now on all that is sent there goes by DTLS. `server` names it, for a name may come to mean another address; the
   * same again changes nothing.
   */
  secure(server: string, peer: PeerAddress, credentials: ClientCredentials): void {
    const before = this.#secured.get(server);
    if (before?.peer === peer && before.credentials === credentials) return;
    if (before !== undefined && before.peer !== peer) this.#dtls.release(before.peer);
    this.#secured.set(server, { peer, credentials });
    this.#dtls.secure(peer, credentials);
    const kept = this.#options.sessions?.take(server, peer);
    if (kept === undefined) return;
    const restored = this.#dtls.restore(kept);
    this.#options.onLog?.(
      restored
        ? `the DTLS session with ${peer} goes on`
        : `the DTLS session that was kept for ${peer} does not fit`,
    );
  }

  send(data: Uint8Array, peer: PeerAddress): void {
    this.#dtls.send(data, peer);
  }

  onDatagram(handler: Parameters<DatagramPort['onDatagram']>[0]): void {
    this.#dtls.onDatagram(handler);
  }

  onError(handler: Parameters<DatagramPort['onError']>[0]): void {
    this.#dtls.onError(handler);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { sessions } = this.#options;
    if (sessions !== undefined) {
      const states = this.#dtls.suspend();
      const named = [...this.#secured].flatMap(([server, { peer }]) => {
        const state = states.find((each) => each.peer === peer);
        return state === undefined ? [] : [[server, state] as const];
      });
      sessions.keep(named);
    }
    await this.#dtls.close();
  }
}

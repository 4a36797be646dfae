import type { PeerIdentity } from '../../protocol/coap/datagram-port.ts';
import type { DtlsServerPort } from '../../protocol/dtls/types.ts';
import type { SessionHolder, SessionStore } from '../ports/session-store.ts';

const SERVICE = 'session-ends';

/** What is needed of the calls between nodes. */
export interface EndCalls {
  tellAll(service: string, method: string, args: readonly unknown[]): Promise<void>;
  serve(service: string, handlers: Readonly<Record<string, (args: readonly unknown[]) => unknown>>): void;
}

export interface SessionEndsOptions {
  readonly store: Pick<SessionStore, 'of' | 'remove'>;
  /** Where there are other nodes. */
  readonly rpc?: EndCalls | undefined;
}

/** Ends the sessions of a credential that is good no more, wherever they are. */
export class SessionEnds {
  readonly #options: SessionEndsOptions;
  readonly #ports = new Map<SessionHolder['account'], Pick<DtlsServerPort, 'endSessions'>>();

  constructor(options: SessionEndsOptions) {
    this.#options = options;
    options.rpc?.serve(SERVICE, {
      end: ([account, kind, name]) => this.#endHere({ account, identity: { kind, name } } as SessionHolder),
    });
  }

  /** Sessions of that account are at this port. */
  attach(account: SessionHolder['account'], port: Pick<DtlsServerPort, 'endSessions'>): void {
    this.#ports.set(account, port);
  }

  /**
   * Ends them here, in the store, and at the other nodes; one that does not hear of it loses the session at its next
   * reservation. @throws StoreUnavailableError: those in the store are there still
   */
  async end(holder: SessionHolder): Promise<void> {
    const { store } = this.#options;
    await this.#endAll(holder);
    const places = await store.of(holder);
    if (places.length === 0) return;
    await Promise.all(places.map(({ id }) => store.remove(id)));
    // One that was being taken over meanwhile was neither in memory nor in the store.
    await this.#endAll(holder);
  }

  async #endAll(holder: SessionHolder): Promise<void> {
    const { account, identity } = holder;
    this.#endHere(holder);
    await this.#options.rpc?.tellAll(SERVICE, 'end', [account, identity.kind, identity.name]);
  }

  #endHere({ account, identity }: SessionHolder): void {
    const { kind, name } = identity;
    this.#ports.get(account)?.endSessions((peer: PeerIdentity) => peer.kind === kind && peer.name === name);
  }
}

import { existsSync, unlinkSync } from 'node:fs';
import type { PeerAddress } from '../protocol/coap/datagram-port.ts';
import type { ClientResumption, ClientSessionState } from '../protocol/dtls/types.ts';
import type { AtomicFile } from './atomic-file.ts';

/** Bytes are base64 in the file. */
interface StoredSession {
  readonly server: string;
  readonly suite: number;
  readonly keys: readonly [client: string, server: string];
  readonly serverConnectionId?: string;
  readonly ownConnectionId?: string;
  readonly returnRoutability: boolean;
  readonly nextSequence: number;
  readonly window: { readonly highest: number; readonly seen: string };
  readonly resumption?: { readonly sessionId: string; readonly masterSecret: string; readonly suite: number };
}

/**
 * DTLS sessions in a file, for the next start. It is removed when it is read, before one of them is used: a modem that is
 * killed must not go on twice with the same sequence numbers (RFC 5288 §3: a nonce that repeats gives the key away).
 */
export class KeptSessions {
  readonly #file: AtomicFile;
  readonly #sessions: Map<string, StoredSession>;

  /** Reads the file, and removes it. @throws StateFileError it is none of ours */
  constructor(file: AtomicFile) {
    this.#file = file;
    const stored = file.readJson('file of DTLS sessions', ({ sessions }) =>
      Array.isArray(sessions) ? (sessions as StoredSession[]) : undefined,
    );
    this.#sessions = new Map((stored ?? []).map((session) => [session.server, session]));
    if (existsSync(file.path)) {
      // On disk before it is gone: the rename of an empty one is, an unlink need not be.
      file.write('{"sessions":[]}');
      unlinkSync(file.path);
    }
  }

  /** The session with that server, once. */
  take(server: string, peer: PeerAddress): ClientSessionState | undefined {
    const stored = this.#sessions.get(server);
    if (stored === undefined) return undefined;
    this.#sessions.delete(server);
    const { suite, keys, returnRoutability, nextSequence, window, resumption } = stored;
    return {
      peer,
      suite,
      keys: { client: bytes(keys[0]), server: bytes(keys[1]) },
      ...(stored.serverConnectionId === undefined
        ? {}
        : { serverConnectionId: bytes(stored.serverConnectionId) }),
      ...(stored.ownConnectionId === undefined ? {} : { ownConnectionId: bytes(stored.ownConnectionId) }),
      returnRoutability,
      nextSequence,
      window: { highest: window.highest, seen: bytes(window.seen) },
      ...(resumption === undefined ? {} : { resumption: resumptionOf(resumption) }),
    };
  }

  /** Sessions that nothing is sent with here any more. */
  keep(sessions: readonly (readonly [server: string, state: ClientSessionState])[]): void {
    if (sessions.length === 0) return;
    const stored = sessions.map(
      ([server, state]): StoredSession => ({
        server,
        suite: state.suite,
        keys: [text(state.keys.client), text(state.keys.server)],
        ...(state.serverConnectionId === undefined
          ? {}
          : { serverConnectionId: text(state.serverConnectionId) }),
        ...(state.ownConnectionId === undefined ? {} : { ownConnectionId: text(state.ownConnectionId) }),
        returnRoutability: state.returnRoutability,
        nextSequence: state.nextSequence,
        window: { highest: state.window.highest, seen: text(state.window.seen) },
        ...(state.resumption === undefined
          ? {}
          : {
              resumption: {
                sessionId: text(state.resumption.sessionId),
                masterSecret: text(state.resumption.masterSecret),
                suite: state.resumption.suite,
              },
            }),
      }),
    );
    this.#file.write(JSON.stringify({ sessions: stored }));
  }
}

function resumptionOf(stored: NonNullable<StoredSession['resumption']>): ClientResumption {
  return {
    sessionId: bytes(stored.sessionId),
    masterSecret: bytes(stored.masterSecret),
    suite: stored.suite,
  };
}

function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

function text(of: Uint8Array): string {
  return Buffer.from(of).toString('base64');
}

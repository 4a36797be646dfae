import { SEQUENCE_BLOCK, type SessionKeeper, type SessionState } from '../../../protocol/dtls/types.ts';

/** A store of sessions in memory, as several servers would share one. */
export class MemoryKeeper implements SessionKeeper {
  readonly states = new Map<string, SessionState>();
  /** Calls, in order, as text. */
  readonly calls: string[] = [];
  /** While set, every call rejects with it. */
  failure: Error | undefined;
  /** While set, what is created is kept, and the answer is lost. */
  lost: Error | undefined;
  /** While set, calls wait for it. */
  gate: Promise<void> | undefined;

  async created(state: SessionState): Promise<boolean> {
    await this.#called('created', state.id);
    const key = keyOf(state.id);
    if ((this.states.get(key)?.fence ?? state.fence) !== state.fence) return false;
    // The window is in memory alone while somebody owns the session.
    this.states.set(key, copy(state, false));
    if (this.lost === undefined) return true;
    throw this.lost;
  }

  async reserve(id: Uint8Array, fence: number, upTo: number): Promise<boolean> {
    await this.#called(`reserve ${upTo}`, id);
    const state = this.states.get(keyOf(id));
    if (state === undefined || state.fence !== fence) return false;
    this.states.set(keyOf(id), { ...state, reservedTo: upTo });
    return true;
  }

  async read(id: Uint8Array): Promise<SessionState | undefined> {
    await this.#called('read', id);
    const state = this.states.get(keyOf(id));
    return state === undefined ? undefined : copy(state, false);
  }

  async takeOver(id: Uint8Array, fence: number, needsWindow: boolean): Promise<SessionState | undefined> {
    await this.#called('takeOver', id);
    const state = this.states.get(keyOf(id));
    if (state === undefined || state.fence !== fence || (needsWindow && state.window === undefined)) {
      return undefined;
    }
    const taken = {
      ...copy(state, true),
      fence: fence + 1,
      nextSequence: state.reservedTo,
      reservedTo: state.reservedTo + SEQUENCE_BLOCK,
    };
    this.states.set(keyOf(id), copy(taken, false));
    return taken;
  }

  async ended(id: Uint8Array, fence: number): Promise<void> {
    await this.#called('ended', id);
    if (this.states.get(keyOf(id))?.fence === fence) this.states.delete(keyOf(id));
  }

  async evicted(state: SessionState): Promise<void> {
    await this.#called('evicted', state.id);
    this.save([state]);
  }

  /** What a clean end does with what `suspend` gives. */
  save(states: readonly SessionState[]): void {
    for (const state of states) {
      if (this.states.get(keyOf(state.id))?.fence === state.fence) {
        this.states.set(keyOf(state.id), copy(state, true));
      }
    }
  }

  async #called(what: string, id: Uint8Array): Promise<void> {
    this.calls.push(`${what} ${keyOf(id)}`);
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
  }
}

function keyOf(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}

function copy(state: SessionState, withWindow: boolean): SessionState {
  const { window, ...rest } = state;
  const keys = { client: state.keys.client.slice(), server: state.keys.server.slice() };
  return { ...rest, keys, ...(withWindow && window !== undefined && { window }) };
}

import { randomInt } from 'node:crypto';
import { Encoder } from 'cbor-x';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { type NodeBus, NodeUnreachableError } from '../ports/cluster-ports.ts';
import { StoreUnavailableError } from '../ports/errors.ts';
import { receivedError, type SentError, sentError } from './rpc-errors.ts';

/** Of the time that a caller gives, who is asked has so much less, ms: the answer is on its way back. At most a tenth. */
const WAY_BACK = 250;
/** An asker gives up so long before his own caller does, ms: that one hears who did not answer. */
const TO_TELL = 50;
/** What cannot be read is logged at most this often, ms. */
const UNREADABLE_EVERY = 60_000;

/** What whoever is asked knows of the call. */
export interface IncomingCall {
  /** The node that asks. */
  readonly from: string;
  /** ms that are left when it arrives. */
  readonly timeout: number;
  /** Aborts when the asker gives up. */
  readonly signal: AbortSignal;
}

type Handler = (args: readonly unknown[], call: IncomingCall) => unknown;

export interface CallOptions {
  /** ms */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

interface Call {
  readonly kind: 'call' | 'tell';
  /** Of the asker; absent of what is told. */
  readonly id?: number;
  readonly service: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly timeout?: number;
}

type Answer = { readonly value: unknown } | { readonly error: SentError };

export interface RpcOptions {
  readonly bus: NodeBus;
  /** Name of this node. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Calls between nodes: services by name, their methods, arguments and answers as CBOR, errors as what they are. */
export class Rpc {
  readonly #options: RpcOptions;
  readonly #services = new Map<string, Readonly<Record<string, Handler>>>();
  /** Calls of other nodes that are under way here, by `node id`. */
  readonly #serving = new Map<string, AbortController>();
  readonly #codec = new Encoder({ useRecords: false, tagUint8Array: false });
  #unreadable = 0;
  /** `Clock.now` */
  #tellUnreadableAt = Number.NEGATIVE_INFINITY;
  /** Begins anywhere: what the process that had this node's name before has under way elsewhere is none of this one's. */
  #lastId = randomInt(2 ** 32);

  constructor(options: RpcOptions) {
    this.#options = options;
  }

  /** Listens from then on. @throws StoreUnavailableError */
  open(): Promise<void> {
    return this.#options.bus.open(this.#options.node, {
      request: (body, from) => this.#requested(body, from),
      told: (body, from) => this.#told(body, from),
    });
  }

  /** What this node does for others. A handler's value goes back as it is: no Map, no Set, no function. */
  serve(service: string, handlers: Readonly<Record<string, Handler>>): void {
    if (this.#services.has(service)) throw new Error(`the service '${service}' is there already`);
    this.#services.set(service, handlers);
  }

  /**
   * @throws NodeUnreachableError the node is not there, or does not answer in time; StoreUnavailableError; the signal's
   *   reason; what the other node's handler threw, where that is an error of the house
   */
  async call(
    node: string,
    service: string,
    method: string,
    args: readonly unknown[],
    { timeout, signal }: CallOptions,
  ): Promise<unknown> {
    signal?.throwIfAborted();
    const id = ++this.#lastId;
    const body = this.#encode({
      kind: 'call',
      id,
      service,
      method,
      args,
      timeout: Math.max(1, Math.round(timeout - Math.min(WAY_BACK, timeout / 10))),
    });
    const asked = this.#options.bus.request(
      node,
      body,
      Math.max(1, timeout - Math.min(TO_TELL, timeout / 20)),
    );
    const answer = this.#decode<Answer>(
      await (signal === undefined ? asked : this.#unless(signal, asked, node, id)),
    );
    if ('error' in answer) throw receivedError(answer.error);
    return answer.value;
  }

  /** Best effort: false where nobody listens by that name. @throws StoreUnavailableError */
  tell(node: string, service: string, method: string, args: readonly unknown[]): Promise<boolean> {
    return this.#options.bus.tell(node, this.#encode({ kind: 'tell', service, method, args }));
  }

  /** Whether a process listens by that name. @throws StoreUnavailableError */
  listens(node: string): Promise<boolean> {
    // Nobody serves it, and nobody minds.
    return this.tell(node, '', 'listens', []);
  }

  /** Best effort, to all other nodes. @throws StoreUnavailableError */
  tellAll(service: string, method: string, args: readonly unknown[]): Promise<void> {
    return this.#options.bus.tellAll(this.#encode({ kind: 'tell', service, method, args }));
  }

  /** Ends what other nodes have under way here. */
  close(): void {
    for (const call of this.#serving.values()) call.abort(new NodeUnreachableError('the node is closing'));
  }

  /** Whoever gives up says so, and what is under way there ends. */
  #unless<T>(signal: AbortSignal, asked: Promise<T>, node: string, id: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        reject(signal.reason);
        this.tell(node, '', 'cancel', [id]).catch((error: unknown) => {
          this.#options.log.debug({ error, node }, 'a call was not taken back; it ends with its time');
        });
      };
      signal.addEventListener('abort', aborted, { once: true });
      const leave = (): void => signal.removeEventListener('abort', aborted);
      asked.then(
        (value) => {
          leave();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  }

  async #requested(body: Uint8Array, from: string): Promise<Uint8Array> {
    const call = this.#received(body, from);
    if (call === undefined) throw new DecodeError('a call of another node cannot be read');
    const { id = 0, service, method, args, timeout = 0 } = call;
    const key = `${from} ${id}`;
    const end = new AbortController();
    this.#serving.set(key, end);
    try {
      const handler = this.#services.get(service)?.[method];
      // A node of another version asks for what this one does not have.
      if (handler === undefined) throw new NodeUnreachableError(`this node has no '${service}.${method}'`);
      const value = await handler(args, { from, timeout, signal: end.signal });
      return this.#encode({ value });
    } catch (error) {
      // What an ended call rejects with is of no interest: the asker has given up, or hears that this node is closing.
      const sent = sentError(end.signal.aborted ? end.signal.reason : error);
      if (sent === undefined) {
        this.#options.log.error({ error, service, method, from }, 'a call of another node met a bug');
      }
      const bug = { name: 'Error', message: `node '${this.#options.node}' met a bug; its log tells of it` };
      return this.#encode({ error: sent ?? bug });
    } finally {
      this.#serving.delete(key);
    }
  }

  #told(body: Uint8Array, from: string): void {
    const { log } = this.#options;
    const call = this.#received(body, from);
    if (call === undefined) return;
    const { service, method, args } = call;
    try {
      if (service === '' && method === 'cancel') {
        this.#serving.get(`${from} ${args[0]}`)?.abort(new NodeUnreachableError('the asker has given up'));
        return;
      }
      const done = this.#services.get(service)?.[method]?.(args, { from, timeout: 0, signal: neverAborted });
      if (done instanceof Promise) done.catch((error: unknown) => this.#failed(error, service, method, from));
    } catch (error) {
      log.error({ error, from }, 'what another node told met a bug');
    }
  }

  /** Undefined for what no node of ours can have sent. */
  #received(body: Uint8Array, from: string): Call | undefined {
    try {
      const call = this.#decode<Partial<Call> | undefined>(body);
      const { service, method, args } = call ?? {};
      if (typeof service === 'string' && typeof method === 'string' && Array.isArray(args))
        return call as Call;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
    this.#unreadable++;
    const { clock, log } = this.#options;
    if (clock.now() >= this.#tellUnreadableAt) {
      log.warn({ from, messages: this.#unreadable }, 'messages on the channels of the nodes cannot be read');
      this.#tellUnreadableAt = clock.now() + UNREADABLE_EVERY;
      this.#unreadable = 0;
    }
    return undefined;
  }

  #failed(error: unknown, service: string, method: string, from: string): void {
    const { log } = this.#options;
    if (error instanceof StoreUnavailableError) {
      log.warn({ error, service, method, from }, 'what another node told was not done: the store is away');
    } else log.error({ error, service, method, from }, 'what another node told met a bug');
  }

  #encode(message: Call | Answer): Uint8Array {
    return this.#codec.encode(message);
  }

  #decode<T>(body: Uint8Array): T {
    try {
      return this.#codec.decode(body) as T;
    } catch (error) {
      throw new DecodeError('a message between nodes cannot be read', { cause: error });
    }
  }
}

const neverAborted = new AbortController().signal;

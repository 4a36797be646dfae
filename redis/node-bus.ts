import { randomInt } from 'node:crypto';
import { type NodeBus, type NodeBusHandlers, NodeUnreachableError } from '../server/ports/cluster-ports.ts';
import { StoreUnavailableError } from '../server/ports/errors.ts';
import type { RedisClient, RedisConnection } from './connection.ts';

const REQUEST = 0;
const ANSWER = 1;
const TOLD = 2;
/** Kind, id, and the length of the sender's name. */
const HEADER = 7;

interface Waiting {
  readonly node: string;
  readonly done: (body: Uint8Array) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Nodes speak by publish/subscribe: one channel for each, and one for all. On a Redis Cluster these are sharded
 * channels, so that a message goes to one master alone, and whoever sends it learns whether anybody listens.
 */
export class RedisNodeBus implements NodeBus {
  readonly #connection: RedisConnection;
  readonly #waiting = new Map<number, Waiting>();
  #subscriber: RedisClient | undefined;
  #node = '';
  /** Begins anywhere: an answer to the process that had this node's name before is none to this one. */
  #lastId = randomInt(2 ** 32);
  #closed = false;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async open(node: string, handlers: NodeBusHandlers): Promise<void> {
    if (this.#subscriber !== undefined) throw new Error('the node bus is open already');
    this.#node = node;
    const subscriber = await this.#connection.another({ shardedSubscribers: true });
    this.#subscriber = subscriber;
    const event = this.#connection.isCluster ? 'smessageBuffer' : 'messageBuffer';
    subscriber.on(event, (_channel: Buffer, message: Buffer) => this.#received(message, handlers));
    try {
      for (const channel of [this.#channelOf(node), this.#everybody]) {
        await (this.#connection.isCluster ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel));
      }
    } catch (error) {
      throw new StoreUnavailableError('Redis does not let this node listen to the others', { cause: error });
    }
  }

  async request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array> {
    this.#lastId = (this.#lastId + 1) >>> 0;
    const id = this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Uint8Array>((done, fail) => {
      this.#waiting.set(id, { node, done, fail });
      const late = `node '${node}' did not answer within ${Math.round(timeout)} ms`;
      timer = setTimeout(() => fail(new NodeUnreachableError(late)), Math.max(1, timeout));
      timer.unref();
    });
    // Whoever waits no longer, because nobody listens, is not told a second time.
    answer.catch(() => undefined);
    try {
      if ((await this.#publish(this.#channelOf(node), REQUEST, id, body)) === 0) {
        throw new NodeUnreachableError(`node '${node}' is not there`, true);
      }
      return await answer;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async tell(node: string, body: Uint8Array): Promise<boolean> {
    return (await this.#publish(this.#channelOf(node), TOLD, 0, body)) > 0;
  }

  async tellAll(body: Uint8Array): Promise<void> {
    await this.#publish(this.#everybody, TOLD, 0, body);
  }

  /** Hears nothing any more; what is asked now is given up. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscriber?.disconnect();
    for (const { fail } of this.#waiting.values()) fail(new NodeUnreachableError('this node is closing'));
    this.#waiting.clear();
  }

  get #everybody(): string {
    return this.#connection.keys.channel('nodes');
  }

  #channelOf(node: string): string {
    return this.#connection.keys.channel(`node:${node}`);
  }

  #publish(channel: string, kind: number, id: number, body: Uint8Array): Promise<number> {
    const message = encodeFrame(kind, id, this.#node, body);
    return this.#connection.call(async (client) =>
      Number(
        await (this.#connection.isCluster
          ? client.spublish(channel, message)
          : client.publish(channel, message)),
      ),
    );
  }

  #received(message: Buffer, handlers: NodeBusHandlers): void {
    if (this.#closed) return;
    const frame = decodeFrame(message);
    // Something else was published there: it is none of ours.
    if (frame === undefined) return;
    const { kind, id, from, body } = frame;
    if (kind === TOLD) {
      // Of what it tells all a node hears itself.
      if (from !== this.#node) handlers.told(body, from);
    } else if (kind === ANSWER) {
      const waiting = this.#waiting.get(id);
      if (waiting?.node === from) waiting.done(body);
    } else if (kind === REQUEST) {
      handlers
        .request(body, from)
        .then((answer) => this.#publish(this.#channelOf(from), ANSWER, id, answer))
        // The asker runs into its time limit: the store is away, or the handler told of its bug itself.
        .catch(() => undefined);
    }
  }
}

function encodeFrame(kind: number, id: number, from: string, body: Uint8Array): Buffer {
  const name = Buffer.from(from);
  const frame = Buffer.allocUnsafe(HEADER + name.length + body.length);
  frame.writeUInt8(kind, 0);
  frame.writeUInt32BE(id, 1);
  frame.writeUInt16BE(name.length, 5);
  name.copy(frame, HEADER);
  frame.set(body, HEADER + name.length);
  return frame;
}

function decodeFrame(
  message: Buffer,
): { readonly kind: number; readonly id: number; readonly from: string; readonly body: Buffer } | undefined {
  if (message.length < HEADER) return undefined;
  const end = HEADER + message.readUInt16BE(5);
  if (message.length < end) return undefined;
  return {
    kind: message.readUInt8(0),
    id: message.readUInt32BE(1),
    from: message.toString('utf8', HEADER, end),
    body: message.subarray(end),
  };
}

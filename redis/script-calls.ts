import { Command, type Redis } from 'ioredis';
import { WireBuffer } from './wire-buffer.ts';

export type ScriptArgument = string | number | Buffer;

/** Beginnings of commands that are remembered. */
const KNOWN_HEADS = 1_024;

/** A call of a script, which is written with the others of its turn: the client only waits for the answer. */
class ScriptCall extends Command {
  /** @param bytes texts of the answer come as bytes */
  constructor(bytes: boolean) {
    super('evalsha', [], { replyEncoding: bytes ? null : 'utf8' });
  }

  override toWritable(): string {
    return '';
  }
}

/**
 * Calls of scripts on a single Redis. Those of one turn of the event loop go out in one write, and while they are under
 * way the next are gathered: the client's own pipeline does that too, at several times the cost for each call.
 */
export class ScriptCalls {
  readonly #client: Redis;
  /** What EVALSHA and its script are on the wire, by script and numbers of keys and arguments. */
  readonly #heads = new Map<string, string>();
  #calls: ScriptCall[] = [];
  /** What is gathered, and what is under way. */
  #gathered = new WireBuffer();
  #sent = new WireBuffer();
  #isScheduled = false;
  #isUnderWay = false;

  constructor(client: Redis) {
    this.#client = client;
  }

  /**
   * @param hash of the script, 40 hex digits
   * @param more further keys
   * @param bytes texts of the answer come as bytes
   */
  call(
    hash: string,
    keys: readonly string[],
    more: readonly string[],
    args: readonly ScriptArgument[],
    bytes: boolean,
  ): Promise<unknown> {
    const wire = this.#gathered;
    const start = wire.length;
    try {
      wire.raw(this.#head(hash, keys.length + more.length, args.length));
      wire.keys(keys);
      wire.keys(more);
      for (let i = 0; i < args.length; i++) wire.bulk(args[i] as ScriptArgument);
    } catch (error) {
      // Half a command would be completed by the next one, and every answer be another's.
      wire.length = start;
      return Promise.reject(error);
    }
    const call = new ScriptCall(bytes);
    this.#calls.push(call);
    this.#schedule();
    return call.promise;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isUnderWay || this.#calls.length === 0) return;
    this.#isScheduled = true;
    setImmediate(this.#send);
  }

  readonly #send = (): void => {
    this.#isScheduled = false;
    const calls = this.#calls;
    const wire = this.#gathered;
    this.#calls = [];
    this.#gathered = this.#sent;
    this.#sent = wire;
    let taken = 0;
    // The client writes to it what it takes: all of them, or none where it is not connected.
    const sink = {
      write: () => {
        taken += 1;
      },
    };
    for (const call of calls) {
      this.#client.sendCommand(call, sink as unknown as Parameters<Redis['sendCommand']>[1]);
    }
    if (taken > 0) this.#client.stream.write(wire.bytes);
    this.#isUnderWay = true;
    // Answers come in order: with the last one the bytes have long been sent.
    calls.at(-1)?.promise.then(this.#goOn, this.#goOn);
  };

  readonly #goOn = (): void => {
    this.#sent.reset();
    this.#isUnderWay = false;
    this.#schedule();
  };

  #head(hash: string, keys: number, args: number): string {
    const shape = `${hash} ${keys} ${args}`;
    let head = this.#heads.get(shape);
    if (head === undefined) {
      const count = String(keys);
      head = `*${3 + keys + args}\r\n$7\r\nevalsha\r\n$40\r\n${hash}\r\n$${count.length}\r\n${count}\r\n`;
      // Lists of any length are among the arguments.
      if (this.#heads.size < KNOWN_HEADS) this.#heads.set(shape, head);
    }
    return head;
  }
}

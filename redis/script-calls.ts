import { Command, type Redis } from 'ioredis';

export type ScriptArgument = string | number | Buffer;

/** Keys whose bytes on the wire are remembered: those of all buckets, and no more than that. */
const KNOWN_KEYS = 16_384;

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
  /** What EVALSHA and its script are on the wire, by script and number of keys. */
  readonly #heads = new Map<string, string>();
  readonly #keys = new Map<string, string>();
  #calls: ScriptCall[] = [];
  #text = '';
  /** All of it is one byte for each character. */
  #isAscii = true;
  #isScheduled = false;
  #underWay = false;

  constructor(client: Redis) {
    this.#client = client;
  }

  /** @param args no bytes: what has such goes by the client */
  call(
    hash: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    bytes: boolean,
  ): Promise<unknown> {
    const call = new ScriptCall(bytes);
    this.#calls.push(call);
    let text = this.#head(hash, keys.length, args.length);
    for (const key of keys) text += this.#key(key);
    for (const arg of args) {
      const value = typeof arg === 'string' ? arg : String(arg);
      const length = Buffer.byteLength(value);
      if (length !== value.length) this.#isAscii = false;
      text += `$${length}\r\n${value}\r\n`;
    }
    this.#text += text;
    this.#schedule();
    return call.promise;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay || this.#calls.length === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const calls = this.#calls;
    const text = this.#text;
    const encoding = this.#isAscii ? 'latin1' : 'utf8';
    this.#calls = [];
    this.#text = '';
    this.#isAscii = true;
    let taken = 0;
    // It writes what it is to be written to here, where it takes the command at all: all of them, or none.
    const sink = {
      write: () => {
        taken += 1;
      },
    };
    for (const call of calls)
      this.#client.sendCommand(call, sink as unknown as Parameters<Redis['sendCommand']>[1]);
    if (taken > 0) this.#client.stream.write(text, encoding);
    this.#underWay = true;
    const goOn = (): void => {
      this.#underWay = false;
      this.#schedule();
    };
    // Answers come in order.
    calls.at(-1)?.promise.then(goOn, goOn);
  }

  #head(hash: string, keys: number, args: number): string {
    const known = this.#heads.get(`${hash} ${keys} ${args}`);
    if (known !== undefined) return known;
    const head = `*${3 + keys + args}\r\n${bulk('evalsha')}${bulk(hash)}${bulk(String(keys))}`;
    // Lists of any length are among the arguments.
    if (this.#heads.size < KNOWN_KEYS) this.#heads.set(`${hash} ${keys} ${args}`, head);
    return head;
  }

  #key(key: string): string {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const text = bulk(key);
    if (text.length !== Buffer.byteLength(text)) this.#isAscii = false;
    else if (this.#keys.size < KNOWN_KEYS) this.#keys.set(key, text);
    return text;
  }
}

/** A bulk string of the protocol of Redis. */
function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

import { EventEmitter } from 'node:events';
import type { NativeReader, PcscContext, Pcsclite } from '../../../client/sim/pcsc/pcsclite.ts';

/** An error as pcsclite 1.0.1 words it. */
export function nativeError(call: string, code: number): Error {
  return new Error(`${call} error: some words.(0x${code.toString(16).padStart(8, '0')})`);
}

/** One call of the native side that waits for its answer. */
export interface NativeCall {
  readonly call: 'connect' | 'disconnect' | 'transmit';
  readonly reader: ScriptedReader;
  readonly data: Uint8Array | undefined;
  readonly disposition: number | undefined;
}

type Answer = Uint8Array | number | undefined;

/** As pcsclite's CardReader, with what PC/SC answers told by the test. */
export class ScriptedReader extends EventEmitter {
  readonly name: string;
  connected = false;
  closed = false;
  static answer: (call: NativeCall) => Answer | Promise<Answer> = () => undefined;

  constructor(name: string) {
    super();
    this.name = name;
  }

  connect(_options: unknown, done: (error: unknown, protocol: number) => void): void {
    if (this.connected) throw new Error('pcsclite calls back without connecting');
    this.#ask({ call: 'connect', reader: this, data: undefined, disposition: undefined }, (error) => {
      this.connected = error === null;
      done(error, 1);
    });
  }

  disconnect(disposition: number, done: (error: unknown) => void): void {
    this.#ask({ call: 'disconnect', reader: this, data: undefined, disposition }, (error) => {
      if (error === null) this.connected = false;
      done(error);
    });
  }

  transmit(
    data: Buffer,
    _longest: number,
    _protocol: number,
    done: (error: unknown, response: Buffer) => void,
  ): void {
    const call = {
      call: 'transmit',
      reader: this,
      data: new Uint8Array(data),
      disposition: undefined,
    } as const;
    this.#ask(call, (error, value) => done(error, Buffer.from(value ?? [])));
  }

  close(): void {
    this.closed = true;
  }

  /** A status word of PC/SC as an answer is an error. */
  #ask(call: NativeCall, done: (error: Error | null, value?: Uint8Array) => void): void {
    Promise.resolve(ScriptedReader.answer(call)).then((answer) => {
      if (typeof answer === 'number') done(nativeError(call.call, answer));
      else done(null, answer);
    });
  }
}

/** The daemon: readers come, cards go in and out, it ends. */
export class ScriptedDaemon {
  running = true;
  readonly #contexts = new Set<EventEmitter>();
  readonly #readers: ScriptedReader[] = [];

  readonly open: Pcsclite = () => {
    if (!this.running) throw nativeError('SCardEstablishContext', 0x8010001d);
    const context = Object.assign(new EventEmitter(), { close: () => this.#contexts.delete(context) });
    this.#contexts.add(context);
    return context as unknown as PcscContext;
  };

  get contexts(): number {
    return this.#contexts.size;
  }

  plugIn(name: string): ScriptedReader {
    const reader = new ScriptedReader(name);
    this.#readers.push(reader);
    for (const context of this.#contexts) context.emit('reader', reader as unknown as NativeReader);
    return reader;
  }

  /** As pcsclite tells it: state bits, and a count of changes above them. */
  static status(reader: ScriptedReader, state: number, changes: number, atr?: Uint8Array): void {
    reader.emit('status', {
      state: state | (changes << 16),
      ...(atr === undefined ? {} : { atr: Buffer.from(atr) }),
    });
  }

  end(): void {
    this.running = false;
    for (const reader of this.#readers.splice(0))
      reader.emit('error', nativeError('SCardGetStatusChange', 0x8010001e));
    for (const context of this.#contexts)
      context.emit('error', nativeError('SCardGetStatusChange', 0x8010001e));
  }
}

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decodeMessage, encodeEmpty, encodeMessage } from '../../protocol/coap/codec.ts';
import {
  type CoapMessage,
  type CoapOption,
  Code,
  MessageType,
  OptionNumber,
} from '../../protocol/coap/message.ts';
import {
  contentFormatOption,
  locationPath,
  observe,
  pathOptions,
  queryOptions,
  uintOption,
} from '../../protocol/coap/options.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import { encodeSenmlCborPack } from '../../protocol/lwm2m/senml-pack.ts';

/**
 * What the devices do, again and again, each with one exchange under way. `register`: as one device that has its
 * address to itself; `take-over`: as many devices in turn from one address, each of which takes it from the one before.
 */
export type Work = 'echo' | 'register' | 'take-over' | 'update' | 'notify';

const nothing = new Uint8Array(0);
const sensor = new TextEncoder().encode('</>;rt="oma.lwm2m";ct="112",</1/0>,</42770/0>');
const plain = new TextEncoder().encode('</>;rt="oma.lwm2m";ct="112",</1/0>,</5/0>');
/** Devices of `take-over` take that many names in turn, so that some are new and some come back. */
const NAMES = 50;
/** ms without an answer after which a datagram is sent again. */
const RETRANSMIT = 2_000;

/**
 * One simulated device on its own socket: no retransmission timer and no state but what the work
 * needs, so that the server and not the load is the bottleneck.
 */
export class LoadDevice {
  /** Exchanges that ended well. */
  done = 0;
  retransmissions = 0;
  readonly #name: string;
  readonly #work: Work;
  readonly #readings: number;
  readonly #socket: Socket;
  #messageId = Math.floor(Math.random() * 65_536);
  #sequence = 2;
  #last: Uint8Array = nothing;
  #sentAt = 0;
  #location: string | undefined;
  #observation: Uint8Array | undefined;
  #onReady: (() => void) | undefined;
  #running = false;
  /** One exchange at a time, when it is told to. */
  #paced = false;
  /** Told how long each exchange took, ms. */
  onDone: ((elapsed: number) => void) | undefined;

  constructor(name: string, work: Work, readings: number) {
    this.#name = name;
    this.#work = work;
    this.#readings = readings;
    const lookup = (
      host: string,
      _options: unknown,
      callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
    ): void => callback(null, host, 4);
    this.#socket = createSocket({ type: 'udp4', lookup });
  }

  /** Registers where the work needs it; resolves when the device could start. */
  async open(port: number): Promise<void> {
    this.#socket.connect(port, '127.0.0.1');
    await once(this.#socket, 'connect');
    this.#socket.on('message', (data) => this.#received(data));
    this.#socket.on('error', (error) => {
      throw error;
    });
    if (['echo', 'register', 'take-over'].includes(this.#work)) return;
    const ready = new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
    this.#register(this.#name);
    await ready;
  }

  start(): void {
    this.#running = true;
    this.#next();
  }

  stop(): void {
    this.#running = false;
  }

  get isUnderWay(): boolean {
    return this.#last.length > 0;
  }

  /** One exchange of its work; false where the last one is still under way. */
  step(): boolean {
    if (this.#last.length > 0) return false;
    this.#paced = true;
    this.#running = true;
    this.#next();
    return true;
  }

  close(): void {
    this.#socket.close();
  }

  /** Sends again what has waited too long. */
  tick(now: number): void {
    if (this.#last.length > 0 && now - this.#sentAt > RETRANSMIT) {
      this.retransmissions++;
      this.#transmit(this.#last, now);
    }
  }

  #next(): void {
    if (!this.#running) {
      this.#last = nothing;
      return;
    }
    switch (this.#work) {
      case 'echo':
        this.#transmit(new Uint8Array(100).fill(64), performance.now());
        return;
      case 'register':
        this.#register(this.#name);
        return;
      case 'take-over':
        this.#register(`${this.#name}-${this.done % NAMES}`);
        return;
      case 'update':
        this.#send(Code.POST, pathOptions(this.#location ?? '/rd'), nothing);
        return;
      case 'notify':
        this.#notify();
    }
  }

  #register(name: string): void {
    const options = [
      ...pathOptions('/rd'),
      contentFormatOption(ContentFormat.LINK_FORMAT),
      ...queryOptions([`ep=${name}`, 'lt=86400', 'lwm2m=1.1', 'b=U']),
    ];
    this.#send(Code.POST, options, this.#work === 'notify' ? sensor : plain);
  }

  /** A pack of readings that end now, one per millisecond. */
  #notify(): void {
    const end = (performance.timeOrigin + performance.now()) / 1000;
    const times = Array.from({ length: this.#readings }, (_, index) => end - (this.#readings - index) / 1000);
    // Paced, a reading is its own number: who listens can tell whether one is missing.
    const values = this.#paced ? [this.done + 0.5] : times.map((time) => Math.sin(time));
    this.#sequence = (this.#sequence + 1) & 0xff_ff_ff;
    const options = [
      uintOption(OptionNumber.OBSERVE, this.#sequence),
      contentFormatOption(ContentFormat.SENML_CBOR),
    ];
    const payload = encodeSenmlCborPack('/42770/0/2', times, values);
    this.#send(Code.CONTENT, options, payload, this.#observation);
  }

  #send(code: number, options: readonly CoapOption[], payload: Uint8Array, token?: Uint8Array): void {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    const message: CoapMessage = {
      type: MessageType.CON,
      code,
      messageId: this.#messageId,
      token: token ?? new Uint8Array([this.#messageId >> 8, this.#messageId & 255]),
      options,
      payload,
    };
    this.#transmit(encodeMessage(message), performance.now());
  }

  #transmit(data: Uint8Array, now: number): void {
    this.#last = data;
    this.#sentAt = now;
    this.#socket.send(data);
  }

  #received(data: Uint8Array): void {
    if (this.#work === 'echo') {
      this.done++;
      this.#next();
      return;
    }
    const message = decodeMessage(data);
    if (message.code > 0 && message.code < 0x20) {
      this.#asked(message);
      return;
    }
    if (message.type !== MessageType.ACK || message.messageId !== this.#messageId) return;
    if (message.code >> 5 > 2)
      throw new Error(`${this.#name}: the server answered ${message.code.toString(16)}`);
    if (!this.#running) {
      this.#last = nothing;
      if (message.code === Code.CREATED) this.#location = `/${locationPath(message.options).join('/')}`;
      if (this.#work === 'update') this.#onReady?.();
      return;
    }
    this.done++;
    this.onDone?.(performance.now() - this.#sentAt);
    if (this.#paced) this.#running = false;
    this.#next();
  }

  /** A request of the server: Observe is accepted, anything else is not found here. */
  #asked(request: CoapMessage): void {
    const accepted = observe(request.options) === 0;
    const response: CoapMessage = {
      type: MessageType.ACK,
      code: accepted ? Code.CONTENT : Code.NOT_FOUND,
      messageId: request.messageId,
      token: request.token,
      options: accepted
        ? [uintOption(OptionNumber.OBSERVE, 1), contentFormatOption(ContentFormat.SENML_CBOR)]
        : [],
      payload: accepted ? encodeSenmlCborPack('/42770/0/2', [Date.now() / 1000], [0]) : nothing,
    };
    this.#socket.send(
      request.type === MessageType.CON
        ? encodeMessage(response)
        : encodeEmpty(MessageType.RST, request.messageId),
    );
    if (accepted) {
      this.#observation = request.token;
      this.#onReady?.();
    }
  }
}

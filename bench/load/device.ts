import { randomInt } from 'node:crypto';
import { decodeMessage, encodeEmpty, encodeMessage, readHeader } from '../../protocol/coap/codec.ts';
import {
  type CoapMessage,
  type CoapOption,
  Code,
  MessageType,
  OptionNumber,
} from '../../protocol/coap/message.ts';
import {
  accept,
  contentFormatOption,
  locationPath,
  observe,
  pathOptions,
  queryOptions,
  uintOption,
  uriPath,
} from '../../protocol/coap/options.ts';
import { defaultParameters } from '../../protocol/coap/parameters.ts';
import { supportedContentFormats } from '../../protocol/lwm2m/content.ts';
import { ContentFormat } from '../../protocol/lwm2m/content-format.ts';
import type { Link } from './link.ts';
import { ReadingPack } from './reading-pack.ts';
import type { Tally, Work } from './tally.ts';

const { ackRandomFactor, maxRetransmit } = defaultParameters;
const nothing = new Uint8Array(0);
/** Devices of `take-over` take that many names in turn, so that some are new and some come back. */
const NAMES = 50;
/** Works in which a device registers. */
const registering: ReadonlySet<Work> = new Set(['register', 'come-and-go', 'take-over']);
/** ms within which a server observes who has registered; after that the device registers anew. */
const OBSERVED_WITHIN = 5_000;
/** Of a datagram that is nothing but echoed. */
const ECHO_BYTES = 100;

export interface DeviceOptions {
  readonly name: string;
  readonly link: Link;
  /** Where what it does is counted. */
  readonly tally: Tally;
  /** What its Register lists (RFC 6690). */
  readonly links: string;
  /** The resource that it reports: `/42770/0/2`. */
  readonly resource: string;
  /** Readings in a pack. */
  readonly readings: number;
  /** CON or NON. */
  readonly confirmable: boolean;
  /** s */
  readonly lifetime: number;
  /** Sent values count up, so that who listens can tell whether one is missing; else they are a wave. */
  readonly numbered: boolean;
  /** ACK_TIMEOUT of RFC 7252 §4.8, ms. */
  readonly ackTimeout: number;
  readonly random: () => number;
}

/** What it waits for an answer to. */
interface Exchange {
  readonly work: Work;
  readonly message: CoapMessage | undefined;
  readonly data: Uint8Array;
  readonly begun: number;
  /** When it is sent again; a response that was promised by an empty ACK is waited for until then. */
  deadline: number;
  timeout: number;
  attempts: number;
}

/**
 * One simulated device with one exchange of its own under way at a time (NSTART, RFC 7252 §4.7). It has no timer: who
 * owns it calls `tick`. It answers Observe and Read of its resource in the format asked for.
 */
export class SimulatedDevice {
  readonly #options: DeviceOptions;
  readonly #packs = new Map<number, ReadingPack>();
  /**
   * Begins elsewhere in each run, whatever the seed (RFC 7252 §4.4): the system may give this device the port that one had
   * a moment ago, and to a server the same ids from there are duplicates for EXCHANGE_LIFETIME.
   */
  #messageId = randomInt(0x1_00_00);
  #sequence = 2;
  #reported = 0;
  #exchange: Exchange | undefined;
  #location: readonly CoapOption[] | undefined;
  #observation: { readonly token: Uint8Array; readonly pack: ReadingPack } | undefined;
  #registeredAt = Number.NEGATIVE_INFINITY;
  #names = 0;
  /** It has nothing under way: an exchange of its own has ended, well or not, or an observation has begun. */
  onIdle: (() => void) | undefined;

  constructor(options: DeviceOptions) {
    this.#options = options;
    options.link.onData((data) => this.#received(data));
  }

  get isUnderWay(): boolean {
    return this.#exchange !== undefined;
  }

  get isRegistered(): boolean {
    return this.#location !== undefined;
  }

  get isObserved(): boolean {
    return this.#observation !== undefined;
  }

  /** It has registered just now, and the server may still observe it. */
  mayBeObserved(now: number): boolean {
    return this.#location !== undefined && now < this.#registeredAt + OBSERVED_WITHIN;
  }

  /** The endpoint name. */
  get name(): string {
    return this.#options.name;
  }

  /** Begins an exchange; false where it cannot, because one is under way or what the work needs is not there. */
  step(work: Work, now: number): boolean {
    if (this.#exchange !== undefined) return false;
    switch (work) {
      case 'echo':
        this.#begin(work, undefined, new Uint8Array(ECHO_BYTES).fill(64), now);
        return true;
      case 'register':
        this.#register(work, this.#options.name, now);
        return true;
      case 'come-and-go':
        if (this.#location === undefined) this.#register(work, `${this.#options.name}-${this.#names++}`, now);
        else this.#request(work, Code.DELETE, this.#location, nothing, now);
        return true;
      case 'take-over':
        this.#register(work, `${this.#options.name}-${this.#names++ % NAMES}`, now);
        return true;
      case 'update':
        if (this.#location === undefined) return false;
        this.#request(work, Code.POST, this.#location, nothing, now);
        return true;
      case 'deregister':
        if (this.#location === undefined) return false;
        this.#request(work, Code.DELETE, this.#location, nothing, now);
        return true;
      case 'send': {
        if (this.#location === undefined) return false;
        const pack = this.#packOf(ContentFormat.SENML_CBOR);
        const options = [...pathOptions('/dp'), contentFormatOption(pack.format)];
        this.#request(work, Code.POST, options, pack.next(wallTime(now), this.#value()), now);
        return true;
      }
      case 'notify':
        return this.#notify(now);
    }
  }

  /** Sends again what has waited too long (RFC 7252 §4.2), and gives up after the last time. */
  tick(now: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined || now < exchange.deadline) return;
    const { tally, link } = this.#options;
    if (exchange.attempts > maxRetransmit) {
      tally.failed(exchange.work, 'no answer');
      this.#end();
      return;
    }
    exchange.attempts++;
    exchange.timeout *= 2;
    exchange.deadline = now + exchange.timeout;
    tally.retransmitted(exchange.work, exchange.attempts - 1);
    link.send(exchange.data);
  }

  /** What is under way is not waited for any more. */
  giveUp(): void {
    if (this.#exchange !== undefined) this.#options.tally.failed(this.#exchange.work, 'no answer');
    this.#exchange = undefined;
  }

  close(): void {
    this.#options.link.close();
  }

  #value(): number {
    this.#reported++;
    return this.#options.numbered ? this.#reported - 0.5 : Math.sin(this.#reported / 10) * 20;
  }

  #packOf(format: number): ReadingPack {
    let pack = this.#packs.get(format);
    if (pack === undefined) {
      pack = new ReadingPack(this.#options.resource, format, this.#options.readings);
      this.#packs.set(format, pack);
    }
    return pack;
  }

  #register(work: Work, name: string, now: number): void {
    const { lifetime, links } = this.#options;
    const options = [
      ...pathOptions('/rd'),
      contentFormatOption(ContentFormat.LINK_FORMAT),
      ...queryOptions([`ep=${name}`, `lt=${lifetime}`, 'lwm2m=1.1', 'b=U']),
    ];
    this.#request(work, Code.POST, options, new TextEncoder().encode(links), now);
  }

  #notify(now: number): boolean {
    const observation = this.#observation;
    if (observation === undefined) return false;
    const { confirmable, tally, link } = this.#options;
    this.#sequence = (this.#sequence + 1) & 0xff_ff_ff;
    const message: CoapMessage = {
      type: confirmable ? MessageType.CON : MessageType.NON,
      code: Code.CONTENT,
      messageId: this.#nextId(),
      token: observation.token,
      options: [
        uintOption(OptionNumber.OBSERVE, this.#sequence),
        contentFormatOption(observation.pack.format),
      ],
      payload: observation.pack.next(wallTime(now), this.#value()),
    };
    const data = encodeMessage(message);
    if (confirmable) {
      this.#begin('notify', message, data, now);
    } else {
      link.send(data);
      tally.done('notify', Number.NaN);
    }
    return true;
  }

  #request(work: Work, code: number, options: readonly CoapOption[], payload: Uint8Array, now: number): void {
    const messageId = this.#nextId();
    const token = new Uint8Array([messageId >> 8, messageId & 255]);
    const message: CoapMessage = { type: MessageType.CON, code, messageId, token, options, payload };
    this.#begin(work, message, encodeMessage(message), now);
  }

  #begin(work: Work, message: CoapMessage | undefined, data: Uint8Array, now: number): void {
    const { ackTimeout, random } = this.#options;
    const timeout = ackTimeout * (1 + random() * (ackRandomFactor - 1));
    this.#exchange = { work, message, data, begun: now, deadline: now + timeout, timeout, attempts: 1 };
    this.#options.link.send(data);
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }

  #received(data: Uint8Array): void {
    this.#options.tally.heard();
    const exchange = this.#exchange;
    if (exchange?.work === 'echo') {
      this.#succeeded(exchange);
      return;
    }
    const header = readHeader(data);
    if (header === undefined) return;
    const isReply = header.type === MessageType.ACK || header.type === MessageType.RST;
    if (isReply && header.messageId !== exchange?.message?.messageId) {
      if (header.type === MessageType.RST) this.#refused();
      return;
    }
    if (isReply && exchange?.work === 'notify') {
      if (header.type === MessageType.RST) this.#refused();
      else this.#succeeded(exchange);
      return;
    }
    const message = decodeMessage(data);
    if (message.code > 0 && message.code < 0x20) this.#asked(message);
    else if (exchange !== undefined) this.#answered(message, exchange);
  }

  /** A notification that the server does not want: it has ended the observation (RFC 7641 §3.2). */
  #refused(): void {
    this.#observation = undefined;
    // Whatever observation was on its way has come before this.
    this.#registeredAt = Number.NEGATIVE_INFINITY;
    const exchange = this.#exchange;
    this.#options.tally.failed('notify', 'reset');
    if (exchange?.work === 'notify') this.#end();
  }

  #answered(message: CoapMessage, exchange: Exchange): void {
    const request = exchange.message;
    if (request === undefined) return;
    if (message.type === MessageType.ACK && message.code === Code.EMPTY) {
      // The response comes by itself (RFC 7252 §5.2.2); it has as long as the last retransmission would have had.
      exchange.attempts = maxRetransmit + 1;
      exchange.deadline = performance.now() + this.#options.ackTimeout * 2 ** maxRetransmit;
      return;
    }
    if (message.type === MessageType.CON) {
      this.#options.link.send(encodeEmpty(MessageType.ACK, message.messageId));
    }
    if (message.type === MessageType.RST) {
      this.#options.tally.failed(exchange.work, 'reset');
      this.#end();
      return;
    }
    if (!Buffer.from(message.token).equals(request.token)) return;
    if (message.code >> 5 !== 2) {
      this.#options.tally.failed(
        exchange.work,
        `${message.code >> 5}.${String(message.code & 31).padStart(2, '0')}`,
      );
      // A registration that the server does not know any more is made anew.
      if (message.code === Code.NOT_FOUND) this.#location = undefined;
      this.#end();
      return;
    }
    if (request.code === Code.DELETE) this.#location = undefined;
    else if (registering.has(exchange.work)) {
      this.#location = pathOptions(`/${locationPath(message.options).join('/')}`);
      this.#registeredAt = performance.now();
    }
    this.#succeeded(exchange);
  }

  #succeeded(exchange: Exchange): void {
    this.#options.tally.done(exchange.work, performance.now() - exchange.begun);
    this.#end();
  }

  #end(): void {
    this.#exchange = undefined;
    this.onIdle?.();
  }

  /** A request of the server. */
  #asked(request: CoapMessage): void {
    const { link, resource, tally } = this.#options;
    tally.asked();
    const path = `/${uriPath(request.options).join('/')}`;
    const wanted = accept(request.options) ?? ContentFormat.SENML_CBOR;
    const isMine = request.code === Code.GET && (path === resource || resource.startsWith(`${path}/`));
    const answer = (
      code: number,
      options: readonly CoapOption[] = [],
      payload: Uint8Array = nothing,
    ): void => {
      const type = request.type === MessageType.CON ? MessageType.ACK : MessageType.NON;
      const messageId = type === MessageType.ACK ? request.messageId : this.#nextId();
      link.send(encodeMessage({ type, code, messageId, token: request.token, options, payload }));
    };
    if (request.code === Code.PUT || request.code === Code.POST) {
      answer(Code.CHANGED);
      return;
    }
    if (!isMine) {
      answer(Code.NOT_FOUND);
      return;
    }
    if (!supportedContentFormats.includes(wanted)) {
      answer(Code.NOT_ACCEPTABLE);
      return;
    }
    const pack = this.#packOf(wanted);
    const format = contentFormatOption(pack.format);
    const payload = pack.next(wallTime(performance.now()), 0);
    const observed = observe(request.options);
    if (observed === 0) {
      this.#observation = { token: request.token.slice(), pack };
      answer(Code.CONTENT, [uintOption(OptionNumber.OBSERVE, 1), format], payload);
      if (this.#exchange === undefined) this.onIdle?.();
      return;
    }
    if (observed === 1) this.#observation = undefined;
    answer(Code.CONTENT, [format], payload);
  }
}

/** ms since the epoch, of a time of `performance.now`. */
function wallTime(now: number): number {
  return performance.timeOrigin + now;
}

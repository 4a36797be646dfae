import { lifetimesOf } from '../../protocol/coap/lifetimes.ts';
import { type CoapMessage, Code, MessageType, OptionNumber } from '../../protocol/coap/message.ts';
import { hasOption, uriPath } from '../../protocol/coap/options.ts';
import { defaultParameters } from '../../protocol/coap/parameters.ts';
import { Direction } from '../../protocol/coap/tapped-port.ts';
import { formatToken } from '../../protocol/coap/token.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';
import type { CapturedMessage } from './captured-message.ts';

const { exchangeLifetime, nonLifetime } = lifetimesOf(defaultParameters);
/** Exchanges that are remembered. */
const KEPT = 512;
/**
 * A confirmable message that comes again sooner was doubled on its way: a device waits for its ACK_TIMEOUT, 2 s where
 * nobody has changed it, before it sends again. ms
 */
const SHORTEST_RETRANSMISSION = 1_000;

/** What a message is to those before it. */
export interface Annotation {
  /** Of a request; of a response that of its request. */
  readonly path?: string;
  /** The request that it answers, where that is known. */
  readonly request?: CoapMessage;
  /** The how manieth time that it is sent again. */
  readonly retransmission?: number;
  /** The same message once more, other than by a retransmission. */
  readonly duplicate?: true;
  /** Id of the request that it answers, or of the message that it acknowledges: of its first transmission. */
  readonly answers?: number;
  /** ms since that. */
  readonly elapsed?: number;
}

/** A message that has a message id of its own, CON or NON, with its repetitions. */
interface Sent {
  readonly first: CapturedMessage;
  readonly annotation: Annotation;
  newest: number;
  retransmissions: number;
  answered: boolean;
}

interface Reply {
  readonly captured: CapturedMessage;
  readonly to: Sent | undefined;
}

/**
 * Finds in the messages of one device what belongs together: requests and responses by their tokens, messages and
 * acknowledgements by their message ids (RFC 7252 §4, §5.3.2), and what is there again.
 */
export class Conversation {
  readonly #sent = new RecentMap<string, Sent>(KEPT);
  readonly #requests = new RecentMap<string, Sent>(KEPT);
  readonly #replies = new RecentMap<string, Reply>(KEPT);
  /** Paths of observations, by token. */
  readonly #observed = new RecentMap<string, string>(KEPT);
  readonly #pathOfToken: (token: string) => string | undefined;

  /** @param pathOfToken of observations that were made before the first message that is kept */
  constructor(pathOfToken: (token: string) => string | undefined = () => undefined) {
    this.#pathOfToken = pathOfToken;
  }

  /** Takes the next message. */
  add(captured: CapturedMessage): Annotation {
    const { message } = captured;
    if (message === undefined) return {};
    const { type } = message;
    return type === MessageType.ACK || type === MessageType.RST
      ? this.#reply(captured, message)
      : this.#message(captured, message);
  }

  #message(captured: CapturedMessage, message: CoapMessage): Annotation {
    const { direction, time } = captured;
    const key = `${direction} ${message.messageId}`;
    const lifetime = message.type === MessageType.CON ? exchangeLifetime : nonLifetime;
    const known = this.#sent.get(key);
    if (known !== undefined && time - known.first.time < lifetime && isSame(known.first, captured)) {
      const again = this.#again(known, captured, message.type);
      known.newest = time;
      return again;
    }
    const annotation =
      message.code >> 5 === 0 ? requestAnnotation(message) : this.#response(captured, message);
    const sent = { first: captured, annotation, newest: time, retransmissions: 0, answered: false };
    this.#sent.set(key, sent);
    if (message.code >> 5 === 0 && message.code !== Code.EMPTY) {
      const token = formatToken(message.token);
      this.#requests.set(`${direction} ${token}`, sent);
      if (annotation.path !== undefined && hasOption(message.options, OptionNumber.OBSERVE)) {
        this.#observed.set(token, annotation.path);
      }
    }
    return annotation;
  }

  #again(known: Sent, { direction, time }: CapturedMessage, type: MessageType): Annotation {
    const { elapsed: _, ...annotation } = known.annotation;
    const isRetransmission =
      type === MessageType.CON &&
      (direction === Direction.OUT || time - known.newest >= SHORTEST_RETRANSMISSION);
    return isRetransmission
      ? { ...annotation, retransmission: ++known.retransmissions }
      : { ...annotation, duplicate: true };
  }

  /** A response in a message of its own: a separate one, or a notification. */
  #response({ direction, time }: CapturedMessage, message: CoapMessage): Annotation {
    const token = formatToken(message.token);
    const request = this.#requests.get(`${opposite(direction)} ${token}`);
    if (request === undefined) {
      const path = this.#observed.get(token) ?? this.#pathOfToken(token);
      if (path !== undefined) this.#observed.set(token, path);
      return path === undefined ? {} : { path };
    }
    const about = aboutRequest(request);
    // What comes after the answer is a notification.
    if (request.answered) return about;
    request.answered = true;
    return { ...about, answers: request.first.id, elapsed: since(request.first, time) };
  }

  #reply(captured: CapturedMessage, message: CoapMessage): Annotation {
    const { direction, time } = captured;
    const known = this.#sent.get(`${opposite(direction)} ${message.messageId}`);
    const to = known !== undefined && time - known.first.time < exchangeLifetime ? known : undefined;
    const key = `${direction} ${message.messageId}`;
    const before = this.#replies.get(key);
    this.#replies.set(key, { captured, to });
    if (to === undefined) return {};
    const about = message.code === Code.EMPTY ? pathOf(to) : aboutRequest(to);
    if (message.code !== Code.EMPTY) to.answered = true;
    if (before?.to === to && isSame(before.captured, captured)) {
      return { ...about, answers: to.first.id, duplicate: true };
    }
    return { ...about, answers: to.first.id, elapsed: since(to.first, time) };
  }
}

function opposite(direction: Direction): Direction {
  return direction === Direction.IN ? Direction.OUT : Direction.IN;
}

function isSame(a: CapturedMessage, b: CapturedMessage): boolean {
  return a.size === b.size && a.data.every((byte, at) => byte === b.data[at]);
}

/** To the microsecond. */
function since({ time }: CapturedMessage, now: number): number {
  return Math.round((now - time) * 1000) / 1000;
}

function pathOf({ annotation: { path } }: Sent): Annotation {
  return path === undefined ? {} : { path };
}

function aboutRequest(sent: Sent): Annotation {
  const { message } = sent.first;
  return { ...pathOf(sent), ...(message === undefined ? {} : { request: message }) };
}

function requestAnnotation({ code, options }: CoapMessage): Annotation {
  if (code === Code.EMPTY) return {};
  try {
    return { path: `/${uriPath(options).join('/')}` };
  } catch (error) {
    if (error instanceof DecodeError) return {};
    throw error;
  }
}

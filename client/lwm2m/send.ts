import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { CoapEndpoint } from '../../protocol/coap/exchange.ts';
import { Code, isSuccess } from '../../protocol/coap/message.ts';
import { contentFormatOption, maxAge, pathOptions } from '../../protocol/coap/options.ts';
import { describeAnswer, isNetworkError } from './network-error.ts';
import type { PackOutcome } from './pack-transmission.ts';
import type { SealedPack } from './sealed-pack.ts';

/** What became of a Send. */
export interface SendOutcome {
  readonly shortServerId: number;
  /**
   * `accepted`: the server has it; `refused`: it declined; `unreachable`: no answer; `muted`: Mute Send is set;
   * `unregistered`: there is no registration, or the server is disabled; `unsupported`: it speaks 1.0;
   * `forbidden`: it may read nothing of it.
   */
  readonly result:
    | 'accepted'
    | 'refused'
    | 'unreachable'
    | 'muted'
    | 'unregistered'
    | 'unsupported'
    | 'forbidden';
  /** For people; empty where it was accepted. */
  readonly detail: string;
}

export type SendAnswer =
  | { readonly result: 'accepted' }
  | { readonly result: 'refused'; readonly code: Code; readonly detail: string; readonly maxAge?: number }
  | { readonly result: 'unreachable'; readonly detail: string };

/** Send, OMA-TS-LightweightM2M_Core §6.4.6: POST /dp, which the server answers when it has it. */
export async function postData(
  endpoint: CoapEndpoint,
  peer: PeerAddress,
  contentFormat: number,
  payload: Uint8Array,
): Promise<SendAnswer> {
  try {
    const response = await endpoint.request(peer, {
      code: Code.POST,
      options: [...pathOptions('/dp'), contentFormatOption(contentFormat)],
      payload,
    });
    if (isSuccess(response.code)) return { result: 'accepted' };
    const seconds = maxAge(response.options);
    return {
      result: 'refused',
      code: response.code,
      detail: describeAnswer(response),
      ...(seconds === undefined ? {} : { maxAge: seconds }),
    };
  } catch (error) {
    if (!isNetworkError(error)) throw error;
    return { result: 'unreachable', detail: error.message };
  }
}

/** Of a server that does not say how long it is busy, s. */
const defaultBusy = 60;
/** Before a pack that was declined is sent once more, ms: meanwhile an Update shows whether we are registered. */
const secondChance = 5_000;
/** How often that is doubled while a server declines whatever it gets: up to 320 s. */
const mostDoublings = 6;
/** 5.xx (RFC 7252 §5.9.3). */
const serverErrorClass = 5;

/** Packs of readings by Send. */
export class PackSend {
  readonly #post: (pack: SealedPack) => Promise<SendAnswer>;
  readonly #doubt: () => void;
  readonly #fault: (error: unknown) => void;
  /** Packs that were declined once. */
  readonly #declined = new WeakSet<SealedPack>();
  /** Packs in a row that were declined. */
  #refusals = 0;

  /** `doubt` is called when the server may not know us any more. */
  constructor(
    post: (pack: SealedPack) => Promise<SendAnswer>,
    doubt: () => void,
    fault: (error: unknown) => void,
  ) {
    this.#post = post;
    this.#doubt = doubt;
    this.#fault = fault;
  }

  /**
   * A pack is kept and sent again as the same bytes until the server has it. One that the server declines
   * twice, although we are registered, it will never take: it is given up, so that others get through; more and
   * more seldom where it declines them all.
   */
  readonly transmit = (pack: SealedPack, done: (outcome: PackOutcome) => void): void => {
    this.#post(pack).then((answer) => done(this.#judge(pack, answer)), this.#fault);
  };

  #judge(pack: SealedPack, answer: SendAnswer): PackOutcome {
    if (answer.result === 'accepted') {
      this.#refusals = 0;
      return { kind: 'delivered' };
    }
    if (answer.result === 'refused' && isBusy(answer.code)) {
      return { kind: 'returned', wait: (answer.maxAge ?? defaultBusy) * 1_000 };
    }
    if (answer.result === 'unreachable') {
      this.#doubt();
      return { kind: 'returned' };
    }
    if (this.#declined.has(pack)) return { kind: 'refused' };
    this.#doubt();
    this.#declined.add(pack);
    const wait = secondChance * 2 ** Math.min(this.#refusals++, mostDoublings);
    return { kind: 'returned', wait };
  }
}

/** What the server will take at another time. */
function isBusy(code: Code): boolean {
  return code >> 5 === serverErrorClass || code === Code.TOO_MANY_REQUESTS;
}

import { type CoapMessage, Code, MessageType, OptionNumber } from '../../protocol/coap/message.ts';
import { Direction } from '../../protocol/coap/tapped-port.ts';
import { formatToken } from '../../protocol/coap/token.ts';
import { RecentMap } from '../lwm2m/recent-map.ts';
import type { AddressNote } from './address-notes.ts';
import type { CapturedMessage } from './captured-message.ts';

// Whose messages those at an address are. A device is known by its address alone (there is no security yet), and
// addresses change hands: behind a NAT two devices have the same one, one after the other.

/** A note with its place among the messages. */
export interface PlacedNote extends AddressNote {
  readonly id: number;
}

/** How many exchanges that name their device themselves are remembered. */
const CLAIMS = 256;
const decoder = new TextDecoder();

/**
 * A Register names its device (`ep=`), and it and its answers are that device's, whoever holds the address: so are
 * those that are refused, and those that come before the server knows what became of them.
 */
export class Claims {
  readonly #claimed = new RecentMap<string, string>(CLAIMS);

  /** The device that the message itself, or the exchange that it is part of, names. Takes messages in their order. */
  ownerOf({ direction, peer, message }: CapturedMessage): string | undefined {
    if (message === undefined) return undefined;
    const { type, messageId } = message;
    const acknowledges = type === MessageType.ACK || type === MessageType.RST;
    const token = `${peer} ${formatToken(message.token)}`;
    if (direction === Direction.IN) {
      if (acknowledges) return this.#claimed.get(`${peer} out ${messageId}`);
      const endpoint = registeredName(message);
      if (endpoint !== undefined) {
        this.#claimed.set(`${peer} in ${messageId}`, endpoint);
        this.#claimed.set(token, endpoint);
      } else if (message.code !== Code.EMPTY) {
        this.#claimed.delete(`${peer} in ${messageId}`);
        this.#claimed.delete(token);
      }
      return endpoint;
    }
    if (acknowledges) return this.#claimed.get(`${peer} in ${messageId}`);
    // A response that comes by itself, after an empty ACK.
    const endpoint = message.code >> 5 >= 2 ? this.#claimed.get(token) : undefined;
    if (endpoint !== undefined) this.#claimed.set(`${peer} out ${messageId}`, endpoint);
    else this.#claimed.delete(`${peer} out ${messageId}`);
    return endpoint;
  }
}

/** The endpoint name of a Register (OMA-TS-LightweightM2M_Core §6.2.1); undefined for anything else. */
function registeredName({ code, options }: CoapMessage): string | undefined {
  if (code !== Code.POST) return undefined;
  let name: string | undefined;
  let segments = 0;
  for (const { number, value } of options) {
    if (number === OptionNumber.URI_PATH) {
      if (++segments > 1 || decoder.decode(value) !== 'rd') return undefined;
    } else if (number === OptionNumber.URI_QUERY && name === undefined && value[0] === 0x65) {
      const query = decoder.decode(value);
      if (query.startsWith('ep=')) name = query.slice(3);
    }
  }
  return segments === 1 ? name : undefined;
}

/**
 * Of the messages at one address, those of `endpoint`. Who holds an address keeps it until another device is known
 * to be there: also after its registration has ended, so that its vain Updates are seen. The change takes place with
 * the request, or the notification, from which the server learnt of it, not with the moment at which it knew.
 *
 * @param notes about that address, in their order, those of devices that left it (`former`) among them
 * @param messages at that address, in their order
 * @param holds whether the device's registration stands at that address now, and no other device is known to be there
 */
export function messagesOf(
  endpoint: string,
  address: string,
  notes: readonly PlacedNote[],
  messages: readonly CapturedMessage[],
  holds: boolean,
): CapturedMessage[] {
  const changes = ownerChanges(address, notes, messages);
  const claims = new Claims();
  let owner = firstOwner(address, notes) ?? (notes.length === 0 && holds ? endpoint : undefined);
  let next = 0;
  return messages.filter((message) => {
    for (; (changes[next]?.from ?? Number.POSITIVE_INFINITY) <= message.id; next++) {
      owner = changes[next]?.endpoint;
    }
    return (claims.ownerOf(message) ?? owner) === endpoint;
  });
}

/** Who held the address before the first change that the notes tell of. */
function firstOwner(address: string, notes: readonly PlacedNote[]): string | undefined {
  const [first, second] = notes;
  if (first === undefined) return undefined;
  const isArrival = first.kind === 'holds' && first.peer === address;
  if (!isArrival) return first.endpoint;
  // That it was taken from somebody may become known after the arrival.
  return second?.kind === 'lost' && second.peer === address ? second.endpoint : undefined;
}

function ownerChanges(
  address: string,
  notes: readonly PlacedNote[],
  messages: readonly CapturedMessage[],
): { readonly from: number; readonly endpoint: string }[] {
  const changes: { from: number; endpoint: string }[] = [];
  for (const note of notes) {
    if (note.kind !== 'holds' || note.peer !== address) continue;
    const previous = changes.at(-1)?.from ?? Number.NEGATIVE_INFINITY;
    const before = messages.filter(({ id }) => id < note.id && id > previous);
    changes.push({ from: firstOfArrival(before) ?? note.id, endpoint: note.endpoint });
  }
  return changes;
}

/**
 * The first message of the request that told where a device is: the newest from there, with its retransmissions, and
 * its blocks.
 * @param messages at that address before it was known
 */
export function firstOfArrival(messages: readonly CapturedMessage[]): number | undefined {
  let arrival: CapturedMessage | undefined;
  for (let at = messages.length - 1; at >= 0; at--) {
    const captured = messages[at] as CapturedMessage;
    const { message } = captured;
    if (captured.direction !== Direction.IN || message === undefined) continue;
    if (message.type === MessageType.ACK || message.type === MessageType.RST) continue;
    if (arrival?.message !== undefined && !continues(arrival.message, message)) break;
    arrival = captured;
  }
  return arrival?.id;
}

/** Whether both are of the same request (by its path), or the same observation (by its token). */
function continues(a: CoapMessage, b: CoapMessage): boolean {
  if (a.code !== b.code) return false;
  if (a.code >> 5 >= 2) return formatToken(a.token) === formatToken(b.token);
  return pathBytes(a) === pathBytes(b);
}

function pathBytes({ options }: CoapMessage): string {
  return options
    .filter(({ number }) => number === OptionNumber.URI_PATH)
    .map(({ value }) => decoder.decode(value))
    .join('/');
}

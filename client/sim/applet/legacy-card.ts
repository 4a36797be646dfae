import type { Clock, Timer } from '../../../protocol/clock.ts';
import { DecodeError } from '../../../protocol/errors.ts';
import { FlowCarrier, flowCarrierNames, SwitchStatus } from '../../../protocol/flow/names.ts';
import {
  type CarrierSwitchAckPacket,
  decodePacket,
  encodePacket,
  packetLength,
} from '../../../protocol/flow/packet.ts';
import { StatusWord } from '../apdu.ts';
import type { CardSession } from '../card-session.ts';
import { CardStatusError, type CardTransport, CardTransportError } from '../card-transport.ts';
import {
  type CardAnswer,
  type CardCarrier,
  type CardEvent,
  CardRefusalError,
  type CarrierCard,
  type CurrentCarrier,
} from '../carrier-card.ts';
import { readSubscriber } from '../subscriber.ts';
import { type BearerChannel, BearerError, type ChannelOptions } from '../toolkit/bearer-channel.ts';
import { BearerType } from '../toolkit/tags.ts';
import { readIccid, unchangedNote } from './card-files.ts';
import {
  decodeLegacyAnswer,
  type LegacyAnswer,
  type LegacyDestination,
  LegacyLength,
  legacyFetch,
  legacyResponse,
  legacyStatus,
} from './legacy-apdu.ts';
import type { ReadingUplink } from './reading-uplink.ts';

/** The applet is polled so often, ms: about three times a second, as the system did that it comes from. */
const pollInterval = 333;
/** Datagrams from the network that wait for the next poll; more are dropped, as UDP may. */
const inboxLimit = 8;
const bearer = { type: BearerType.DEFAULT, parameters: new Uint8Array(0) };
const bufferSize = 1024;
/** `11 SC`. */
const ackLength = 2;

export interface LegacyCardOptions {
  readonly transport: CardTransport;
  /** APDUs over that transport. */
  readonly session: CardSession;
  readonly clock: Clock;
  /** Opens a UDP channel over the modem's radio. */
  readonly openChannel: (options: ChannelOptions) => Promise<BearerChannel>;
  /** Where the channel leads; undefined: where the card says, if its answer is long enough to tell. */
  readonly gateway: LegacyDestination | undefined;
  readonly log: (message: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}

type Ack = Pick<CarrierSwitchAckPacket, 'status' | 'carrier'>;

/**
 * A card with the old carrier applet, which cannot announce anything: it is polled, does nothing by itself, and only
 * acknowledges. What it says of its carrier is shown as that; ICCID and IMSI are what its files say.
 */
export class LegacyCard implements CarrierCard, ReadingUplink {
  readonly #options: LegacyCardOptions;
  #listener: (event: CardEvent) => void = () => {};
  readonly #unsubscribe: (() => void) | undefined;
  #poll: Timer | undefined;
  #resting = false;
  #closed = false;
  #channel: BearerChannel | undefined;
  /** Where the channel leads, once that is known. */
  #destination: LegacyDestination | undefined;
  #inbox: Uint8Array[] = [];
  /** The error that polling ends with again and again is told once. */
  #trouble = '';

  constructor(options: LegacyCardOptions) {
    this.#options = options;
    this.#unsubscribe = options.transport.subscribe?.((presence) =>
      this.#listener(presence === 'present' ? 'inserted' : 'removed'),
    );
  }

  async connect(): Promise<void> {
    await this.#options.session.connect();
    this.begin();
  }

  /** Polls the card, which was powered up, from now on. */
  begin(): void {
    this.#resting = false;
    this.#schedule();
  }

  /** Leaves the card alone until `begin`: another is in the slot. */
  rest(): void {
    this.#resting = true;
    this.#poll?.cancel();
    this.#closeChannel().catch(this.#options.onFault);
  }

  /** Those that the protocol has names for: the applet has no list. */
  async carriers(): Promise<readonly CardCarrier[]> {
    return [...flowCarrierNames].map(([id, name]) => ({ id, name, iccid: undefined }));
  }

  async current(): Promise<CurrentCarrier | undefined> {
    const { session } = this.#options;
    return session.exclusive(async () => {
      const { carrier } = await this.#lastAck();
      if (carrier === FlowCarrier.DISCONNECT) return undefined;
      const carrierId = flowCarrierNames.has(carrier) ? carrier : undefined;
      return { carrierId, iccid: await readIccid(session), ...(await readSubscriber(session)) };
    });
  }

  enable(carrier: CardCarrier): Promise<CardAnswer> {
    return this.#order(carrier.id);
  }

  disable(): Promise<CardAnswer> {
    return this.#order(FlowCarrier.DISCONNECT);
  }

  async reset(): Promise<void> {
    await this.#closeChannel();
    await this.#options.session.reset();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#poll?.cancel();
    this.#unsubscribe?.();
    await this.#closeChannel();
    await this.#options.transport.close();
  }

  onChanged(listener: (event: CardEvent) => void): void {
    this.#listener = listener;
  }

  async sendReadings(packets: readonly Uint8Array[]): Promise<number> {
    const { session } = this.#options;
    let taken = 0;
    for (const packet of packets) {
      if (this.#channel === undefined) break;
      const length = LegacyLength.ACK - ackLength + packet.length;
      const answer = await session.exclusive(() => this.#exchange(packet, length));
      if (answer.kind !== 'send-data' || !(await this.#send(answer.packet))) break;
      taken++;
    }
    return taken;
  }

  async #lastAck(): Promise<Ack> {
    const { sw, data } = await this.#options.session.send(legacyStatus());
    if (sw !== StatusWord.OK) throw new CardStatusError('ask the old applet for its carrier', sw);
    return ackOf(decodeLegacyAnswer(data));
  }

  /** @throws CardRefusalError, CardStatusError, CardTransportError, DecodeError */
  async #order(target: number): Promise<CardAnswer> {
    const { session } = this.#options;
    return session.exclusive(async () => {
      const before = await readIccid(session);
      const answer = await this.#perform(target);
      const { status, carrier } = ackOf(answer);
      if (status !== SwitchStatus.ACK || carrier !== target) {
        const name = flowCarrierNames.get(carrier) ?? 'no carrier';
        throw new CardRefusalError(`the applet refused: it is on ${name}`);
      }
      // The gateway keeps up with what the modem ordered.
      await this.#send(encodePacket({ kind: 'carrier-switch-ack', status, carrier }));
      return unchangedNote('the applet', before, await readIccid(session));
    });
  }

  #perform(carrier: number): Promise<LegacyAnswer> {
    return this.#exchange(encodePacket({ kind: 'carrier-switch-perform', carrier }), LegacyLength.ACK);
  }

  /** Gives the applet a packet, and fetches what it makes of it. */
  async #exchange(packet: Uint8Array, length: number): Promise<LegacyAnswer> {
    const { session } = this.#options;
    await session.expectOk('give the old applet a packet', legacyResponse(packet));
    return this.#fetch(length);
  }

  async #fetch(length: number): Promise<LegacyAnswer> {
    const { data } = await this.#options.session.expectOk('fetch from the old applet', legacyFetch(length));
    return decodeLegacyAnswer(data);
  }

  #schedule(): void {
    const { clock, session, onFault } = this.#options;
    this.#poll?.cancel();
    if (this.#closed || this.#resting) return;
    this.#poll = clock.setTimer(pollInterval, () => {
      session
        .later(() => this.#pollOnce())
        .then(() => {
          this.#trouble = '';
        }, this.#troubled)
        .then(() => this.#schedule())
        .catch(onFault);
    });
  }

  /** The card's own troubles are told once, and polling goes on: whoever orders something next hears of them too. */
  #troubled = (error: unknown): void => {
    const known =
      error instanceof CardTransportError || error instanceof CardStatusError || error instanceof DecodeError;
    if (!known) throw error;
    if (error.message !== this.#trouble) this.#options.log(`polling the card: ${error.message}`);
    this.#trouble = error.message;
  };

  async #pollOnce(): Promise<void> {
    if (this.#closed || this.#resting) return;
    const datagram = this.#inbox.shift();
    if (datagram !== undefined) return this.#hand(datagram);
    const answer = await this.#fetch(LegacyLength.POLL);
    if (answer.kind === 'send-data') await this.#send(answer.packet);
    // A card that was opened before this modem started asks for data at once.
    else if (this.#channel === undefined) {
      await this.#open(answer.kind === 'open-channel' ? answer.destination : undefined);
    }
  }

  /** A perform of the gateway goes to the applet, and its acknowledgement back. */
  async #hand(datagram: Uint8Array): Promise<void> {
    let carrier: number;
    try {
      carrier = decodePacket(datagram, 'downstream').carrier;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#options.log(`a datagram for the card that is no perform: ${error.message}`);
      return;
    }
    const answer = await this.#perform(carrier);
    const { status } = ackOf(answer);
    if (answer.kind === 'send-data') await this.#send(answer.packet);
    this.#options.log(
      `the old applet ${status === SwitchStatus.ACK ? 'acknowledged' : 'refused'} a switch to ${
        flowCarrierNames.get(carrier) ?? (carrier === FlowCarrier.DISCONNECT ? 'Disconnect' : carrier)
      }`,
    );
    if (status !== SwitchStatus.ACK) return;
    // Whoever listens asks the card at once: not before this poll has ended.
    void this.#options.session.later(async () => {}).then(() => this.#listener('changed'));
  }

  /** Without a network there is no channel; the next poll tries again. */
  async #open(told: LegacyDestination | undefined): Promise<void> {
    const { gateway = told, openChannel } = this.#options;
    this.#destination = gateway ?? this.#destination;
    if (this.#destination === undefined) return;
    const { address, port } = this.#destination;
    let channel: BearerChannel;
    try {
      channel = await openChannel({ protocol: 'udp', destination: address, port, bearer, bufferSize });
    } catch (error) {
      if (!(error instanceof BearerError)) throw error;
      return;
    }
    if (this.#closed || this.#resting) {
      // Meanwhile: nobody would close it any more.
      await channel.close();
      return;
    }
    this.#channel = channel;
    channel.onData((bytes) => {
      if (this.#inbox.length < inboxLimit) this.#inbox.push(bytes);
    });
    channel.onDropped(() => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    // The gateway learns the address, and the carrier.
    await this.#send(encodePacket({ kind: 'carrier-switch-ack', ...(await this.#lastAck()) }));
  }

  /** False where it could not go out. @throws DecodeError what the card gave is no packet */
  async #send(bytes: Uint8Array): Promise<boolean> {
    const packet = bytes.subarray(0, packetLength(bytes, 'upstream'));
    try {
      await this.#channel?.send(packet);
    } catch (error) {
      if (!(error instanceof BearerError)) throw error;
      this.#options.log(`a packet of the card did not go out: ${error.message}`);
      return false;
    }
    return this.#channel !== undefined;
  }

  async #closeChannel(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#inbox = [];
    await channel?.close();
  }
}

/** @throws DecodeError the applet acknowledged nothing */
function ackOf(answer: LegacyAnswer): Ack {
  if (answer.kind !== 'send-data') throw new DecodeError('the old applet acknowledged nothing');
  const packet = decodePacket(answer.packet.subarray(0, packetLength(answer.packet, 'upstream')), 'upstream');
  if (packet.kind !== 'carrier-switch-ack') throw new DecodeError('the old applet acknowledged nothing');
  return { status: packet.status, carrier: packet.carrier };
}

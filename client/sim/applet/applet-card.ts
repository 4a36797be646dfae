import { FlowCarrier, SwitchStatus } from '../../../protocol/flow/names.ts';
import { encodePacket } from '../../../protocol/flow/packet.ts';
import { isOk, onChannel, StatusWord } from '../apdu.ts';
import type { CardSession } from '../card-session.ts';
import { CardStatusError, type CardTransport } from '../card-transport.ts';
import {
  type CardAnswer,
  type CardCarrier,
  type CardEvent,
  CardRefusalError,
  type CarrierCard,
  type CurrentCarrier,
} from '../carrier-card.ts';
import { readSubscriber } from '../subscriber.ts';
import {
  AppletData,
  type AppletOutcome,
  AppletPut,
  type AppletState,
  carrierAppletAid,
  decodeAppletCarriers,
  decodeAppletState,
  decodeOutcome,
  getAppletData,
  putAppletData,
} from './applet-apdu.ts';
import { readIccid, unchangedNote } from './card-files.ts';
import type { ReadingUplink } from './reading-uplink.ts';

export interface AppletCardOptions {
  readonly transport: CardTransport;
  /** APDUs over that transport, with a terminal on them that serves the card's proactive commands. */
  readonly session: CardSession;
}

/**
 * A card without eUICC whose carrier applet switches: the modem hands its own orders to the applet, and takes its
 * word for how they ended. The applet switches by itself too, when its gateway says so.
 */
export class AppletCard implements CarrierCard, ReadingUplink {
  readonly #options: AppletCardOptions;
  #carriers: readonly CardCarrier[] = [];
  #listener: (event: CardEvent) => void = () => {};
  readonly #unsubscribe: (() => void) | undefined;
  /** An order of ours is under way: the REFRESH that comes is its. */
  #ordering = false;

  constructor(options: AppletCardOptions) {
    this.#options = options;
    this.#unsubscribe = options.transport.subscribe?.((presence) =>
      this.#listener(presence === 'present' ? 'inserted' : 'removed'),
    );
  }

  async connect(): Promise<void> {
    await this.#options.session.connect();
  }

  async carriers(): Promise<readonly CardCarrier[]> {
    const listed = decodeAppletCarriers(await this.#get(AppletData.CARRIERS));
    this.#carriers = listed.map(({ id, name, iccid }) => {
      const unique = name !== '' && listed.filter((other) => other.name === name).length === 1;
      return { id, name: unique ? name : `${name || 'carrier'} (${id})`, iccid };
    });
    return this.#carriers;
  }

  async current(): Promise<CurrentCarrier | undefined> {
    const { session } = this.#options;
    return session.exclusive(async () => {
      const { carrier } = await this.#state();
      if (carrier === FlowCarrier.DISCONNECT) return undefined;
      const carrierId = this.#carriers.some(({ id }) => id === carrier) ? carrier : undefined;
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
    await this.#options.session.reset();
  }

  close(): Promise<void> {
    this.#unsubscribe?.();
    return this.#options.transport.close();
  }

  onChanged(listener: (event: CardEvent) => void): void {
    this.#listener = listener;
  }

  /** The terminal served a REFRESH, its reset included. */
  refreshed(): void {
    if (this.#ordering) return;
    // Whoever listens asks the card at once: not before what is under way on it has ended.
    void this.#options.session.later(async () => {}).then(() => this.#listener('changed'));
  }

  /** As if it had been put in again: it is reset, and asked. */
  broken(): void {
    void this.#options.session.later(async () => {}).then(() => this.#listener('inserted'));
  }

  sendReadings(packets: readonly Uint8Array[]): Promise<number> {
    const { session } = this.#options;
    return session.onApplication('the carrier applet', carrierAppletAid, async (channel) => {
      let taken = 0;
      for (const packet of packets) {
        const { sw } = await session.send(onChannel(putAppletData(AppletPut.READING, packet), channel));
        // It has no channel, or no room: it takes none now.
        if (sw === StatusWord.CONDITIONS_NOT_SATISFIED || sw === StatusWord.NOT_ENOUGH_MEMORY) break;
        if (!isOk(sw)) throw new CardStatusError('give the applet a reading', sw);
        taken++;
      }
      return taken;
    });
  }

  /** @throws CardRefusalError, CardStatusError, CardTransportError, DecodeError */
  #order(target: number): Promise<CardAnswer> {
    const { session } = this.#options;
    return session.exclusive(async () => {
      this.#ordering = true;
      try {
        const before = await readIccid(session);
        const outcome = await this.#perform(target);
        if (outcome?.status !== SwitchStatus.ACK || outcome.carrier !== target) {
          throw new CardRefusalError(`the applet refused: it is on ${this.#nameOf(outcome?.carrier)}`);
        }
        return unchangedNote('the applet', before, await readIccid(session));
      } finally {
        this.#ordering = false;
      }
    });
  }

  async #perform(carrier: number): Promise<AppletOutcome | undefined> {
    const { session } = this.#options;
    const packet = encodePacket({ kind: 'carrier-switch-perform', carrier });
    const { data } = await session.onApplication('the carrier applet', carrierAppletAid, (channel) =>
      session.expectOk('order a switch', onChannel(putAppletData(AppletPut.PERFORM, packet), channel)),
    );
    if (data.length > 0) return decodeOutcome(data);
    let state = await this.#state();
    if (state.switching) {
      // Its REFRESH was not served with the order: a reset is what it would have asked for.
      await session.reset();
      state = await this.#state();
    }
    return state.outcome;
  }

  async #state(): Promise<AppletState> {
    return decodeAppletState(await this.#get(AppletData.STATE));
  }

  async #get(what: number): Promise<Uint8Array> {
    const { session } = this.#options;
    const { data } = await session.onApplication('the carrier applet', carrierAppletAid, (channel) =>
      session.expectOk('ask the applet', onChannel(getAppletData(what), channel)),
    );
    return data;
  }

  #nameOf(carrier: number | undefined): string {
    if (carrier === undefined || carrier === FlowCarrier.DISCONNECT) return 'no carrier';
    return this.#carriers.find(({ id }) => id === carrier)?.name ?? `carrier ${carrier}`;
  }
}

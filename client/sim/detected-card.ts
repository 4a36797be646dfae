import type { Clock } from '../../protocol/clock.ts';
import { DecodeError } from '../../protocol/errors.ts';
import { StatusWord } from './apdu.ts';
import { carrierAppletAid } from './applet/applet-apdu.ts';
import { AppletCard } from './applet/applet-card.ts';
import { decodeLegacyAnswer, type LegacyDestination, legacyStatus } from './applet/legacy-apdu.ts';
import { LegacyCard } from './applet/legacy-card.ts';
import type { ReadingUplink } from './applet/reading-uplink.ts';
import type { CardSession } from './card-session.ts';
import { CardStatusError, type CardTransport } from './card-transport.ts';
import type { CardAnswer, CardCarrier, CardEvent, CarrierCard, CurrentCarrier } from './carrier-card.ts';
import type { CarrierIdStorage } from './carrier-ids.ts';
import { isdRAid } from './euicc.ts';
import type { EuiccProfiles } from './euicc-profiles.ts';
import { SimCard } from './sim-card.ts';
import type { BearerChannel, ChannelOptions } from './toolkit/bearer-channel.ts';

/** By what a card changes its carrier: the profiles of an eUICC, our applet, or the old one. */
export const carrierCardKinds = ['euicc', 'applet', 'legacy'] as const;
export type CarrierCardKind = (typeof carrierCardKinds)[number];

export interface DetectedCardOptions {
  readonly transport: CardTransport;
  /** APDUs over that transport, shared with whoever else talks to the card. */
  readonly session: CardSession;
  readonly clock: Clock;
  /** `auto`: the card is asked, each time that it is connected. */
  readonly kind: CarrierCardKind | 'auto';
  /** Where the ids of an eUICC's carriers are kept. */
  readonly ids?: CarrierIdStorage;
  /** Opens a UDP channel over the modem's radio, for a card that cannot ask for it by the toolkit. */
  readonly openChannel: (options: ChannelOptions) => Promise<BearerChannel>;
  /** Where the channel of the old applet leads. */
  readonly gateway?: LegacyDestination;
  readonly log: (message: string) => void;
  /** A bug. */
  readonly onFault: (error: unknown) => void;
}

/** A card of which only the card itself knows what it is: asked, and driven accordingly; another may be put in. */
export class DetectedCard implements CarrierCard, ReadingUplink {
  readonly #options: DetectedCardOptions;
  readonly #cards: {
    readonly euicc: SimCard;
    readonly applet: AppletCard;
    readonly legacy: LegacyCard;
  };
  #kind: CarrierCardKind;
  #listener: (event: CardEvent) => void = () => {};

  /** @throws StateFileError */
  constructor(options: DetectedCardOptions) {
    this.#options = options;
    const { kind, ids } = options;
    this.#kind = kind === 'auto' ? 'euicc' : kind;
    this.#cards = {
      euicc: new SimCard({ ...options, ...(ids === undefined ? {} : { ids }) }),
      applet: new AppletCard(options),
      legacy: new LegacyCard({ ...options, gateway: options.gateway }),
    };
    for (const one of carrierCardKinds) {
      // Only one of them speaks for the card.
      this.#cards[one].onChanged((event) => {
        if (one === this.#kind) this.#listener(event);
      });
    }
  }

  /** What the card was when it was connected last. */
  get kind(): CarrierCardKind {
    return this.#kind;
  }

  async connect(): Promise<void> {
    const { session, kind, log } = this.#options;
    await session.connect();
    if (kind === 'auto') {
      const found = await session.exclusive(() => detectKind(session));
      if (found !== this.#kind) log(`the card ${described[found]}`);
      this.#kind = found;
    }
    if (this.#kind === 'legacy') this.#cards.legacy.begin();
    else this.#cards.legacy.rest();
  }

  carriers(): Promise<readonly CardCarrier[]> {
    return this.#card.carriers();
  }

  current(): Promise<CurrentCarrier | undefined> {
    return this.#card.current();
  }

  enable(carrier: CardCarrier): Promise<CardAnswer> {
    return this.#card.enable(carrier);
  }

  disable(): Promise<CardAnswer> {
    return this.#card.disable();
  }

  reset(): Promise<void> {
    return this.#card.reset();
  }

  async close(): Promise<void> {
    for (const one of carrierCardKinds) await this.#cards[one].close();
  }

  onChanged(listener: (event: CardEvent) => void): void {
    this.#listener = listener;
  }

  profiles(): EuiccProfiles | undefined {
    return this.#kind === 'euicc' ? this.#cards.euicc.profiles() : undefined;
  }

  refreshed(): void {
    if (this.#kind !== 'legacy') this.#cards[this.#kind].refreshed();
  }

  broken(): void {
    if (this.#kind !== 'legacy') this.#cards[this.#kind].broken();
  }

  /** An eUICC too may have our applet. */
  sendReadings(packets: readonly Uint8Array[]): Promise<number> {
    return this.#cards[this.#kind === 'legacy' ? 'legacy' : 'applet'].sendReadings(packets);
  }

  get #card(): CarrierCard {
    return this.#cards[this.#kind];
  }
}

const described: Readonly<Record<CarrierCardKind, string>> = {
  euicc: 'has its carriers as profiles',
  applet: 'has a carrier applet',
  legacy: 'has the old carrier applet: it acknowledges, and its ICCID does not change',
};

/** By asking the card, which is powered up. @throws CardTransportError, DecodeError */
export async function detectKind(session: CardSession): Promise<CarrierCardKind> {
  if (await has(session, isdRAid)) return 'euicc';
  if (await has(session, carrierAppletAid)) return 'applet';
  // A plain SIM has one carrier, and that is for who knows eUICCs to tell.
  return (await answersAsLegacy(session)) ? 'legacy' : 'euicc';
}

async function has(session: CardSession, aid: Uint8Array): Promise<boolean> {
  try {
    await session.onApplication('application', aid, async () => {});
    return true;
  } catch (error) {
    // Also a card without logical channels: it has none of these.
    if (error instanceof CardStatusError) return false;
    throw error;
  }
}

async function answersAsLegacy(session: CardSession): Promise<boolean> {
  const { sw, data } = await session.send(legacyStatus());
  if (sw !== StatusWord.OK) return false;
  try {
    return decodeLegacyAnswer(data).kind === 'send-data';
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

import { AppletCard } from '../../../client/sim/applet/applet-card.ts';
import { CardSession } from '../../../client/sim/card-session.ts';
import type { CardEvent } from '../../../client/sim/carrier-card.ts';
import { fromHex, toHex } from '../../../client/sim/hex.ts';
import {
  type BearerChannel,
  BearerError,
  type ChannelOptions,
} from '../../../client/sim/toolkit/bearer-channel.ts';
import type { LocalInformation } from '../../../client/sim/toolkit/provide-local-information.ts';
import { Terminal } from '../../../client/sim/toolkit/terminal.ts';
import { CarrierApplet } from '../../../client/sim/virtual-card/applet-carrier.ts';
import type { AppletGateway } from '../../../client/sim/virtual-card/applet-memory.ts';
import { type CardMemory, volatileCardMemory } from '../../../client/sim/virtual-card/card-memory.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { FakeClock } from '../coap/fake-clock.ts';

/** What a card may ask of a terminal that nobody has told where it is. */
export const someInformation: LocalInformation = {
  imei: () => '356938035643809',
  imeisv: () => '3569380356438090',
  location: () => undefined,
  accessTechnology: () => undefined,
  time: () => ({ wallTime: 0, zone: undefined }),
  language: () => 'en',
  battery: () => undefined,
};

/** The network's end of the channels that a card opens. */
export class Network {
  /** Whether channels can be had. */
  up = true;
  /** Datagrams that came, in hex, and where they went. */
  readonly got: string[] = [];
  readonly destinations: string[] = [];
  #toCard: ((data: Uint8Array) => void) | undefined;
  #drop: ((reason: string) => void) | undefined;

  readonly open = async (options: ChannelOptions): Promise<BearerChannel> => {
    if (!this.up) throw BearerError.noService();
    this.destinations.push(`${options.destination}:${options.port}`);
    return {
      send: async (data) => void this.got.push(toHex(data)),
      onData: (listener) => {
        this.#toCard = listener;
      },
      onDropped: (listener) => {
        this.#drop = listener;
      },
      close: async () => {
        this.#toCard = undefined;
      },
    };
  };

  get isOpen(): boolean {
    return this.#toCard !== undefined;
  }

  say(hex: string): void {
    if (this.#toCard === undefined) throw new Error('the card has no channel');
    this.#toCard(fromHex(hex));
  }

  drop(): void {
    this.#toCard = undefined;
    this.#drop?.('the network is gone');
  }
}

/** A virtual card with our applet, a terminal that serves it, and the modem's driver: time is the test's. */
export class AppletWorld {
  readonly clock = new FakeClock();
  readonly network = new Network();
  readonly events: CardEvent[] = [];
  readonly faults: unknown[] = [];
  readonly memory: CardMemory = volatileCardMemory();
  readonly virtual: VirtualCard;
  readonly session: CardSession;
  readonly terminal: Terminal;
  readonly card: AppletCard;

  constructor(gateway: AppletGateway | null = { address: '192.0.2.7', port: 6001 }, memory?: CardMemory) {
    if (memory !== undefined) this.memory = memory;
    this.virtual = new VirtualCard({
      serial: 42,
      kind: 'applet',
      memory: this.memory,
      clock: this.clock,
      applications: [new CarrierApplet({ gateway })],
    });
    this.session = new CardSession(this.virtual);
    const onFault = (error: unknown): void => void this.faults.push(error);
    this.card = new AppletCard({ transport: this.virtual, session: this.session });
    this.card.onChanged((event) => this.events.push(event));
    this.terminal = new Terminal({
      session: this.session,
      clock: this.clock,
      openChannel: this.network.open,
      localInformation: someInformation,
      onRefresh: () => this.card.refreshed(),
      onLog: () => {},
      onFault,
    });
  }

  async start(): Promise<void> {
    await this.terminal.start();
    await this.card.connect();
    await this.card.carriers();
    await this.settled();
  }

  /** All that is under way on the card has ended. */
  async settled(): Promise<void> {
    for (let i = 0; i < 20; i++) await this.session.later(async () => {});
  }

  /** The next STATUS poll, and what comes of it. */
  async poll(): Promise<void> {
    this.clock.advance(30_000);
    await this.settled();
  }
}

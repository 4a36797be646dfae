import { CarrierControl, type CarrierControlOptions } from '../../../client/modem/carrier-control.ts';
import { CommandJournal, volatileJournal } from '../../../client/modem/command-journal.ts';
import { BoundedTransport } from '../../../client/sim/bounded-transport.ts';
import { CardSession } from '../../../client/sim/card-session.ts';
import type { CardTransport } from '../../../client/sim/card-transport.ts';
import type { CarrierCard } from '../../../client/sim/carrier-card.ts';
import { volatileCarrierIds } from '../../../client/sim/carrier-ids.ts';
import { SimCard } from '../../../client/sim/sim-card.ts';
import type { AppletGateway } from '../../../client/sim/virtual-card/applet-memory.ts';
import { installApplications } from '../../../client/sim/virtual-card/applications.ts';
import type { CardKind } from '../../../client/sim/virtual-card/card-contents.ts';
import { VirtualCard } from '../../../client/sim/virtual-card/virtual-card.ts';
import { World } from '../coap/world.ts';

/** A card, and what a modem makes of it. */
export interface DrivenCard {
  readonly kind: CardKind;
  readonly gateway?: AppletGateway;
  readonly drive: (
    parts: { readonly transport: CardTransport; readonly session: CardSession },
    world: CarrierWorld,
  ) => CarrierCard;
}

/** A carrier control on a virtual card, in time that the test moves: without radio and without server. */
export class CarrierWorld extends World {
  readonly card: VirtualCard;
  readonly lines: string[] = [];
  /** Names of carriers that have no network here. */
  readonly noNetwork = new Set<string>();
  /** How long the observers take to acknowledge. */
  deliver: () => Promise<void> = async () => {};
  attached = true;
  cardTrouble = false;
  control: CarrierControl;
  readonly journal = volatileJournal();
  readonly #ids = volatileCarrierIds();
  readonly #options: Partial<CarrierControlOptions>;
  /** Of the process that runs; one that died reaches nothing any more. */
  #process = { alive: true };

  readonly #driven: DrivenCard;
  #driver: CarrierCard;

  /** `driven`: another card than an eUICC. */
  constructor(
    options: Partial<CarrierControlOptions> = {},
    switchLatency = 300,
    driven: DrivenCard = { kind: 'euicc', drive: (parts) => new SimCard({ ...parts, ids: this.#ids }) },
  ) {
    super();
    this.#options = options;
    this.#driven = driven;
    this.card = new VirtualCard({ serial: 42, switchLatency, clock: this.clock, kind: driven.kind });
    installApplications(this.card, driven.gateway);
    this.#driver = this.#open();
    this.control = this.#control();
  }

  /** The modem's half of the eUICC. */
  get sim(): SimCard {
    if (this.#driver instanceof SimCard) return this.#driver;
    throw new Error('this card is no eUICC');
  }

  /** Powers the modem on: a process that begins on the journal and the card that are there. */
  async start(): Promise<void> {
    this.attached = true;
    await this.settle(this.control.start());
    if (!this.control.isConnected) this.attached = false;
  }

  /** The process dies, whatever it was doing, and another one begins. */
  async restart(): Promise<void> {
    this.control.close();
    this.#process.alive = false;
    this.#process = { alive: true };
    this.#driver = this.#open();
    this.control = this.#control();
    await this.start();
  }

  /** Takes a switch and waits until nothing is under way. */
  async switch(target: number, id: number): Promise<void> {
    await this.begin(target, id);
    await this.idle();
  }

  /** Takes a switch, and has it begun. */
  async begin(target: number, id: number): Promise<void> {
    const { begin } = await this.settle(this.control.take(target, id));
    begin();
  }

  async idle(): Promise<void> {
    if (!(await this.clock.run(1_000_000, () => !this.control.isBusy))) throw new Error('busy for ever');
  }

  #open(): CarrierCard {
    const process = this.#process;
    const living = <T>(work: () => Promise<T>): Promise<T> =>
      process.alive ? work() : new Promise<never>(() => {});
    const slot: CardTransport = {
      connect: () => living(() => this.card.connect()),
      transmit: (command) => living(() => this.card.transmit(command)),
      reset: () => living(() => this.card.reset()),
      close: async () => {},
      subscribe: (listener) =>
        this.card.subscribe((presence) => {
          if (process.alive) listener(presence);
        }),
    };
    const transport = new BoundedTransport(slot, this.clock);
    return this.#driven.drive({ transport, session: new CardSession(transport) }, this);
  }

  #control(): CarrierControl {
    const process = this.#process;
    const control: CarrierControl = new CarrierControl({
      card: this.#driver,
      journal: new CommandJournal(this.journal),
      clock: this.clock,
      attachTime: 200,
      networkTimeout: 60_000,
      cardPatience: 30_000,
      actions: {
        changed: () => {},
        deliver: () => this.deliver(),
        detach: async () => {
          if (process.alive) this.attached = false;
        },
        attach: () => {
          if (process.alive) this.attached = true;
        },
        hasNetwork: () => {
          const { identity, current } = control.snapshot;
          return identity?.imsi !== undefined && !this.noNetwork.has(current);
        },
        cardTrouble: (present) => {
          if (process.alive) this.cardTrouble = present;
        },
        log: (line) => void this.lines.push(line),
        reach: async () => {},
        fault: (error) => void this.faults.push(error),
      },
      ...this.#options,
    });
    return control;
  }
}

import { type CustomObjectIds, defaultCustomObjectIds } from '../../objects/custom-ids.ts';
import { createObjectRegistry, type ObjectRegistry, standardObjects } from '../../objects/registry.ts';
import type { Timer } from '../../protocol/clock.ts';
import { Lwm2mClient } from '../lwm2m/client.ts';
import type { ReadingUplink } from '../sim/applet/reading-uplink.ts';
import { BoundedTransport } from '../sim/bounded-transport.ts';
import { CardSession } from '../sim/card-session.ts';
import type { CarrierCard } from '../sim/carrier-card.ts';
import { SimCard } from '../sim/sim-card.ts';
import { type BearerChannel, BearerError, type ChannelOptions } from '../sim/toolkit/bearer-channel.ts';
import { Terminal } from '../sim/toolkit/terminal.ts';
import { Attachment } from './attachment.ts';
import { CardReadings } from './card-readings.ts';
import { CarrierControl } from './carrier-control.ts';
import { type CarrierInstance, carrierInstance, outcomeResources } from './carrier-instance.ts';
import type { CarrierSnapshot } from './carrier-snapshot.ts';
import { PowerSaving } from './cellular/power-saving.ts';
import { CommandJournal } from './command-journal.ts';
import { equipmentIdentity } from './device/imei.ts';
import { simulatedPower } from './device/power-source.ts';
import { LogClass } from './event-log/event-log.ts';
import type { FirmwareRecord } from './firmware/record.ts';
import { KeptSettings, volatileSettings } from './kept-settings.ts';
import type { CardParts, ModemEvents, ModemOptions } from './modem-options.ts';
import { Radio } from './radio.ts';
import type { Sensor } from './sensor.ts';
import { SensorBank, sensorPaths } from './sensor-bank.ts';
import { seededRandom } from './signals.ts';
import { SimProvisioning } from './sim-provisioning.ts';
import { StandardObjects } from './standard-objects.ts';
import { CardBearers } from './toolkit/card-bearers.ts';
import { modemInformation } from './toolkit/modem-information.ts';

export type { CardParts, ModemEvents, ModemOptions } from './modem-options.ts';

/** A reboot keeps the modem off the network so long, ms. */
const rebootTime = 3_000;

const sharedRegistries = new Map<string, ObjectRegistry>();

/** One registry for all modems of a process that have the same ids. */
function registryOf(ids: CustomObjectIds): ObjectRegistry {
  const key = `${ids.carrier} ${ids.iotSensor}`;
  const registry = sharedRegistries.get(key) ?? createObjectRegistry(standardObjects(ids));
  sharedRegistries.set(key, registry);
  return registry;
}

/** A SIM modem: card, radio, sensors and the objects that show them, on an LwM2M client. */
export class Modem {
  readonly client: Lwm2mClient;
  readonly #options: ModemOptions;
  readonly #radio: Radio;
  readonly #card: CarrierCard;
  readonly #control: CarrierControl;
  readonly #carrier: CarrierInstance;
  readonly #attachment: Attachment;
  readonly #provisioning: SimProvisioning;
  readonly #standard: StandardObjects;
  readonly #bank: SensorBank;
  readonly #bearers: CardBearers;
  readonly #terminal: Terminal | undefined;
  readonly #cardReadings: CardReadings | undefined;
  readonly #session: CardSession;
  /** Generation of the card's session in which it was read: one that was reset since may be another subscriber. */
  #subscriber = -1;
  #rebootTimer: Timer | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: ModemOptions) {
    this.#options = options;
    const { clock, events } = options;
    const ids = options.customObjects ?? defaultCustomObjectIds;
    const random = seededRandom(options.seed);
    const journal = new CommandJournal(options.journal);
    const { reconnectAfter } = options;
    if (reconnectAfter !== undefined && reconnectAfter !== journal.contents.reconnectAfter) {
      journal.set({ reconnectAfter });
    }
    const settings = new KeptSettings(options.settings ?? volatileSettings());
    const saving = new PowerSaving(settings);
    this.#radio = new Radio(options.port, clock, (now, lastActive) => saving.hears(now, lastActive));
    const transport = new BoundedTransport(options.card, clock, options.cardDeadline);
    const log = (message: string): void => this.#standard.tell(LogClass.EVENT, message);
    this.#bearers = new CardBearers({
      radio: this.#radio,
      onLog: log,
      ...(options.openCardSocket === undefined ? {} : { openSocket: options.openCardSocket }),
      ...(options.cardNetworks === undefined ? {} : { networks: options.cardNetworks }),
    });
    const openChannel = async (channel: ChannelOptions): Promise<BearerChannel> => {
      const isSubscriber = this.#subscriber === this.#session.generation;
      if (!isSubscriber || this.#standard.cellular.view() === undefined) throw BearerError.noService();
      return this.#bearers.open(channel);
    };
    this.#session = new CardSession(transport);
    const parts: CardParts = {
      transport,
      session: this.#session,
      clock,
      openChannel,
      log,
      onFault: events.onFault,
    };
    const { carrierIds, openCard } = options;
    const card: CarrierCard & Partial<ReadingUplink> =
      openCard === undefined
        ? new SimCard({ ...parts, ...(carrierIds === undefined ? {} : { ids: carrierIds }) })
        : openCard(parts);
    this.#card = card;
    this.client = new Lwm2mClient({
      port: this.#radio,
      clock,
      name: options.name,
      servers: options.servers,
      settings,
      ...(options.bootstrap === undefined ? {} : { bootstrap: options.bootstrap }),
      lookup: registryOf(ids),
      random,
      events: this.#watched(events),
      ...(options.sharedRights === undefined ? {} : { sharedRights: options.sharedRights }),
      ...(options.awakeTime === undefined ? {} : { awakeTime: options.awakeTime }),
      ...(options.rootPath === undefined ? {} : { rootPath: options.rootPath }),
      ...(options.packs === undefined ? {} : { packs: options.packs }),
      ...(options.openReadings === undefined
        ? {}
        : { journal: options.openReadings(sensorPaths(ids.iotSensor)) }),
      ...(options.report === undefined ? {} : { report: options.report }),
      ...(options.packInterval === undefined ? {} : { packInterval: options.packInterval }),
      // How a switch went, before what the new network changes: who asked for it waits.
      first: `/${ids.carrier}`,
    });
    this.#carrier = carrierInstance(ids.carrier, () => this.#control);
    this.#control = new CarrierControl({
      card: this.#card,
      journal,
      clock,
      attachTime: options.attachTime ?? 200,
      networkTimeout: options.networkTimeout ?? 60_000,
      cardPatience: options.cardPatience ?? 30_000,
      actions: {
        changed: () => {
          this.#cardRead();
          this.#carrier.changed(...outcomeResources);
          this.#provisioning.changed();
        },
        deliver: async () => {
          await this.client.deliver(this.#carrier.path);
        },
        detach: () => this.#attachment.leave('card'),
        attach: () => this.#attachment.join('card'),
        hasNetwork: () => this.#standard.cellular.view() !== undefined,
        cardTrouble: (present) => this.#standard.peripheral(present),
        log,
        reach: options.reach ?? (async () => {}),
        fault: events.onFault,
      },
    });
    this.#bank = new SensorBank({
      objectId: ids.iotSensor,
      seed: options.seed,
      clock,
      onReadings: () => this.client.readingsAdded(),
      ...(options.rates === undefined ? {} : { rates: options.rates }),
      ...(options.queueLimit === undefined ? {} : { queueLimit: options.queueLimit }),
    });
    const { cardReadings } = options;
    if (cardReadings !== undefined && card.sendReadings !== undefined) {
      const { sendReadings } = card;
      this.#cardReadings = new CardReadings({
        sensors: this.sensors,
        card: { sendReadings: (packets) => sendReadings.call(card, packets) },
        clock,
        rate: cardReadings,
        log,
        onFault: events.onFault,
      });
    }
    this.#attachment = new Attachment({
      detach: () => this.#detach(),
      attach: (anew) => this.#attach(anew),
    });
    const noNetwork = new Set((options.noNetwork ?? []).map((name) => name.toLowerCase()));
    const power = options.power ?? simulatedPower(clock, options.seed);
    this.#standard = new StandardObjects({
      clock,
      seed: options.seed,
      serial: options.serial,
      firmware: options.firmware,
      firmwareParts: options.firmwareParts ?? {},
      settings,
      saving,
      power,
      client: this.client,
      radio: this.#radio,
      attachment: this.#attachment,
      binding: this.client.sessions[0]?.account.queueMode === true ? 'UQ' : 'U',
      card: () => this.carrier.identity,
      isServed: () => !noNetwork.has(this.carrier.current.toLowerCase()),
      isFree: () => !this.#control.isBusy,
      reboot: () => this.#reboot(),
      log: (message) => events.onLog?.(message),
      onFault: events.onFault,
    });
    if (options.toolkit !== undefined) {
      this.#terminal = new Terminal({
        session: parts.session,
        clock,
        openChannel,
        localInformation: modemInformation({
          identity: equipmentIdentity(options.name, options.serial),
          time: this.#standard.time,
          power,
          served: () => this.#standard.cellular.served(),
        }),
        onRefresh: () => this.#card.refreshed?.(),
        onBroken: () => this.#card.broken?.(),
        onLog: log,
        onFault: events.onFault,
        ...options.toolkit,
      });
    }
    const { tree } = this.client;
    this.#provisioning = new SimProvisioning({ tree, control: () => this.#control, settings });
    for (const instance of [this.#carrier, ...this.#bank.instances]) tree.add(instance);
    for (const sensor of this.sensors) this.client.addStream(sensor);
  }

  get sensors(): readonly Sensor[] {
    return this.#bank.sensors;
  }

  /** What the card and the newest switch are. */
  get carrier(): CarrierSnapshot {
    return this.#control.snapshot;
  }

  /** What the modem remembers of its firmware. */
  get firmware(): FirmwareRecord {
    return this.#standard.firmware.record;
  }

  /**
   * Reads the card, settles what a crash left, and registers, or stays off the network for what is left of a Disconnect.
   * A card that is not there is waited for, off the network.
   */
  async start(): Promise<void> {
    await this.#terminal?.start();
    await this.#control.start();
    if (!this.#control.isConnected) await this.#attachment.leave('card');
    await this.#standard.start();
    if (this.#closed !== undefined) return;
    this.#bank.start();
    this.#cardReadings?.start();
    this.client.start();
    if (!this.#control.isConnected) {
      this.#options.events.onLog?.(
        this.#control.hasCard
          ? 'the card is disconnected: off the network until it is time to come back'
          : 'no card: off the network until there is one',
      );
    }
  }

  /** Deregisters where told to, stops the sensors, releases socket and card. Idempotent. */
  close(options: { readonly deregister: boolean } = { deregister: true }): Promise<void> {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async #close(options: { readonly deregister: boolean }): Promise<void> {
    this.#control.close();
    this.#standard.close();
    this.#bank.close();
    this.#cardReadings?.close();
    this.#rebootTimer?.cancel();
    await this.#terminal?.stop();
    this.#bearers.dropAll();
    await this.client.close(options);
    await this.#card.close();
    this.#options.release?.();
  }

  /** Who the card is now is known: if the modem is on a network, the card may have channels there. */
  #cardRead(): void {
    const { generation } = this.#session;
    if (this.#subscriber === generation) return;
    this.#subscriber = generation;
    if (!this.#radio.isOn) return;
    this.#terminal?.serviceChanged();
    this.#terminal?.poll();
  }

  /** Leaves the network, after what is under way. */
  async #detach(): Promise<void> {
    this.#standard.detached();
    await this.client.pause();
    this.#radio.turn('off');
    this.#bearers.dropAll();
    this.#terminal?.serviceChanged();
  }

  /** Comes back; `anew`: registers as a modem does that has just been switched on. */
  #attach(anew: boolean): void {
    if (this.#closed !== undefined) return;
    this.#radio.turn('on');
    this.#subscriber = this.#session.generation;
    this.#standard.attached();
    if (anew) this.client.reregister();
    this.client.resume();
    this.#terminal?.serviceChanged();
    this.#terminal?.poll();
  }

  #reboot(): void {
    this.#standard.tell(LogClass.SYSTEM, 'rebooting');
    this.#attachment.leave('reboot').then(() => {
      this.#rebootTimer?.cancel();
      this.#rebootTimer = this.#options.clock.setTimer(rebootTime, () =>
        this.#attachment.join('reboot', true),
      );
    }, this.#options.events.onFault);
  }

  /** What the client tells, for the modem's own event log too. */
  #watched(events: ModemEvents): ModemEvents {
    return {
      ...events,
      onState: (state, detail, shortServerId) => {
        this.#standard.registration(state, detail, shortServerId);
        events.onState?.(state, detail, shortServerId);
      },
      onBootstrap: (state, detail) => {
        this.#standard.note(LogClass.EVENT, `bootstrap ${state}${detail === '' ? '' : `: ${detail}`}`);
        events.onBootstrap?.(state, detail);
      },
      onOperation: (operation, path, code, diagnostic) => {
        this.#standard.operation(operation, path, code);
        events.onOperation?.(operation, path, code, diagnostic);
      },
      onFault: (error) => {
        this.#standard.note(LogClass.PANIC, String(error));
        events.onFault(error);
      },
    };
  }
}

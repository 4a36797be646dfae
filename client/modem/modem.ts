import { CarrierState } from '../../objects/carrier.ts';
import { type CustomObjectIds, defaultCustomObjectIds } from '../../objects/custom-ids.ts';
import { createObjectRegistry, type ObjectRegistry, standardObjects } from '../../objects/registry.ts';
import type { Clock, Timer } from '../../protocol/clock.ts';
import type { DatagramPort, PeerAddress } from '../../protocol/coap/datagram-port.ts';
import { type ClientEvents, Lwm2mClient } from '../lwm2m/client.ts';
import type { LwM2mVersion } from '../lwm2m/formats.ts';
import type { CardTransport } from '../sim/card-transport.ts';
import { SimCard } from '../sim/sim-card.ts';
import { CarrierControl, type CarrierSnapshot, type SwitchStep } from './carrier-control.ts';
import { type CarrierInstance, carrierInstance, outcomeResources } from './carrier-instance.ts';
import { CommandJournal, type JournalStorage } from './command-journal.ts';
import type { FirmwareUpdate } from './firmware/firmware-update.ts';
import { type FirmwareParts, modemFirmware } from './firmware/modem-firmware.ts';
import type { FirmwareRecord } from './firmware/record.ts';
import {
  cellularInstance,
  connectivityInstance,
  deviceInstance,
  statisticsInstance,
} from './modem-objects.ts';
import { Network } from './network.ts';
import { Radio } from './radio.ts';
import { Sensor } from './sensor.ts';
import { type SensorInstance, sensorInstance, valuePath } from './sensor-instance.ts';
import { seededRandom, sensorModels } from './signals.ts';

export interface ModemOptions {
  /** The modem's one socket; it belongs to the modem from then on. */
  readonly port: DatagramPort;
  readonly card: CardTransport;
  readonly journal: JournalStorage;
  readonly clock: Clock;
  /** Endpoint client name. */
  readonly name: string;
  readonly serverUri: string;
  readonly resolveServer: () => Promise<PeerAddress>;
  readonly version?: LwM2mVersion;
  /** Seconds. */
  readonly lifetime?: number;
  readonly updateInterval?: number;
  readonly maxBackOff?: number;
  readonly packs?: boolean;
  readonly packInterval?: number;
  /** Samples per second by kind of sensor; the model's own where not told; 0: idle. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Readings that each sensor keeps while they cannot be sent; the oldest go first. */
  readonly queueLimit?: number;
  /** Milliseconds without network when the carrier changes; default 200. */
  readonly attachTime?: number;
  /** Seconds; default: what the journal holds, 600 in a new one. */
  readonly reconnectAfter?: number;
  /** Seed of all that is simulated; the same seed gives the same modem. */
  readonly seed: number;
  readonly serial: string;
  /** Version of the firmware that it was made with. */
  readonly firmware: string;
  readonly firmwareParts?: FirmwareParts;
  readonly customObjects?: CustomObjectIds;
  readonly events: ModemEvents;
  /** Called when the modem is closed: gives back what was held for it. */
  readonly release?: () => void;
  /** Fault injection for tests: called at each step of a carrier switch. */
  readonly reach?: (step: SwitchStep) => Promise<void>;
}

export interface ModemEvents extends ClientEvents {
  /** A line for people: what the modem itself does. */
  readonly onLog?: (message: string) => void;
}

/** Sensors are sampled in batches, at most this often, ms. */
const tick = 20;
const longestTick = 1_000;
/** How often the radio measures, ms. */
const radioInterval = 5_000;
const hardwareVersion = '1.0';
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
  readonly sensors: readonly Sensor[];
  readonly #options: ModemOptions;
  readonly #radio: Radio;
  readonly #card: SimCard;
  readonly #control: CarrierControl;
  readonly #carrier: CarrierInstance;
  readonly #network: Network;
  readonly #sensorInstances: readonly SensorInstance[];
  readonly #connectivity: ReturnType<typeof connectivityInstance>;
  readonly #firmware: FirmwareUpdate;
  #sensorTimer: Timer | undefined;
  #radioTimer: Timer | undefined;
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
    this.#radio = new Radio(options.port);
    this.#card = new SimCard(options.card);
    this.#network = new Network(random);
    this.client = new Lwm2mClient({
      port: this.#radio,
      clock,
      name: options.name,
      serverUri: options.serverUri,
      resolveServer: options.resolveServer,
      lookup: registryOf(ids),
      random,
      events,
      ...(options.version === undefined ? {} : { version: options.version }),
      ...(options.lifetime === undefined ? {} : { lifetime: options.lifetime }),
      ...(options.updateInterval === undefined ? {} : { updateInterval: options.updateInterval }),
      ...(options.maxBackOff === undefined ? {} : { maxBackOff: options.maxBackOff }),
      ...(options.packs === undefined ? {} : { packs: options.packs }),
      ...(options.packInterval === undefined ? {} : { packInterval: options.packInterval }),
    });
    this.#carrier = carrierInstance(ids.carrier, () => this.#control);
    this.#control = new CarrierControl({
      card: this.#card,
      journal,
      clock,
      attachTime: options.attachTime ?? 200,
      actions: {
        changed: () => this.#carrier.changed(...outcomeResources),
        deliver: async () => {
          await this.client.deliver(this.#carrier.path);
        },
        detach: () => this.#detach(),
        attach: () => this.#attach(),
        log: (message) => events.onLog?.(message),
        reach: options.reach ?? (async () => {}),
        fault: events.onFault,
      },
    });
    this.sensors = sensorModels.map(
      (model, id) =>
        new Sensor({
          model,
          path: valuePath(ids.iotSensor, id),
          rate: options.rates?.[model.kind] ?? model.rate,
          random: seededRandom(options.seed ^ (0x9e3779b9 * (id + 1))),
          now: () => Math.round(clock.wallTime() * 1_000),
          ...(options.queueLimit === undefined ? {} : { queueLimit: options.queueLimit }),
        }),
    );
    this.#sensorInstances = this.sensors.map((sensor, id) =>
      sensorInstance(ids.iotSensor, id, sensor, () => this.#scheduleSensors()),
    );
    this.#connectivity = connectivityInstance(() => this.#network.view(this.carrier.identity));
    const firmware = modemFirmware(options.firmwareParts ?? {}, {
      clock,
      hardware: hardwareVersion,
      endpoint: () => this.client.endpoint,
      deliver: (path) => this.client.deliver(path),
      actions: {
        shutDown: () => this.#detach(),
        boot: () => this.#boot(),
        isFree: () => this.carrier.state !== CarrierState.SWITCHING,
        log: (message) => events.onLog?.(message),
        fault: events.onFault,
      },
    });
    this.#firmware = firmware.update;
    const { tree } = this.client;
    const facts = {
      serial: options.serial,
      hardware: hardwareVersion,
      firmware: () => firmware.update.record.running?.version ?? options.firmware,
      reboot: () => this.#reboot(),
    };
    for (const instance of [
      deviceInstance(facts, clock),
      firmware.object,
      this.#connectivity,
      cellularInstance(),
      statisticsInstance(() => this.client.endpoint.statistics),
      this.#carrier,
      ...this.#sensorInstances,
    ]) {
      tree.add(instance);
    }
    for (const sensor of this.sensors) this.client.addStream(sensor);
  }

  /** What the card and the newest switch are. */
  get carrier(): CarrierSnapshot {
    return this.#control.snapshot;
  }

  /** What the modem remembers of its firmware. */
  get firmware(): FirmwareRecord {
    return this.#firmware.record;
  }

  /**
   * Reads the card, settles what a crash left, and registers, or stays off the network for what is left of a Disconnect.
   * @throws CardTransportError, CardStatusError, DecodeError
   */
  async start(): Promise<void> {
    await this.#control.start();
    if (!this.#control.isConnected) this.#firmware.offline();
    await this.#firmware.start();
    if (this.#closed !== undefined) return;
    this.#scheduleSensors();
    this.#scheduleRadio();
    if (this.#control.isConnected) {
      this.client.start();
      return;
    }
    this.#radio.turn('off');
    await this.client.pause();
    this.client.start();
    this.#options.events.onLog?.('the card is disconnected: off the network until it is time to come back');
  }

  /** Deregisters where told to, stops the sensors, releases socket and card. Idempotent. */
  close(options: { readonly deregister: boolean } = { deregister: true }): Promise<void> {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async #close(options: { readonly deregister: boolean }): Promise<void> {
    this.#control.close();
    this.#firmware.close();
    for (const timer of [this.#sensorTimer, this.#radioTimer, this.#rebootTimer]) timer?.cancel();
    await this.client.close(options);
    await this.#card.close();
    this.#options.release?.();
  }

  /** Leaves the network, after what is under way. */
  async #detach(): Promise<void> {
    this.#firmware.offline();
    await this.client.pause();
    this.#radio.turn('off');
  }

  #attach(): void {
    if (this.#closed !== undefined || this.#firmware.isInstalling) return;
    this.#radio.turn('on');
    this.#network.step();
    this.client.resume();
    this.#firmware.online();
    this.#connectivity.changed(...connectivityResources);
  }

  #reboot(): void {
    this.#options.events.onLog?.('rebooting');
    this.#detach()
      .then(() => {
        this.#rebootTimer = this.#options.clock.setTimer(rebootTime, () => this.#boot());
      })
      .catch(this.#options.events.onFault);
  }

  /** Starts anew, and registers as a modem does that has just been switched on. */
  #boot(): void {
    if (!this.#control.isConnected || this.#closed !== undefined) return;
    this.client.registration.reregister();
    this.#attach();
  }

  #scheduleSensors(): void {
    this.#sensorTimer?.cancel();
    if (this.#closed !== undefined) return;
    const { clock } = this.#options;
    const next = Math.min(...this.sensors.map((sensor) => sensor.nextAt)) / 1_000 - clock.wallTime();
    this.#sensorTimer = clock.setTimer(Math.min(longestTick, Math.max(tick, next)), () => this.#sample());
  }

  #sample(): void {
    const now = Math.round(this.#options.clock.wallTime() * 1_000);
    for (let i = 0; i < this.sensors.length; i++) {
      const sensor = this.sensors[i] as Sensor;
      const { minimum, maximum } = sensor;
      if (sensor.produce(now) === 0) continue;
      const instance = this.#sensorInstances[i] as SensorInstance;
      instance.changed('value', 'rawValue', 'takenAt', 'sequence');
      if (sensor.minimum !== minimum) instance.changed('minimum');
      if (sensor.maximum !== maximum) instance.changed('maximum');
    }
    this.client.readingsAdded();
    this.#scheduleSensors();
  }

  #scheduleRadio(): void {
    this.#radioTimer = this.#options.clock.setTimer(radioInterval, () => {
      const before = this.#network.view(this.carrier.identity);
      this.#network.step();
      const after = this.#network.view(this.carrier.identity);
      if (before?.signalStrength !== after?.signalStrength) {
        this.#connectivity.changed('radioSignalStrength', 'linkQuality', 'signalSnr');
      }
      this.#scheduleRadio();
    });
  }
}

/** What another carrier changes. */
const connectivityResources = [
  'networkBearer',
  'radioSignalStrength',
  'linkQuality',
  'ipAddresses',
  'routerIpAddresses',
  'apn',
  'cellId',
  'smnc',
  'smcc',
  'signalSnr',
  'lac',
] as const;

import type { Clock, Timer } from '../../protocol/clock.ts';
import { Code } from '../../protocol/coap/message.ts';
import type { Lwm2mClient } from '../lwm2m/client.ts';
import type { RegistrationState } from '../lwm2m/registration.ts';
import type { CurrentCarrier } from '../sim/carrier-card.ts';
import type { Attachment } from './attachment.ts';
import { ModemCellular } from './cellular/modem-cellular.ts';
import type { PowerSaving } from './cellular/power-saving.ts';
import { addAppData } from './containers/app-data.ts';
import { addPortfolio } from './containers/portfolio.ts';
import { DeviceError, DeviceErrors } from './device/device-errors.ts';
import { type DeviceInstance, deviceInstance } from './device/device-instance.ts';
import { LocalTime } from './device/local-time.ts';
import { BatteryStatus, type PowerSource } from './device/power-source.ts';
import { EventLog, LogClass } from './event-log/event-log.ts';
import {
  type EventLogInstance,
  eventLogInstance,
  incrementalPath,
  loggedResources,
} from './event-log/event-log-instance.ts';
import { LogReports } from './event-log/log-reports.ts';
import type { FirmwareUpdate } from './firmware/firmware-update.ts';
import { type FirmwareParts, modemFirmware } from './firmware/modem-firmware.ts';
import type { KeptSettings } from './kept-settings.ts';
import { type LocationInstance, locationInstance, locationResources } from './location/location-instance.ts';
import { Whereabouts } from './location/whereabouts.ts';
import type { Radio } from './radio.ts';
import { everyTick } from './shared-tick.ts';
import { countedResources, type StatisticsInstance, statisticsInstance } from './statistics-instance.ts';

export interface StandardObjectsOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly serial: string;
  /** Version of the firmware that the modem was made with. */
  readonly firmware: string;
  readonly firmwareParts: FirmwareParts;
  readonly settings: KeptSettings;
  readonly saving: PowerSaving;
  readonly power: PowerSource;
  readonly client: Lwm2mClient;
  readonly radio: Radio;
  readonly attachment: Attachment;
  /** `U`, `UQ`. */
  readonly binding: string;
  readonly card: () => CurrentCarrier | undefined;
  /** Whether the card's carrier has a network here. */
  readonly isServed: () => boolean;
  /** Whether nothing is under way that an update of the firmware would break off. */
  readonly isFree: () => boolean;
  /** The modem is to start anew. */
  readonly reboot: () => void;
  /** For people. */
  readonly log: (message: string) => void;
  readonly onFault: (error: unknown) => void;
}

const hardwareVersion = '1.0';
/** Weaker than this, the Device object tells of a low signal, dBm. */
const lowSignal = -118;
/** The free memory is told every so many ticks: it is never the same. */
const memoryTicks = 12;
/** Of declined requests one in such a time is logged, ms: anybody can send them. */
const declinedPause = 60_000;

/** All of a modem that is not its carriers and sensors: the objects 3 to 7, 10, 11, 13, 16, 19 and 20, and what is behind them. */
export class StandardObjects {
  readonly firmware: FirmwareUpdate;
  readonly cellular: ModemCellular;
  readonly time: LocalTime;
  readonly #options: StandardObjectsOptions;
  readonly #log: EventLog;
  readonly #reports: LogReports;
  readonly #logInstance: EventLogInstance;
  readonly #errors: DeviceErrors;
  readonly #device: DeviceInstance;
  readonly #location: LocationInstance;
  readonly #statistics: { readonly object: StatisticsInstance; readonly close: () => void };
  readonly #whereabouts: Whereabouts;
  #tick: Timer | undefined;
  #declinedAt = Number.NEGATIVE_INFINITY;
  #ticks = 0;
  #packets = 0;
  #battery = -1;
  #moving = true;
  /** Of registrations, by short server id: an Update is nothing new. */
  readonly #locations = new Map<number, string>();

  /** @throws StateFileError */
  constructor(options: StandardObjectsOptions) {
    this.#options = options;
    const { clock, settings, client, attachment, radio, power } = options;
    const { tree } = client;
    this.#log = new EventLog(clock);
    this.#reports = new LogReports({
      clock,
      path: incrementalPath,
      receivers: () => client.sessions,
      onFault: options.onFault,
    });
    this.#logInstance = eventLogInstance(this.#log, this.#reports, settings);
    this.#errors = new DeviceErrors((raised) => {
      this.#device.changed('errorCode');
      if (raised !== undefined) this.note(LogClass.EVENT, `error ${raised} of the Device object`);
    });
    this.time = new LocalTime(clock, settings);
    const firmware = modemFirmware(options.firmwareParts, {
      clock,
      hardware: hardwareVersion,
      endpoint: () => client.endpoint,
      deliver: (path) => client.deliver(path),
      actions: {
        shutDown: () => attachment.leave('firmware'),
        boot: () => attachment.join('firmware', true),
        isFree: options.isFree,
        log: (message) => this.tell(LogClass.SYSTEM, message),
        fault: options.onFault,
      },
    });
    this.firmware = firmware.update;
    this.#device = deviceInstance({
      serial: options.serial,
      hardware: hardwareVersion,
      firmware: () => this.firmwareVersion,
      software: options.firmware,
      binding: options.binding,
      power,
      time: this.time,
      errors: this.#errors,
      reboot: options.reboot,
      factoryReset: () => {
        this.tell(LogClass.SYSTEM, 'factory reset');
        settings.clear();
        options.reboot();
      },
    });
    this.#whereabouts = new Whereabouts(clock, options.seed);
    this.#location = locationInstance(this.#whereabouts);
    this.#statistics = statisticsInstance(radio, clock, settings);
    tree.add(this.#device);
    tree.add(firmware.object);
    tree.add(this.#location);
    tree.add(this.#statistics.object);
    tree.add(this.#logInstance);
    this.cellular = new ModemCellular({
      clock,
      settings,
      saving: options.saving,
      whereabouts: this.#whereabouts,
      attachment,
      tree,
      card: options.card,
      isServed: options.isServed,
      traffic: () => radio.traffic,
      log: (message) => this.tell(LogClass.EVENT, message),
      onHandover: (message) => this.note(LogClass.TRACE, message),
      onFault: options.onFault,
    });
    addPortfolio(
      tree,
      settings,
      new Map([
        [0, options.serial],
        [1, 'Simyard'],
        [2, 'SIM modem, simulated'],
        [3, options.firmware],
      ]),
    );
    addAppData(tree, settings);
  }

  /** Of what runs. */
  get firmwareVersion(): string {
    return this.firmware.record.running?.version ?? this.#options.firmware;
  }

  /** Resolves when the firmware runs that is to run; a modem that is on no network has said so before. */
  async start(): Promise<void> {
    const { clock, seed, attachment } = this.#options;
    this.note(LogClass.SYSTEM, `started, firmware ${this.firmwareVersion}`);
    if (!attachment.isAttached) this.firmware.offline();
    await this.firmware.start();
    this.cellular.start();
    if (attachment.isAttached) this.cellular.attached();
    this.#tick = everyTick(clock, seed, () => this.#measure());
  }

  close(): void {
    this.#tick?.cancel();
    this.cellular.close();
    this.firmware.close();
    this.#statistics.close();
    this.#reports.close();
  }

  attached(): void {
    this.cellular.attached();
    this.firmware.online();
  }

  detached(): void {
    this.firmware.offline();
    this.cellular.detached();
  }

  /** Says something to people, and writes it into the event log. */
  tell(logClass: LogClass, message: string): void {
    this.#options.log(message);
    this.note(logClass, message);
  }

  /** Writes something into the event log. */
  note(logClass: LogClass, message: string): void {
    const entry = this.#log.add(logClass, message);
    if (entry === undefined) return;
    this.#reports.add(entry);
    this.#logInstance.changed(...loggedResources);
  }

  /** Whether something that belongs to the modem does not work: its card. */
  peripheral(wrong: boolean): void {
    this.#errors.report(DeviceError.PERIPHERAL, wrong);
  }

  /** The state of a registration is another. */
  registration(state: RegistrationState, detail: string, shortServerId: number): void {
    this.#errors.report(DeviceError.IP_CONNECTIVITY, state === 'waiting');
    if (state === 'registered' && this.#locations.get(shortServerId) !== detail) {
      this.#locations.set(shortServerId, detail);
      this.note(LogClass.EVENT, `registered with server ${shortServerId}`);
    } else if (state === 'waiting') {
      this.note(LogClass.EVENT, `not registered with server ${shortServerId}: ${detail}`);
    } else if (state === 'deregistering') {
      this.#locations.delete(shortServerId);
      this.note(LogClass.EVENT, `deregisters from server ${shortServerId}`);
    }
  }

  /** An operation of a server was carried out or declined. */
  operation(operation: string, path: string, code: Code): void {
    const now = this.#options.clock.now();
    if (code !== Code.UNAUTHORIZED || now - this.#declinedAt < declinedPause) return;
    this.#declinedAt = now;
    this.note(LogClass.SECURITY, `${operation} ${path} declined: not authorised`);
  }

  #measure(): void {
    const { power, attachment, radio } = this.#options;
    this.cellular.tick();
    const { level, status } = power.read();
    this.#errors.report(DeviceError.LOW_BATTERY, status === BatteryStatus.LOW);
    const view = this.cellular.view();
    if (view !== undefined && attachment.isAttached) {
      this.#errors.report(DeviceError.LOW_SIGNAL, view.signalStrength < lowSignal);
    }
    if (level !== this.#battery) {
      this.#battery = level;
      this.#device.changed('batteryLevel', 'batteryStatus', 'powerSourceVoltage', 'powerSourceCurrent');
    }
    if (this.#ticks++ % memoryTicks === 0) this.#device.changed('memoryFree');
    const { packetsIn, packetsOut } = radio.traffic;
    if (packetsIn + packetsOut !== this.#packets) this.#statistics.object.changed(...countedResources);
    this.#packets = packetsIn + packetsOut;
    // A vehicle that stands tells so once.
    const moving = this.#whereabouts.motion().speed > 0;
    if (moving || this.#moving) this.#location.changed(...locationResources);
    this.#moving = moving;
  }
}

import type { Logger } from 'pino';
import { CoapResponseError, ResetError } from '../../protocol/coap/errors.ts';
import { DecodeError, TimeoutError } from '../../protocol/errors.ts';
import { pathIds } from '../../protocol/lwm2m/path.ts';
import { NotRegisteredError, UnknownDeviceError } from '../errors.ts';
import type { Device } from '../ports/device-store.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import type { Pack } from '../telemetry/pack.ts';
import type { DeviceRequests } from './device-requests.ts';
import { CELLULAR_CONNECTIVITY, type PowerSaving, powerSaving, windowOf } from './power-saving.ts';
import type { AwakeTimes, PresenceState, PresentRegistration } from './presence.ts';
import type { PresenceWindows } from './presence-windows.ts';

const CELLULAR = `/${CELLULAR_CONNECTIVITY}/0`;
const READ_TIMEOUT = 60_000;

export interface ListeningTimesOptions {
  readonly stores: Pick<Stores, 'devices' | 'lastValues' | 'registrations'>;
  readonly presence: PresenceWindows;
  readonly requests: Pick<DeviceRequests, 'read'>;
  readonly log: Logger;
}

/** How long devices in queue mode listen: what a person sets, what was learnt, what they say in object 10. */
export class ListeningTimes {
  readonly #options: ListeningTimesOptions;

  constructor(options: ListeningTimesOptions) {
    this.#options = options;
  }

  /** What the device says of how it saves power, as last heard. */
  async powerSaving(endpoint: string): Promise<PowerSaving> {
    return powerSaving(await this.#options.stores.lastValues.get(endpoint, CELLULAR));
  }

  async of(endpoint: string): Promise<AwakeTimes> {
    const [device, saving] = await Promise.all([
      this.#options.stores.devices.get(endpoint),
      this.powerSaving(endpoint),
    ]);
    return awakeTimes(device, saving);
  }

  /** Whether the device listens now, as far as is known. */
  state(
    registration: PresentRegistration,
    device: Pick<Device, 'awakeTimes' | 'lastSeen'>,
    saving: PowerSaving = {},
  ): PresenceState {
    // After a start of the server the store knows of more than Register and Update.
    const heard = { ...registration, updatedAt: Math.max(registration.updatedAt, device.lastSeen ?? 0) };
    return this.#options.presence.state(heard, awakeTimes(device, saving));
  }

  /** A device has registered: it is asked how it saves power, where it has the object and may sleep. */
  registered({ endpoint, queueMode, links }: Registration): void {
    if (!queueMode) return;
    const has = links.some(({ target }) => pathIds(target)?.slice(0, 2).join('/') === CELLULAR.slice(1));
    if (!has) return;
    this.#options.requests
      .read(endpoint, CELLULAR, { timeout: READ_TIMEOUT })
      .then(() => this.changed(endpoint))
      .catch((error: unknown) => this.#tell(endpoint, error));
  }

  /** Readings of a device: among them may be how it saves power. */
  observed(pack: Pack): void {
    if (!pack.series.some(({ path }) => path.startsWith(`${CELLULAR}/`))) return;
    this.changed(pack.endpoint).catch((error: unknown) => this.#tell(pack.endpoint, error));
  }

  /** Sets how long the device listens after it was heard, ms; null: it is learnt again. False where it is not known. */
  async configure(endpoint: string, window: number | null): Promise<boolean> {
    const known = await this.#options.stores.devices.setAwakeTimes(endpoint, {
      configured: window,
      // Who takes his own setting back wants to begin anew.
      ...(window === null ? { learnt: null } : {}),
    });
    if (known) await this.changed(endpoint);
    return known;
  }

  /** Brings what is known to those who wait. */
  async changed(endpoint: string): Promise<void> {
    const { stores, presence } = this.#options;
    const registration = await stores.registrations.byEndpoint(endpoint);
    if (registration?.queueMode === true) presence.changed(registration.id, await this.of(endpoint));
  }

  #tell(endpoint: string, error: unknown): void {
    const expected = [
      CoapResponseError,
      ResetError,
      TimeoutError,
      DecodeError,
      NotRegisteredError,
      UnknownDeviceError,
    ];
    const { log } = this.#options;
    if (expected.some((kind) => error instanceof kind)) {
      log.debug({ endpoint, error }, 'the device does not tell how it saves power');
    } else log.warn({ endpoint, error }, 'how a device saves power is not known');
  }
}

/** By where it is known from; empty where nothing is. */
export function awakeTimes(device: Pick<Device, 'awakeTimes'> | undefined, saving: PowerSaving): AwakeTimes {
  const said = windowOf(saving);
  return { ...device?.awakeTimes, ...(said === undefined ? {} : { device: said }) };
}

import type { Clock } from '../../protocol/clock.ts';
import type { EventPublisher } from '../live/publisher.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { DeviceStore } from '../ports/device-store.ts';

export interface DeviceEntriesParts {
  readonly devices: Pick<DeviceStore, 'remove' | 'setTenant'>;
  readonly credentials: Pick<CredentialStore, 'get' | 'change'>;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly clock: Pick<Clock, 'wallTime'>;
}

/** What people do to the entries of the inventory, told as events: whoever remembers whose a device is hears of it. */
export class DeviceEntries {
  readonly #parts: DeviceEntriesParts;

  constructor(parts: DeviceEntriesParts) {
    this.#parts = parts;
  }

  /** As DeviceStore.remove. */
  async remove(endpoint: string): Promise<boolean> {
    const { devices, events, clock } = this.#parts;
    const removed = await devices.remove(endpoint);
    if (removed) events.publish('device', endpoint, clock.wallTime(), { removed: true });
    return removed;
  }

  /**
   * As DeviceStore.setTenant: the device, what it proves itself by, and all that is known of it, is that tenant's from now
   * on. Where it fails half-way it is to be asked for again.
   */
  async setTenant(endpoint: string, tenant: string | null): Promise<boolean> {
    const { devices, credentials, events, clock } = this.#parts;
    if (!(await devices.setTenant(endpoint, tenant))) return false;
    events.publish('device', endpoint, clock.wallTime(), { attributes: { tenant } });
    for (const { account, identity, ...credential } of await credentials.get(endpoint)) {
      if ((credential.tenant ?? null) !== tenant) await credentials.change(account, identity, { tenant });
    }
    return true;
  }
}

import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { Registration } from '../ports/registration-store.ts';
import { type Expiring, ExpiryQueue } from './expiry-queue.ts';

/** A registered device. */
class Slot implements Expiring {
  registration: Registration;
  due = 0;
  place = -1;

  constructor(registration: Registration) {
    this.registration = registration;
  }

  get expiresAt(): number {
    return this.registration.expiresAt;
  }
}

/**
 * All registrations, in memory: found by id, endpoint and address, and by which of them ends next. Of the devices that
 * were heard at one address, it is that of the last one.
 */
export class RegistrationBook {
  readonly #byEndpoint = new Map<string, Slot>();
  readonly #byId = new Map<string, Slot>();
  readonly #byAddress = new Map<PeerAddress, Slot>();
  readonly #expiries = new ExpiryQueue<Slot>();

  get size(): number {
    return this.#byEndpoint.size;
  }

  byId(id: string): Registration | undefined {
    return this.#byId.get(id)?.registration;
  }

  byEndpoint(endpoint: string): Registration | undefined {
    return this.#byEndpoint.get(endpoint)?.registration;
  }

  byAddress(address: PeerAddress): Registration | undefined {
    return this.#byAddress.get(address)?.registration;
  }

  /** Who has that address, where it is another device. */
  holder(address: PeerAddress, endpoint: string): Registration | undefined {
    const held = this.#byAddress.get(address)?.registration;
    return held?.endpoint === endpoint ? undefined : held;
  }

  /**
   * The device was heard, at the address of the registration, which takes the place of the one that it had. Returns
   * the registration that has lost its address by that.
   */
  put(registration: Registration): Registration | undefined {
    const { endpoint, id, address } = registration;
    let slot = this.#byEndpoint.get(endpoint);
    if (slot === undefined) {
      slot = new Slot(registration);
      this.#byEndpoint.set(endpoint, slot);
      this.#byId.set(id, slot);
    } else {
      const before = slot.registration;
      slot.registration = registration;
      if (before.id !== id) {
        this.#byId.delete(before.id);
        this.#byId.set(id, slot);
      }
      if (before.address !== address) this.#leave(before.address, slot);
    }
    this.#expiries.put(slot);
    return this.#take(address, slot);
  }

  /** Other data of the registration that is there: the device was not heard. */
  replace(registration: Registration): void {
    const slot = this.#byEndpoint.get(registration.endpoint);
    if (slot !== undefined) slot.registration = registration;
  }

  /** A registration as it was stored, at the start: who of several at one address was heard last has it. */
  restore(registration: Registration): void {
    const { endpoint, id, address } = registration;
    const slot = new Slot(registration);
    this.#byEndpoint.set(endpoint, slot);
    this.#byId.set(id, slot);
    this.#expiries.put(slot);
    if (registration.addressLost === true) return;
    const holder = this.#byAddress.get(address);
    if (holder !== undefined && holder.registration.updatedAt > registration.updatedAt) {
      slot.registration = { ...registration, addressLost: true };
    } else this.#take(address, slot);
  }

  /** Where it has ended, or is not what was thought. */
  remove(endpoint: string): void {
    const slot = this.#byEndpoint.get(endpoint);
    if (slot === undefined) return;
    this.#byEndpoint.delete(endpoint);
    this.#byId.delete(slot.registration.id);
    this.#leave(slot.registration.address, slot);
    this.#expiries.remove(slot);
  }

  /** When the next one ends. */
  nextExpiry(): number | undefined {
    return this.#expiries.first()?.expiresAt;
  }

  /** Up to `limit` that have ended at `now` and are not passed over, the earliest first; they stay in the book. */
  expired(now: number, limit: number, isPassedOver: (endpoint: string) => boolean): readonly Registration[] {
    const seen: Slot[] = [];
    const found: Registration[] = [];
    while (found.length < limit) {
      const slot = this.#expiries.first();
      if (slot === undefined || slot.expiresAt > now) break;
      this.#expiries.remove(slot);
      seen.push(slot);
      if (!isPassedOver(slot.registration.endpoint)) found.push(slot.registration);
    }
    for (const slot of seen) this.#expiries.put(slot);
    return found;
  }

  #take(address: PeerAddress, slot: Slot): Registration | undefined {
    const holder = this.#byAddress.get(address);
    if (holder === slot) return undefined;
    this.#byAddress.set(address, slot);
    if (holder === undefined) return undefined;
    holder.registration = { ...holder.registration, addressLost: true };
    return holder.registration;
  }

  #leave(address: PeerAddress, slot: Slot): void {
    if (this.#byAddress.get(address) === slot) this.#byAddress.delete(address);
  }
}

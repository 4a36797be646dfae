import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import type { ResourceTypeLookup } from '../../protocol/lwm2m/value.ts';
import { isSecureAddress } from '../enrolment/speakers.ts';
import type { StoredObservation } from '../ports/observation-store.ts';
import type { NotificationSource } from '../telemetry/ingest.ts';
import { type ObservationTarget, targetBase, targetKey } from './observation-target.ts';

/** What is held in memory of one observation. */
export interface Held {
  readonly stored: StoredObservation;
  readonly source: NotificationSource;
  /** Where its device was last heard; notifications move it. */
  address: PeerAddress;
  /** Whether its device has spoken by a secure session: what comes without one is not its own any more. */
  isSecure: boolean;
  /** `Clock.now` of its last notification; of its making, where none came yet. */
  heardAt: number;
}

export function holding(
  stored: StoredObservation,
  address: PeerAddress,
  rootPath: string,
  lookup: ResourceTypeLookup,
  heardAt: number,
  isSecure: boolean,
): Held {
  const { endpoint, token, composite, paths } = stored;
  const path = targetBase(stored);
  const source = { endpoint, token, path, rootPath, lookup };
  return { stored, address, heardAt, isSecure, source: composite === true ? { ...source, paths } : source };
}

/** The observations of this process, by registration. */
export class HeldObservations {
  readonly #byRegistration = new Map<string, Map<string, Held>>();

  add(held: Held): void {
    const { registrationId, token } = held.stored;
    const tokens = this.#byRegistration.get(registrationId);
    if (tokens === undefined) this.#byRegistration.set(registrationId, new Map([[token, held]]));
    else tokens.set(token, held);
  }

  has({ registrationId, token }: StoredObservation): boolean {
    return this.#byRegistration.get(registrationId)?.has(token) === true;
  }

  remove({ registrationId, token }: StoredObservation): void {
    const tokens = this.#byRegistration.get(registrationId);
    tokens?.delete(token);
    if (tokens?.size === 0) this.#byRegistration.delete(registrationId);
  }

  /** In the order in which they were made. */
  of(registrationId: string): readonly Held[] {
    return [...(this.#byRegistration.get(registrationId)?.values() ?? [])];
  }

  ofTarget(registrationId: string, target: ObservationTarget): readonly Held[] {
    const tokens = this.#byRegistration.get(registrationId);
    if (tokens === undefined) return [];
    const key = targetKey(target);
    return [...tokens.values()].filter(({ stored }) => targetKey(stored) === key);
  }

  /** Takes all of a registration out. */
  take(registrationId: string): readonly Held[] {
    const held = this.of(registrationId);
    this.#byRegistration.delete(registrationId);
    return held;
  }

  moved(registrationId: string, address: PeerAddress): void {
    const tokens = this.#byRegistration.get(registrationId);
    if (tokens === undefined) return;
    for (const held of tokens.values()) {
      held.address = address;
      held.isSecure ||= isSecureAddress(address);
    }
  }
}

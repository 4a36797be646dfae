import type { Clock } from '../../../protocol/clock.ts';
import { isRecord, type KeptSettings } from '../kept-settings.ts';
import type { Operator } from './cell-map.ts';

/** What a server may write of an APN connection profile. */
export interface ApnProfile {
  readonly name: string;
  /** Undefined: none is named. Empty: the network's default. */
  readonly apn: string | undefined;
  readonly automatic: boolean;
  readonly enabled: boolean;
  /** 0 PAP, 1 CHAP, 2 either, 3 none. */
  readonly authentication: number;
  readonly user: string;
  readonly secret: string;
  readonly reconnectSchedule: string;
  /** `mcc,mnc` by resource-instance id; where there are some, it is used with these operators only. */
  readonly validity: readonly (readonly [id: number, network: string])[];
  /** 0 non-IP, 1 IPv4, 2 IPv6, 3 both. */
  readonly pdnType: number;
}

export const newProfile: ApnProfile = {
  name: '',
  apn: undefined,
  automatic: true,
  enabled: true,
  authentication: 3,
  user: '',
  secret: '',
  reconnectSchedule: '',
  validity: [],
  pdnType: 1,
};

/** One attempt to have the network connect a profile. Times in seconds since the epoch. */
export interface Establishment {
  readonly at: number;
  /** ESM cause (3GPP TS 24.301 §9.9.4.4); undefined: accepted. */
  readonly rejectCause: number | undefined;
  readonly endedAt: number | undefined;
}

/** The connection that there is. */
export interface Connection {
  /** Undefined: no profile was accepted, and the network gave its default. */
  readonly profile: number | undefined;
  readonly apn: string;
  /** Rises with each, so that each has an address of its own. */
  readonly session: number;
}

/** Attempts that are remembered of each profile. */
const attempts = 4;
/** ESM cause #27, missing or unknown APN. */
const unknownApn = 27;
const section = 'apn';
const asMade: readonly (readonly [number, ApnProfile])[] = [[0, { ...newProfile, name: 'default' }]];
/** Profiles at most. */
export const maxProfiles = 8;

/** The APN connection profiles of a modem, and the connection that they lead to. */
export class ApnProfiles {
  readonly #clock: Clock;
  readonly #settings: KeptSettings;
  readonly #profiles: Map<number, ApnProfile>;
  readonly #establishments = new Map<number, readonly Establishment[]>();
  #connection: Connection | undefined;
  #session = 0;

  /** @throws StateFileError */
  constructor(clock: Clock, settings: KeptSettings) {
    this.#clock = clock;
    this.#settings = settings;
    this.#profiles = new Map(settings.read(section, parseProfiles) ?? asMade);
    settings.onClear(() => {
      this.#profiles.clear();
      this.#establishments.clear();
      for (const [id, profile] of asMade) this.#profiles.set(id, profile);
    });
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  get ids(): readonly number[] {
    return [...this.#profiles.keys()];
  }

  get(id: number): ApnProfile {
    return this.#profiles.get(id) ?? newProfile;
  }

  establishments(id: number): readonly Establishment[] {
    return this.#establishments.get(id) ?? [];
  }

  /** On disk when it returns. */
  set(id: number, profile: ApnProfile): void {
    const next = new Map(this.#profiles).set(id, profile);
    this.#settings.write(section, [...next]);
    this.#profiles.set(id, profile);
  }

  delete(id: number): void {
    const next = new Map(this.#profiles);
    next.delete(id);
    this.#settings.write(section, [...next]);
    this.#profiles.delete(id);
    this.#establishments.delete(id);
  }

  /** Whether another profile than this one can carry the connection. */
  hasOtherThan(id: number): boolean {
    return [...this.#profiles].some(([other, { enabled }]) => other !== id && enabled);
  }

  /**
   * Connects: the first enabled profile whose APN the operator serves; where it serves none of them, with
   * the operator's default, so that a wrong APN does not lose the modem.
   */
  connect(operator: Operator): Connection {
    this.disconnect();
    const { profile, apn, rejected } = this.#choose(operator);
    for (const id of rejected) this.#record(id, unknownApn);
    if (profile !== undefined) this.#record(profile, undefined);
    this.#session++;
    this.#connection = { profile, apn, session: this.#session };
    return this.#connection;
  }

  /** Whether connecting anew would lead to another connection than there is. */
  wouldChange(operator: Operator): boolean {
    const { profile, apn } = this.#choose(operator);
    return profile !== this.#connection?.profile || apn !== this.#connection?.apn;
  }

  disconnect(): void {
    const profile = this.#connection?.profile;
    this.#connection = undefined;
    if (profile === undefined) return;
    const [newest, ...older] = this.establishments(profile);
    if (newest === undefined) return;
    this.#establishments.set(profile, [{ ...newest, endedAt: this.#now }, ...older]);
  }

  #choose(operator: Operator) {
    const rejected: number[] = [];
    for (const [id, profile] of [...this.#profiles].sort(([a], [b]) => a - b)) {
      if (!profile.enabled || !isValidWith(profile, operator)) continue;
      const named = profile.automatic ? '' : (profile.apn ?? '').toLowerCase();
      if (named === '' || operator.apns.includes(named)) {
        return { profile: id, apn: named || defaultApn(operator), rejected };
      }
      rejected.push(id);
    }
    return { profile: undefined, apn: defaultApn(operator), rejected };
  }

  get #now(): number {
    return Math.floor(this.#clock.wallTime() / 1_000);
  }

  #record(id: number, rejectCause: number | undefined): void {
    const attempt = { at: this.#now, rejectCause, endedAt: undefined };
    this.#establishments.set(id, [attempt, ...this.establishments(id)].slice(0, attempts));
  }
}

function defaultApn({ apns }: Operator): string {
  return apns[0] ?? 'internet';
}

function isValidWith({ validity }: ApnProfile, { plmn }: Operator): boolean {
  return validity.length === 0 || validity.some(([, network]) => network.replaceAll(/[,\s]/g, '') === plmn);
}

function parseProfiles(value: unknown): readonly (readonly [number, ApnProfile])[] | undefined {
  if (!Array.isArray(value) || value.length > maxProfiles) return undefined;
  const profiles: [number, ApnProfile][] = [];
  for (const each of value as readonly unknown[]) {
    const [id, profile] = Array.isArray(each) ? (each as readonly unknown[]) : [];
    const parsed = parseProfile(profile);
    if (typeof id !== 'number' || parsed === undefined) return undefined;
    profiles.push([id, parsed]);
  }
  return profiles;
}

function parseProfile(value: unknown): ApnProfile | undefined {
  if (!isRecord(value)) return undefined;
  const { name, apn, automatic, enabled, authentication, user, secret, pdnType } = value;
  const { reconnectSchedule, validity } = value;
  const known =
    typeof name === 'string' &&
    (apn === undefined || typeof apn === 'string') &&
    typeof automatic === 'boolean' &&
    typeof enabled === 'boolean' &&
    typeof authentication === 'number' &&
    typeof user === 'string' &&
    typeof secret === 'string' &&
    typeof reconnectSchedule === 'string' &&
    typeof pdnType === 'number' &&
    Array.isArray(validity) &&
    validity.every(
      (each) => Array.isArray(each) && typeof each[0] === 'number' && typeof each[1] === 'string',
    );
  if (!known) return undefined;
  const pairs = validity as readonly (readonly [number, string])[];
  return {
    name,
    apn,
    automatic,
    enabled,
    authentication,
    user,
    secret,
    reconnectSchedule,
    validity: pairs,
    pdnType,
  };
}

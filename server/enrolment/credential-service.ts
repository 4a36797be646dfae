import { randomBytes } from 'node:crypto';
import type { Clock } from '../../protocol/clock.ts';
import { RequestError } from '../../protocol/errors.ts';
import type { EventPublisher } from '../live/publisher.ts';
import {
  type Credential,
  type CredentialAccount,
  type CredentialStore,
  type CredentialSummary,
  type EnrolmentAttributes,
  type Identity,
  type PreSharedKey,
  summaryOf,
} from '../ports/credential-store.ts';
import type { DeviceStore } from '../ports/device-store.ts';
import type { RegistrationStore } from '../ports/registration-store.ts';
import { Secret } from '../ports/secret.ts';
import { CredentialTakenError, UnknownCredentialError } from './errors.ts';
import { checkIdentityName, longestIdentity, sameIdentity } from './identities.ts';

/** Bytes of a key that the server makes: what the 128-bit suites of LwM2M can use. */
const KEY_LENGTH = 16;
/** How long the former key is good beside the new one unless the device has used that, ms. */
const GRACE = 7 * 86_400_000;
/** How coarse it is told when a device proved itself last, ms: each time would be a write for each handshake. */
const USE_PERIOD = 3_600_000;

/** What a device is to prove itself by. */
export interface NewCredential {
  readonly account: CredentialAccount;
  readonly endpoint: string;
  /** Absent, of a pre-shared key: the endpoint name. */
  readonly identity?: Identity;
  /** Of a pre-shared key; the server makes one where it is absent. */
  readonly key?: Secret;
  /** Of the one certificate that is meant. */
  readonly fingerprint?: string;
  readonly tenant?: string;
  readonly attributes?: EnrolmentAttributes;
}

/** A credential, and its key where the server has made it: told now, and never again. */
export interface IssuedCredential {
  readonly credential: CredentialSummary;
  readonly key?: Secret;
}

/** Which credentials of a device are meant; all that it has, where nothing is given. */
export interface CredentialSelection {
  readonly account?: CredentialAccount;
  readonly identity?: string;
}

export type CredentialEvent = 'created' | 'rotated' | 'revoked' | 'removed' | 'used' | 'imported';

/** Which credential, and whose. */
interface Named {
  readonly account: CredentialAccount;
  readonly endpoint: string;
  readonly identity: Identity;
}

export interface CredentialServiceOptions {
  readonly credentials: CredentialStore;
  readonly devices: Pick<DeviceStore, 'enrol' | 'tenants'>;
  /** A device that is known is a tenant's from now on. */
  readonly setTenant: (endpoint: string, tenant: string) => Promise<unknown>;
  readonly registrations: Pick<RegistrationStore, 'byEndpoint' | 'deregister'>;
  readonly events: Pick<EventPublisher, 'publish'>;
  readonly clock: Clock;
  /** What is remembered of credentials is to be forgotten. */
  readonly onChanged: () => void;
  /** Ends the sessions of an identity, at all nodes and in the store. */
  readonly endSessions: (account: CredentialAccount, identity: Identity) => Promise<void>;
  /** The device is to be cut off: as if it had de-registered. */
  readonly onCutOff: (
    registration: NonNullable<Awaited<ReturnType<RegistrationStore['deregister']>>>,
  ) => void;
}

/** Gives devices what they prove themselves by, changes it, and takes it away. */
export class CredentialService {
  readonly #options: CredentialServiceOptions;

  constructor(options: CredentialServiceOptions) {
    this.#options = options;
  }

  get(endpoint: string): Promise<readonly Credential[]> {
    return this.#options.credentials.get(endpoint);
  }

  find(account: CredentialAccount, identity: Identity): Promise<Credential | undefined> {
    return this.#options.credentials.find(account, identity);
  }

  list(query: Parameters<CredentialStore['list']>[0]): ReturnType<CredentialStore['list']> {
    return this.#options.credentials.list(query);
  }

  /** @throws CredentialTakenError, RequestError, StoreUnavailableError */
  async create(given: NewCredential): Promise<IssuedCredential> {
    const before = await this.#ofAccount(given.endpoint, given.account);
    if (before.length > 0) {
      throw new CredentialTakenError(
        `'${given.endpoint}' has a credential for this account already: rotate it, or delete it first`,
      );
    }
    const issued = await this.#add(given);
    this.#tell('created', issued.credential);
    return issued;
  }

  /** As `create`, and as `rotate` where the device has one: for a bootstrap server, which gives keys again and again. */
  async issue(given: NewCredential): Promise<IssuedCredential> {
    const before = await this.#ofAccount(given.endpoint, given.account);
    return before.length === 0 ? this.create(given) : this.rotate(given.endpoint, given);
  }

  /**
   * Gives the device another credential. The former one is good until the device has used the new one, or the grace is
   * over. The identity of a pre-shared key has to be another one, for it says which key is meant; it may be the same
   * where there is no grace.
   * @throws UnknownCredentialError, CredentialTakenError, RequestError, StoreUnavailableError
   */
  async rotate(
    endpoint: string,
    next: Omit<NewCredential, 'endpoint'> & { readonly grace?: number },
  ): Promise<IssuedCredential> {
    const { account, grace = GRACE } = next;
    const former = await this.#ofAccount(endpoint, account);
    const [latest] = former.toSorted((a, b) => b.createdAt - a.createdAt);
    if (latest === undefined) throw new UnknownCredentialError(endpoint);
    const identity = next.identity ?? { kind: 'psk', name: nextName(latest.identity.name, endpoint) };
    const { tenant, attributes } = latest;
    const whole: NewCredential = {
      ...(tenant === undefined ? {} : { tenant }),
      ...(attributes === undefined ? {} : { attributes }),
      ...next,
      endpoint,
      identity,
    };
    const same = former.find((one) => sameIdentity(one.identity, identity));
    if (same !== undefined && grace > 0) {
      throw new RequestError(
        'a rotation with a grace needs another identity: it says which of two keys is meant',
      );
    }
    const issued = await (same === undefined ? this.#add(whole) : this.#replace(whole, same));
    const now = this.#now();
    for (const one of former) {
      if (one === same) continue;
      if (grace === 0) await this.#drop(one);
      else if (one.validUntil === undefined) {
        const change = { validUntil: now + grace, changedAt: now };
        await this.#options.credentials.change(account, one.identity, change);
      }
    }
    this.#tell('rotated', issued.credential);
    if (same !== undefined) await this.#cutOff(same);
    return issued;
  }

  /** @returns those that are revoked now @throws UnknownCredentialError, StoreUnavailableError */
  async revoke(endpoint: string, selection: CredentialSelection = {}): Promise<readonly CredentialSummary[]> {
    const revoked: CredentialSummary[] = [];
    for (const { account, identity } of await this.#selected(endpoint, selection)) {
      const change = { state: 'revoked', changedAt: this.#now() } as const;
      const credential = await this.#options.credentials.change(account, identity, change);
      // Gone meanwhile.
      if (credential === undefined) continue;
      revoked.push(credential);
      this.#tell('revoked', credential);
      await this.#cutOff(credential);
    }
    if (revoked.length === 0) throw new UnknownCredentialError(endpoint);
    return revoked;
  }

  /** False where there was none. */
  async remove(endpoint: string, selection: CredentialSelection = {}): Promise<boolean> {
    let any = false;
    for (const credential of await this.#selected(endpoint, selection)) {
      if (await this.#drop(credential)) any = true;
    }
    return any;
  }

  /** A session was established by it: a rotation is over with the first use of the new one. */
  async used(account: CredentialAccount, identity: Identity): Promise<void> {
    const { credentials } = this.#options;
    const now = this.#now();
    const credential = await credentials.find(account, identity);
    if (credential === undefined || now - (credential.usedAt ?? 0) < USE_PERIOD) return;
    await credentials.change(account, identity, { usedAt: now });
    if (credential.usedAt !== undefined) return;
    this.#tell('used', credential);
    for (const former of await this.#ofAccount(credential.endpoint, account)) {
      const isFormer = former.validUntil !== undefined && former.createdAt <= credential.createdAt;
      if (isFormer && !sameIdentity(former.identity, identity)) await this.#drop(former);
    }
  }

  /** Somebody else has put a key of a device at servers into the store, or has ended it. */
  async noted(endpoint: string, identity: Identity, ended: boolean): Promise<void> {
    const credential = { account: 'server', endpoint, identity } as const;
    this.#tell(ended ? 'revoked' : 'created', credential);
    if (ended) await this.#cutOff(credential);
  }

  /** Enters one that is not there yet; the caller has seen to all else. False: its identity is taken. */
  async enter(credential: Credential): Promise<boolean> {
    return (await this.#options.credentials.put(credential, 'add')).stored;
  }

  /** After an import: devices that are known by it, and what is remembered. */
  async imported(credentials: readonly Credential[]): Promise<void> {
    const { devices, setTenant } = this.#options;
    await devices.enrol(credentials.map(enrolledDevice));
    const given = credentials.filter(({ tenant }) => tenant !== undefined);
    const known = await devices.tenants(given.map(({ endpoint }) => endpoint));
    for (const { endpoint, tenant } of given) {
      if (tenant !== undefined && known.get(endpoint) !== tenant) await setTenant(endpoint, tenant);
    }
    this.#options.onChanged();
    await Promise.all(credentials.map(({ endpoint }) => this.#endUnsecured(endpoint)));
  }

  /** Tells of a whole import. */
  tellImport(count: number): void {
    this.#options.onChanged();
    this.#options.events.publish('credential', undefined, this.#now(), { change: 'imported', count });
  }

  async #ofAccount(endpoint: string, account: CredentialAccount): Promise<readonly Credential[]> {
    return (await this.get(endpoint)).filter((credential) => credential.account === account);
  }

  async #selected(
    endpoint: string,
    { account, identity }: CredentialSelection,
  ): Promise<readonly Credential[]> {
    return (await this.get(endpoint)).filter(
      (one) =>
        (account === undefined || one.account === account) &&
        (identity === undefined || one.identity.name === identity),
    );
  }

  async #add(given: NewCredential): Promise<IssuedCredential> {
    const { credential, issued } = this.#credential(given, this.#now());
    const put = await this.#options.credentials.put(credential, 'add');
    if (!put.stored) throw new CredentialTakenError('the identity is taken');
    await this.#options.devices.enrol([enrolledDevice(credential)]);
    if (credential.tenant !== undefined)
      await this.#options.setTenant(credential.endpoint, credential.tenant);
    this.#options.onChanged();
    await this.#endUnsecured(credential.endpoint);
    return issued;
  }

  /** The same identity with another key. */
  async #replace(given: NewCredential, former: Credential): Promise<IssuedCredential> {
    const { credential, issued } = this.#credential(given, former.createdAt);
    const put = await this.#options.credentials.put(credential, 'replace');
    if (!put.stored) throw new CredentialTakenError('the identity is taken');
    return issued;
  }

  #credential(
    given: NewCredential,
    createdAt: number,
  ): { readonly credential: Credential; readonly issued: IssuedCredential } {
    const { account, endpoint, tenant, attributes, fingerprint } = given;
    const identity = given.identity ?? { kind: 'psk', name: shortened(endpoint, longestIdentity) };
    if (identity.kind === 'psk') checkIdentityName(identity.name);
    const known = {
      account,
      endpoint,
      state: 'active',
      createdAt,
      changedAt: this.#now(),
      ...(tenant === undefined ? {} : { tenant }),
      ...(attributes === undefined ? {} : { attributes }),
    } as const;
    if (identity.kind === 'psk') {
      const key = given.key ?? new Secret(randomBytes(KEY_LENGTH));
      const credential: PreSharedKey = { ...known, identity: { kind: 'psk', name: identity.name }, key };
      const summary = summaryOf(credential);
      return {
        credential,
        issued: given.key === undefined ? { credential: summary, key } : { credential: summary },
      };
    }
    const pinned = fingerprint === undefined ? {} : { fingerprint };
    const credential = { ...known, ...pinned, identity } as Exclude<Credential, PreSharedKey>;
    return { credential, issued: { credential } };
  }

  async #drop(credential: CredentialSummary): Promise<boolean> {
    const removed = await this.#options.credentials.remove(credential.account, credential.identity);
    if (!removed) return false;
    this.#tell('removed', credential);
    await this.#cutOff(credential);
    return true;
  }

  /** Sessions of the identity end, and with them the registration that was made by one. */
  async #cutOff({ account, identity, endpoint }: Named): Promise<void> {
    const { registrations, endSessions, onCutOff } = this.#options;
    await endSessions(account, identity);
    if (account !== 'server') return;
    const registration = await registrations.byEndpoint(endpoint);
    if (registration?.identity === undefined || !sameIdentity(registration.identity, identity)) return;
    const ended = await registrations.deregister(registration.id);
    if (ended !== undefined) onCutOff(ended);
  }

  /** The name was registered without security until now: whoever that was has to prove it. */
  async #endUnsecured(endpoint: string): Promise<void> {
    const { registrations, onCutOff } = this.#options;
    const registration = await registrations.byEndpoint(endpoint);
    if (registration === undefined || registration.identity !== undefined) return;
    const ended = await registrations.deregister(registration.id, null);
    if (ended !== undefined) onCutOff(ended);
  }

  #tell(change: CredentialEvent, { account, identity, endpoint }: Named): void {
    this.#options.onChanged();
    const about = { change, account, kind: identity.kind, identity: identity.name };
    this.#options.events.publish('credential', endpoint, this.#now(), about);
  }

  #now(): number {
    return Math.floor(this.#options.clock.wallTime());
  }
}

function enrolledDevice({
  endpoint,
  tenant,
  attributes = {},
}: Credential): Parameters<DeviceStore['enrol']>[0][number] {
  const { mac: _, ...numbers } = attributes;
  return { endpoint, ...numbers, ...(tenant === undefined ? {} : { tenant }) };
}

/** Another name for the next key: what there is, less the mark of the last rotation, with a new one. */
function nextName(name: string, endpoint: string): string {
  const mark = `~${randomBytes(4).toString('hex')}`;
  const base = name.replace(/~[\da-f]{8}$/, '') || endpoint;
  return `${shortened(base, longestIdentity - mark.length)}${mark}`;
}

/** As much of it as so many bytes of UTF-8 hold. */
function shortened(text: string, bytes: number): string {
  let kept = '';
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes) break;
    kept += character;
  }
  return kept;
}

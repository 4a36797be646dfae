import type { PeerAddress } from '../../protocol/coap/datagram-port.ts';
import {
  type Displacement,
  isSpeakersOwn,
  type ReachedIdentity,
  type Registered,
  type Registration,
  type RegistrationStore,
  type RegistrationUpdate,
  repetitionWindow,
  type Speaker,
  updatedRegistration,
} from '../ports/registration-store.ts';
import type { ChangedDevices } from './changed-devices.ts';
import type { Channel } from './channel.ts';
import { RegistrationBook } from './registration-book.ts';
import { type RegistrationRow, registrationOfRow, registrationRow, renewalRow } from './registration-row.ts';

/** Registrations that are read at a time, at the start. */
const atOnce = 5_000;

/** MAX_TRANSMIT_WAIT of RFC 7252 §4.8.2, ms: how long a device in queue mode is taken to listen after it has spoken. */
const standardListening = 93_000;

/**
 * Registrations of the embedded engine. One process has the database, so all of them are in its memory, where they
 * are found and decided about; what is decided is in the database before it is in the memory, and before anybody is
 * told. Steps of one device wait for each other; a step that the database did not answer for is looked up there before
 * the next one.
 */
export class EmbeddedRegistrations implements RegistrationStore {
  readonly #channel: Channel;
  readonly #changes: ChangedDevices;
  readonly #book = new RegistrationBook();
  /** The last step of each device that has one under way. */
  readonly #lanes = new Map<string, Promise<unknown>>();
  /** The step that was asked for last: when it has ended, so have those before it that did not wait for others. */
  #last: Promise<unknown> | undefined;
  /** Devices of which a step has failed: the database may have done it all the same. */
  readonly #doubtful = new Set<string>();

  constructor(channel: Channel, changes: ChangedDevices) {
    this.#channel = channel;
    this.#changes = changes;
  }

  /** Reads what was there. @throws StoreUnavailableError */
  async load(): Promise<void> {
    for (let after = ''; ; ) {
      const rows = await this.#channel.read('registrationsAfter', after, atOnce);
      for (const row of rows) this.#book.restore(registrationOfRow(row));
      const last = rows.at(-1);
      if (last === undefined || rows.length < atOnce) return;
      after = last[0] as string;
    }
  }

  register(registration: Registration, tenant?: string): Promise<Registered & Displacement> {
    return this.#step(registration.endpoint, () => this.#register(registration, tenant));
  }

  async #register(
    registration: Registration,
    tenant: string | undefined,
  ): Promise<Registered & Displacement> {
    const { endpoint, address } = registration;
    const replaced = this.#book.byEndpoint(endpoint);
    if (replaced !== undefined && isRepetition(registration, replaced)) {
      return { replaced: undefined, repeated: replaced, fence: fenceOf(replaced) };
    }
    const displaced = this.#book.holder(address, endpoint)?.endpoint;
    const awakeUntil = listeningUntil(registration);
    const fence =
      replaced !== undefined && saysTheSame(registration, replaced)
        ? await this.#channel.writeSoon(
            'renewRegistration',
            renewalRow(registration),
            awakeUntil,
            replaced.id,
            displaced,
            replaced.node === registration.node ? fenceOf(replaced) : undefined,
          )
        : await this.#channel.writeSoon(
            'register',
            registrationRow(registration),
            awakeUntil,
            replaced?.id,
            displaced,
            tenant,
          );
    // The object is kept as it is: it is the one that all others will have of this registration.
    (registration as { fence?: number }).fence = fence;
    return { replaced, fence, ...displacement(this.#book.put(registration)) };
  }

  async update(
    update: RegistrationUpdate,
    speaker?: Speaker,
  ): Promise<
    ({ readonly registration: Registration; readonly previous: Registration } & Displacement) | undefined
  > {
    let found = this.#book.byId(update.id);
    if (found === undefined || this.#isOpen(found.endpoint)) found = await this.byId(update.id);
    if (found === undefined) return undefined;
    const { endpoint } = found;
    return this.#step(endpoint, async () => {
      const previous = this.#book.byId(update.id);
      if (previous === undefined || !isSpeakersOwn(previous, speaker)) return undefined;
      const grace = previous.expiresAt - previous.updatedAt - previous.lifetime * 1000;
      const expiresAt = update.updatedAt + (update.lifetime ?? previous.lifetime) * 1000 + grace;
      const fence = fenceOf(previous);
      let registration = updatedRegistration(previous, update, expiresAt, fence);
      const heardUntil = listeningUntil(registration);
      if (isHeardOnly(update, previous)) {
        await this.#channel.writeSoon('hearRegistration', endpoint, update.updatedAt, expiresAt, heardUntil);
      } else {
        const own = await this.#channel.writeSoon(
          'changeRegistration',
          registrationRow(registration),
          heardUntil,
          this.#book.holder(update.address, endpoint)?.endpoint,
        );
        if (own !== fence) registration = { ...registration, fence: own };
      }
      const displaced = this.#book.put(registration);
      if (displaced === undefined) return { registration, previous };
      return { registration, previous, ...displacement(displaced) };
    });
  }

  async move(
    id: string,
    address: PeerAddress,
    node: string,
  ): Promise<({ readonly previousNode: string; readonly fence: number } & Displacement) | undefined> {
    const moved = await this.#transfer(id, node, () => address);
    if (moved === undefined) return undefined;
    const { registration, previousNode, displaced } = moved;
    return { previousNode, fence: fenceOf(registration), ...displacement(displaced) };
  }

  async claim(
    id: string,
    node: string,
    from?: string,
  ): Promise<{ readonly registration: Registration; readonly previousNode: string } | undefined> {
    const claimed = await this.#transfer(id, node, (before) =>
      from !== undefined && from !== before.node ? undefined : 'here',
    );
    return claimed && { registration: claimed.registration, previousNode: claimed.previousNode };
  }

  /** To another address, or another node, or both. `where` is asked when it is the device's turn; undefined: nowhere. */
  async #transfer(
    id: string,
    node: string,
    where: (before: Registration) => PeerAddress | 'here' | undefined,
  ): Promise<
    | {
        readonly registration: Registration;
        readonly previousNode: string;
        readonly displaced: Registration | undefined;
      }
    | undefined
  > {
    const found = await this.byId(id);
    if (found === undefined) return undefined;
    const { endpoint } = found;
    return this.#step(endpoint, async () => {
      const before = this.#book.byId(id);
      const to = before && where(before);
      if (before === undefined || to === undefined) return undefined;
      const address = to === 'here' ? before.address : to;
      // Who is claimed was not heard: an address that it has lost stays lost.
      const isLost = to === 'here' && before.addressLost === true;
      const holder = isLost ? undefined : this.#book.holder(address, endpoint)?.endpoint;
      const fence = await this.#channel.writeSoon(
        'moveRegistration',
        endpoint,
        address,
        isLost,
        node,
        node !== before.node,
        holder,
      );
      const registration: Registration = { ...before, address, node, fence };
      if (isLost) {
        this.#book.replace(registration);
        return { registration, previousNode: before.node, displaced: undefined };
      }
      const { addressLost: _regained, ...heard } = registration;
      return { registration: heard, previousNode: before.node, displaced: this.#book.put(heard) };
    });
  }

  async deregister(id: string, speaker?: Speaker): Promise<Registration | undefined> {
    const found = await this.byId(id);
    if (found === undefined) return undefined;
    return this.#step(found.endpoint, async () => {
      const registration = this.#book.byId(id);
      if (registration === undefined || !isSpeakersOwn(registration, speaker)) return undefined;
      await this.#channel.writeSoon('endRegistrations', [[registration.endpoint, id]], 'left');
      this.#book.remove(registration.endpoint);
      return registration;
    });
  }

  async expire(now: number, limit: number): Promise<readonly Registration[]> {
    for (const endpoint of [...this.#doubtful]) await this.#sure(endpoint);
    // What a device does at this moment comes first; where it did not help it, it is found the next time.
    const ended = this.#book.expired(now, limit, (endpoint) => this.#lanes.has(endpoint));
    if (ended.length === 0) return [];
    const steps = ended.map(({ endpoint, id }) => [endpoint, id] as const);
    const done = this.#channel.writeSoon('endRegistrations', steps, 'lost');
    await Promise.all(
      ended.map(({ endpoint }) =>
        this.#step(endpoint, async () => {
          await done;
          this.#book.remove(endpoint);
        }),
      ),
    );
    return ended;
  }

  async nextExpiry(): Promise<number | undefined> {
    return this.#book.nextExpiry();
  }

  async byId(id: string): Promise<Registration | undefined> {
    const found = this.#book.byId(id);
    if (found !== undefined && !this.#isOpen(found.endpoint)) return found;
    if (found === undefined) await this.#last?.catch(() => undefined);
    else await this.#level(found.endpoint);
    return this.#book.byId(id);
  }

  async byEndpoint(endpoint: string): Promise<Registration | undefined> {
    if (this.#isOpen(endpoint)) await this.#level(endpoint);
    return this.#book.byEndpoint(endpoint);
  }

  async byAddress(address: PeerAddress): Promise<Registration | undefined> {
    await this.#last?.catch(() => undefined);
    const found = this.#book.byAddress(address);
    if (found === undefined || !this.#isOpen(found.endpoint)) return found;
    await this.#level(found.endpoint);
    return this.#book.byAddress(address);
  }

  async count(): Promise<number> {
    return this.#book.size;
  }

  /** Those of the devices that are registered with another node. */
  ofOthers(endpoints: Iterable<string>, node: string): readonly string[] {
    return [...endpoints].filter((endpoint) => {
      const registration = this.#book.byEndpoint(endpoint);
      return registration !== undefined && registration.node !== node;
    });
  }

  /** Runs a step of a device when those before it have ended. @throws whatever it throws */
  async #step<T>(endpoint: string, work: () => Promise<T>): Promise<T> {
    const before = this.#lanes.get(endpoint);
    const step =
      before === undefined && !this.#doubtful.has(endpoint)
        ? work()
        : this.#after(before, endpoint).then(work);
    this.#lanes.set(endpoint, step);
    this.#last = step;
    this.#changes.begin(endpoint);
    try {
      return await step;
    } catch (error) {
      this.#doubtful.add(endpoint);
      throw error;
    } finally {
      this.#changes.end(endpoint);
      if (this.#lanes.get(endpoint) === step) this.#lanes.delete(endpoint);
      if (this.#last === step) this.#last = undefined;
    }
  }

  /** What is asked of a device comes behind what it was asked before. */
  #isOpen(endpoint: string): boolean {
    return this.#lanes.has(endpoint) || this.#doubtful.has(endpoint);
  }

  async #level(endpoint: string): Promise<void> {
    // How it went is told to who asked for it. Steps that were asked for since need not be waited for.
    await this.#lanes.get(endpoint)?.catch(() => undefined);
    if (this.#doubtful.has(endpoint)) await this.#sure(endpoint);
  }

  async #after(before: Promise<unknown> | undefined, endpoint: string): Promise<void> {
    // How it went is told to who asked for it.
    await before?.catch(() => undefined);
    if (this.#doubtful.has(endpoint)) await this.#read(endpoint);
  }

  /** Waits until it is known what the database has of a device. */
  #sure(endpoint: string): Promise<void> {
    return this.#step(endpoint, async () => undefined);
  }

  async #read(endpoint: string): Promise<void> {
    const row: RegistrationRow | undefined = await this.#channel.read('registration', endpoint);
    this.#book.remove(endpoint);
    if (row !== undefined) this.#book.restore(registrationOfRow(row));
    this.#doubtful.delete(endpoint);
  }
}

function fenceOf({ fence, endpoint }: Registration): number {
  if (fence === undefined) throw new Error(`the registration of '${endpoint}' has no fence`);
  return fence;
}

function displacement(registration: Registration | undefined): Displacement {
  if (registration === undefined) return {};
  const { id, endpoint, node } = registration;
  return { displaced: { id, endpoint, node } };
}

/** Until when the device is taken to listen after what it sent now; null: always. */
function listeningUntil({ queueMode, updatedAt }: Registration): number | null {
  return queueMode ? updatedAt + standardListening : null;
}

/** Whether that registration is asked for by the message that has made this one. */
function isRepetition(asked: Registration, made: Registration): boolean {
  return (
    asked.message !== undefined &&
    asked.message === made.message &&
    asked.address === made.address &&
    asked.registeredAt - made.registeredAt < repetitionWindow
  );
}

/** Whether an Update says nothing but that the device is still there, as most of them do. */
function isHeardOnly(update: RegistrationUpdate, previous: Registration): boolean {
  if (update.address !== previous.address || previous.addressLost === true) return false;
  if (update.node !== previous.node) return false;
  const isSame = (
    member: 'lifetime' | 'binding' | 'queueMode' | 'smsNumber' | 'rootPath' | 'links',
  ): boolean => update[member] === undefined || update[member] === previous[member];
  return (
    isSame('lifetime') &&
    isSame('binding') &&
    isSame('queueMode') &&
    isSame('smsNumber') &&
    isSame('rootPath') &&
    // Lists of the same text are the same list (protocol/lwm2m/text-memo.ts).
    isSame('links') &&
    isAlike(update.contentFormats, previous.contentFormats) &&
    isAlike(update.profiles, previous.profiles) &&
    (update.identity === undefined || isSameIdentity(update.identity, previous.identity))
  );
}

/** Whether a Register says of the device what the one before said, as that of a device that has restarted does. */
function saysTheSame(registration: Registration, before: Registration): boolean {
  return (
    registration.lifetime === before.lifetime &&
    registration.version === before.version &&
    registration.binding === before.binding &&
    registration.queueMode === before.queueMode &&
    registration.smsNumber === before.smsNumber &&
    registration.rootPath === before.rootPath &&
    registration.links === before.links &&
    haveTheSame(registration.contentFormats, before.contentFormats) &&
    haveTheSame(registration.additional, before.additional) &&
    haveTheSame(registration.profiles, before.profiles) &&
    isSameIdentity(registration.identity, before.identity)
  );
}

/** By hand: each Update of a secure session has one. */
function isSameIdentity(one: ReachedIdentity | undefined, other: ReachedIdentity | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.name === other.name &&
    one.kind === other.kind &&
    one.endpoint === other.endpoint &&
    one.transportAddress === other.transportAddress
  );
}

function haveTheSame(one: object | undefined, other: object | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** What is absent of an Update stays as it was. */
function isAlike(given: object | undefined, known: object | undefined): boolean {
  return given === undefined || haveTheSame(given, known);
}

import type { Clock, Timer } from '../../protocol/clock.ts';
import { Code } from '../../protocol/coap/message.ts';
import { type DatagramTap, Direction } from '../../protocol/coap/tapped-port.ts';
import { devicePath } from '../lwm2m/coap-request.ts';
import type { Registration } from '../ports/registration-store.ts';
import type { Stores } from '../ports/stores.ts';
import { type AddressNote, decodeNote, encodeNote } from './address-notes.ts';
import { CapturedMessage } from './captured-message.ts';
import { DeviceHistory, HISTORY_MESSAGES, type TracedMessage } from './device-history.ts';
import { findMessages } from './find-messages.ts';
import { type FlightRecorder, MAX_CAPTURED } from './flight-recorder.ts';
import { Claims, firstOfArrival } from './ownership.ts';

/** Devices whose messages are kept apart at once: those that somebody looks at. */
const MAX_HISTORIES = 64;
/** How long they are kept after the last look, ms. */
const KEPT_UNSEEN = 5 * 60_000;
const SWEEP = 60_000;
/** Addresses of one device that are followed. */
const MAX_ADDRESSES = 16;
/** Live, of one device within a second: a flood is not decoded for those who look. */
const MAX_LIVE_PER_SECOND = 500;
/** What the civil time has been stepped by, at the least, where it has; less is how long it takes to ask, ms. */
const CLOCK_STEP = 2;
/** How far back the request is looked for that told where a device is. */
const ARRIVAL_RECORDS = 5_000;
const ARRIVAL_MESSAGES = 64;

/** The last messages of a device. */
export interface DeviceTrace {
  /** Oldest first. */
  readonly messages: readonly TracedMessage[];
  /** From when on all of its messages are here: older ones are no longer kept. ms since the epoch */
  readonly since: number;
  /** What is to be added to a message's time: ms since the epoch at the clock's zero. */
  readonly epoch: number;
  /** Of the device, where it has one: what its payloads mean. */
  readonly registration: Registration | undefined;
}

/** Messages as they come. */
export interface LiveTrace extends Omit<DeviceTrace, 'since'> {
  /** So many before them were not told, for there were too many at once. */
  readonly missed: number;
}

export interface DeviceTracesOptions {
  readonly recorder: FlightRecorder;
  readonly clock: Clock;
  readonly stores: Pick<Stores, 'registrations' | 'observations'>;
  /** Where a peer is reached now; where it is none but its address unless told. */
  readonly transportAddress?: (peer: string) => string;
  /** Messages of a device that is watched; called behind the datagrams of a turn. */
  readonly onLive: (endpoint: string, trace: LiveTrace) => void;
  readonly onError: (error: unknown) => void;
}

const samePlace = (peer: string): string => peer;

/** A device's messages while somebody looks. */
interface Looked {
  readonly history: DeviceHistory;
  readonly ready: Promise<void>;
  readonly addresses: Set<string>;
  registration: Registration | undefined;
  seenAt: number;
  watched: boolean;
  pending: TracedMessage[];
  missed: number;
  /** Of the second that is now. */
  second: number;
  told: number;
}

/** Whose an address is; only said by a Register so far where it is a `claim`. */
interface Holder {
  readonly looked: Looked;
  readonly claim: boolean;
}

/**
 * The CoAP messages of devices. All datagrams go into the ring; only those of devices that somebody looks at are
 * copied, decoded and told besides.
 */
export class DeviceTraces {
  readonly #options: DeviceTracesOptions;
  readonly #looked = new Map<string, Looked>();
  readonly #byAddress = new Map<string, Holder>();
  readonly #claims = new Claims();
  #sweep: Timer | undefined;
  #flush: NodeJS.Immediate | undefined;
  /** ms since the epoch at the clock's zero. */
  #zero = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: DeviceTracesOptions) {
    this.#options = options;
  }

  /** What is to see every datagram. */
  readonly tap: DatagramTap = (direction, data, peer) => {
    const { recorder, clock, transportAddress = samePlace } = this.#options;
    const time = clock.now();
    const at = transportAddress(peer);
    const id = recorder.record(direction, data, peer, time, at);
    if (this.#looked.size !== 0) this.#offer(id, time, direction, data, peer, at);
  };

  // ---- what becomes known of addresses

  /** A device was heard at an address, and had another one, or none, before. */
  arrived(endpoint: string, address: string, former: string | undefined): void {
    const id = this.#note({
      kind: 'holds',
      endpoint,
      peer: address,
      ...(former === undefined || former === '' || former === address ? {} : { former }),
    });
    const looked = this.#looked.get(endpoint);
    if (looked === undefined) {
      this.#release(address);
      return;
    }
    const before = this.#byAddress.get(address);
    if (before?.looked === looked && !before.claim) return;
    this.#hold(address, looked, false);
    this.#takeArrival(looked, address, id);
  }

  /** As `arrived`, where that is so. */
  registered(registration: Registration, before: Registration | undefined): void {
    const { endpoint, address } = registration;
    const looked = this.#looked.get(endpoint);
    if (looked !== undefined) looked.registration = registration;
    const former = before === undefined || before.addressLost === true ? undefined : before.address;
    if (former !== address) this.arrived(endpoint, address, former);
  }

  /** Another device was heard at its address. */
  displaced(endpoint: string, address: string): void {
    this.#note({ kind: 'lost', endpoint, peer: address });
  }

  /** Its registration has ended. */
  ended({ endpoint, address }: Pick<Registration, 'endpoint' | 'address'>): void {
    this.#note({ kind: 'ended', endpoint, peer: address });
  }

  // ---- who looks

  /**
   * The newest messages of a device, or the first of those after `after`.
   * @throws StoreUnavailableError
   */
  async read(endpoint: string, query: { after?: number; limit: number }): Promise<DeviceTrace> {
    const looked = this.#look(endpoint);
    await looked.ready;
    const { after, limit } = query;
    const { messages, since } = looked.history;
    const epoch = this.#epoch();
    const wanted =
      after === undefined
        ? messages.slice(-limit)
        : messages.filter(({ captured }) => captured.id > after).slice(0, limit);
    return { messages: wanted, since: since + epoch, epoch, registration: looked.registration };
  }

  /** Somebody wants the messages of a device as they come, or nobody any more. False where too many are wanted already. */
  watch(endpoint: string, wanted: boolean): boolean {
    if (!wanted) {
      const looked = this.#looked.get(endpoint);
      if (looked !== undefined) {
        looked.watched = false;
        looked.seenAt = this.#options.clock.now();
      }
      return true;
    }
    const looked = this.#look(endpoint);
    looked.watched = true;
    looked.ready.catch(this.#options.onError);
    return this.#looked.get(endpoint) === looked;
  }

  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    clearImmediate(this.#flush);
    this.#looked.clear();
    this.#byAddress.clear();
  }

  #note(note: AddressNote): number {
    const { recorder, clock } = this.#options;
    return recorder.note(encodeNote(note), clock.now());
  }

  #look(endpoint: string): Looked {
    const { clock } = this.#options;
    const known = this.#looked.get(endpoint);
    if (known !== undefined) {
      known.seenAt = clock.now();
      return known;
    }
    const looked: Looked = this.#create(endpoint);
    if (this.#closed || (this.#looked.size >= MAX_HISTORIES && !this.#forgetOldest())) return looked;
    this.#looked.set(endpoint, looked);
    this.#startSweep();
    looked.ready.catch(() => {
      // Whoever waits is told; the next one tries again.
      if (this.#looked.get(endpoint) === looked) this.#forget(endpoint);
    });
    return looked;
  }

  #create(endpoint: string): Looked {
    const now = this.#options.clock.now();
    const history = new DeviceHistory(endpoint, now);
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const looked: Looked = {
      history,
      addresses: new Set(),
      registration: undefined,
      ready: begun.then(() => this.#fill(looked)),
      seenAt: now,
      watched: false,
      pending: [],
      missed: 0,
      second: 0,
      told: 0,
    };
    begin();
    return looked;
  }

  /** Finds what there is of a device in the ring. */
  async #fill(looked: Looked): Promise<void> {
    const { recorder, clock, stores } = this.#options;
    const { history } = looked;
    const registration = await stores.registrations.byEndpoint(history.endpoint);
    looked.registration ??= registration;
    const observations =
      registration === undefined ? [] : await stores.observations.byRegistration(registration.id);
    const paths = new Map(
      observations.map(({ token, paths: [first = '/'], composite }) => [
        token,
        devicePath(registration?.rootPath ?? '/', composite === true ? '/' : first),
      ]),
    );
    const lost = registration?.addressLost === true;
    // What comes from here on is offered as it comes.
    const to = recorder.nextId;
    const oldest = recorder.oldestTime ?? clock.now();
    if (registration !== undefined && !lost && this.#looked.get(history.endpoint) === looked) {
      this.#hold(registration.address, looked, false);
    }
    const known = registration === undefined ? undefined : { address: registration.address, lost };
    const found = await findMessages(recorder, history.endpoint, known, to, HISTORY_MESSAGES);
    const since = found.more ? (found.messages[0]?.time ?? oldest) : oldest;
    history.fill(found.messages, since, (token) => paths.get(token));
  }

  // ---- as they come

  #offer(
    id: number,
    time: number,
    direction: Direction,
    data: Uint8Array,
    peer: string,
    transportAddress: string,
  ): void {
    const holder = this.#byAddress.get(peer);
    // From an address that is nobody's, only a Register says whose it is.
    if (holder === undefined && !(direction === Direction.IN && data[1] === Code.POST)) return;
    const bytes = new Uint8Array(data.subarray(0, MAX_CAPTURED));
    const captured = new CapturedMessage(id, time, direction, peer, data.length, bytes, transportAddress);
    const claimed = this.#claims.ownerOf(captured);
    if (claimed === undefined) {
      if (holder?.claim === false) this.#take(holder.looked, captured);
      return;
    }
    const looked = this.#looked.get(claimed);
    if (looked === undefined) return;
    if (holder === undefined) this.#hold(peer, looked, true);
    this.#take(looked, captured);
  }

  #take(looked: Looked, captured: CapturedMessage): void {
    const traced = looked.history.add(captured);
    if (traced === undefined || !looked.watched) return;
    const second = Math.floor(captured.time / 1000);
    if (second !== looked.second) {
      looked.second = second;
      looked.told = 0;
    }
    if (looked.told++ < MAX_LIVE_PER_SECOND) looked.pending.push(traced);
    else looked.missed++;
    this.#flush ??= setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#flush = undefined;
    const epoch = this.#epoch();
    for (const looked of this.#looked.values()) {
      const { pending, missed, registration } = looked;
      if (pending.length === 0) continue;
      looked.pending = [];
      looked.missed = 0;
      this.#options.onLive(looked.history.endpoint, { messages: pending, epoch, missed, registration });
    }
  }

  /** What came from an address before it was known that the device is there. */
  #takeArrival(looked: Looked, address: string, before: number): void {
    const bytes = Buffer.from(address, 'latin1');
    const messages: CapturedMessage[] = [];
    let left = ARRIVAL_RECORDS;
    this.#options.recorder.scanBack((record) => {
      const { direction } = record;
      if (direction === undefined) {
        if (record.id < before && isArrivalAt(record.data, address)) return false;
      } else if (record.isPeer(bytes)) messages.unshift(CapturedMessage.of(record, direction));
      return --left > 0 && messages.length < ARRIVAL_MESSAGES;
    });
    const first = firstOfArrival(messages);
    if (first === undefined) return;
    for (const message of messages) if (message.id >= first) this.#take(looked, message);
  }

  #hold(address: string, looked: Looked, claim: boolean): void {
    this.#byAddress.get(address)?.looked.addresses.delete(address);
    this.#byAddress.set(address, { looked, claim });
    looked.addresses.delete(address);
    looked.addresses.add(address);
    if (looked.addresses.size <= MAX_ADDRESSES) return;
    const [oldest] = looked.addresses;
    if (oldest !== undefined) this.#release(oldest);
  }

  #release(address: string): void {
    this.#byAddress.get(address)?.looked.addresses.delete(address);
    this.#byAddress.delete(address);
  }

  // ---- nobody looks any more

  #forgetOldest(): boolean {
    let oldest: Looked | undefined;
    for (const looked of this.#looked.values()) {
      if (!looked.watched && (oldest === undefined || looked.seenAt < oldest.seenAt)) oldest = looked;
    }
    if (oldest !== undefined) this.#forget(oldest.history.endpoint);
    return oldest !== undefined;
  }

  #forget(endpoint: string): void {
    const looked = this.#looked.get(endpoint);
    this.#looked.delete(endpoint);
    for (const address of looked?.addresses ?? []) this.#byAddress.delete(address);
  }

  #startSweep(): void {
    this.#sweep ??= this.#options.clock.setTimer(SWEEP, () => {
      this.#sweep = undefined;
      const before = this.#options.clock.now() - KEPT_UNSEEN;
      for (const [endpoint, looked] of this.#looked) {
        if (!looked.watched && looked.seenAt < before) this.#forget(endpoint);
      }
      if (this.#looked.size > 0) this.#startSweep();
    });
  }

  /** The same from call to call, so that a message has one time, but for steps of the system's clock. */
  #epoch(): number {
    const { clock } = this.#options;
    const now = clock.wallTime() - clock.now();
    if (Math.abs(now - this.#zero) > CLOCK_STEP) this.#zero = now;
    return this.#zero;
  }
}

function isArrivalAt(data: Uint8Array, address: string): boolean {
  const { kind, peer } = decodeNote(data);
  return kind === 'holds' && peer === address;
}

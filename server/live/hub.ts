import { type Clock, systemClock } from '../../protocol/clock.ts';
import type { LiveEntry, LiveItem, LivePosition, LiveStream, LiveSubscription } from '../events.ts';
import { type ItemOfTenant, itemIsSeen, type Tenancy } from '../people/tenancy.ts';
import type { EventLog, StoredEvent } from '../ports/event-log.ts';
import type { LogPosition, TelemetryLog } from '../ports/telemetry-log.ts';
import type { Pack } from '../telemetry/pack.ts';
import { isAwaited } from './awaited.ts';
import { Delivery } from './delivery.ts';
import { Group } from './group.ts';
import { liveReadings, Replay } from './replay.ts';
import { type SubscribeOptions, Subscriber } from './subscriber.ts';
import { Wishes } from './wishes.ts';

/** Whose things are; nobody's where a hub has none: then those with a tenant are told nothing. */
export type LiveTenancy = Pick<Tenancy, 'known' | 'recall' | 'note'>;

const nobodys: LiveTenancy = {
  known: { get: () => null },
  recall: async () => new Map(),
  note: () => undefined,
};

/** Told when the first subscriber wants a device's messages traced, and when the last has left. */
export type TraceListener = (endpoint: string, wanted: boolean) => void;

/**
 * Hands what was appended to the logs to many subscribers. One that keeps up gets each item as it
 * comes; one that does not is not buffered for: it reads on from the logs, at its own pace. Subscribers
 * with equal wishes are a group, for which items are picked and collected once.
 */
export class LiveHub implements LiveStream {
  readonly #replay: Replay;
  readonly #delivery: Delivery;
  readonly #tenancy: LiveTenancy;
  readonly #groups = new Map<string, Group>();
  /** Groups with a wish for all devices. */
  readonly #ofFleet = new Set<Group>();
  /** The other groups, by each device that they name. */
  readonly #byEndpoint = new Map<string, Set<Group>>();
  /** How many groups want a device's messages. */
  readonly #traced = new Map<string, number>();
  readonly #traceListeners: TraceListener[] = [];
  #position: LivePosition;

  private constructor(
    events: EventLog,
    log: TelemetryLog,
    position: LivePosition,
    clock: Clock,
    tenancy: LiveTenancy,
  ) {
    this.#position = position;
    this.#tenancy = tenancy;
    this.#replay = new Replay(events, log, () => this.#position, clock);
    this.#delivery = new Delivery(clock, () => this.#position);
  }

  /** Starts where the logs end. */
  static async open(
    events: EventLog,
    log: TelemetryLog,
    clock: Clock = systemClock,
    tenancy: LiveTenancy = nobodys,
  ): Promise<LiveHub> {
    const [eventExtent, logExtent] = await Promise.all([events.extent(), log.extent()]);
    return new LiveHub(events, log, { event: eventExtent.newest, log: logExtent.newest }, clock, tenancy);
  }

  position(): LivePosition {
    return this.#position;
  }

  get subscribers(): number {
    let count = 0;
    for (const { members } of this.#groups.values()) count += members.size;
    return count;
  }

  /** Subscribers that were too slow, and are read to from the logs. */
  get slowSubscribers(): number {
    let count = 0;
    for (const { members } of this.#groups.values()) {
      for (const member of members) if (member.isSlow) count++;
    }
    return count;
  }

  /** An event that is in the log now. Ids rise from call to call. */
  publishEvent(event: StoredEvent): void {
    this.#position = { event: event.id, log: this.#position.log };
    this.#tenancy.note(event);
    const isCollected = this.#publish(event, () => ({ kind: 'event', event }), this.#position);
    if (isCollected && isAwaited(event)) this.#delivery.hurry();
  }

  /** A pack that is in the log now. Positions rise from call to call. */
  publishPack(pack: Pack, position: LogPosition): void {
    this.#position = { event: this.#position.event, log: position };
    const item = (): LiveItem => ({ kind: 'readings', readings: liveReadings(pack, position) });
    this.#publish({ type: 'readings', endpoint: pack.endpoint }, item, this.#position);
  }

  /** A message of a device that is traced. */
  publishTrace(endpoint: string, message: object): void {
    if (this.#traced.has(endpoint)) {
      this.#publish({ type: 'trace', endpoint }, () => ({ kind: 'trace', endpoint, message }), undefined);
    }
  }

  /** Says from now on which devices' messages are wanted. */
  onTraceWanted(listener: TraceListener): void {
    this.#traceListeners.push(listener);
  }

  /**
   * False where nobody is given it as it comes.
   * @param make called once where anybody wants it
   */
  #publish(about: ItemOfTenant, make: () => LiveItem, position: LivePosition | undefined): boolean {
    const { type, endpoint } = about;
    let entry: LiveEntry | undefined;
    const offer = (group: Group): void => {
      if (!group.wishes.wants(type, endpoint)) return;
      const { tenant } = group.wishes;
      if (
        tenant !== undefined &&
        !(itemIsSeen(tenant, about, this.#tenancy.known) ?? this.#lookUp(group, type))
      ) {
        return;
      }
      if (group.live === 0) {
        if (type === 'trace') group.passedBy++;
        return;
      }
      entry ??= position === undefined ? { item: make() } : { item: make(), position };
      if (group.collect(entry)) this.#delivery.add(group);
    };
    for (const group of this.#ofFleet) offer(group);
    const groups = endpoint === undefined ? undefined : this.#byEndpoint.get(endpoint);
    if (groups !== undefined) for (const group of groups) offer(group);
    return entry !== undefined;
  }

  /**
   * It is not remembered whose an item is: those who may be told of it read it from the logs, for which the store is
   * asked. A trace is in no log, and passes by.
   */
  #lookUp(group: Group, type: string): false {
    if (type === 'trace') group.passedBy++;
    else for (const member of group.members) member.fallBehind();
    return false;
  }

  subscribe(options: SubscribeOptions): LiveSubscription {
    const group = this.#groupOf(new Wishes(options.wishes, options.tenant));
    const subscriber: Subscriber = new Subscriber(options, group.wishes, {
      replay: this.#replay,
      recall: (endpoints) => this.#tenancy.recall(endpoints),
      newest: () => this.#position,
      isDelivered: () => group.isDelivered,
      passedBy: () => group.passedBy,
      onLive: (live) => {
        group.live += live ? 1 : -1;
      },
      onClose: () => {
        group.members.delete(subscriber);
        if (group.members.size === 0) this.#dissolve(group);
      },
    });
    group.members.add(subscriber);
    subscriber.resume();
    return subscriber;
  }

  #groupOf(wishes: Wishes): Group {
    const known = this.#groups.get(wishes.key);
    if (known !== undefined) return known;
    const group = new Group(wishes);
    this.#groups.set(wishes.key, group);
    if (wishes.ofFleet) this.#ofFleet.add(group);
    for (const endpoint of wishes.ofFleet ? [] : wishes.endpoints) {
      const set = this.#byEndpoint.get(endpoint);
      if (set === undefined) this.#byEndpoint.set(endpoint, new Set([group]));
      else set.add(group);
    }
    for (const endpoint of wishes.traced) {
      const groups = this.#traced.get(endpoint) ?? 0;
      this.#traced.set(endpoint, groups + 1);
      if (groups === 0) for (const tell of this.#traceListeners) tell(endpoint, true);
    }
    return group;
  }

  #dissolve(group: Group): void {
    this.#groups.delete(group.wishes.key);
    this.#ofFleet.delete(group);
    for (const endpoint of group.wishes.endpoints) {
      const set = this.#byEndpoint.get(endpoint);
      set?.delete(group);
      if (set?.size === 0) this.#byEndpoint.delete(endpoint);
    }
    for (const endpoint of group.wishes.traced) {
      const groups = (this.#traced.get(endpoint) ?? 1) - 1;
      if (groups > 0) {
        this.#traced.set(endpoint, groups);
        continue;
      }
      this.#traced.delete(endpoint);
      for (const tell of this.#traceListeners) tell(endpoint, false);
    }
  }
}

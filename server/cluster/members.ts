import type { Logger } from 'pino';
import type { Clock, Timer } from '../../protocol/clock.ts';
import { ConflictError } from '../errors.ts';
import type { MemberNode, Membership, NodeInfo } from '../ports/cluster-ports.ts';

/** How often a node says that it lives, and looks who else does, ms. */
const BEAT = 2_000;
/** Without a beat for so long it counts as gone, ms. */
export const MEMBER_TTL = 10_000;
/** So often a node that does not listen is looked at again, and how long after each other, ms, before it counts as gone. */
const LOOKS = 4;
const LOOK_AGAIN = 500;
/** How often a name is asked for that another process has, ms. */
const JOIN_RETRY = 500;

export interface ClusterMembersOptions {
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Logger;
  /** What this node says of itself now. */
  readonly info: () => NodeInfo;
  /** No process of this node's name is there any more, as whoever starts it knows. */
  readonly takeOver: boolean;
  /** Whether a process listens by that name. @throws StoreUnavailableError */
  readonly listens: (name: string) => Promise<boolean>;
  /** A member listens no more, as one that was killed: it will be gone soon. */
  readonly onSilent: () => void;
  /** The others have changed: somebody came, goes, or is gone; these processes are. */
  readonly onChanged: (gone: readonly MemberNode[]) => void;
  /** A node that was a member is gone without a word; told to one node of the cluster alone. */
  readonly onBuried: (node: MemberNode) => void;
  /** Another process has taken its place while it was held up: this one has to end. */
  readonly onEvicted: (reason: string) => void;
}

/** Which nodes there are, as this one knows; it says all the time that it is one of them. */
export class ClusterMembers {
  readonly #options: ClusterMembersOptions;
  #self: MemberNode | undefined;
  #all: readonly MemberNode[] = [];
  /** Members that do not listen: their processes are gone, and their time is not over yet. */
  readonly #silent = new Set<string>();
  /** Looks under way. */
  readonly #looks = new Map<string, Promise<boolean>>();
  /** CoAP addresses of nodes that are, or were, members. */
  readonly #addresses = new Map<string, string>();
  #timer: Timer | undefined;
  #beating: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** `Clock.now` since when its own beats have come in time. */
  #steadySince = Number.POSITIVE_INFINITY;
  #lastBeat = Number.NEGATIVE_INFINITY;
  /** `Clock.now` when it could not say that it lives, or only late. */
  #lateAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: ClusterMembersOptions) {
    this.#options = options;
  }

  /**
   * Becomes a member; waits for the time of a process before it that has not said goodbye, where it still seems to be
   * there.
   * @throws ConflictError a node of this name lives; StoreUnavailableError
   */
  async join(): Promise<MemberNode> {
    const { clock, log, listens, takeOver, info, membership } = this.#options;
    const deadline = clock.now() + MEMBER_TTL + BEAT;
    for (let told = false; ; ) {
      try {
        const self = await this.#join(takeOver || !(await listens(info().name)));
        this.#timer = clock.setTimer(BEAT, () => this.#tick());
        for (const [name, coap] of await membership.addresses()) this.#addresses.set(name, coap);
        await this.refresh();
        return self;
      } catch (error) {
        if (!(error instanceof ConflictError) || clock.now() > deadline) throw error;
        if (!told)
          log.info({ node: info().name }, 'a node of this name was here just now; waiting for its end');
        told = true;
        await new Promise<void>((resolve) => clock.setTimer(JOIN_RETRY, resolve));
      }
    }
  }

  async #join(takeOver: boolean): Promise<MemberNode> {
    const { membership, info, clock } = this.#options;
    const slot = this.#self?.slot;
    this.#self = await membership.join(info(), MEMBER_TTL, {
      takeOver,
      ...(slot === undefined ? {} : { slot }),
    });
    this.#lastBeat = clock.now();
    this.#steadySince = this.#lastBeat;
    return this.#self;
  }

  /** This node as it joined: its slot does not change while it lives. */
  get self(): MemberNode {
    if (this.#self === undefined) throw new Error('this node has not joined yet');
    return this.#self;
  }

  /** All members, itself among them, as of the last look. */
  list(): readonly MemberNode[] {
    return this.#all;
  }

  get(name: string): MemberNode | undefined {
    return this.#all.find((member) => member.name === name);
  }

  /** Whether it is a member that listens, as far as is known. */
  isThere(name: string): boolean {
    return this.get(name) !== undefined && !this.#silent.has(name);
  }

  /** Whether this node was held up, or the store away, within that time, ms. */
  wasAway(within: number): boolean {
    return this.#options.clock.now() - this.#lateAt < within;
  }

  /** Whether devices reach that node at the address by which they reach this one; of one that is gone as last known. */
  sharesAddress(name: string): boolean {
    return name === this.self.name || this.#addresses.get(name) === this.self.coap;
  }

  /** Looks who there is. @throws StoreUnavailableError */
  async refresh(): Promise<void> {
    const all = await this.#options.membership.list();
    const before = this.#all;
    this.#all = all;
    for (const { name, coap } of all) this.#addresses.set(name, coap);
    if (keyOf(before) === keyOf(all)) return;
    for (const { name, incarnation } of before) {
      if (this.get(name)?.incarnation !== incarnation) this.#silent.delete(name);
    }
    // One that was started again at once is another one: what the former had in its memory is gone all the same.
    const gone = before.filter(({ name, incarnation }) => this.get(name)?.incarnation !== incarnation);
    this.#options.onChanged(gone);
  }

  /** Says goodbye. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#beating;
    if (this.#self !== undefined) await this.#options.membership.leave(this.#options.info());
  }

  /** Says at once what has changed of this node. @throws StoreUnavailableError */
  beat(): Promise<void> {
    // One after the other: what was said last counts.
    const turn = this.#turn.then(() => this.#beat());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #beat(): Promise<void> {
    const { membership, info, clock, onEvicted, log } = this.#options;
    const now = clock.now();
    // It was held up, or the store was away: others may be late as well, and are not buried for it.
    if (now - this.#lastBeat > MEMBER_TTL / 2) {
      this.#steadySince = Number.POSITIVE_INFINITY;
      this.#lateAt = now;
    }
    let isEntered: boolean;
    try {
      isEntered = await membership.beat(info(), MEMBER_TTL);
    } catch (error) {
      this.#lateAt = clock.now();
      throw error;
    }
    if (isEntered) {
      this.#lastBeat = now;
      if (this.#steadySince === Number.POSITIVE_INFINITY) this.#steadySince = now;
      return;
    }
    const { slot } = this.self;
    try {
      await this.#join(false);
      log.warn('this node was taken for gone, and is back');
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      if (!this.#closed) onEvicted(`another process is node '${this.self.name}' now`);
      return;
    }
    // Its tokens and message ids are of that slot: another node would get the answers to what it asks.
    if (this.self.slot !== slot) onEvicted('its slot has gone to another node while it was held up');
  }

  #tick(): void {
    this.#beating = this.#round()
      .catch((error: unknown) => {
        this.#options.log.warn({ error }, 'this node could not say that it lives; tried again');
      })
      .finally(() => {
        this.#beating = undefined;
        if (!this.#closed) this.#timer = this.#options.clock.setTimer(BEAT, () => this.#tick());
      });
  }

  async #round(): Promise<void> {
    const { membership, clock, onBuried } = this.#options;
    await this.beat();
    if (this.#closed) return;
    if (clock.now() - this.#steadySince >= MEMBER_TTL) {
      for (const node of await membership.bury()) onBuried(node);
    }
    await this.refresh();
    await this.#listen();
  }

  /** A process that was killed listens no more, long before its time is over. */
  async #listen(): Promise<void> {
    const others = this.#all.filter(({ name }) => name !== this.self.name);
    const silent: string[] = [];
    await Promise.all(
      others.map(async ({ name }) => {
        if (await this.#options.listens(name)) this.#silent.delete(name);
        else silent.push(name);
      }),
    );
    for (const name of this.#silent) if (this.get(name) === undefined) this.#silent.delete(name);
    // Nobody waits for these looks.
    for (const name of silent) this.isGone(name).catch((error: unknown) => this.#notLooked(error));
  }

  #notLooked(error: unknown): void {
    this.#options.log.debug({ error }, 'whether a node listens is not known; looked at again');
  }

  /**
   * Of a node that did not listen: whether it is gone. One whose connection is being made anew, as after a restart of
   * the store, listens again within the time that this takes. @throws StoreUnavailableError
   */
  isGone(name: string): Promise<boolean> {
    if (!this.isThere(name)) return Promise.resolve(true);
    let looks = this.#looks.get(name);
    if (looks === undefined) {
      looks = this.#look(name).finally(() => this.#looks.delete(name));
      this.#looks.set(name, looks);
    }
    return looks;
  }

  async #look(name: string): Promise<boolean> {
    const { listens, clock, onSilent } = this.#options;
    for (let look = 0; look < LOOKS; look++) {
      await new Promise<void>((resolve) => clock.setTimer(LOOK_AGAIN, resolve));
      if (await listens(name)) return false;
    }
    this.#silent.add(name);
    onSilent();
    return true;
  }
}

function keyOf(nodes: readonly MemberNode[]): string {
  return nodes.map(({ name, incarnation, state }) => `${name} ${incarnation} ${state}`).join('\n');
}

import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/clock.ts';
import type { ClusterPorts, MemberNode, NodeInfo } from '../ports/cluster-ports.ts';
import { Leadership, nameOfHolder } from './leadership.ts';
import type { LoadMeter } from './load-meter.ts';
import { ClusterMembers } from './members.ts';
import { Rpc } from './rpc.ts';

export interface SeatOptions {
  readonly ports: ClusterPorts | undefined;
  readonly about: Pick<NodeInfo, 'name' | 'version' | 'startedAt' | 'coap'>;
  /** No other process of this node's name is there any more. */
  readonly takeOver: boolean;
  readonly load: LoadMeter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onClose: (step: () => Promise<unknown>) => void;
  /** Another process has taken this node's place: it must end. */
  readonly onEvicted: (reason: string) => void;
}

/** What a node has to do with the others. */
export interface Others {
  readonly rpc: Rpc;
  readonly members: ClusterMembers;
  readonly ports: ClusterPorts;
}

/** This process's place among the nodes. */
export class Seat {
  readonly node: string;
  readonly leadership: Leadership;
  /** Undefined where it is alone. */
  readonly others: Others | undefined;
  readonly #incarnation = randomUUID();
  readonly #info: () => NodeInfo;
  readonly #goneListeners: ((gone: readonly MemberNode[]) => void)[] = [];
  readonly #silentListeners: (() => void)[] = [];
  readonly #buriedListeners: ((node: MemberNode) => void)[] = [];
  #http = '';
  #state: NodeInfo['state'] = 'up';

  private constructor({ ports, about, takeOver, load, clock, log, onClose, onEvicted }: SeatOptions) {
    this.node = about.name;
    const incarnation = this.#incarnation;
    this.#info = () => ({
      ...about,
      incarnation,
      state: this.#state,
      http: this.#http,
      cores: availableParallelism(),
      load: load.read(),
    });
    this.leadership = new Leadership({
      leases: ports?.leases,
      holder: `${about.name} ${incarnation}`,
      isThere: async (holder) => {
        const name = nameOfHolder(holder);
        const { others } = this;
        if (others === undefined) return true;
        if (await others.rpc.listens(name)) {
          await others.members.refresh();
          // One that was started again is another process, and does not lead.
          const now = others.members.get(name)?.incarnation;
          return now === undefined || holder === `${name} ${now}`;
        }
        return !(await others.members.isGone(name));
      },
      clock,
      log,
    });
    if (ports === undefined) {
      this.others = undefined;
      return;
    }
    const rpc = new Rpc({ bus: ports.bus, node: about.name, clock, log });
    const members = new ClusterMembers({
      membership: ports.members,
      clock,
      log,
      info: this.#info,
      takeOver,
      listens: (name) => rpc.listens(name),
      onSilent: () => {
        for (const listener of this.#silentListeners) listener();
      },
      onChanged: (gone) => {
        if (gone.length > 0) for (const listener of this.#goneListeners) listener(gone);
      },
      onBuried: (node) => {
        for (const listener of this.#buriedListeners) listener(node);
      },
      onEvicted,
    });
    this.others = { rpc, members, ports };
    onClose(async () => rpc.close());
    onClose(() => members.close());
  }

  /**
   * Joins the cluster, where there is one.
   * @throws ConflictError a node of this name lives; StoreUnavailableError
   */
  static async take(options: SeatOptions): Promise<Seat> {
    const seat = new Seat(options);
    if (seat.others !== undefined) {
      await seat.others.members.join();
      await seat.others.rpc.open();
    }
    return seat;
  }

  /** Its slot: tokens and message ids are told apart by it. */
  get slot(): number {
    return this.others?.members.self.slot ?? 0;
  }

  /** As it tells others of itself. */
  get info(): NodeInfo {
    return this.#info();
  }

  /** As one that has, or had, requests under way. */
  get process(): { readonly self: string; readonly lives: (holder: string) => boolean } {
    return {
      self: `${this.node} ${this.#incarnation}`,
      lives: (holder) =>
        this.others?.members.list().some(({ name, incarnation }) => `${name} ${incarnation}` === holder) ??
        false,
    };
  }

  /** It listens there from now on. */
  async listening(http: string): Promise<void> {
    this.#http = http;
    await this.others?.members.beat();
  }

  /** It takes nothing new. */
  async drain(): Promise<void> {
    this.#state = 'draining';
    await this.others?.members.beat();
  }

  /** These are members no more, as this node has seen. */
  onGone(listener: (gone: readonly MemberNode[]) => void): void {
    this.#goneListeners.push(listener);
  }

  /** A member listens no more. */
  onSilent(listener: () => void): void {
    this.#silentListeners.push(listener);
  }

  /** This one is gone without a word; told to one node of the cluster alone. */
  onBuried(listener: (node: MemberNode) => void): void {
    this.#buriedListeners.push(listener);
  }
}

import type { StoredEvent } from './event-log.ts';
import type { LogEntry, LogPosition } from './telemetry-log.ts';

/** What nodes that share an engine need of it beside the stores. All reject with StoreUnavailableError. */
export interface ClusterPorts {
  readonly bus: NodeBus;
  readonly members: Membership;
  readonly leases: Leases;
  readonly feeds: Feeds;
}

/** A node is not there, or did not answer in time. */
export class NodeUnreachableError extends Error {
  override readonly name = 'NodeUnreachableError';
  /** Nobody listens by its name: what was asked has not reached anybody. */
  readonly gone: boolean;

  constructor(message: string, gone = false) {
    super(message);
    this.gone = gone;
  }
}

export interface NodeBusHandlers {
  /** Answers another node; what it rejects with is a bug, and the asker runs into its time limit. */
  readonly request: (body: Uint8Array, from: string) => Promise<Uint8Array>;
  readonly told: (body: Uint8Array, from: string) => void;
}

/**
 * Node to node, by name. Best effort and unordered between different senders: what is told may get lost while the
 * engine is away, and nothing durable may depend on it.
 */
export interface NodeBus {
  /** Listens as this node from then on. */
  open(node: string, handlers: NodeBusHandlers): Promise<void>;
  /**
   * @param timeout ms
   * @throws NodeUnreachableError nobody listens by that name, at once; or no answer within the time
   */
  request(node: string, body: Uint8Array, timeout: number): Promise<Uint8Array>;
  /** False where nobody listens by that name. */
  tell(node: string, body: Uint8Array): Promise<boolean>;
  /** Tells all other nodes. */
  tellAll(body: Uint8Array): Promise<void>;
}

/** What a node says of itself. Times: ms since the epoch. */
export interface NodeInfo {
  /** Unique among those that live. */
  readonly name: string;
  /** Random: tells this process from another one of that name. No spaces. */
  readonly incarnation: string;
  readonly version: string;
  readonly startedAt: number;
  /** Draining: it takes nothing new. */
  readonly state: 'up' | 'draining';
  /** Where devices reach it, `coap://host:port`: the same for nodes that share the address. */
  readonly coap: string;
  /** Where people and programs reach it. */
  readonly http: string;
  readonly cores: number;
  readonly load: { readonly cpu: number; readonly memory: number; readonly eventLoopDelay: number };
}

export interface MemberNode extends NodeInfo {
  /** 0 to 255, of this node alone while it lives: its tokens begin with it, and it has its part of the message ids. */
  readonly slot: number;
  /** Its last beat. */
  readonly seenAt: number;
}

/** Which nodes there are. */
export interface Membership {
  /**
   * Enters a node, with the lowest free slot whose remainder by 16 no other node at the same CoAP address has (nodes
   * that share a port must not share a part of the message ids), or else the lowest free one. A process that starts
   * again under the name of one that is not there any more takes its place, and its slot where it can; `ttl`: ms
   * without a beat after which a node counts as gone. `takeOver`: the caller knows that no process of that name is
   * there, although its time is not over. `slot`: the one that it had, which it gets again where that is free.
   * @throws ConflictError a node of this name lives
   */
  join(
    node: NodeInfo,
    ttl: number,
    options?: { readonly takeOver?: boolean; readonly slot?: number },
  ): Promise<MemberNode>;
  /** It lives, and this is how it fares. False: it was taken for gone, and must join again. */
  beat(node: NodeInfo, ttl: number): Promise<boolean>;
  /** Idempotent; another process that has taken its name stays. */
  leave(node: Pick<NodeInfo, 'name' | 'incarnation'>): Promise<void>;
  /** Those that are entered, by name; gone ones until they are buried. */
  list(): Promise<readonly MemberNode[]>;
  /** The CoAP address of each node that there is, or was of late, by name. */
  addresses(): Promise<ReadonlyMap<string, string>>;
  /** Removes those whose time is over and returns them: each is returned by exactly one call in the cluster. */
  bury(): Promise<readonly MemberNode[]>;
}

/** One holder at a time, for a time. */
export interface Leases {
  /**
   * Takes a free lease, or holds one's own for longer: its fencing number, which rises with each new holder.
   * Undefined: somebody else has it.
   * @param ttl ms
   */
  take(name: string, holder: string, ttl: number): Promise<number | undefined>;
  /** Who holds it now. */
  holder(name: string): Promise<string | undefined>;
  /** Gives it back, where it is one's own. */
  release(name: string, holder: string): Promise<void>;
}

export interface Following {
  /** Idempotent; no entry is handed out once it resolves. */
  close(): Promise<void>;
}

/** The logs as they grow, whichever node appends: in order, without a gap, each entry once. */
export interface Feeds {
  /** From behind `after`. A listener that returns a promise is not called again before that resolves. While the store is away it waits. */
  log(after: LogPosition, listener: (entries: readonly LogEntry[]) => void | Promise<void>): Following;
  events(after: number, listener: (events: readonly StoredEvent[]) => void | Promise<void>): Following;
}

/** How hard a node works. */
export interface NodeLoad {
  /** Processor cores in use, over the last seconds: 1 is one core fully. */
  readonly cpu: number;
  /** Bytes of memory that the process holds (resident set). */
  readonly memory: number;
  /** How late the event loop comes to what is due, ms: 99 of 100 times less than this, over the last seconds. */
  readonly eventLoopDelay: number;
}

/** One server process. */
export interface ClusterNode {
  readonly name: string;
  readonly version: string;
  /** ms since the epoch */
  readonly startedAt: number;
  /** `draining`: it is about to stop, and takes nothing new. */
  readonly state: 'up' | 'draining';
  /** Where devices reach it, `coap://host:port`. */
  readonly coap: string;
  /** Where people and programs reach it, `http://host:port`. */
  readonly http: string;
  /** Devices that are registered with it. */
  readonly devices: number;
  /** Processor cores of its machine. */
  readonly cores: number;
  readonly load: NodeLoad;
  /** Whether it is the node that answers. */
  readonly self: boolean;
}

/** How the store is that the nodes share. */
export interface StoreHealth {
  readonly description: string;
  /** Whether what was acknowledged survives a power cut. */
  readonly durable: boolean;
  readonly ready: boolean;
  /** Why it is not ready, in words for a person. */
  readonly reason?: string;
  /** Bytes on disk; absent where it keeps nothing there. */
  readonly size?: number;
  /** Log entries that history is behind. */
  readonly lag: number;
}

/** The server's nodes, and what they stand on. */
export interface Cluster {
  nodes(): Promise<readonly ClusterNode[]>;
  /** Never rejects: that the store does not answer is its answer. */
  store(): Promise<StoreHealth>;
}

import type { AppendResult } from './log-table.ts';

/** One operation: number of the call, whether it writes, name, arguments. */
export type Call = readonly [number, boolean, string, readonly unknown[]];

/** What the server's thread sends. */
export interface Request {
  readonly calls: readonly Call[];
  /** Entries for the log, as append-batch.ts lays them out; the memory comes back with the reply. */
  readonly batch?: { readonly buffer: ArrayBuffer; readonly length: number };
  /** The last request: close the database and end. */
  readonly close?: boolean;
}

/**
 * Why something was not done. `request`: the caller's fault; `unavailable`: the store cannot now;
 * `defect`: ours.
 */
export interface Failure {
  readonly fault: 'request' | 'unavailable' | 'defect';
  readonly message: string;
  readonly stack?: string | undefined;
}

/** What became of a call: its number, and the value or why there is none. */
export type Outcome = readonly [number, Failure | undefined, unknown];

/** What the worker answers to the requests of one transaction. */
export interface Reply {
  /** How many requests this answers, in the order in which they were sent. */
  readonly requests: number;
  readonly outcomes: readonly Outcome[];
  /** One per request with a batch, in order. */
  readonly batches: readonly {
    readonly buffer: ArrayBuffer;
    readonly result: AppendResult | Failure;
  }[];
}

/** The worker's first message: undefined when the database is open, or why it is not. */
export interface Opened {
  readonly failure: Failure | undefined;
}

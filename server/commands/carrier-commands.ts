import type { Command } from '../ports/command-queue.ts';

/** One carrier that a device's card offers. */
export interface CarrierOption {
  /** Resource-instance id of Available Carriers; 15 is Disconnect. */
  readonly id: number;
  readonly name: string;
}

/** The Carrier object of one SIM slot as it was last heard; absent members were never heard. */
export interface CarrierStatus {
  /** Instance id of object 42769. */
  readonly slot: number;
  /** Name; empty when disconnected. */
  readonly current?: string;
  readonly available: readonly CarrierOption[];
  /** `unknown`: the newest switch was asked for, and nobody can tell how it ended. */
  readonly state?: 'idle' | 'switching' | 'succeeded' | 'failed' | 'unknown';
  readonly lastResult?: 'ACK' | 'NACK';
  readonly lastReason?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  /** ms since the epoch. */
  readonly lastSwitch?: number;
  /** The newest command that is not final, or else the newest. */
  readonly command?: Command;
}

/** The commands that the API can give. */
export interface CommandService {
  /**
   * Queues a carrier switch. `carrier` is a name (case-insensitive) or an id of Available Carriers, or
   * `Disconnect`; without slot, 0.
   * @throws RequestError no such carrier on the card, or no such slot in the device (its message lists those
   *   that are);
   *   UnknownDeviceError; ConflictError idempotency key used for something else.
   */
  switchCarrier(
    endpoint: string,
    request: {
      readonly carrier: string | number;
      readonly slot?: number;
      readonly idempotencyKey?: string;
      /** ms; default one day. */
      readonly timeToLive?: number;
      /** The job that it is for. */
      readonly job?: { readonly id: string; readonly attempt: number };
    },
  ): Promise<{ readonly command: Command; readonly created: boolean }>;
  carrierStatus(endpoint: string): Promise<readonly CarrierStatus[]>;
  get(id: string): Promise<Command | undefined>;
  /** @throws ConflictError it is on its way to the device already, or final. */
  cancel(id: string): Promise<Command | undefined>;
  /**
   * Queues a new command with the content of one that has ended without success, for as long as that had.
   * @throws ConflictError it has not ended, or was done; BusyError too much waits for the device; UnknownDeviceError
   */
  retry(
    id: string,
    idempotencyKey?: string,
  ): Promise<{ readonly command: Command; readonly created: boolean } | undefined>;
  list(query: {
    readonly endpoint?: string;
    readonly kind?: string;
    readonly states?: readonly Command['state'][];
    /** Id of a job. */
    readonly job?: string;
    /** Made from then, and before then; ms since the epoch. */
    readonly from?: number;
    readonly to?: number;
    readonly limit: number;
    readonly cursor?: string;
  }): Promise<{ readonly items: readonly Command[]; readonly next?: string }>;
}

import type { Registration } from './registration-store.ts';

/** What is known of a device beyond its registration. Absent: not known. */
export interface DeviceAttributes {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serialNumber?: string;
  readonly firmwareVersion?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  readonly imei?: string;
  /** Name of the current carrier; empty when disconnected. */
  readonly carrier?: string;
  /** Radio signal strength, dBm (object 4, resource 2). */
  readonly signal?: number;
}

/** One device of the inventory, registered now or not. Times: ms since the epoch. */
export interface Device extends DeviceAttributes {
  readonly endpoint: string;
  readonly firstSeen: number;
  /** Last Register, Update, or notification; coarse to `DeviceStore.heard`. */
  readonly lastSeen: number;
  /** How long it listens after it was heard, ms: as a person set it, and as the server learnt it (queue mode). */
  readonly awakeTimes?: { readonly configured?: number; readonly learnt?: number };
  /** Its registration, without what only the protocol needs. Absent: not registered now. */
  readonly registration?: Omit<Registration, 'identity'>;
}

export interface DeviceQuery {
  /** 1 to 1000. */
  readonly limit: number;
  /** Opaque, from `next` of the page before. */
  readonly cursor?: string;
  /** Case-insensitive: a part of the endpoint, or the start of ICCID, IMSI, IMEI or serial number. */
  readonly search?: string;
  readonly state?: 'registered' | 'unregistered';
}

export interface DevicePage {
  readonly items: readonly Device[];
  /** How many match, on all pages. */
  readonly total: number;
  /** Undefined on the last page. */
  readonly next?: string;
}

/**
 * The inventory: devices known, whether registered or not. An entry is made by the first
 * registration (RegistrationStore.register), and survives its end. Ordered by endpoint.
 */
export interface DeviceStore {
  get(endpoint: string): Promise<Device | undefined>;
  /** Rejects with RequestError for a cursor that it did not make. */
  list(query: DeviceQuery): Promise<DevicePage>;
  /** Sets what is given, keeps the rest. False where the device is not known. */
  setAttributes(endpoint: string, attributes: DeviceAttributes): Promise<boolean>;
  /** Sets what is given of `Device.awakeTimes`, with null for none; keeps the rest. False where the device is not known. */
  setAwakeTimes(
    endpoint: string,
    times: { readonly configured?: number | null; readonly learnt?: number | null },
  ): Promise<boolean>;
  /** Batched by the caller: when each of these devices was last heard; never moves it back. Unknown ones are passed over. */
  heard(times: ReadonlyMap<string, number>): Promise<void>;
  /** Removes a device that is not registered, with its last values and history. False where it is registered or unknown. */
  remove(endpoint: string): Promise<boolean>;
  counts(): Promise<{ readonly known: number; readonly registered: number }>;
}

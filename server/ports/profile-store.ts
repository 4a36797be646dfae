import type { Link } from '../../protocol/lwm2m/link-format.ts';

/** The objects that a profile id stands for, OMA-TS-LightweightM2M_Core-V1_2 §6.2.1. */
export interface StoredProfile {
  /** `6:27354b9a`, `oma:…` or `v:…`. */
  readonly id: string;
  /** Of objects and instances, root path stripped, as in a registration. */
  readonly links: readonly Link[];
  /** The device that said so of itself, and of which alone it is believed; absent: given by a person, for all. */
  readonly endpoint?: string;
  /** ms since the epoch. */
  readonly storedAt: number;
}

/** What profile ids stand for: given by people, and learnt from devices that sent id and objects together. */
export interface ProfileStore {
  /** Those of the ids that are known for this device, in no order: as it said itself, else as given. */
  find(endpoint: string, ids: readonly string[]): Promise<readonly StoredProfile[]>;
  /**
   * Replaces the one of the same id given by people; or whatever was learnt from the same device, of
   * which one is kept. It is forgotten with the device (DeviceStore.remove).
   */
  put(profile: StoredProfile): Promise<void>;
  /** Those given by people, by id. */
  list(): Promise<readonly StoredProfile[]>;
  /** One given by people. False where there was none. */
  remove(id: string): Promise<boolean>;
}

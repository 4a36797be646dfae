import type { EuiccInfo2 } from './euicc-info.ts';
import type { ProfileInfo } from './profile-info.ts';

/** An eUICC, as it was when its carriers were read last. */
export interface EuiccReading {
  /** 32 digits. */
  readonly eid: string;
  readonly profiles: readonly ProfileInfo[];
  /** Undefined: the card does not tell it. `encoded`: the object (tag BF22) as the card gave it. */
  readonly info2: { readonly info: EuiccInfo2; readonly encoded: Uint8Array } | undefined;
}

/**
 * What can be done with the profiles of an eUICC beside going from one to another. Each throws CardRefusalError,
 * CardStatusError, CardTransportError and DecodeError, as `CarrierCard` does.
 */
export interface EuiccProfiles {
  readonly reading: EuiccReading;
  /** Deletes a profile that is not enabled. */
  delete(iccid: string): Promise<void>;
  /** Deletes all operational profiles. */
  resetMemory(): Promise<void>;
  /** Empty: it has none. @throws RequestError more than 64 bytes */
  setNickname(iccid: string, nickname: string): Promise<void>;
}

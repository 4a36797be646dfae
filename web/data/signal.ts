import type { ApiDevice } from './api-types.ts';
import { isRegistered } from './device-state.ts';
import { thinSpace } from './numbers.ts';

/** What a received power means to a person: RSRP of −80 dBm is good, of −110 dBm poor. */
export interface SignalMeaning {
  /** Bars of four. */
  readonly bars: 1 | 2 | 3 | 4;
  readonly word: 'good' | 'fair' | 'weak' | 'poor';
}

export function signalMeaning(dBm: number): SignalMeaning {
  if (dBm >= -80) return { bars: 4, word: 'good' };
  if (dBm >= -95) return { bars: 3, word: 'fair' };
  if (dBm > -110) return { bars: 2, word: 'weak' };
  return { bars: 1, word: 'poor' };
}

/** Whether the signal is one of before: the device is gone, or its card is on no carrier. */
export function signalIsOld(device: Pick<ApiDevice, 'state' | 'carrier'>): boolean {
  return !isRegistered(device) || device.carrier === '';
}

export function formatSignal(dBm: number): string {
  return `${dBm < 0 ? '−' : ''}${Math.abs(Math.round(dBm))}${thinSpace}dBm`;
}

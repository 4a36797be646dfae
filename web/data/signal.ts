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

export function formatSignal(dBm: number): string {
  return `${dBm < 0 ? '−' : ''}${Math.abs(Math.round(dBm))}${thinSpace}dBm`;
}

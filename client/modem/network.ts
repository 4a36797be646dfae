import type { CardIdentity } from '../sim/sim-card.ts';
import { roughNormal } from './signals.ts';

/** What the radio sees of the network that it is on. */
export interface NetworkView {
  /** LTE-FDD, Network Bearer of the Connectivity Monitoring object. */
  readonly bearer: number;
  /** RSRP, dBm. */
  readonly signalStrength: number;
  /** RSRQ, dB. */
  readonly linkQuality: number;
  /** dB. */
  readonly signalToNoise: number;
  readonly ipAddress: string;
  readonly router: string;
  readonly apn: string;
  readonly cellId: number;
  readonly areaCode: number;
  readonly mcc: number;
  readonly mnc: number;
}

interface Coverage {
  /** dBm, what the signal drifts about. */
  readonly mean: number;
  readonly apn: string;
  readonly bearer: number;
}

const lteFdd = 6;

/** Coverage at the modem's place, by MCC and MNC. */
const coverage: Readonly<Record<string, Coverage>> = {
  '310410': { mean: -92, apn: 'm2m.com.attz', bearer: lteFdd },
  '310260': { mean: -84, apn: 'iot.tmowholesale', bearer: lteFdd },
  '311480': { mean: -97, apn: 'vzwinternet', bearer: lteFdd },
};
const elsewhere: Coverage = { mean: -100, apn: 'internet', bearer: lteFdd };

/** The simulated network: signal that drifts about a mean of its carrier, a cell and an address of the carrier's. */
export class Network {
  readonly #random: () => number;
  #drift = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** One step of the drift: it wanders, and is drawn back to the mean (an Ornstein-Uhlenbeck process). */
  step(): void {
    this.#drift = this.#drift * 0.9 + 1.6 * roughNormal(this.#random);
  }

  /** Undefined where the modem is on none. */
  view(identity: CardIdentity | undefined): NetworkView | undefined {
    if (identity === undefined) return undefined;
    const plmn = identity.imsi.slice(0, 6);
    const { mean, apn, bearer } = coverage[plmn] ?? elsewhere;
    const subscriber = Number(identity.imsi.slice(6));
    const strength = Math.min(-44, Math.max(-140, Math.round(mean + this.#drift)));
    // 100.64.0.0/10 is what carriers give behind their NAT (RFC 6598).
    const host = (subscriber * 40_503 + Number(plmn) * 97) % 4_194_304;
    return {
      bearer,
      signalStrength: strength,
      linkQuality: Math.min(-3, Math.max(-20, Math.round(-10 + this.#drift / 3))),
      signalToNoise: Math.round(12 + this.#drift),
      ipAddress: `100.${64 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`,
      router: `100.${64 + (host >> 16)}.${(host >> 8) & 255}.1`,
      apn,
      cellId: (Number(plmn) * 257 + (subscriber % 64)) % 268_435_456,
      areaCode: (Number(plmn) * 31) % 65_536,
      mcc: Number(plmn.slice(0, 3)),
      mnc: Number(plmn.slice(3)),
    };
  }
}

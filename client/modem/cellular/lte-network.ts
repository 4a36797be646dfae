import type { Clock } from '../../../protocol/clock.ts';
import { mixed } from '../hash-noise.ts';
import type { Whereabouts } from '../location/whereabouts.ts';
import { type Cell, cellsNear, type Operator, operators } from './cell-map.ts';

/** Network Bearer of the Connectivity Monitoring object (/4/0/0). */
export const Bearer = { LTE_FDD: 6, NB_IOT: 7 } as const;

/** What a server wants of the choice of networks and cells; the Bearer Selection object shows it. */
export interface RadioPreferences {
  /** As Preferred Communications Bearer has them, the first that the modem knows counts. */
  readonly bearers: readonly number[];
  /** dBm; weaker cells are not used. */
  readonly acceptableRsrp: number | undefined;
  readonly acceptableRsrpNbIot: number | undefined;
  /** Where there are some, no other cells are used. */
  readonly cells: readonly number[];
  /** MCC and MNC, in the order of preference. */
  readonly operators: readonly string[];
  /** Whether no other operators than these are used. */
  readonly onlyThese: boolean;
}

export const noPreferences: RadioPreferences = {
  bearers: [],
  acceptableRsrp: undefined,
  acceptableRsrpNbIot: undefined,
  cells: [],
  operators: [],
  onlyThese: false,
};

/** What the radio sees of the network that it is on. */
export interface NetworkView {
  readonly bearer: number;
  readonly operator: Operator;
  /** Whether the operator is not the card's own. */
  readonly roaming: boolean;
  /** RSRP, dBm: what Radio Signal Strength is in LTE. */
  readonly signalStrength: number;
  /** RSRQ, dB. */
  readonly linkQuality: number;
  /** SINR, dB. */
  readonly signalToNoise: number;
  readonly band: number;
  /** E-UTRAN cell identity. */
  readonly cellId: number;
  /** Tracking area code. */
  readonly areaCode: number;
  readonly mcc: number;
  readonly mnc: number;
  /** 0 none, 1 to 3 levels 0 to 2 (/4/0/13). */
  readonly coverageEnhancement: number;
}

/** How often the radio measures, ms. */
export const measuringPeriod = 5_000;
/** A neighbour has to be so much stronger, dB: an A3 event (3GPP TS 36.331 §5.5.4.4). */
const hysteresis = 3;
/** Below it there is no service, dBm. */
const weakest = { [Bearer.LTE_FDD]: -124, [Bearer.NB_IOT]: -144 } as const;
/** Noise per resource element, dBm: 15 kHz at 290 K, and the receiver's 7 dB. */
const noise = -125;
/** Part of its resource elements that a cell uses. */
const load = 0.35;

/**
 * The simulated network at the modem's place: its cells, with the power, interference and noise that make
 * RSRP, RSRQ and SINR, and the one that serves, which changes with a hysteresis. Computed when it is asked
 * for, from the clock and the seed.
 */
export class LteNetwork {
  readonly #clock: Clock;
  readonly #whereabouts: Whereabouts;
  readonly #onHandover: (from: NetworkView, to: NetworkView) => void;
  #preferences: RadioPreferences;
  #measuredAt = Number.NaN;
  #home: string | undefined;
  #view: NetworkView | undefined;

  constructor(
    clock: Clock,
    whereabouts: Whereabouts,
    preferences: RadioPreferences,
    onHandover: (from: NetworkView, to: NetworkView) => void,
  ) {
    this.#clock = clock;
    this.#whereabouts = whereabouts;
    this.#preferences = preferences;
    this.#onHandover = onHandover;
  }

  get preferences(): RadioPreferences {
    return this.#preferences;
  }

  set preferences(preferences: RadioPreferences) {
    this.#preferences = preferences;
    this.#measuredAt = Number.NaN;
  }

  /** Operators that a scan finds: all of the map. */
  get available(): readonly Operator[] {
    return operators;
  }

  /** What a card of that operator (MCC and MNC) sees now; undefined: no card, or no service. */
  view(home: string | undefined): NetworkView | undefined {
    const now = Math.floor(this.#clock.wallTime() / measuringPeriod);
    if (now === this.#measuredAt && home === this.#home) return this.#view;
    const before = home === this.#home ? this.#view : undefined;
    this.#measuredAt = now;
    this.#home = home;
    const next = home === undefined ? undefined : this.#measure(home, before);
    this.#view = next;
    if (before !== undefined && next !== undefined && before.cellId !== next.cellId) {
      this.#onHandover(before, next);
    }
    return next;
  }

  #measure(home: string, before: NetworkView | undefined): NetworkView | undefined {
    const operator = chooseOperator(home, this.#preferences);
    if (operator === undefined) return undefined;
    const bearer = chooseBearer(this.#preferences.bearers);
    const time = this.#measuredAt * (measuringPeriod / 1_000);
    const cells = cellsNear(operator, this.#whereabouts.town, this.#whereabouts.motion(), time);
    const usable = cells.filter((cell) => this.#isUsable(cell, bearer));
    const best = strongest(usable);
    if (best === undefined) return undefined;
    const camped = before?.operator === operator && before.bearer === bearer ? before.cellId : undefined;
    const same = usable.find((cell) => cell.id === camped);
    const serving = same !== undefined && best.power < same.power + hysteresis ? same : best;
    return {
      ...quality(serving, cells, time),
      bearer,
      operator,
      roaming: operator.plmn !== home,
      band: serving.band,
      cellId: serving.id,
      areaCode: serving.areaCode,
      mcc: Number(operator.plmn.slice(0, 3)),
      mnc: Number(operator.plmn.slice(3)),
      coverageEnhancement: bearer === Bearer.NB_IOT ? enhancement(serving.power) : 0,
    };
  }

  #isUsable(cell: Cell, bearer: 6 | 7): boolean {
    const { cells, acceptableRsrp, acceptableRsrpNbIot } = this.#preferences;
    const wanted = bearer === Bearer.NB_IOT ? acceptableRsrpNbIot : acceptableRsrp;
    if (cell.power < Math.max(weakest[bearer], wanted ?? Number.NEGATIVE_INFINITY)) return false;
    return cells.length === 0 || cells.includes(cell.id);
  }
}

function strongest(cells: readonly Cell[]): Cell | undefined {
  let best: Cell | undefined;
  for (const cell of cells) if (best === undefined || cell.power > best.power) best = cell;
  return best;
}

/** The first of those that the server wants and that are here; else the card's own, or any, where others are allowed. */
function chooseOperator(home: string, preferences: RadioPreferences): Operator | undefined {
  for (const plmn of preferences.operators) {
    const found = operators.find((operator) => operator.plmn === plmn);
    if (found !== undefined) return found;
  }
  if (preferences.onlyThese && preferences.operators.length > 0) return undefined;
  return operators.find((operator) => operator.plmn === home) ?? operators[0];
}

/** Preferred Communications Bearer: any, 3GPP PS, LTE and its CIoT modes; NB-IoT. Others the modem has not. */
function chooseBearer(preferred: readonly number[]): 6 | 7 {
  for (const bearer of preferred) {
    if ([0, 1, 4, 12, 13].includes(bearer)) return Bearer.LTE_FDD;
    if (bearer === 14 || bearer === 15) return Bearer.NB_IOT;
  }
  return Bearer.LTE_FDD;
}

/** RSRP, RSRQ and SINR, as 3GPP TS 36.214 §5.1 defines them. */
function quality(serving: Cell, cells: readonly Cell[], time: number) {
  const signal = 10 ** (serving.power / 10);
  let interference = 10 ** (noise / 10);
  for (const cell of cells) {
    if (cell.id === serving.id || cell.band !== serving.band) continue;
    const used = load * (0.6 + 0.8 * mixed(cell.id, Math.floor(time / 15), 61));
    interference += used * 10 ** (cell.power / 10);
  }
  // Of 12 elements of a block two are pilots.
  const received = 2 * signal + 10 * load * signal + 12 * interference;
  return {
    signalStrength: bounded(serving.power, -140, -44),
    linkQuality: bounded(10 * Math.log10(signal / received), -20, -3),
    signalToNoise: bounded(10 * Math.log10(signal / interference), -20, 40),
  };
}

function bounded(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(value)));
}

function enhancement(power: number): number {
  if (power > -110) return 1;
  return power > -125 ? 2 : 3;
}

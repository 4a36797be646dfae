import { isRecord, type KeptSettings } from '../kept-settings.ts';

/** Bits of the power saving modes (/10/0/12, /10/0/13). */
export const PowerSavingMode = { PSM: 1, EDRX: 2 } as const;

/** The eDRX parameters that a server may write, by the radio access that they are for. */
export const edrxModes = ['iu', 'wbS1', 'nbS1', 'aGb'] as const;
export type EdrxMode = (typeof edrxModes)[number];

/** What a server wrote of the Cellular Connectivity object. */
export interface CellularSettings {
  readonly smscAddress: string;
  readonly activationCode: string;
  /** T3412 extended, s. */
  readonly psmTimer: number;
  /** T3324, s. */
  readonly activeTimer: number;
  /** Octet 3 of 3GPP TS 24.008 §10.5.5.32. */
  readonly edrx: Readonly<Partial<Record<EdrxMode, number>>>;
  /** Bits of PowerSavingMode. */
  readonly activeModes: number;
  /** Bits of Release Assistance Indication Usage (/10/0/14). */
  readonly releaseAssistance: number;
  /** When the radio may be on again, ms since the epoch; undefined: it is not switched off. */
  readonly disabledUntil: number | undefined;
}

const initial: CellularSettings = {
  smscAddress: '',
  activationCode: '',
  psmTimer: 3_600,
  activeTimer: 30,
  edrx: {},
  activeModes: 0,
  releaseAssistance: 1,
  disabledUntil: undefined,
};

const section = 'cellular';
/** The network keeps the connection of a modem that says nothing for so long, ms. */
const inactivity = 10_000;
/** eDRX cycles in LTE by their code, s (3GPP TS 24.008 table 10.5.5.32). */
const cycles = [
  5.12, 10.24, 20.48, 40.96, 61.44, 81.92, 102.4, 122.88, 143.36, 163.84, 327.68, 655.36, 1_310.72, 2_621.44,
  5_242.88, 10_485.76,
] as const;
/** A paging time window is a number of these, less one, s. */
const windowStep = 1.28;

/** What a modem does to save power, and when it hears what is sent to it; kept without power. */
export class PowerSaving {
  readonly #settings: KeptSettings;
  #value: CellularSettings;

  /** @throws StateFileError */
  constructor(settings: KeptSettings) {
    this.#settings = settings;
    this.#value = settings.read(section, parseSettings) ?? initial;
    settings.onClear(() => {
      this.#value = initial;
    });
  }

  get value(): CellularSettings {
    return this.#value;
  }

  /** On disk when it returns. */
  set(change: Partial<CellularSettings>): void {
    const next = { ...this.#value, ...change };
    this.#settings.write(section, next);
    this.#value = next;
  }

  /**
   * When the modem hears what arrives at `now`, if it last spoke or heard at `lastActive`; both on one
   * monotonic clock, ms. Infinity: not before it speaks itself.
   */
  hears(now: number, lastActive: number): number {
    const { activeModes, activeTimer, edrx } = this.#value;
    const idleSince = lastActive + inactivity;
    if (now < idleSince || activeModes === 0) return now;
    // In power saving mode nothing is heard; until the active timer ends, eDRX may make it seldom.
    if ((activeModes & PowerSavingMode.PSM) !== 0 && now >= idleSince + activeTimer * 1_000) {
      return Number.POSITIVE_INFINITY;
    }
    const octet = edrx.wbS1;
    if ((activeModes & PowerSavingMode.EDRX) === 0 || octet === undefined) return now;
    const cycle = (cycles[octet & 15] as number) * 1_000;
    const window = ((octet >> 4) + 1) * windowStep * 1_000;
    const into = (now - idleSince) % cycle;
    return into < window ? now : now - into + cycle;
  }
}

function parseSettings(value: unknown): CellularSettings | undefined {
  if (!isRecord(value)) return undefined;
  const { smscAddress, activationCode, psmTimer, activeTimer, edrx } = value;
  const { activeModes, releaseAssistance, disabledUntil } = value;
  const known =
    typeof smscAddress === 'string' &&
    typeof activationCode === 'string' &&
    typeof psmTimer === 'number' &&
    typeof activeTimer === 'number' &&
    isRecord(edrx) &&
    Object.values(edrx).every((octet) => typeof octet === 'number') &&
    typeof activeModes === 'number' &&
    typeof releaseAssistance === 'number' &&
    (disabledUntil === undefined || typeof disabledUntil === 'number');
  if (!known) return undefined;
  return {
    smscAddress,
    activationCode,
    psmTimer,
    activeTimer,
    edrx: edrx as CellularSettings['edrx'],
    activeModes,
    releaseAssistance,
    disabledUntil,
  };
}

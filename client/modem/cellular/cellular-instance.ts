import { cellularConnectivityObject } from '../../../objects/cellular-connectivity.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { instance, type ObjectInstance, type ResourceHandler } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import type { ApnProfiles } from './apn-profiles.ts';
import { type CellularSettings, type EdrxMode, type PowerSaving, PowerSavingMode } from './power-saving.ts';

export type CellularInstance = ObjectInstance<keyof typeof cellularConnectivityObject.resources & string>;

export interface CellularParts {
  readonly saving: PowerSaving;
  readonly profiles: ApnProfiles;
  /** The radio is to be off for so many minutes, from the answer on. */
  readonly disableRadio: (minutes: number) => void;
  /** Minutes for which the radio is still off. */
  readonly disabledFor: () => number;
}

const apnObject = 11;
const nowhere = { objectId: 65_535, instanceId: 65_535 };
const supportedModes = PowerSavingMode.PSM | PowerSavingMode.EDRX;
/** The longest that GPRS Timer 3 and GPRS Timer can say, s (3GPP TS 24.008 §10.5.7.4a, §10.5.7.3). */
const longestPsm = 31 * 320 * 3_600;
const longestActive = 31 * 6 * 60;

/** The Cellular Connectivity object's instance: PSM and eDRX make the simulated radio deaf for a while. */
export function cellularInstance(parts: CellularParts): CellularInstance {
  const { saving, profiles } = parts;
  const value = () => saving.value;
  const set = (change: Partial<CellularSettings>): void => saving.set(change);
  return instance(cellularConnectivityObject, 0, {
    smscAddress: {
      read: () => value().smscAddress,
      check: matching(/^$|^\+?\d{1,15}$/, 'an E.164 number'),
      write: (text) => set({ smscAddress: String(text) }),
      reset: () => set({ smscAddress: '' }),
    },
    disableRadioPeriod: {
      read: parts.disabledFor,
      write: (minutes) => parts.disableRadio(Number(minutes)),
    },
    moduleActivationCode: {
      read: () => value().activationCode,
      check: matching(/^[\x20-\x7e]{0,64}$/, 'a code of 64 characters at most'),
      write: (text) => set({ activationCode: String(text) }),
      reset: () => set({ activationCode: '' }),
    },
    psmTimer: {
      read: () => value().psmTimer,
      check: upTo(longestPsm, 'extended T3412'),
      write: (seconds) => set({ psmTimer: Number(seconds) }),
    },
    activeTimer: {
      read: () => value().activeTimer,
      check: upTo(longestActive, 'T3324'),
      write: (seconds) => set({ activeTimer: Number(seconds) }),
    },
    edrxIuMode: edrx(saving, 'iu'),
    edrxWbS1Mode: edrx(saving, 'wbS1'),
    edrxNbS1Mode: edrx(saving, 'nbS1'),
    edrxAGbMode: edrx(saving, 'aGb'),
    activatedProfileNames: {
      read: () => {
        const profile = profiles.connection?.profile;
        return new Map([[0, profile === undefined ? nowhere : { objectId: apnObject, instanceId: profile }]]);
      },
    },
    supportedPowerSavingModes: { read: () => supportedModes },
    activePowerSavingModes: {
      read: () => value().activeModes,
      check(modes) {
        if ((Number(modes) & ~supportedModes) === 0) return;
        throw new OperationError(
          Code.BAD_REQUEST,
          `of modes ${String(modes)} only PSM (1) and eDRX (2) are there`,
        );
      },
      write: (modes) => set({ activeModes: Number(modes) }),
    },
    releaseAssistanceIndicationUsage: {
      read: () => value().releaseAssistance,
      check: upTo(7, 'release assistance'),
      write: (bits) => set({ releaseAssistance: Number(bits) }),
    },
  });
}

function edrx(saving: PowerSaving, mode: EdrxMode): ResourceHandler<Uint8Array> {
  const set = (octet: number | undefined): void => {
    const { [mode]: _before, ...others } = saving.value.edrx;
    saving.set({ edrx: octet === undefined ? others : { ...others, [mode]: octet } });
  };
  return {
    read() {
      const octet = saving.value.edrx[mode];
      return octet === undefined ? undefined : Uint8Array.of(octet);
    },
    check(bytes) {
      if ((bytes as Uint8Array).length !== 1) {
        throw new OperationError(Code.BAD_REQUEST, 'eDRX parameters are one octet: window and cycle');
      }
    },
    write: (bytes) => set((bytes as Uint8Array)[0]),
    reset: () => set(undefined),
  };
}

function matching(form: RegExp, what: string) {
  return (text: unknown): void => {
    if (!form.test(String(text))) throw new OperationError(Code.BAD_REQUEST, `it is ${what}`);
  };
}

function upTo(most: number, what: string) {
  return (value: unknown): void => {
    const number = Number(value);
    if (number < 0 || number > most) throw new OperationError(Code.BAD_REQUEST, `${what} is 0 to ${most}`);
  };
}

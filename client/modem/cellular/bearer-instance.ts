import { bearerSelectionObject } from '../../../objects/bearer-selection.ts';
import { Code } from '../../../protocol/coap/message.ts';
import { instance, type ObjectInstance } from '../../lwm2m/object-tree.ts';
import { OperationError } from '../../lwm2m/operation-error.ts';
import type { BearerPreferences } from './bearer-preferences.ts';
import type { Operator } from './cell-map.ts';
import type { RadioPreferences } from './lte-network.ts';

export type BearerInstance = ObjectInstance<keyof typeof bearerSelectionObject.resources & string>;

export interface BearerParts {
  readonly preferences: BearerPreferences;
  readonly available: readonly Operator[];
  /** MCC and MNC of the operator that the modem is on; undefined: none. */
  readonly current: () => string | undefined;
  /** What was written is to hold, after a moment. */
  readonly changed: () => void;
}

const mostListed = 32;

/** The Bearer Selection object's instance: what it is written, the choice of network and cell follows. */
export function bearerInstance(parts: BearerParts): BearerInstance {
  const { preferences } = parts;
  const value = () => preferences.value;
  const set = (change: Partial<RadioPreferences>): void => {
    preferences.set(change);
    parts.changed();
  };
  return instance(bearerSelectionObject, 0, {
    preferredCommunicationsBearer: {
      read: (): ReadonlyMap<number, number> =>
        new Map(value().bearers.map((bearer, index) => [index, bearer])),
      check: (bearers) => checkCount((bearers as ReadonlyMap<number, number>).size),
      write(bearers) {
        // In the order of the instances' ids is in the order of preference.
        const sorted = [...(bearers as ReadonlyMap<number, number>)].sort(([a], [b]) => a - b);
        set({ bearers: sorted.map(([, bearer]) => Number(bearer)) });
      },
      reset: () => set({ bearers: [] }),
    },
    acceptableRsrpLte: {
      read: () => value().acceptableRsrp,
      write: (power) => set({ acceptableRsrp: Number(power) }),
      reset: () => set({ acceptableRsrp: undefined }),
    },
    cellLockList: {
      read: () => value().cells.join(','),
      check: (text) => void cellsOf(String(text)),
      write: (text) => set({ cells: cellsOf(String(text)) }),
      reset: () => set({ cells: [] }),
    },
    operatorList: {
      read: () => value().operators.join(','),
      check: (text) => void operatorsOf(String(text)),
      write: (text) => set({ operators: operatorsOf(String(text)) }),
      reset: () => set({ operators: [] }),
    },
    operatorListMode: {
      read: () => value().onlyThese,
      write: (onlyThese) => set({ onlyThese: onlyThese === true }),
      reset: () => set({ onlyThese: false }),
    },
    availablePlmns: { read: () => scan(parts.available, parts.current()) },
    acceptableRsrpNbIot: {
      read: () => value().acceptableRsrpNbIot,
      write: (power) => set({ acceptableRsrpNbIot: Number(power) }),
      reset: () => set({ acceptableRsrpNbIot: undefined }),
    },
  });
}

/** As AT+COPS=? tells it (3GPP TS 27.007 §7.3): 2 is current, 1 available; 7 is E-UTRAN. */
function scan(available: readonly Operator[], current: string | undefined): string {
  return available
    .map(({ name, plmn }) => `(${plmn === current ? 2 : 1},"${name}","${name}","${plmn}",7)`)
    .join(',');
}

function cellsOf(text: string): readonly number[] {
  return listOf(text, /^\d{1,9}$/, 'cell identities').map(Number);
}

function operatorsOf(text: string): readonly string[] {
  return listOf(text, /^\d{5,6}$/, 'country and network codes such as 310410');
}

function listOf(text: string, form: RegExp, what: string): readonly string[] {
  const parts = text.trim() === '' ? [] : text.split(',').map((part) => part.trim());
  checkCount(parts.length);
  if (!parts.every((part) => form.test(part))) {
    throw new OperationError(Code.BAD_REQUEST, `it is a list of ${what}, with commas between`);
  }
  return parts;
}

function checkCount(count: number): void {
  if (count > mostListed) throw new OperationError(Code.BAD_REQUEST, `at most ${mostListed} of them`);
}

import { isRecord, type KeptSettings } from '../kept-settings.ts';
import { noPreferences, type RadioPreferences } from './lte-network.ts';

const section = 'bearer';

/** The radio preferences that a server wrote, kept without power. */
export class BearerPreferences {
  readonly #settings: KeptSettings;
  #value: RadioPreferences;

  /** @throws StateFileError */
  constructor(settings: KeptSettings) {
    this.#settings = settings;
    this.#value = settings.read(section, parsePreferences) ?? noPreferences;
    settings.onClear(() => {
      this.#value = noPreferences;
    });
  }

  get value(): RadioPreferences {
    return this.#value;
  }

  /** On disk when it returns. */
  set(change: Partial<RadioPreferences>): void {
    const next = { ...this.#value, ...change };
    this.#settings.write(section, next);
    this.#value = next;
  }
}

function parsePreferences(value: unknown): RadioPreferences | undefined {
  if (!isRecord(value)) return undefined;
  const { bearers, acceptableRsrp, acceptableRsrpNbIot, cells, operators, onlyThese } = value;
  const known =
    isArrayOf(bearers, isNumber) &&
    (acceptableRsrp === undefined || isNumber(acceptableRsrp)) &&
    (acceptableRsrpNbIot === undefined || isNumber(acceptableRsrpNbIot)) &&
    isArrayOf(cells, isNumber) &&
    isArrayOf(operators, (each) => typeof each === 'string') &&
    typeof onlyThese === 'boolean';
  if (!known) return undefined;
  return { bearers, acceptableRsrp, acceptableRsrpNbIot, cells, operators, onlyThese };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isArrayOf<Each>(value: unknown, is: (each: unknown) => each is Each): value is Each[] {
  return Array.isArray(value) && value.every(is);
}

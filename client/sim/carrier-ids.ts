import { DISCONNECT_CARRIER_ID } from '../../objects/carrier.ts';
import type { AtomicFile } from '../atomic-file.ts';

/** One card's carrier ids by ICCID. */
export interface CardIds {
  /** EID of the card; empty where it has none. */
  readonly card: string;
  readonly ids: Readonly<Record<string, number>>;
}

/** Where carrier ids are kept, the card that was used last first. When `write` returns they are there. */
export interface CarrierIdStorage {
  read(): readonly CardIds[] | undefined;
  write(cards: readonly CardIds[]): void;
}

export function volatileCarrierIds(): CarrierIdStorage {
  let kept: readonly CardIds[] | undefined;
  return {
    read: () => kept,
    write: (cards) => {
      kept = cards;
    },
  };
}

/** Carrier ids in a file. Reading throws StateFileError. */
export function fileCarrierIds(file: AtomicFile): CarrierIdStorage {
  return {
    read: () => file.readJson('list of carrier ids', parseCards),
    write: (cards) => file.write(`${JSON.stringify({ format: 1, cards })}\n`),
  };
}

/** Cards that are remembered; the one that was not used for the longest time is forgotten first. */
const mostCards = 32;
/** ICCIDs that are remembered of a card, beside those that it has. */
const mostGone = 256;
/** Ids of resource instances end here (OMA-TS-LightweightM2M_Core §7.1); a card that used all of them begins anew. */
const highestId = 65_534;

/**
 * Gives each profile of a card its carrier id: the first time in the order of the card's list, from 0; later ones get
 * the next id that no profile of this card ever had. An id is on disk before anybody hears of it, and a profile that is
 * gone keeps it: what was asked for by that id never reaches another carrier.
 */
export class CarrierIds {
  readonly #storage: CarrierIdStorage;
  #cards: readonly CardIds[];

  /** @throws what reading the storage throws */
  constructor(storage: CarrierIdStorage) {
    this.#storage = storage;
    this.#cards = storage.read() ?? [];
  }

  /** The ids of these ICCIDs on the card with that EID. */
  of(card: string, iccids: readonly string[]): ReadonlyMap<string, number> {
    const known = this.#cards.find((entry) => entry.card === card)?.ids ?? {};
    const ids = withNext(new Map(Object.entries(known)), iccids) ?? withNext(new Map(), iccids);
    if (ids === undefined) throw new RangeError(`a card of ${iccids.length} profiles`);
    const added = iccids.some((iccid) => !Object.hasOwn(known, iccid));
    if (added || this.#cards[0]?.card !== card) this.#keep(card, ids, iccids);
    return ids;
  }

  #keep(card: string, ids: ReadonlyMap<string, number>, present: readonly string[]): void {
    const gone = [...ids].filter(([iccid]) => !present.includes(iccid)).sort(([, a], [, b]) => a - b);
    // The newest stay: the next id is above them all.
    const forgotten = new Set(gone.slice(0, Math.max(0, gone.length - mostGone)).map(([iccid]) => iccid));
    const kept = [...ids].filter(([iccid]) => !forgotten.has(iccid));
    const others = this.#cards.filter((entry) => entry.card !== card);
    const cards = [{ card, ids: Object.fromEntries(kept) }, ...others].slice(0, mostCards);
    this.#storage.write(cards);
    this.#cards = cards;
  }
}

/** Undefined: there are no more ids. */
function withNext(ids: Map<string, number>, iccids: readonly string[]): Map<string, number> | undefined {
  let next = Math.max(-1, ...ids.values()) + 1;
  for (const iccid of iccids) {
    if (ids.has(iccid)) continue;
    if (next === DISCONNECT_CARRIER_ID) next++;
    if (next > highestId) return undefined;
    ids.set(iccid, next++);
  }
  return ids;
}

function parseCards(value: Readonly<Record<string, unknown>>): readonly CardIds[] | undefined {
  const { format, cards } = value;
  if (format !== 1 || !Array.isArray(cards)) return undefined;
  return cards.every(isCardIds) ? cards : undefined;
}

function isCardIds(value: unknown): value is CardIds {
  if (typeof value !== 'object' || value === null) return false;
  const { card, ids } = value as Readonly<Record<string, unknown>>;
  if (typeof card !== 'string' || typeof ids !== 'object' || ids === null) return false;
  const all = Object.values(ids);
  return all.every((id) => Number.isSafeInteger(id) && id >= 0) && new Set(all).size === all.length;
}

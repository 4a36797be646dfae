interface Place {
  address: string;
  /** Lets it in; undefined: it is in. */
  admit: (() => void) | undefined;
}

interface Lane {
  inside: number;
  readonly waiting: Set<Place>;
}

/**
 * So much at once for one address at the most, in order of coming: whoever forges registrations from an address
 * has them wait for each other, and each that waits costs next to nothing.
 */
export class AddressLanes {
  readonly #most: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #places = new Map<object, Place>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves when it is its turn; at once where there is room, with undefined. Once until `leave`. */
  enter(who: object, address: string): Promise<void> | undefined {
    const place: Place = { address, admit: undefined };
    this.#places.set(who, place);
    return this.#take(place);
  }

  /** It is somewhere else now, and waits no longer for those who are where it was. */
  moved(who: object, address: string): void {
    const place = this.#places.get(who);
    if (place?.admit === undefined || place.address === address) return;
    const { admit } = place;
    this.#remove(place);
    place.address = address;
    place.admit = undefined;
    const turn = this.#take(place);
    if (turn === undefined) admit();
    else void turn.then(admit);
  }

  /** It is done, or need not wait any more: then it is let in at once, and asks for nothing. */
  leave(who: object): void {
    const place = this.#places.get(who);
    if (place === undefined) return;
    this.#places.delete(who);
    const { admit } = place;
    this.#remove(place);
    admit?.();
  }

  #take(place: Place): Promise<void> | undefined {
    const lane = this.#lanes.get(place.address) ?? { inside: 0, waiting: new Set() };
    this.#lanes.set(place.address, lane);
    if (lane.inside < this.#most) {
      lane.inside++;
      return undefined;
    }
    lane.waiting.add(place);
    return new Promise((resolve) => {
      place.admit = resolve;
    });
  }

  #remove(place: Place): void {
    const lane = this.#lanes.get(place.address);
    if (lane === undefined) return;
    if (place.admit !== undefined) {
      lane.waiting.delete(place);
      return;
    }
    const [next] = lane.waiting;
    if (next === undefined) {
      lane.inside--;
      if (lane.inside === 0) this.#lanes.delete(place.address);
      return;
    }
    lane.waiting.delete(next);
    const { admit } = next;
    next.admit = undefined;
    admit?.();
  }
}

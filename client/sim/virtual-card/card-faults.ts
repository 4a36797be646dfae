import { seededRandom } from './seeded-random.ts';

/** What can be made to go wrong, and how a person reads it. */
export const faultKinds = {
  busy: 'the eUICC answers "catBusy" to each change of a profile',
  policy: 'the eUICC answers "disallowed by policy" to each change of a profile',
  undefined: 'the eUICC answers "undefined error" to each change of a profile',
  mute: 'the card does not answer until it is reset or pulled',
  'wrong-length': 'the card answers 6700',
  technical: 'the card answers 6F00',
  truncated: 'the last byte of the answer before its status word is missing, or half of the status word',
  garbage: 'the answer is random bytes',
  slow: 'the answer comes late',
  removed: 'the card is pulled out during the command, and put back after its delay, if it has one',
  absent: 'there is no card in the slot',
  'pin-blocked': 'PIN1 is enabled and blocked',
} as const;
export type FaultKind = keyof typeof faultKinds;

/** Which commands a fault befalls: `switch` those that enable or disable a profile, `read` READ BINARY and RECORD. */
export const faultTargets = ['any', 'switch', 'read', 'toolkit'] as const;
export type FaultTarget = (typeof faultTargets)[number];

/** One thing that goes wrong, from when it is set until it has happened `times` times or is cleared. */
export interface CardFault {
  readonly kind: FaultKind;
  /** Default `any`. Of no meaning to `busy`, `policy`, `undefined`, `absent` and `pin-blocked`. */
  readonly on?: FaultTarget;
  /** How often it happens; default: until it is cleared. Of no meaning to `absent` and `pin-blocked`. */
  readonly times?: number;
  /** `mute`, `removed`: whether the card has carried the command out by then. Default `before`. */
  readonly when?: 'before' | 'after';
  /** ms: how late (`slow`; default 1000), after what time the card is back (`removed`, `absent`; default: when cleared). */
  readonly delay?: number;
}

/** Faults by chance, the same ones for the same seed and the same commands. */
export interface RandomFaults {
  readonly seed: number;
  /** Of each command, 0 to 1. */
  readonly probability: number;
  /** Among which; default all but `absent` and `pin-blocked`. */
  readonly kinds?: readonly FaultKind[];
  readonly on?: FaultTarget;
  /** As of the faults; default 50 ms. */
  readonly delay?: number;
}

const randomKinds = (Object.keys(faultKinds) as FaultKind[]).filter(
  (kind) => kind !== 'absent' && kind !== 'pin-blocked',
);
/** Faults that are a state of the card, and not something that befalls a command. */
const states: readonly FaultKind[] = ['absent', 'pin-blocked'];
/** Faults that are an answer of the ISD-R. */
const refusals = ['busy', 'policy', 'undefined'] as const;
export type Refusal = (typeof refusals)[number];

/** The faults of one card: set and cleared while it runs. */
export class CardFaults {
  #faults: (CardFault & { left: number })[] = [];
  #random: { readonly of: RandomFaults; readonly next: () => number } | undefined;
  readonly #onChange: () => void;

  /** `onChange` is called when a fault was set or cleared, or is used up. */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** In the place of a fault of the same kind. */
  set(fault: CardFault): void {
    this.#faults = this.#faults.filter(({ kind }) => kind !== fault.kind);
    this.#faults.push({ ...fault, left: fault.times ?? Number.POSITIVE_INFINITY });
    this.#onChange();
  }

  /** The fault of that kind, or all of them and those by chance. */
  clear(kind?: FaultKind): void {
    if (kind === undefined) this.#random = undefined;
    this.#faults = kind === undefined ? [] : this.#faults.filter((fault) => fault.kind !== kind);
    this.#onChange();
  }

  /** What is set now, with how often it is still to happen. */
  list(): readonly CardFault[] {
    return this.#faults.map(({ left, ...fault }) =>
      Number.isFinite(left) ? { ...fault, times: left } : fault,
    );
  }

  get(kind: FaultKind): CardFault | undefined {
    return this.list().find((fault) => fault.kind === kind);
  }

  get random(): RandomFaults | undefined {
    return this.#random?.of;
  }

  /** Begins anew with the seed. */
  set random(faults: RandomFaults | undefined) {
    this.#random = faults === undefined ? undefined : { of: faults, next: seededRandom(faults.seed) };
    this.#onChange();
  }

  /** All at once: what is not given is cleared. */
  replace(faults: readonly CardFault[], random?: RandomFaults): void {
    this.#faults = faults.map((fault) => ({ ...fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
    this.random = random;
  }

  /** The eUICC's no to every change of a profile: another name of `busy` and `policy`. */
  get refuse(): Refusal | undefined {
    return refusals.find((kind) => this.#faults.some((fault) => fault.kind === kind));
  }

  set refuse(refusal: Refusal | undefined) {
    for (const kind of refusals) this.clear(kind);
    if (refusal !== undefined) this.set({ kind: refusal });
  }

  /** The card is out of its slot. */
  get absent(): boolean {
    return this.#faults.some((fault) => fault.kind === 'absent');
  }

  set absent(absent: boolean) {
    if (absent === this.absent) return;
    if (absent) this.set({ kind: 'absent' });
    else this.clear('absent');
  }

  /** For the card: what befalls a command of these targets, counted as having happened. */
  take(targets: readonly FaultTarget[]): CardFault | undefined {
    const hit = this.#faults.find(
      ({ kind, on, left }) =>
        left > 0 && !states.includes(kind) && !isRefusal(kind) && (on === undefined || targets.includes(on)),
    );
    if (hit !== undefined) {
      this.#count(hit);
      return hit;
    }
    return this.#byChance(targets, (kind) => !isRefusal(kind));
  }

  /** For the card: the eUICC's no to the change of a profile that is asked for, counted as having happened. */
  takeRefusal(): Refusal | undefined {
    const hit = this.#faults.find(({ kind, left }) => left > 0 && isRefusal(kind));
    if (hit !== undefined) this.#count(hit);
    const kind = hit?.kind ?? this.#byChance(['any', 'switch'], isRefusal)?.kind;
    return kind !== undefined && isRefusal(kind) ? kind : undefined;
  }

  /** For the card: a number that is the same for the same seed. */
  chance(): number {
    this.#fallback ??= seededRandom(0);
    return (this.#random?.next ?? this.#fallback)();
  }

  #fallback: (() => number) | undefined;

  #count(fault: CardFault & { left: number }): void {
    fault.left--;
    if (fault.left > 0) return;
    this.#faults = this.#faults.filter((other) => other !== fault);
    this.#onChange();
  }

  #byChance(targets: readonly FaultTarget[], suits: (kind: FaultKind) => boolean): CardFault | undefined {
    if (this.#random === undefined) return undefined;
    const { of, next } = this.#random;
    if (of.on !== undefined && !targets.includes(of.on)) return undefined;
    const kinds = (of.kinds ?? randomKinds).filter(suits);
    if (next() >= of.probability) return undefined;
    const kind = kinds[Math.floor(next() * kinds.length)];
    if (kind === undefined) return undefined;
    return { kind, when: next() < 0.5 ? 'before' : 'after', delay: of.delay ?? 50 };
  }
}

function isRefusal(kind: FaultKind): kind is Refusal {
  return (refusals as readonly FaultKind[]).includes(kind);
}

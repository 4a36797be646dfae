import { Histogram, type HistogramData } from './histogram.ts';

/**
 * What a device does. `register`: again and again, as one that has its address to itself; `come-and-go`: a Register under a
 * name that the server has not heard of, and a Deregister, in turn; `take-over`: as many devices in
 * turn from one address, each of which takes it from the one before; `echo`: a datagram to a server that sends it back.
 */
export const works = [
  'echo',
  'register',
  'come-and-go',
  'take-over',
  'update',
  'deregister',
  'notify',
  'send',
] as const;
export type Work = (typeof works)[number];

/** Works that need no registration beforehand. */
export const alone: ReadonlySet<string> = new Set<Work>(['echo', 'register', 'come-and-go', 'take-over']);
/** Works after which a device may be without a registration, as it should be. */
export const ending: ReadonlySet<Work> = new Set<Work>(['echo', 'come-and-go', 'deregister']);

export interface WorkReport {
  /** Exchanges that ended well; NON notifications that were sent. */
  readonly done: number;
  /** Datagrams that were sent again. */
  readonly retransmissions: number;
  /** Exchanges that were sent at least three times: for which one retransmission was not enough. */
  readonly sentThrice: number;
  /** By what ended them: `no answer`, `reset`, a response code such as `5.03`. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the first transmission to the answer. */
  readonly latency: HistogramData;
}

export type TallyReport = Partial<Record<Work, WorkReport>>;

class Counts {
  done = 0;
  retransmissions = 0;
  sentThrice = 0;
  readonly failures: Record<string, number> = {};
  readonly latency = new Histogram();
}

/** What the devices of one process did since the last `take`. */
export class Tally {
  readonly #counts = new Map<Work, Counts>();
  #asked = 0;
  #socketErrors: Record<string, number> = {};
  #errorsInSilence: Record<string, number> = {};
  #heard = 0;

  /** @param milliseconds until the answer; NaN where there is none. */
  done(work: Work, milliseconds: number): void {
    const counts = this.#of(work);
    counts.done++;
    if (!Number.isNaN(milliseconds)) counts.latency.add(milliseconds * 1_000);
  }

  /** @param time how many times it was sent again by now */
  retransmitted(work: Work, time: number): void {
    const counts = this.#of(work);
    counts.retransmissions++;
    if (time === 2) counts.sentThrice++;
  }

  failed(work: Work, why: string): void {
    const { failures } = this.#of(work);
    failures[why] = (failures[why] ?? 0) + 1;
  }

  /** A request of the server came. */
  asked(): void {
    this.#asked++;
  }

  /** A datagram came. */
  heard(): void {
    this.#heard++;
  }

  socketError(code: string): void {
    this.#socketErrors[code] = (this.#socketErrors[code] ?? 0) + 1;
    this.#errorsInSilence[code] = (this.#errorsInSilence[code] ?? 0) + 1;
  }

  /** Whether a datagram came since this was asked last, and what failed meanwhile since one did. */
  listen(): { readonly hasHeard: boolean; readonly errors: Readonly<Record<string, number>> } {
    const hasHeard = this.#heard > 0;
    this.#heard = 0;
    if (hasHeard) this.#errorsInSilence = {};
    return { hasHeard, errors: this.#errorsInSilence };
  }

  /** Everything so far, and begins anew. */
  take(): {
    readonly works: TallyReport;
    readonly asked: number;
    readonly socketErrors: Record<string, number>;
  } {
    const report: TallyReport = {};
    for (const [work, { latency, ...counts }] of this.#counts) {
      report[work] = { ...counts, latency: latency.toData() };
    }
    const taken = { works: report, asked: this.#asked, socketErrors: this.#socketErrors };
    this.#counts.clear();
    this.#asked = 0;
    this.#socketErrors = {};
    return taken;
  }

  #of(work: Work): Counts {
    let counts = this.#counts.get(work);
    if (counts === undefined) {
      counts = new Counts();
      this.#counts.set(work, counts);
    }
    return counts;
  }
}
